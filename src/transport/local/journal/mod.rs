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

mod commit;
mod contents;
mod engine;
mod error;
mod frame;
mod record;
mod segment;

#[cfg(test)]
mod tests;

pub use commit::{Commit, Position};
pub use engine::EngineLock;
pub use error::{LogError, Result};
pub use record::{Record, Records};

use contents::Contents;
use frame::{HEAD, Peek, Place};
use segment::{HEADER, Segment};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// The append lock, while it is held.
#[derive(Debug)]
struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        // Nothing to be done about a failure: the lock goes with the file.
        let _ = self.0.unlock();
    }
}

/// What stands behind the last frame that was read.
#[derive(Debug, PartialEq, Eq)]
enum Tail {
    End,
    /// Bytes that are no whole frame: being written, cut short, or damaged.
    Torn,
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

    /// Makes the first segment of a new log.
    fn begin(&self) -> Result<()> {
        let _held = self.hold()?;
        if segment::list(&self.dir)?.is_empty() {
            Segment::create(&self.dir, 0, &[])?;
        }
        Ok(())
    }

    /// Begins to read at the first segment there is.
    fn open_first(&mut self) -> Result<()> {
        self.segments.clear();
        (self.contents, self.at) = (Contents::default(), HEADER);
        loop {
            let numbers = segment::list(&self.dir)?;
            let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
                return Err(LogError::corrupt(&self.dir, 0, "its segments are gone"));
            };
            if last - first + 1 != numbers.len() as u64 {
                return Err(LogError::corrupt(&self.dir, 0, "a segment between others is missing"));
            }
            // It may have been deleted since it was listed.
            if let Some(segment) = Segment::open(&self.dir, *first)? {
                self.segments.push_back(segment);
                return Ok(());
            }
        }
    }

    fn hold(&self) -> Result<Held> {
        self.lock.lock().map_err(LogError::io("lock", &self.dir.join("append.lock")))?;
        Ok(Held(self.lock.clone()))
    }

    fn last(&self) -> &Segment {
        self.segments.back().expect("a log has a segment")
    }

    /// Takes in what others have appended; answers whether there was anything.
    pub fn refresh(&mut self) -> Result<bool> {
        let before = (self.last().number, self.at);
        self.catch_up()?;
        Ok(before != (self.last().number, self.at))
    }

    /// Reads up to the last whole frame of the last segment.
    fn catch_up(&mut self) -> Result<Tail> {
        loop {
            let tail = self.read_frames()?;
            let Some(next) = Segment::open(&self.dir, self.last().number + 1)? else {
                if self.last().is_deleted()? {
                    // Others went on and deleted this one and the next; what is left says all there is to know.
                    self.open_first()?;
                    continue;
                }
                return Ok(tail);
            };
            // Only now that the next one is there is this one final, so what came since is read first.
            if self.read_frames()? == Tail::Torn {
                let (file, at) = (&self.last().path, self.at);
                return Err(LogError::corrupt(file, at, "no whole frame, and another segment behind it"));
            }
            self.segments.push_back(next);
            self.at = HEADER;
            self.forget_deleted()?;
        }
    }

    /// The same for who is about to append: nobody writes now, so what is no whole frame is a torn end, and is cut
    /// off, or damage.
    fn catch_up_and_settle(&mut self, _held: &Held) -> Result<()> {
        if self.catch_up()? == Tail::End {
            return Ok(());
        }
        let place = self.place();
        let segment = self.last();
        let mut rest = vec![0; (segment.len()? - self.at) as usize];
        segment.read_at(&mut rest, self.at)?;
        if frame::any_whole(&rest, place) {
            return Err(LogError::corrupt(
                &segment.path,
                self.at,
                "no whole frame, and whole ones behind it",
            ));
        }
        segment.cut(self.at)
    }

    fn place(&self) -> Place {
        Place { segment: self.last().number, at: self.at }
    }

    /// Reads the frames of the last segment from where it has been read.
    fn read_frames(&mut self) -> Result<Tail> {
        let mut want = CHUNK;
        loop {
            let left = self.last().len()?.checked_sub(self.at).ok_or_else(|| {
                LogError::corrupt(&self.last().path, self.at, "it is shorter than what was read of it")
            })?;
            if left == 0 {
                return Ok(Tail::End);
            }
            let mut chunk = std::mem::take(&mut self.chunk);
            chunk.resize(left.min(want) as usize, 0);
            self.last().read_some_at(&mut chunk, self.at)?;
            let rest = self.apply_frames(&chunk);
            self.chunk = chunk;
            match rest? {
                Rest::Nothing => want = CHUNK,
                Rest::Needs(bytes) if bytes as u64 <= left => want = CHUNK.max(bytes as u64),
                Rest::Needs(_) | Rest::Bad => return Ok(Tail::Torn),
            }
        }
    }

    /// Takes in the whole frames at the start of a chunk; says what stands behind them.
    fn apply_frames(&mut self, chunk: &[u8]) -> Result<Rest> {
        let mut done = 0;
        loop {
            let place = self.place();
            match frame::peek(&chunk[done..], place) {
                Peek::Whole(payload) => {
                    self.apply(payload, place)?;
                    done += HEAD + payload.len();
                }
                _ if done == chunk.len() => return Ok(Rest::Nothing),
                // The end of the chunk may stand in the middle of a frame: the next one begins with it.
                Peek::Needs(_) if done > 0 => return Ok(Rest::Nothing),
                Peek::Needs(bytes) => return Ok(Rest::Needs(bytes)),
                Peek::Bad => return Ok(Rest::Bad),
            }
        }
    }

    fn apply(&mut self, payload: &[u8], place: Place) -> Result<()> {
        let behind = Place { at: place.at + HEAD as u64, ..place };
        let applied = self.contents.apply(payload, behind);
        applied.map_err(|what| LogError::corrupt(&self.last().path, place.at, what))?;
        self.at += (HEAD + payload.len()) as u64;
        Ok(())
    }

    /// Somebody may have deleted the oldest segments.
    fn forget_deleted(&mut self) -> Result<()> {
        let first = segment::list(&self.dir)?.first().copied().unwrap_or_default();
        while self.segments.len() > 1 && self.segments.front().is_some_and(|segment| segment.number < first) {
            self.segments.pop_front();
        }
        self.contents.forget_before(first.min(self.last().number));
        Ok(())
    }

    /// Writes a commit: all of it or, on an error other than [`LogError::Unknown`], none. It is durable when this
    /// returns, and the log holds what others have written before it.
    pub fn append(&mut self, commit: &Commit) -> Result<Vec<Position>> {
        if commit.is_empty() {
            return Ok(vec![]);
        }
        self.write(|contents, frame| {
            commit.encode(frame, |topic, partition| Ok(contents.partition(topic, partition)?.end))
        })
    }

    /// Catches up, has a frame made from what is there, and appends it.
    fn write<T>(&mut self, encode: impl FnOnce(&Contents, &mut Vec<u8>) -> Result<T>) -> Result<T> {
        if self.poisoned {
            return Err(LogError::Poisoned);
        }
        let held = self.hold()?;
        self.catch_up_and_settle(&held)?;
        if self.at >= self.segment_bytes {
            self.roll(&held)?;
        }
        let mut frame = std::mem::take(&mut self.frame);
        let written = encode(&self.contents, &mut frame).and_then(|made| {
            self.write_frame(&mut frame)?;
            Ok(made)
        });
        self.frame = frame;
        written
    }

    fn write_frame(&mut self, frame: &mut [u8]) -> Result<()> {
        let place = self.place();
        frame::seal(frame, place);
        self.last().append(frame, place.at)?;
        // What others may read is true for this log too, synced or not.
        self.apply(&frame[HEAD..], place)?;
        let synced = self.last().sync();
        self.poisoned = synced.is_err();
        synced
    }

    /// Begins another segment, with all that has to be known when the ones before it are gone.
    fn roll(&mut self, _held: &Held) -> Result<()> {
        let number = self.last().number + 1;
        let mut first = vec![0; HEAD];
        self.contents.checkpoint(&mut first);
        frame::seal(&mut first, Place { segment: number, at: HEADER });
        let segment = Segment::create(&self.dir, number, &first)?;
        self.segments.push_back(segment);
        self.at = HEADER + first.len() as u64;
        Ok(())
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

    /// Makes a topic; one that is there and has as many partitions will do. Records of a `compact` one are kept
    /// until [`Log::trim`] is told that they are not needed.
    pub fn create_topic(&mut self, name: &str, partitions: u32, compact: bool) -> Result<Topic> {
        if self.topic(name).is_none() {
            self.refresh()?;
        }
        while self.topic(name).is_none() {
            self.write(|contents, frame| {
                frame.clear();
                frame.resize(HEAD, 0);
                // Another process may have been quicker; then the frame stays empty.
                if contents.topic(name).is_none() {
                    let topic = Topic(contents.topics().count() as u32);
                    frame::put_topic(frame, topic, partitions, compact, name);
                }
                Ok(())
            })?;
        }
        let topic = self.topic(name).expect("just made");
        match self.partitions(topic) {
            there if there == partitions => Ok(topic),
            there => Err(LogError::TopicExists { name: name.into(), partitions: there, wanted: partitions }),
        }
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

    /// Deletes the oldest segments while the log has more than `keep_bytes` and nobody needs them: every group that
    /// reads a partition has come past them, and `needed` says from which offset on a compacted one is needed; when
    /// it says nothing, all of it is. Answers how many were deleted.
    pub fn trim(&mut self, keep_bytes: u64, needed: impl Fn(&str, u32) -> Option<i64>) -> Result<usize> {
        let held = self.hold()?;
        self.catch_up_and_settle(&held)?;
        let (mut bytes, mut deleted) = (self.bytes()?, 0);
        while bytes > keep_bytes && self.segments.len() > 1 {
            let oldest = self.segments.front().expect("a log has a segment");
            if !self.contents.is_dispensable(oldest.number, &needed) {
                break;
            }
            bytes -= oldest.len()?;
            oldest.delete(&self.dir)?;
            self.contents.forget_before(oldest.number + 1);
            self.segments.pop_front();
            deleted += 1;
        }
        Ok(deleted)
    }

    /// The right to run a pipeline on this log; the error names the process that has it.
    pub fn lock_engine(&self, pipeline: &str) -> Result<EngineLock> {
        engine::lock(&self.dir, pipeline)
    }
}

/// What stands behind the whole frames of a chunk.
#[derive(Debug)]
enum Rest {
    /// Nothing, or the start of a frame that the next chunk begins with.
    Nothing,
    /// The start of a frame of so many bytes, and no whole one before it.
    Needs(usize),
    Bad,
}
