//! The journal: topics, partitions and committed offsets in append-only files of one directory.
//!
//! A commit – records of any partitions, and how far groups have come – is one frame, so it is atomic by
//! construction. Invariants:
//! - frames are written under a file lock, by whoever holds it, behind the last whole frame; several processes may
//!   append, and each takes in what the others wrote before it adds its own;
//! - bytes that are no whole frame are believed by nobody. At the end of the last segment they are a write in
//!   progress, or one that a crash cut short: readers wait, and only who holds the lock cuts them off. Anywhere else
//!   they are damage, which is reported with its place and never skipped;
//! - a whole frame is never taken back, for others may have read it;
//! - each segment begins with all topics, ends and committed offsets, so the ones before it can go.
//!
//! Everything but the records themselves is held in memory, found by reading the journal once when it is opened.

mod append;
mod commit;
mod contents;
mod engine;
mod error;
mod frame;
mod record;
mod segment;
mod tail;

#[cfg(test)]
mod tests;

pub use commit::{Commit, Position};
pub use engine::EngineLock;
pub use error::{LogError, Result};
pub use record::{Record, Records};

use contents::Contents;
use segment::{HEADER, Segment};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tail::Tail;

/// A topic of a log, by the number it has there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(u32);

/// How much of a segment is read at a time.
const CHUNK: u64 = 1 << 20;

/// The embedded durable log, as one of those who have it open sees it.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    /// Held by whoever appends.
    lock: Arc<File>,
    segments: VecDeque<Segment>,
    /// Up to where the last of the segments has been read.
    at: u64,
    contents: Contents,
    segment_bytes: u64,
    poisoned: bool,
    chunk: Vec<u8>,
    frame: Vec<u8>,
}

impl Log {
    /// How large a segment grows.
    pub const SEGMENT_BYTES: u64 = 64 << 20;

    /// Opens the log of a directory, which is made if need be. What a crash cut short is cut off.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_with(dir, Self::SEGMENT_BYTES)
    }

    /// The same, with segments of another size.
    pub fn open_with(dir: &Path, segment_bytes: u64) -> Result<Self> {
        fs::create_dir_all(dir).map_err(LogError::io("create", dir))?;
        let path = dir.join("append.lock");
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut log = Log {
            dir: dir.to_path_buf(),
            lock: Arc::new(lock.map_err(LogError::io("open", &path))?),
            segments: VecDeque::new(),
            at: HEADER,
            contents: Contents::default(),
            segment_bytes,
            poisoned: false,
            chunk: vec![],
            frame: vec![],
        };
        log.begin()?;
        log.open_first()?;
        if log.catch_up()? == Tail::Torn {
            let held = log.hold()?;
            log.catch_up_and_settle(&held)?;
        }
        Ok(log)
    }

    fn last(&self) -> &Segment {
        self.segments.back().expect("a log has a segment")
    }

    /// A topic by its name.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.contents.topic(name)
    }

    /// All topics, in the order in which they were made.
    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        self.contents.topics()
    }

    /// What a topic is called.
    pub fn name(&self, topic: Topic) -> &str {
        self.contents.name(topic)
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: Topic) -> u32 {
        self.contents.partitions(topic)
    }

    /// The offset behind a partition's last record.
    pub fn end_offset(&self, topic: Topic, partition: u32) -> Result<i64> {
        Ok(self.contents.partition(topic, partition)?.end)
    }

    /// The offset of the first record that is still there.
    pub fn start_offset(&self, topic: Topic, partition: u32) -> Result<i64> {
        Ok(self.contents.partition(topic, partition)?.start)
    }

    /// How far a group has come in a partition, and its note.
    pub fn committed(&self, group: &str, topic: Topic, partition: u32) -> Option<(i64, &[u8])> {
        self.contents.committed(group, topic, partition)
    }

    /// Reads records from an offset on, which may be the end: at most so many and about so many bytes, but one at
    /// least, if there is one. It reads what the last [`Log::refresh`] saw.
    pub fn read(
        &self,
        topic: Topic,
        partition: u32,
        from: i64,
        max: (usize, usize),
        records: &mut Records,
    ) -> Result<()> {
        records.clear();
        let max = (max.0.max(1), max.1.max(1));
        let home = self.contents.partition(topic, partition)?;
        if from < home.start || from > home.end {
            return Err(LogError::OutOfRange {
                topic: self.name(topic).into(),
                partition,
                wanted: from,
                start: home.start,
                end: home.end,
            });
        }
        let first = home.batches.partition_point(|batch| batch.base <= from).saturating_sub(1);
        for batch in &home.batches[first..] {
            if records.is_full(max.0, max.1) {
                break;
            }
            let segment = self.segment(batch.place.segment);
            let (start, bytes) = records.grow(batch.len as usize);
            segment.read_at(bytes, batch.place.at)?;
            let taken = records.take(start, batch.base, from, max);
            let what = "a record is longer than its batch";
            taken.ok_or_else(|| LogError::corrupt(&segment.path, batch.place.at, what))?;
        }
        Ok(())
    }

    fn segment(&self, number: u64) -> &Segment {
        let first = self.segments.front().expect("a log has a segment").number;
        &self.segments[(number - first) as usize]
    }

    /// How many bytes the log has on disk.
    pub fn bytes(&self) -> Result<u64> {
        self.segments.iter().map(Segment::len).sum()
    }

    /// The right to run a pipeline on this log; the error names the process that has it.
    pub fn lock_engine(&self, pipeline: &str) -> Result<EngineLock> {
        EngineLock::take(&self.dir, pipeline)
    }
}
