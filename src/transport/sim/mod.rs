//! A cluster in memory: what tests run on, and `streamrun test`.
//!
//! Single-threaded, without a clock, with a fault at any call if asked for. What it does is what a real cluster does
//! where the engine can tell: open transactions hide records, a member that was given up cannot commit, a commit
//! whose reply is lost has happened.

mod cluster;
mod faults;

pub use cluster::{Cluster, Entry, Say};
pub use faults::{Fault, Faults, When};

use super::{
    Chunk, Class, Event, Limits, Partition, Position, Record, Run, TopicWish, Transport, TransportError,
};
use crate::outbox::{Outbox, Output, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// An input that is being read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    next: i64,
    paused: bool,
}

/// When a member learns what records a topic takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learns {
    /// It is told.
    #[default]
    AtOnce,
    /// When one has been refused.
    Refused,
    /// Never.
    Never,
}

/// One member of the group, with its producer.
#[derive(Debug)]
pub struct Sim {
    cluster: Cluster,
    member: u64,
    transaction: u64,
    topics: Vec<String>,
    reading: BTreeMap<Partition, Reading>,
    held: Vec<Held>,
    chunk: Vec<(i64, Arc<Entry>)>,
    /// How large records may be, as refusals have taught it.
    learned: BTreeMap<TopicId, usize>,
    /// Where they need a key, as refusals have taught it.
    keyed: BTreeSet<TopicId>,
    /// When it learns that.
    pub learns: Learns,
    /// Whether it cannot reach what it reads, and does not notice.
    pub cut_off: bool,
    /// What goes wrong.
    pub faults: Faults,
}

/// What a poll has brought, kept for as long as it is borrowed.
type Held = (Partition, Vec<(i64, Arc<Entry>)>);

type Outcome<T> = Result<T, TransportError>;

impl Sim {
    /// A member-to-be; `topics` are the names of the plan's topics.
    pub fn new(cluster: Cluster, topics: Vec<String>) -> Self {
        let (member, transaction) = (cluster.id(), cluster.id());
        Sim {
            cluster,
            member,
            transaction,
            topics,
            reading: BTreeMap::new(),
            held: vec![],
            chunk: vec![],
            learned: BTreeMap::new(),
            keyed: BTreeSet::new(),
            learns: Learns::default(),
            cut_off: false,
            faults: Faults::default(),
        }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What the group knows it by.
    pub fn member(&self) -> u64 {
        self.member
    }

    /// Dies: its open transaction is ended as that of a dead producer is, and the group gives it up.
    pub fn crash(self) {
        self.cluster.end(self.transaction, None);
        self.cluster.leave(self.member);
    }

    fn name(&self, topic: TopicId) -> &str {
        &self.topics[topic.0 as usize]
    }

    /// Counts a call, and fails it if it is to fail before its effect; otherwise whether its reply is to be lost.
    fn call(&mut self, class: Class) -> Outcome<bool> {
        self.call_in_doubt(class, class)
    }

    /// The same for a call that may leave open whether it has happened, with the class of an error that does.
    fn call_in_doubt(&mut self, class: Class, doubt: Class) -> Outcome<bool> {
        match self.faults.call() {
            Some(When::Before) => Err(TransportError::new(class, "a fault that was asked for")),
            Some(When::Doubt) => Err(TransportError::new(doubt, "a doubt that was asked for")),
            Some(When::After) => Ok(true),
            None => Ok(false),
        }
    }

    /// Refuses a record that its topic does not take.
    fn refuse(&mut self, output: &Output) -> Outcome<()> {
        let topic = self.name(output.topic);
        if !output.has_key && self.cluster.needs_key(topic) {
            let message = format!("a record without a key is nothing for {topic}");
            if self.learns == Learns::Refused {
                self.keyed.insert(output.topic);
            }
            return Err(TransportError::new(Class::Refused, message));
        }
        let (found, most) = (output.len_bytes(), self.cluster.most_bytes(topic));
        if found <= most {
            return Ok(());
        }
        let message = format!("a record of {found} bytes is too large for {topic}");
        if self.learns == Learns::Refused {
            self.learned.insert(output.topic, most);
        }
        Err(TransportError::new(Class::Refused, message))
    }

    fn partition(&self, (topic, index): &(String, u32)) -> Option<Partition> {
        let topic = self.topics.iter().position(|t| t == topic)?;
        Some(Partition { topic: TopicId(topic as u16), index: *index })
    }

    fn partitions_of(&self, named: &[(String, u32)]) -> Vec<Partition> {
        named.iter().filter_map(|n| self.partition(n)).collect()
    }
}

fn lost<T>(lost: bool, class: Class, value: T) -> Outcome<T> {
    match lost {
        true => Err(TransportError::new(class, "a reply that was lost on demand")),
        false => Ok(value),
    }
}

impl Transport for Sim {
    fn partitions(&mut self, topic: TopicId) -> Outcome<Option<u32>> {
        let fails = self.call(Class::Retry)?;
        lost(fails, Class::Retry, self.cluster.partitions(self.name(topic)))
    }

