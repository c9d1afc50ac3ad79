//! The embedded durable log: Kafka's part played by one directory, for one machine.
//!
//! [`journal`] is the log itself. [`Local`] is how a worker of an engine works on it: what it sends is kept in memory
//! until a commit puts it, with the positions, into the log as one frame; so there is nothing to take back that
//! others could have seen, and nothing is ever pending. One process runs a pipeline on a directory ([`Engine`]), and
//! its workers share the partitions by their number, so that what is assigned is never revoked. [`Client`] is for
//! whoever only writes or reads: any number of processes, at the same time.

mod client;
mod fault;
pub mod journal;
mod reading;
mod worker;

#[cfg(test)]
mod tests;

pub use client::Client;

use super::{Partition, TransportError};
use crate::outbox::TopicId;
use fault::fault;
use journal::{Commit, EngineLock, Log, Records, Topic};
use reading::Readings;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How large a log may become before what nobody needs is deleted.
pub const KEEP_BYTES: u64 = 1 << 30;

/// The group whose committed offsets say from where on tables need their changelogs. No pipeline can be called this.
const SNAPSHOTS: &str = "/snapshots";

type Outcome<T> = Result<T, TransportError>;

/// The right to run a pipeline on a log, shared by the workers of a process.
#[derive(Clone, Debug)]
pub struct Engine {
    dir: PathBuf,
    pipeline: String,
    _lock: Arc<EngineLock>,
}

impl Engine {
    /// Takes the right; the error names the process that has it.
    pub fn start(dir: &Path, pipeline: &str) -> Outcome<Self> {
        let lock = EngineLock::take(dir, pipeline).map_err(fault)?;
        Ok(Engine { dir: dir.to_path_buf(), pipeline: pipeline.to_owned(), _lock: Arc::new(lock) })
    }
}

/// The log as a worker has it.
#[derive(Debug)]
pub struct Local {
    engine: Engine,
    log: Log,
    /// The names of the plan's topics, and where those are that have been found.
    topics: Vec<String>,
    homes: Vec<Option<Home>>,
    /// Which of how many workers this is.
    worker: (u32, u32),
    /// What is ours, until it has been said.
    assigned: Option<Vec<Partition>>,
    readings: Readings,
    /// What was sent and is not committed.
    staged: Commit,
    chunk: Records,
}

/// A topic of the plan, in the log.
#[derive(Clone, Copy, Debug)]
struct Home {
    topic: Topic,
    partitions: u32,
}

impl Local {
    /// Opens the log for the worker with this number, of so many; `topics` are the names of the plan's topics.
    pub fn open(engine: &Engine, topics: Vec<String>, worker: u32, workers: u32) -> Outcome<Self> {
        let log = Log::open(&engine.dir).map_err(fault)?;
        Ok(Local {
            engine: engine.clone(),
            log,
            homes: vec![None; topics.len()],
            topics,
            worker: (worker, workers.max(1)),
            assigned: None,
            readings: Readings::default(),
            staged: Commit::default(),
            chunk: Records::default(),
        })
    }

    fn name(&self, topic: TopicId) -> &str {
        &self.topics[topic.0 as usize]
    }

    /// Where a topic is, if it is there; one that is new may have been made by another process.
    fn find(&mut self, topic: TopicId) -> Outcome<Option<Home>> {
        let at = topic.0 as usize;
        if self.homes[at].is_none() {
            if self.log.topic(&self.topics[at]).is_none() {
                self.log.refresh().map_err(fault)?;
            }
            let found = self.log.topic(&self.topics[at]);
            self.homes[at] = found.map(|topic| Home { topic, partitions: self.log.partitions(topic) });
        }
        Ok(self.homes[at])
    }

    /// The same where the topic has to be there.
    fn home(&mut self, topic: TopicId) -> Outcome<Home> {
        match self.find(topic)? {
            Some(home) => Ok(home),
            None => {
                let (name, dir) = (self.name(topic), self.engine.dir.display());
                Err(TransportError::fatal(format!("there is no topic `{name}` in `{dir}`")))
            }
        }
    }

    /// Deletes what is old and not needed while the log has more than `keep_bytes`, usually [`KEEP_BYTES`]; how many
    /// segments were deleted. `needed` are the offsets of changelogs that a snapshot stands for: what lies before
    /// them may go, and once it has gone the table cannot be restored without that snapshot. They are kept in the
    /// log, so each worker only names its own; a changelog that nobody has ever named is needed as a whole.
    pub fn trim(&mut self, keep_bytes: u64, needed: &[(Partition, i64)]) -> Outcome<usize> {
        let mut marks = Commit::default();
        for (partition, offset) in needed {
            let home = self.home(partition.topic)?;
            marks.offset(SNAPSHOTS, home.topic, partition.index, *offset, b"");
        }
        self.log.append(&marks).map_err(fault)?;
        let mut named = BTreeSet::new();
        for topic in self.log.topics() {
            let marked = |index: &u32| self.log.committed(SNAPSHOTS, topic, *index).is_some();
            let all = (0..self.log.partitions(topic)).filter(marked);
            named.extend(all.map(|index| (self.log.name(topic).to_owned(), index)));
        }
        // How far is for the log to say, as of any group's committed offsets.
        let anywhere = |name: &str, index| named.contains(&(name.to_owned(), index)).then_some(i64::MAX);
        self.log.trim(keep_bytes, anywhere).map_err(fault)
    }
}
