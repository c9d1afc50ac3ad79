//! A member of the group: what it is given to read, and the records of that.
//!
//! Partitions come and go inside `poll`, and librdkafka waits for our answer: nothing is assigned before the partitions
//! deliver into our own queue, and nothing is given back before the worker has committed. A partition is assigned
//! paused, and begins where the worker says. librdkafka's own idea of a position is not relied on: it counts the end of
//! a partition as a record, so whatever goes on goes on from ours.

mod listener;
mod reading;

use super::Outcome;
use super::cluster::committed;
use super::fault;
use super::native::{Closing, Inbox, Message, known_end};
use super::settings::Settings;
use crate::outbox::TopicId;
use crate::transport::{Class, Partition, Run};
use listener::{Listener, Said};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use reading::Reading;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long seeking may take, which asks nobody.
const SEEKING: Duration = Duration::from_secs(1);
/// The longest wait for an answer that is not needed.
const WAKING: Duration = Duration::from_millis(100);

/// What a poll of the group brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These are ours.
    Assigned(Vec<Partition>),
    /// These are to be given back.
    Revoked(Vec<Partition>),
    /// These are someone else's.
    Lost(Vec<Partition>),
    /// Nothing new.
    Nothing,
}

/// A member.
pub struct Member {
    /// Before the consumer: what it holds points into it.
    inbox: Inbox<Listener>,
    consumer: Arc<Closing<Listener>>,
    listener: Listener,
    names: Vec<String>,
    incremental: bool,
    /// Whether it has been told to give back what it has, and has not yet.
    to_release: bool,
    readings: BTreeMap<Partition, Reading>,
    headers: Vec<u8>,
}

impl Member {
    /// A member that has not joined yet; `instance` is the place that it takes again after a restart.
    pub fn new(settings: &Settings, names: Vec<String>, instance: &str) -> Outcome<Self> {
        let listener = Listener::default();
        let consumer: BaseConsumer<Listener> =
            settings.member(instance).create_with_context(listener.clone()).map_err(|e| fault::unmade(&e))?;
        let consumer = Arc::new(Closing::new(consumer));
        Ok(Member {
            inbox: Inbox::new(&consumer),
            consumer,
            listener,
            names,
            incremental: settings.consumer_protocol,
            to_release: false,
            readings: BTreeMap::new(),
            headers: vec![],
        })
    }

    /// The binding's consumer.
    pub fn consumer(&self) -> &BaseConsumer<impl ConsumerContext + use<>> {
        &self.consumer
    }

    /// Joins the group to read topics.
    pub fn join(&mut self, topics: &[TopicId]) -> Outcome<()> {
        let names: Vec<&str> = topics.iter().map(|topic| self.name(*topic)).collect();
        self.consumer.subscribe(&names).map_err(|e| fault::asking("the group cannot be joined", &e))
    }

    fn name(&self, topic: TopicId) -> &str {
        &self.names[topic.0 as usize]
    }

    /// What is committed for partitions, with its metadata, once nothing is pending.
    pub fn committed(&self, partitions: &[Partition]) -> Outcome<Vec<Option<(i64, String)>>> {
        let named: Vec<_> = partitions.iter().map(|p| (self.name(p.topic).to_owned(), p.index)).collect();
        committed(&self.consumer, &named)
    }

    /// Listens to the group.
    pub fn news(&mut self) -> Outcome<News> {
        match self.consumer.poll(Duration::ZERO) {
            Some(Err(error)) => self.ails(&error)?,
            // Delivered before its partition was told to deliver elsewhere: it is read once more.
            Some(Ok(message)) => {
                use rdkafka::Message as _;
                let (topic, index) = (message.topic().to_owned(), message.partition() as u32);
                drop(message);
                self.partitions(&[(topic, index)]).into_iter().for_each(|partition| self.again(partition));
            }
            None => {}
        }
        if self.listener.take_shaken() {
            self.doubt_ends();
        }
        let said = self.listener.said.lock().unwrap_or_else(PoisonError::into_inner).front().cloned();
        let news = match said {
            None => return Ok(News::Nothing),
            Some(Said::Assigned(named)) => News::Assigned(self.assigned(&named)?),
            Some(Said::Revoked { partitions, lost: false }) => News::Revoked(self.partitions(&partitions)),
            Some(Said::Revoked { partitions, lost: true }) => {
                let partitions = self.partitions(&partitions);
                self.release(&partitions)?;
                News::Lost(partitions)
            }
        };
        // Not before: the group says it once, and what could not be done about it is done with the next poll.
        self.listener.said.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Ok(news)
    }

    /// What ails the membership, if it is not for librdkafka to mend.
    fn ails(&self, error: &KafkaError) -> Outcome<()> {
        self.is_alive()?;
        if error.rdkafka_error_code().is_some_and(fault::is_final) {
            return Err(fault::fault(Class::Fatal, "the group cannot be read with", error));
        }
        tracing::debug!(%error, "the consumer goes on");
        Ok(())
    }

