//! What the frames say, put together: topics, where their records lie, and how far groups have come.

use super::frame::{self, Place, Section, Sections};
use super::{LogError, Result, Topic};
use std::collections::BTreeMap;

/// The most partitions that all topics of a log have together.
pub(super) const MOST_PARTITIONS: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Contents {
    topics: Vec<TopicState>,
    groups: BTreeMap<String, Committed>,
}

/// How far a group has come in each partition, and its note.
type Committed = BTreeMap<(Topic, u32), (i64, Vec<u8>)>;

#[derive(Debug)]
struct TopicState {
    name: String,
    compact: bool,
    partitions: Vec<Partition>,
}

/// A partition: its records lie in batches, from `start` up to `end`.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    pub start: i64,
    pub end: i64,
    pub batches: Vec<Batch>,
}

/// Where a batch of records lies, those from `base` up to the next batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub base: i64,
    pub place: Place,
    pub len: u32,
}

impl Contents {
    /// Takes in a frame whose payload stands at `place`. What it answers is what is wrong with it.
    pub fn apply(&mut self, payload: &[u8], place: Place) -> std::result::Result<(), &'static str> {
        for section in Sections::new(payload) {
            match section.map_err(|_| "a frame holds what is no section")? {
                Section::Topic { topic, partitions, compact, name } => {
                    self.declare(topic, partitions, compact, name)?;
                }
                Section::End { topic, partition, end } => self.begin_at(topic, partition, end)?,
                Section::Batch { topic, partition, base, count, at, len } => {
                    let place = Place { at: place.at + at as u64, ..place };
                    let partition = self.partition_mut(topic, partition)?;
                    if partition.end != base {
                        return Err("a batch does not begin where its partition ends");
                    }
                    partition.batches.push(Batch { base, place, len });
                    partition.end += i64::from(count);
                }
                Section::Offset { group, topic, partition, offset, metadata } => {
                    self.partition_mut(topic, partition)?;
                    self.commit(group, (topic, partition), offset, metadata);
                }
            }
        }
        Ok(())
    }

    /// Whether so many more partitions fit: bytes that only look like a declaration must not take all memory.
    pub fn has_room(&self, partitions: u32) -> bool {
        let all: usize = self.topics.iter().map(|topic| topic.partitions.len()).sum();
        all + partitions as usize <= MOST_PARTITIONS
    }

    fn declare(
        &mut self,
        topic: Topic,
        partitions: u32,
        compact: bool,
        name: &str,
    ) -> std::result::Result<(), &'static str> {
        match self.topics.get(topic.0 as usize) {
            Some(known) if known.name == name && known.partitions.len() == partitions as usize => Ok(()),
            None if !self.has_room(partitions) => Err("more partitions than a log can have"),
            None if topic.0 as usize == self.topics.len() => {
                let partitions = vec![Partition::default(); partitions as usize];
                self.topics.push(TopicState { name: name.to_owned(), compact, partitions });
                Ok(())
            }
            _ => Err("a topic is declared twice"),
        }
    }

    /// A segment says where a partition ends; the first one that is left says where it begins.
    fn begin_at(&mut self, topic: Topic, partition: u32, end: i64) -> std::result::Result<(), &'static str> {
        let partition = self.partition_mut(topic, partition)?;
        if partition.end == 0 && partition.batches.is_empty() {
            (partition.start, partition.end) = (end, end);
        }
        if partition.end == end { Ok(()) } else { Err("a partition does not end where its segment says") }
    }

    fn partition_mut(
        &mut self,
        topic: Topic,
        partition: u32,
    ) -> std::result::Result<&mut Partition, &'static str> {
        let topic = self.topics.get_mut(topic.0 as usize).ok_or("a frame names a topic that is not there")?;
        topic.partitions.get_mut(partition as usize).ok_or("a frame names a partition that is not there")
    }

    fn commit(&mut self, group: &str, home: (Topic, u32), offset: i64, metadata: &[u8]) {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), BTreeMap::new());
        }
        let homes = self.groups.get_mut(group).expect("just put there");
        let committed = homes.entry(home).or_default();
        committed.0 = offset;
        committed.1.clear();
        committed.1.extend_from_slice(metadata);
    }

    pub fn partition(&self, topic: Topic, partition: u32) -> Result<&Partition> {
        let state = &self.topics[topic.0 as usize];
        let found = state.partitions.get(partition as usize);
        found.ok_or_else(|| LogError::NoPartition { partition, topic: state.name.clone() })
    }

    pub fn committed(&self, group: &str, topic: Topic, partition: u32) -> Option<(i64, &[u8])> {
        let (offset, metadata) = self.groups.get(group)?.get(&(topic, partition))?;
        Some((*offset, metadata))
    }

    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.topics.iter().position(|topic| topic.name == name).map(|at| Topic(at as u32))
    }

    pub fn name(&self, topic: Topic) -> &str {
        &self.topics[topic.0 as usize].name
    }

    pub fn partitions(&self, topic: Topic) -> u32 {
        self.topics[topic.0 as usize].partitions.len() as u32
    }

    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        (0..self.topics.len() as u32).map(Topic)
    }

    /// The payload at the head of a segment: all that has to be known when the segments before it are gone.
    pub fn checkpoint(&self, out: &mut Vec<u8>) {
        for (topic, state) in self.topics.iter().enumerate() {
            let topic = Topic(topic as u32);
            frame::put_topic(out, topic, state.partitions.len() as u32, state.compact, &state.name);
            for (partition, at) in state.partitions.iter().enumerate() {
                frame::put_end(out, topic, partition as u32, at.end);
            }
        }
        for (group, homes) in &self.groups {
            for (home, (offset, metadata)) in homes {
                frame::put_offset(out, group, *home, *offset, metadata);
            }
        }
    }

    /// Whether nobody needs a record of a segment, the first one: every group has come past it, and `needed` says of
    /// compacted topics from which offset on they are needed.
    pub fn is_dispensable(&self, segment: u64, needed: impl Fn(&str, u32) -> Option<i64>) -> bool {
        self.topics().all(|topic| {
            let state = &self.topics[topic.0 as usize];
            state.partitions.iter().zip(0..).all(|(partition, number)| {
                let behind = partition.batches.partition_point(|batch| batch.place.segment <= segment);
                if behind == 0 {
                    return true;
                }
                let past = partition.batches.get(behind).map_or(partition.end, |batch| batch.base);
                let by_groups = self.groups.values().filter_map(|homes| homes.get(&(topic, number)));
                let kept = !state.compact || needed(&state.name, number).is_some_and(|from| from >= past);
                kept && by_groups.map(|(offset, _)| *offset).all(|offset| offset >= past)
            })
        })
    }

    /// Forgets the records of all segments before this one.
    pub fn forget_before(&mut self, segment: u64) {
        for partition in self.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
            let gone = partition.batches.partition_point(|batch| batch.place.segment < segment);
            partition.batches.drain(..gone);
            partition.start = partition.batches.first().map_or(partition.end, |batch| batch.base);
        }
    }
}
