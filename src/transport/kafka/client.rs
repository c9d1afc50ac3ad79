//! The cluster for those who only write or read it: `produce`, `inspect`, and whoever looks at a topic.
//!
//! Reading is told what to read and belongs to no group; what is not committed is not seen. Writing has no
//! transaction: a record is there once it is acknowledged, and a flush says so or why not.

use super::Outcome;
use super::cluster::{Cluster, QUESTION, TopicSeen};
use super::deliveries::Deliveries;
use super::ear::Ear;
use super::fault;
use super::native::{Closing, Inbox};
use crate::partitioner;
use crate::transport::{Batch, Class, Record, TransportError};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a partition may take to say anything.
const SILENCE: Duration = Duration::from_secs(15);
/// How long is waited for a record at a time.
const MOMENT: Duration = Duration::from_millis(10);

/// A cluster that is written or read beside the engines that run on it.
pub struct Client {
    cluster: Arc<Cluster>,
    reading: Option<Reading>,
    sending: Option<Sending>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of a cluster.
    pub fn new(cluster: &Arc<Cluster>) -> Self {
        Client { cluster: cluster.clone(), reading: None, sending: None }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The names of all topics but the cluster's own.
    pub fn topics(&self) -> Outcome<Vec<String>> {
        let own = |topic: &TopicSeen| topic.name.starts_with("__");
        Ok(self.cluster.topics()?.into_iter().filter(|t| !own(t)).map(|topic| topic.name).collect())
    }

    /// How many partitions a topic has; none: there is no such topic.
    pub fn partitions(&self, topic: &str) -> Outcome<Option<u32>> {
        self.cluster.partitions(topic)
    }

    /// Makes a topic unless it is there, with however many partitions; how many it has.
    pub fn ensure_topic(&mut self, topic: &str, partitions: u32) -> Outcome<u32> {
        if let Some(count) = self.cluster.partitions(topic)? {
            return Ok(count);
        }
        self.cluster.create(topic, partitions.max(1), &[])?;
        Ok(self.cluster.partitions(topic)?.unwrap_or(partitions))
    }

    /// The offsets of a partition's first record and behind its last one that is committed, and before which none is
    /// pending.
    pub fn bounds(&mut self, topic: &str, partition: u32) -> Outcome<(i64, i64)> {
        let reading = Self::reading(&mut self.reading, &self.cluster)?;
        let bounds = reading.consumer.client().fetch_watermarks(topic, partition as i32, QUESTION);
        bounds.map_err(|e| fault::asking(&format!("the end of {topic}-{partition} cannot be asked for"), &e))
    }

    /// Adds committed records of a partition from an offset on, which lies before `end`, to the batch: about so many
    /// and so many bytes, none if there are none up to the end. The offset behind what was read.
    pub fn read(
        &mut self,
        topic: &str,
        partition: u32,
        (from, end): (i64, i64),
        most: (usize, usize),
        batch: &mut Batch,
    ) -> Outcome<i64> {
        let reading = Self::reading(&mut self.reading, &self.cluster)?;
        reading.read(topic, partition, (from, end), most, batch)
    }

    /// Stops reading a partition: what is fetched ahead of the reader is nothing that anyone waits for.
    pub fn stop(&mut self, topic: &str, partition: u32) -> Outcome<()> {
        self.reading.as_mut().map_or(Ok(()), |reading| reading.stop(topic, partition))
    }

    fn reading<'r>(reading: &'r mut Option<Reading>, cluster: &Cluster) -> Outcome<&'r mut Reading> {
        Ok(match reading {
            Some(reading) => reading,
            None => reading.insert(Reading::new(cluster)?),
        })
    }

    /// Hands over a record, to be there at the next [`Client::flush`]: to the partition of its key, as JVM clients
    /// choose it, or to all in turn.
    pub fn send(
        &mut self,
        topic: &str,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Outcome<()> {
        let sending = match &mut self.sending {
            Some(sending) => sending,
            None => self.sending.insert(Sending::new(&self.cluster)?),
        };
        sending.send(topic, timestamp, key, value)
    }

    /// Everything that was sent is there for good when this returns.
    pub fn flush(&mut self) -> Outcome<()> {
        self.sending.as_mut().map_or(Ok(()), Sending::flush)
    }
}

/// A consumer, and the partitions that it reads.
struct Reading {
    /// By topic and partition; dropped before the consumer.
    open: BTreeMap<(String, u32), Open>,
    consumer: Arc<Closing<Ear>>,
    headers: Vec<u8>,
}

/// A partition that is being read.
struct Open {
    inbox: Inbox<Ear>,
    /// What has come and was not asked for yet, and how much of that has been given out.
    ahead: Batch,
    given: usize,
    /// The next offset to be given out.
    next: i64,
    /// The offset behind all that has come. Markers of transactions have offsets, too, so that it may lie behind that
    /// of the last record and one.
    reached: i64,
}