    /// Whether librdkafka has not given the membership up.
    pub fn is_alive(&self) -> Outcome<()> {
        let Some((code, reason)) = self.consumer.client().fatal_error() else { return Ok(()) };
        tracing::debug!(?code, reason, "the consumer is dead");
        let error = KafkaError::MessageConsumptionFatal(code);
        match code {
            // The place is still that of the process before us, until the group gives it up.
            RDKafkaErrorCode::UnreleasedInstanceId => {
                Err(fault::fault(Class::Fenced, "the group still waits for the process before us", &error))
            }
            // Whoever was silent for too long is told the same, though nobody has come.
            RDKafkaErrorCode::FencedInstanceId if self.listener.was_silent() => {
                Err(fault::fault(Class::Fenced, "the group has given us up", &error))
            }
            RDKafkaErrorCode::FencedInstanceId => {
                Err(fault::fault(Class::Fatal, "another process has taken our place in the group", &error))
            }
            _ => Err(fault::fault(Class::Fenced, "the membership has ended", &error)),
        }
    }

    fn partitions(&self, named: &[(String, u32)]) -> Vec<Partition> {
        let topic = |name: &str| self.names.iter().position(|known| known == name);
        let known = named.iter().filter_map(|(name, index)| {
            Some(Partition { topic: TopicId(topic(name)? as u16), index: *index })
        });
        known.collect()
    }

    fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(self.name(partition.topic), partition.index as i32);
        }
        list
    }

    /// Takes over what was assigned: paused, and delivering to us.
    fn assigned(&mut self, named: &[(String, u32)]) -> Outcome<Vec<Partition>> {
        let partitions = self.partitions(named);
        if !self.incremental {
            self.readings.clear();
        }
        let mut list = self.list(&partitions);
        for partition in &partitions {
            self.inbox.collect(self.name(partition.topic), partition.index);
            self.readings.insert(*partition, Reading::default());
        }
        // An offset that needs no look-up: nothing is fetched before a partition begins.
        list.set_all_offsets(Offset::Offset(0))
            .map_err(|e| fault::asking("inputs cannot be assigned", &e))?;
        if !partitions.is_empty() {
            self.consumer.pause(&list).map_err(|e| fault::asking("inputs cannot be paused", &e))?;
        }
        let assigned = match self.incremental {
            true => self.consumer.incremental_assign(&list),
            false => self.consumer.assign(&list),
        };
        assigned.map_err(|e| fault::asking("inputs cannot be assigned", &e))?;
        self.insist();
        Ok(partitions)
    }

    /// What is kept while other partitions come and go is paused and goes on behind our back, from where librdkafka
    /// believes that we are. It counts the end of a partition as a record, so one would be passed over.
    fn insist(&mut self) {
        let all: Vec<Partition> = self.readings.keys().copied().collect();
        all.into_iter().for_each(|partition| self.again(partition));
    }

    /// Gives back what was revoked.
    pub fn release(&mut self, partitions: &[Partition]) -> Outcome<()> {
        self.forget(partitions);
        self.to_release = false;
        let given_back = match self.incremental {
            true => self.consumer.incremental_unassign(&self.list(partitions)),
            false => self.consumer.unassign(),
        };
        given_back.map_err(|e| fault::asking("inputs cannot be given back", &e))?;
        match self.incremental {
            true => self.readings.retain(|partition, _| !partitions.contains(partition)),
            false => self.readings.clear(),
        }
        self.insist();
        Ok(())
    }

    /// Lets go of records of partitions that have been taken and not handed out. Those of others have to stay: nobody
    /// would bring them again.
    fn forget(&mut self, partitions: &[Partition]) {
        let Member { inbox, names, .. } = self;
        let is_of = |message: &Message<'_>, partition: &Partition| {
            let name = &names[partition.topic.0 as usize];
            message.partition() == partition.index && message.topic() == name
        };
        inbox.retain(|message| !partitions.iter().any(|partition| is_of(&message, partition)));
    }

    /// Reads a partition from an offset on, from the next poll on.
    pub fn begin(&mut self, partition: Partition, offset: i64) {
        if let Some(reading) = self.readings.get_mut(&partition) {
            *reading = Reading { next: Some(offset), to_begin: true, ..Reading::default() };
        }
    }

    /// Reads a partition on from where it stands, whatever librdkafka thinks.
    fn again(&mut self, partition: Partition) {
        if let Some(reading) = self.readings.get_mut(&partition) {
            reading.to_begin = reading.next.is_some() && !reading.paused;
        }
    }

    /// Where a partition ended is said once, and holds for as long as it can be reached. It is read on from there, and
    /// says so again.
    fn doubt_ends(&mut self) {
        let at_end = self.readings.iter_mut().filter(|(_, reading)| reading.end.is_some());
        let doubted: Vec<Partition> = at_end.map(|(partition, _)| *partition).collect();
        for partition in doubted {
            if let Some(reading) = self.readings.get_mut(&partition) {
                // Markers before the end are no records that would come again.
                (reading.next, reading.end) = (reading.end, None);
            }
            self.again(partition);
        }
    }

    /// Where partitions stand that librdkafka has given up on.
    pub fn in_doubt(&self) -> Vec<(Partition, i64)> {
        let doubted = self.readings.iter().filter(|(_, reading)| reading.in_doubt);
        doubted.filter_map(|(partition, reading)| Some((*partition, reading.next?))).collect()
    }

    /// Stops or goes on reading a partition.
    pub fn pause(&mut self, partition: Partition, paused: bool) -> Outcome<()> {
        let Some(reading) = self.readings.get_mut(&partition) else { return Ok(()) };
        reading.paused = paused;
        if !paused {
            self.again(partition);
            return Ok(());
        }
        reading.to_begin = false;
        self.consumer
            .pause(&self.list(&[partition]))
            .map_err(|e| fault::asking("an input cannot be paused", &e))
    }

    /// Tells librdkafka where partitions begin. One whose assignment is not through yet is told the next time.
    fn settle(&mut self) -> Outcome<()> {
        let due: Vec<Partition> =
            self.readings.iter().filter(|(_, r)| r.to_begin).map(|(partition, _)| *partition).collect();
        if due.is_empty() {
            return Ok(());
        }
        // What was taken before would be ahead of where it begins, and what lies between would pass for read.
        self.forget(&due);
        let paused = self.list(&due);
        self.consumer.pause(&paused).map_err(|e| fault::asking("inputs cannot be paused", &e))?;
        let mut list = TopicPartitionList::with_capacity(due.len());
        for partition in &due {
            let next = self.readings[partition].next.unwrap_or(0);
            list.add_partition_offset(
                self.name(partition.topic),
                partition.index as i32,
                Offset::Offset(next),
            )
            .map_err(|e| fault::asking("an input cannot be found", &e))?;
        }
        let sought = self.consumer.seek_partitions(list, SEEKING);
        let sought = sought.map_err(|e| fault::asking("inputs cannot begin", &e))?;
        let mut begun = TopicPartitionList::new();
        for (partition, element) in due.iter().zip(sought.elements()) {
            if element.error().is_ok() {
                begun.add_partition(element.topic(), element.partition());
                if let Some(reading) = self.readings.get_mut(partition) {
                    reading.to_begin = false;
                }
            }
        }
        if begun.count() > 0 {
            self.consumer.resume(&begun).map_err(|e| fault::asking("inputs cannot go on", &e))?;
            self.wake(begun);
        }
        Ok(())
    }

    /// Has librdkafka fetch now. Its thread for a broker that has nothing to fetch sleeps for a second, and being told
    /// to go on does not wake it; a question to the leaders does, whatever they answer.
    fn wake(&self, mut partitions: TopicPartitionList) {
        if partitions.set_all_offsets(Offset::End).is_ok() {
            let _ = self.consumer.offsets_for_times(partitions, WAKING);
        }
    }

    /// Records of partitions that have begun, a run a partition.
    pub fn records(&mut self, most: usize) -> Outcome<Vec<Run<'_>>> {
        self.settle()?;
        self.inbox.take(most, Duration::ZERO);
        let Member { inbox, readings, names, headers, .. } = self;
        reading::sort(inbox, names, readings, headers)
    }

    /// The batch has been dealt with.
    pub fn clear(&mut self) {
        self.inbox.clear();
    }

    /// Waits until there may be something.
    pub fn wait(&mut self, most: Duration) {
        let said = !self.listener.said.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if !said && !self.readings.values().any(|reading| reading.to_begin) {
            self.inbox.wait(most);
        }
    }

    /// Whether everything that is known to stand in a partition has been handed out.
    pub fn at_end(&self, partition: Partition) -> bool {
        self.readings.get(&partition).is_some_and(|reading| reading.end.is_some())
    }

    /// The offset behind everything that has been handed out.
    pub fn reached(&self, partition: Partition) -> Option<i64> {
        let reading = self.readings.get(&partition)?;
        reading.end.or(reading.next)
    }

    /// Where a partition is known to end.
    pub fn known_end(&self, partition: Partition) -> Option<i64> {
        known_end(&self.consumer, self.name(partition.topic), partition.index)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.listener.leaving.store(true, Ordering::Relaxed);
        self.inbox.clear();
        // Who still waits for an answer would wait for ever.
        let unanswered = !self.listener.said.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if self.to_release || unanswered {
            let all: Vec<Partition> = self.readings.keys().copied().collect();
            let _ = self.release(&all);
        }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("readings", &self.readings).finish_non_exhaustive()
    }
}
