//! The cluster in memory: logs with open and aborted transactions in them, committed offsets, one consumer group.
//!
//! As on a real cluster a record takes its offset when it is sent and is seen when its transaction is committed; a
//! reader stands still before the first one that is still open, and the end of a transaction takes an offset of its
//! own. Time does not pass here: whoever drives the cluster says when a member has been silent for too long.

use crate::transport::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// A record in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, in the encoding of [`crate::headers`].
    pub headers: Vec<u8>,
}

/// What stands at an offset.
#[derive(Clone, Debug)]
enum Slot {
    /// A record of an open transaction.
    Open(u64, Arc<Entry>),
    /// A record that is seen.
    Seen(Arc<Entry>),
    /// A record that was taken back, or the end of a transaction.
    Hidden,
}

/// A member of the group.
#[derive(Clone, Debug, Default)]
struct Member {
    /// What it holds, by topic name and partition.
    holds: Vec<(String, u32)>,
    /// Whether it has been told to let go.
    told: bool,
    /// Whether it has been told what it holds.
    assigned: bool,
    /// Whether the group has given it up.
    expired: bool,
    topics: Vec<String>,
}

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<String, Vec<Vec<Slot>>>,
    /// How often topics have been made again.
    remade: BTreeMap<String, u64>,
    /// Where partitions begin that have been purged.
    starts: BTreeMap<(String, u32), i64>,
    committed: BTreeMap<(String, u32), (i64, String)>,
    members: BTreeMap<u64, Member>,
    /// How large records may be; topics that are not named take all.
    limits: BTreeMap<String, usize>,
    /// Topics that take only records with a key.
    compacted: BTreeSet<String>,
    rebalancing: bool,
    ids: u64,
}

/// A handle on the cluster; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cluster(Arc<Mutex<State>>);

/// What the group has to say to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// Nothing new.
    Nothing,
    /// These are yours.
    Assigned(Vec<(String, u32)>),
    /// Let go of these.
    Revoked(Vec<(String, u32)>),
    /// These were yours.
    Lost(Vec<(String, u32)>),
}

impl Cluster {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes a topic, unless it is there.
    pub fn create(&self, topic: &str, partitions: u32) {
        let fresh = || vec![vec![]; partitions.max(1) as usize];
        self.state().topics.entry(topic.to_owned()).or_insert_with(fresh);
    }

    /// Gives a topic more partitions, which are shared out like the others.
    pub fn widen(&self, topic: &str, partitions: u32) {
        let mut state = self.state();
        if let Some(logs) = state.topics.get_mut(topic) {
            let count = logs.len().max(partitions as usize);
            logs.resize_with(count, Vec::new);
        }
        state.rebalance();
    }

    /// Deletes a topic and makes it again with as many partitions.
    pub fn remake(&self, topic: &str) {
        let mut state = self.state();
        if let Some(logs) = state.topics.get_mut(topic) {
            logs.iter_mut().for_each(Vec::clear);
        }
        *state.remade.entry(topic.to_owned()).or_default() += 1;
    }

    /// By what a topic can be told from one that was made again under its name.
    pub fn topic_id(&self, topic: &str) -> String {
        self.state().remade.get(topic).map_or(0, |times| *times).to_string()
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: &str) -> Option<u32> {
        self.state().topics.get(topic).map(|p| p.len() as u32)
    }

    /// Has a topic refuse records of more bytes.
    pub fn limit(&self, topic: &str, most_bytes: usize) {
        self.state().limits.insert(topic.to_owned(), most_bytes);
    }

    /// How many bytes a record of a topic may have.
    pub fn most_bytes(&self, topic: &str) -> usize {
        self.state().limits.get(topic).copied().unwrap_or(usize::MAX)
    }

    /// Has a topic refuse records without a key.
    pub fn compact(&self, topic: &str) {
        self.state().compacted.insert(topic.to_owned());
    }

    /// Whether a topic takes only records with a key.
    pub fn needs_key(&self, topic: &str) -> bool {
        self.state().compacted.contains(topic)
    }

    /// A number that nobody else has.
    pub fn id(&self) -> u64 {
        let mut state = self.state();
        state.ids += 1;
        state.ids
    }

    /// Writes a record that is seen at once: what a producer without transactions does. Its offset.
    pub fn write(&self, topic: &str, partition: u32, entry: Entry) -> Option<i64> {
        self.push(topic, partition, Slot::Seen(Arc::new(entry)))
    }

    /// Writes a record of an open transaction.
    pub fn write_open(&self, transaction: u64, topic: &str, partition: u32, entry: Entry) -> Option<i64> {
        self.push(topic, partition, Slot::Open(transaction, Arc::new(entry)))
    }

    fn push(&self, topic: &str, partition: u32, slot: Slot) -> Option<i64> {
        let mut state = self.state();
        let log = state.topics.get_mut(topic)?.get_mut(partition as usize)?;
        log.push(slot);
        Some(log.len() as i64 - 1)
    }

    /// Ends a transaction: its records are seen, and the positions are committed, or neither.
    pub fn end(&self, transaction: u64, positions: Option<&[(String, Position)]>) {
        let mut state = self.state();
        for log in state.topics.values_mut().flatten() {
            let mut took_part = false;
            for slot in log.iter_mut() {
                let Slot::Open(id, entry) = slot else { continue };
                if *id == transaction {
                    took_part = true;
                    *slot = match positions {
                        Some(_) => Slot::Seen(entry.clone()),
                        None => Slot::Hidden,
                    };
                }
            }
            if took_part {
                log.push(Slot::Hidden);
            }
        }
        for (topic, position) in positions.unwrap_or_default() {
            let key = (topic.clone(), position.partition.index);
            state.committed.insert(key, (position.offset, position.metadata.clone()));
        }
    }