impl Reading {
    fn new(cluster: &Cluster) -> Outcome<Self> {
        let consumer = cluster.settings().reader().create_with_context(cluster.ear().clone());
        let consumer = Arc::new(Closing::new(consumer.map_err(|e| fault::unmade(&e))?));
        Ok(Reading { open: BTreeMap::new(), consumer, headers: vec![] })
    }

    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        (from, end): (i64, i64),
        most: (usize, usize),
        batch: &mut Batch,
    ) -> Outcome<i64> {
        self.open(topic, partition, from)?;
        let since = Instant::now();
        let Some(open) = self.open.get_mut(&(topic.to_owned(), partition)) else { return Ok(from) };
        loop {
            let fetched = open.fetch(most.0, &mut self.headers).map_err(|code| {
                let doing = format!("{topic}-{partition} cannot be read from offset {from} on");
                fault::asking(&doing, &KafkaError::MessageConsumption(code))
            });
            fetched?;
            open.give(end, most.1, batch);
            if open.next > from {
                return Ok(open.next);
            }
            let _ = self.consumer.poll(Duration::ZERO);
            if since.elapsed() > SILENCE {
                let message = format!("nothing is heard of {topic}-{partition}");
                return Err(TransportError::new(Class::Retry, message));
            }
        }
    }

    fn stop(&mut self, topic: &str, partition: u32) -> Outcome<()> {
        if self.open.remove(&(topic.to_owned(), partition)).is_none() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition as i32);
        let stopped = self.consumer.incremental_unassign(&list);
        stopped.map_err(|e| fault::asking(&format!("{topic}-{partition} cannot be let go of"), &e))
    }

    /// Sees to it that a partition is being read from an offset on.
    fn open(&mut self, topic: &str, partition: u32, from: i64) -> Outcome<()> {
        let name = (topic.to_owned(), partition);
        if self.open.get(&name).is_some_and(|open| open.next == from) {
            return Ok(());
        }
        let failed = |e: KafkaError| fault::asking(&format!("{topic}-{partition} cannot be read"), &e);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition as i32, Offset::Offset(from)).map_err(failed)?;
        if self.open.remove(&name).is_some() {
            self.consumer.incremental_unassign(&list).map_err(failed)?;
        }
        // A topic that the client has not met would be asked for with its next round only, a second later.
        self.consumer.client().fetch_metadata(Some(topic), QUESTION).map_err(failed)?;
        let inbox = Inbox::new(&self.consumer);
        inbox.collect(topic, partition);
        self.consumer.incremental_assign(&list).map_err(failed)?;
        let ahead = Batch::default();
        self.open.insert(name, Open { inbox, ahead, given: 0, next: from, reached: from });
        Ok(())
    }
}

impl Open {
    /// Takes what has come, unless there is still something to be given out; waits a moment for it.
    fn fetch(&mut self, most: usize, headers: &mut Vec<u8>) -> Result<(), RDKafkaErrorCode> {
        if self.given < self.ahead.len() {
            return Ok(());
        }
        (self.given, _) = (0, self.ahead.clear());
        self.inbox.take(most, Duration::ZERO);
        self.inbox.wait(MOMENT);
        for message in self.inbox.messages() {
            let offset = message.offset();
            match message.error() {
                Some(RDKafkaErrorCode::PartitionEOF) => self.reached = self.reached.max(offset),
                Some(code) => return Err(code),
                None => {
                    headers.clear();
                    message.headers(headers);
                    let (key, value, timestamp) = (message.key(), message.value(), message.timestamp());
                    self.ahead.push(&Record { offset, timestamp, key, value, headers });
                    self.reached = offset + 1;
                }
            }
        }
        self.inbox.clear();
        Ok(())
    }

    /// Gives out what has come, up to an end.
    fn give(&mut self, end: i64, most_bytes: usize, batch: &mut Batch) {
        while let Some(record) = self.ahead.get(self.given).filter(|record| record.offset < end) {
            if batch.len_bytes() >= most_bytes {
                return;
            }
            batch.push(&record);
            self.given += 1;
            self.next = record.offset + 1;
        }
        // Behind the last record there may be offsets that no record has.
        let known = self.ahead.get(self.given).map_or(self.reached, |record| record.offset);
        self.next = self.next.max(known.min(end));
    }
}

/// A producer without transactions.
struct Sending {
    producer: BaseProducer<Deliveries>,
    cluster: Arc<Cluster>,
    deliveries: Deliveries,
    partitions: BTreeMap<String, u32>,
    /// The partition of the next record without a key.
    turn: u32,
}

impl Sending {
    fn new(cluster: &Arc<Cluster>) -> Outcome<Self> {
        let deliveries = Deliveries::new(cluster.ear().clone());
        let producer = cluster.settings().sender().create_with_context(deliveries.clone());
        let producer = producer.map_err(|e| fault::unmade(&e))?;
        let cluster = cluster.clone();
        Ok(Sending { producer, cluster, deliveries, partitions: BTreeMap::new(), turn: 0 })
    }

    fn count(&mut self, topic: &str) -> Outcome<u32> {
        if let Some(count) = self.partitions.get(topic) {
            return Ok(*count);
        }
        let count = self.cluster.partitions(topic)?;
        let count = count.ok_or_else(|| TransportError::fatal(format!("there is no topic `{topic}`")))?;
        self.partitions.insert(topic.to_owned(), count);
        Ok(count)
    }

    fn send(&mut self, topic: &str, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Outcome<()> {
        let count = self.count(topic)?;
        let partition = match key {
            Some(key) => partitioner::partition_of(key, count),
            None => {
                self.turn = self.turn.wrapping_add(1);
                self.turn.wrapping_sub(1) % count
            }
        };
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).partition(partition as i32).timestamp(timestamp);
        (record.key, record.payload) = (key, value);
        while let Err((error, back)) = self.producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(fault::asking(&format!("nothing can be written to `{topic}`"), &error));
            }
            // Some of what waits has to go first.
            self.producer.poll(MOMENT);
            self.deliveries.check()?;
            record = back;
        }
        Ok(())
    }

    /// What is not acknowledged within librdkafka's own time comes back as a delivery that failed, so this ends.
    fn flush(&mut self) -> Outcome<()> {
        // The binding's own flush waits for a report of success, which nobody has asked for, a tenth of a second at a
        // time.
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            self.deliveries.check()?;
        }
        self.producer.poll(Duration::ZERO);
        self.deliveries.check()
    }
}
