//! The log for those who only write or read it: `produce`, `inspect`, and whoever makes up records.

use super::Outcome;
use super::fault::fault;
use super::journal::{Commit, Log, Record, Records, Topic};
use crate::partitioner;
use crate::transport::TransportError;
use std::path::Path;

/// A log that is written or read beside the engines that run on it.
#[derive(Debug)]
pub struct Client {
    log: Log,
    staged: Commit,
    /// The partition of the next record without a key.
    turn: u32,
}

impl Client {
    /// Opens the log of a directory, which is made if need be.
    pub fn open(dir: &Path) -> Outcome<Self> {
        let log = Log::open(dir).map_err(fault)?;
        Ok(Client { log, staged: Commit::default(), turn: 0 })
    }

    /// The same, but nothing is made: a directory without a log is an error.
    pub fn open_existing(dir: &Path) -> Outcome<Self> {
        match dir.join("append.lock").is_file() {
            true => Client::open(dir),
            false => Err(TransportError::fatal(format!("there is no log in `{}`", dir.display()))
                .hint("`streamrun produce FILE --local` begins one; `--local=DIR` names another directory")),
        }
    }

    /// The names of all topics, in the order in which they were made.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.log.topics().map(|topic| self.log.name(topic))
    }

    /// How many partitions a topic has; none: there is no such topic.
    pub fn partitions(&self, topic: &str) -> Option<u32> {
        self.log.topic(topic).map(|topic| self.log.partitions(topic))
    }

    /// Makes a topic unless it is there, with however many partitions; how many it has.
    pub fn ensure_topic(&mut self, topic: &str, partitions: u32) -> Outcome<u32> {
        if self.partitions(topic).is_none() {
            self.log.refresh().map_err(fault)?;
        }
        if let Some(there) = self.partitions(topic) {
            return Ok(there);
        }
        let made = self.log.create_topic(topic, partitions.max(1), false).map_err(fault)?;
        Ok(self.log.partitions(made))
    }

    fn topic(&self, topic: &str) -> Outcome<Topic> {
        let found = self.log.topic(topic);
        found.ok_or_else(|| TransportError::fatal(format!("there is no topic `{topic}`")))
    }

    /// Adds a record to those that [`Client::flush`] writes: to the partition of its key, as JVM clients choose it, or
    /// to all in turn.
    pub fn send(
        &mut self,
        topic: &str,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Outcome<()> {
        let topic = self.topic(topic)?;
        let count = self.log.partitions(topic);
        let partition = match key {
            Some(key) => partitioner::partition_of(key, count),
            None => {
                self.turn = self.turn.wrapping_add(1);
                self.turn.wrapping_sub(1) % count
            }
        };
        self.staged.record(topic, partition, timestamp, key, value, b"");
        Ok(())
    }

    /// Writes what was sent, all at once: it is there for good when this returns.
    pub fn flush(&mut self) -> Outcome<()> {
        self.log.append(&self.staged).map_err(fault)?;
        self.staged.clear();
        Ok(())
    }

    /// Takes in what others have written; whether there was anything.
    pub fn refresh(&mut self) -> Outcome<bool> {
        self.log.refresh().map_err(fault)
    }

    /// The offsets of a partition's first record and behind its last one, as of the last [`Client::refresh`].
    pub fn bounds(&self, topic: &str, partition: u32) -> Outcome<(i64, i64)> {
        let topic = self.topic(topic)?;
        let start = self.log.start_offset(topic, partition).map_err(fault)?;
        Ok((start, self.log.end_offset(topic, partition).map_err(fault)?))
    }

    /// How far a pipeline has come in a partition, as of the last [`Client::refresh`].
    pub fn committed(&self, pipeline: &str, topic: &str, partition: u32) -> Option<i64> {
        let (offset, _) = self.log.committed(pipeline, self.log.topic(topic)?, partition)?;
        Some(offset)
    }

    /// Reads records from an offset on, which may be the end: at most so many and about so many bytes, but one at
    /// least if there is one.
    pub fn read<'r>(
        &self,
        topic: &str,
        partition: u32,
        from: i64,
        most: (usize, usize),
        records: &'r mut Records,
    ) -> Outcome<impl ExactSizeIterator<Item = Record<'r>> + use<'r>> {
        self.log.read(self.topic(topic)?, partition, from, most, records).map_err(fault)?;
        Ok(records.iter())
    }
}
