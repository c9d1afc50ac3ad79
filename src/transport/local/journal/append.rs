//! Writing: what is done while the append lock is held.

use super::commit::{Commit, Position};
use super::contents::Contents;
use super::error::{LogError, Result};
use super::frame::{self, HEAD, Place};
use super::segment::{self, HEADER, Segment};
use super::{Log, Topic};
use std::fs::File;
use std::sync::Arc;

/// The append lock, while it is held.
#[derive(Debug)]
pub(super) struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        // Nothing to be done about a failure: the lock goes with the file.
        let _ = self.0.unlock();
    }
}

impl Log {
    /// Makes the first segment of a new log.
    pub(super) fn begin(&self) -> Result<()> {
        let _held = self.hold()?;
        if segment::list(&self.dir)?.is_empty() {
            Segment::create(&self.dir, 0, &[])?;
        }
        Ok(())
    }

    pub(super) fn hold(&self) -> Result<Held> {
        self.lock.lock().map_err(LogError::io("lock", &self.dir.join("append.lock")))?;
        Ok(Held(self.lock.clone()))
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
        self.sync()
    }

    /// After a failure the system may say yes to a second try and mean nothing by it, so there is none.
    fn sync(&mut self) -> Result<()> {
        let synced = self.last().sync();
        self.poisoned = synced.is_err();
        synced
    }

    /// Begins another segment, with all that has to be known when the ones before it are gone.
    fn roll(&mut self, _held: &Held) -> Result<()> {
        // Who wrote the last frame may have died before it was synced. With a segment behind it, it must not be lost.
        self.sync()?;
        let number = self.last().number + 1;
        let mut first = vec![0; HEAD];
        self.contents.checkpoint(&mut first);
        frame::seal(&mut first, Place { segment: number, at: HEADER });
        let segment = Segment::create(&self.dir, number, &first)?;
        self.segments.push_back(segment);
        self.at = HEADER + first.len() as u64;
        Ok(())
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
                    if !contents.has_room(partitions) {
                        return Err(LogError::TooManyPartitions { name: name.into(), wanted: partitions });
                    }
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
}