    fn create(&mut self, wish: &TopicWish) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        self.cluster.create(&wish.name, wish.partitions);
        lost(fails, Class::Retry, ())
    }

    fn join(&mut self, inputs: &[TopicId]) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        let topics = inputs.iter().map(|t| self.name(*t).to_owned()).collect();
        self.reading.clear();
        self.cluster.join(self.member, topics);
        lost(fails, Class::Retry, ())
    }

    fn poll(&mut self, limits: Limits) -> Outcome<Event<'_>> {
        if self.call(Class::Retry)? {
            return Err(TransportError::new(Class::Retry, "a reply that was lost on demand"));
        }
        match self.cluster.listen(self.member) {
            Say::Nothing => {}
            Say::Assigned(named) => return Ok(Event::Assigned(self.partitions_of(&named))),
            Say::Revoked(named) => return Ok(Event::Revoked(self.partitions_of(&named))),
            Say::Lost(named) => {
                self.reading.clear();
                return Ok(Event::Lost(self.partitions_of(&named)));
            }
        }
        let mut left = if self.cut_off { 0 } else { limits.records };
        self.held.clear();
        for (partition, reading) in self.reading.iter_mut().filter(|(_, r)| !r.paused) {
            let topic = &self.topics[partition.topic.0 as usize];
            let (found, next) = self.cluster.read(topic, partition.index, reading.next, left);
            (reading.next, left) = (next, left - found.len());
            if !found.is_empty() {
                self.held.push((*partition, found));
            }
        }
        Ok(if self.held.is_empty() { Event::Idle } else { Event::Records(runs(&self.held)) })
    }

    fn wait(&mut self, _most: Duration) {}

    fn committed(&mut self, inputs: &[Partition]) -> Outcome<Vec<Option<Position>>> {
        let fails = self.call(Class::Retry)?;
        let committed = |partition: &Partition| {
            let (offset, metadata) = self.cluster.committed(self.name(partition.topic), partition.index)?;
            Some(Position { partition: *partition, offset, metadata })
        };
        let all = inputs.iter().map(committed).collect();
        lost(fails, Class::Retry, all)
    }

    fn bounds(&mut self, partition: Partition) -> Outcome<(i64, i64)> {
        let fails = self.call(Class::Retry)? || self.cut_off;
        let name = self.name(partition.topic);
        let start = self.cluster.start_offset(name, partition.index);
        let end = self.cluster.end_offset(name, partition.index);
        lost(fails, Class::Retry, (start, end))
    }

    fn topic_id(&mut self, topic: TopicId) -> Outcome<Option<String>> {
        let fails = self.call(Class::Retry)?;
        lost(fails, Class::Retry, Some(self.cluster.topic_id(self.name(topic))))
    }

    fn changelog(&mut self, partition: Partition, from: i64, end: i64) -> Outcome<Chunk<'_>> {
        if self.call(Class::Retry)? {
            return Err(TransportError::new(Class::Retry, "a reply that was lost on demand"));
        }
        let most = (end - from).clamp(0, 1000) as usize;
        let topic = self.name(partition.topic).to_owned();
        let (found, next) = self.cluster.read(&topic, partition.index, from, most);
        self.chunk = found.into_iter().filter(|(offset, _)| *offset < end).collect();
        let records =
            self.chunk.iter().map(|(_, e)| (e.key.as_deref().unwrap_or_default(), e.value.as_deref()));
        Ok(Chunk { records: records.collect(), next: next.min(end) })
    }

    fn begin(&mut self, partition: Partition, offset: i64) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        self.reading.insert(partition, Reading { next: offset, paused: false });
        lost(fails, Class::Retry, ())
    }

    fn pause(&mut self, partition: Partition, paused: bool) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        if let Some(reading) = self.reading.get_mut(&partition) {
            reading.paused = paused;
        }
        lost(fails, Class::Retry, ())
    }

    fn at_end(&mut self, partition: Partition) -> Outcome<bool> {
        let fails = self.call(Class::Retry)?;
        let end = self.cluster.end_offset(self.name(partition.topic), partition.index);
        let next = self.reading.get(&partition).map_or(0, |r| r.next);
        lost(fails, Class::Retry, next >= end || self.cut_off)
    }

    fn reached(&mut self, partition: Partition) -> Option<i64> {
        self.reading.get(&partition).map(|reading| reading.next)
    }

    fn lag(&mut self, partition: Partition, position: i64) -> Option<i64> {
        Some((self.cluster.end_offset(self.name(partition.topic), partition.index) - position).max(0))
    }

    fn purge(&mut self, read: &[(Partition, i64)]) {
        for (partition, before) in read {
            self.cluster.purge(self.name(partition.topic), partition.index, *before);
        }
    }

    fn most_bytes(&mut self, topic: TopicId) -> usize {
        match self.learns {
            Learns::AtOnce => self.cluster.most_bytes(self.name(topic)),
            Learns::Refused | Learns::Never => self.learned.get(&topic).copied().unwrap_or(usize::MAX),
        }
    }

    fn needs_key(&mut self, topic: TopicId) -> bool {
        match self.learns {
            Learns::AtOnce => self.cluster.needs_key(self.name(topic)),
            Learns::Refused | Learns::Never => self.keyed.contains(&topic),
        }
    }

    fn send(&mut self, outbox: &Outbox) -> Outcome<()> {
        let fails = self.call(Class::Abort)?;
        for output in outbox.records() {
            self.refuse(output)?;
            let topic = self.name(output.topic);
            let count = self.cluster.partitions(topic).unwrap_or(1);
            let partition = super::target(outbox, output, count);
            let entry = Entry {
                timestamp: output.timestamp,
                key: outbox.key(output).map(<[u8]>::to_vec),
                value: outbox.value(output).map(<[u8]>::to_vec),
                headers: outbox.headers(output).to_vec(),
            };
            let written = self.cluster.write_open(self.transaction, topic, partition, entry);
            written.ok_or_else(|| {
                TransportError::fatal(format!("there is no partition {partition} of {topic}"))
            })?;
        }
        lost(fails, Class::Abort, ())
    }

    fn commit(&mut self, positions: &[Position]) -> Outcome<()> {
        let fails = self.call_in_doubt(Class::Abort, Class::Unknown)?;
        if !self.cluster.is_member(self.member) {
            return Err(TransportError::new(Class::Fenced, "the group has given this member up"));
        }
        let named = positions.iter().map(|p| (self.name(p.partition.topic).to_owned(), p.clone()));
        let named: Vec<_> = named.collect();
        self.cluster.end(self.transaction, Some(&named));
        self.transaction = self.cluster.id();
        lost(fails, Class::Unknown, ())
    }

    fn abort(&mut self) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        self.cluster.end(self.transaction, None);
        self.transaction = self.cluster.id();
        lost(fails, Class::Retry, ())
    }

    fn recover(&mut self) -> Outcome<()> {
        self.abort()
    }

    fn release(&mut self, inputs: &[Partition]) -> Outcome<()> {
        let fails = self.call(Class::Retry)?;
        self.reading.retain(|partition, _| !inputs.contains(partition));
        self.cluster.release(self.member);
        lost(fails, Class::Retry, ())
    }

    fn leave(&mut self) {
        self.cluster.end(self.transaction, None);
        self.cluster.leave(self.member);
    }
}

fn runs(held: &[Held]) -> Vec<Run<'_>> {
    held.iter()
        .map(|(partition, entries)| Run { partition: *partition, records: borrowed(entries) })
        .collect()
}

fn borrowed(entries: &[(i64, Arc<Entry>)]) -> Vec<Record<'_>> {
    let record = entries.iter().map(|(offset, entry)| Record {
        offset: *offset,
        timestamp: entry.timestamp,
        key: entry.key.as_deref(),
        value: entry.value.as_deref(),
        headers: &entry.headers,
    });
    record.collect()
}