    /// What is committed for a partition.
    pub fn committed(&self, topic: &str, partition: u32) -> Option<(i64, String)> {
        self.state().committed.get(&(topic.to_owned(), partition)).cloned()
    }

    /// Deletes what lies before an offset.
    pub fn purge(&self, topic: &str, partition: u32, before: i64) {
        let mut state = self.state();
        let log = state.topics.get_mut(topic).and_then(|p| p.get_mut(partition as usize));
        let Some(log) = log else { return };
        let before = before.clamp(0, log.len() as i64);
        log[..before as usize].fill(Slot::Hidden);
        state.starts.insert((topic.to_owned(), partition), before);
    }

    /// The offset of the first record that is kept.
    pub fn start_offset(&self, topic: &str, partition: u32) -> i64 {
        self.state().starts.get(&(topic.to_owned(), partition)).copied().unwrap_or(0)
    }

    /// The end of a log, open transactions included.
    pub fn end_offset(&self, topic: &str, partition: u32) -> i64 {
        let state = self.state();
        state.topics.get(topic).and_then(|p| p.get(partition as usize)).map_or(0, |log| log.len() as i64)
    }

    /// Committed records from an offset on, and the offset behind the last slot that was looked at.
    pub fn read(&self, topic: &str, partition: u32, from: i64, most: usize) -> (Vec<(i64, Arc<Entry>)>, i64) {
        let state = self.state();
        let Some(log) = state.topics.get(topic).and_then(|p| p.get(partition as usize)) else {
            return (vec![], from);
        };
        let (mut found, mut next) = (vec![], from);
        for (at, slot) in log.iter().enumerate().skip(from.max(0) as usize) {
            match slot {
                _ if found.len() >= most => break,
                Slot::Open(..) => break,
                Slot::Seen(entry) => found.push((at as i64, entry.clone())),
                Slot::Hidden => {}
            }
            next = at as i64 + 1;
        }
        (found, next)
    }

    /// All committed records of a topic, by partition.
    pub fn records(&self, topic: &str) -> Vec<Vec<Arc<Entry>>> {
        let partitions = self.partitions(topic).unwrap_or(0);
        let all = |p| self.read(topic, p, 0, usize::MAX).0.into_iter().map(|(_, entry)| entry).collect();
        (0..partitions).map(all).collect()
    }

    /// A member joins the group to read topics.
    pub fn join(&self, member: u64, topics: Vec<String>) {
        let mut state = self.state();
        state.members.insert(member, Member { topics, ..Member::default() });
        state.rebalance();
    }

    /// A member leaves.
    pub fn leave(&self, member: u64) {
        let mut state = self.state();
        if state.members.remove(&member).is_some() {
            state.rebalance();
        }
    }

    /// The group gives a member up, which does not know it yet.
    pub fn expire(&self, member: u64) {
        let mut state = self.state();
        if let Some(member) = state.members.get_mut(&member) {
            member.expired = true;
            state.rebalance();
        }
    }

    /// Whether a member may commit.
    pub fn is_member(&self, member: u64) -> bool {
        self.state().members.get(&member).is_some_and(|m| !m.expired)
    }

    /// What the group has to say to a member; it counts as said.
    pub fn listen(&self, member: u64) -> Say {
        let mut state = self.state();
        let rebalancing = state.rebalancing;
        let Some(found) = state.members.get_mut(&member) else { return Say::Nothing };
        if found.expired {
            let lost = std::mem::take(&mut found.holds);
            let again = Member { topics: found.topics.clone(), ..Member::default() };
            *found = again;
            state.rebalance();
            return Say::Lost(lost);
        }
        if rebalancing && !found.holds.is_empty() && !found.told {
            found.told = true;
            return Say::Revoked(found.holds.clone());
        }
        if !rebalancing && !found.assigned {
            found.assigned = true;
            return Say::Assigned(found.holds.clone());
        }
        Say::Nothing
    }

    /// A member lets go of what it was told to.
    pub fn release(&self, member: u64) {
        let mut state = self.state();
        // Said twice it means what was told once, and not what has been assigned in between.
        if let Some(member) = state.members.get_mut(&member).filter(|member| member.told) {
            member.holds.clear();
            member.told = false;
        }
        state.settle();
    }
}

impl State {
    /// Everyone is to let go; what is free is shared out when they all have.
    fn rebalance(&mut self) {
        self.rebalancing = true;
        for member in self.members.values_mut() {
            member.assigned = false;
            member.told = false;
        }
        self.settle();
    }

    /// Shares the partitions out once nobody holds any: equal numbers of all topics to the same member.
    fn settle(&mut self) {
        let held = |m: &Member| !m.expired && !m.holds.is_empty();
        if !self.rebalancing || self.members.values().any(held) {
            return;
        }
        self.rebalancing = false;
        let State { topics, members, .. } = self;
        let mut alive: Vec<&mut Member> = members.values_mut().filter(|m| !m.expired).collect();
        let count = alive.len();
        for (i, member) in alive.iter_mut().enumerate() {
            for topic in member.topics.clone() {
                let partitions = topics.get(&topic).map_or(0, Vec::len) as u32;
                let mine = (0..partitions).filter(|p| *p as usize % count == i);
                member.holds.extend(mine.map(|p| (topic.clone(), p)));
            }
        }
    }
}
