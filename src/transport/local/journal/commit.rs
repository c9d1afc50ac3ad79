//! What goes into the log at once: records of any partitions, and how far groups have come.

use super::frame::{self, HEAD, MAX_PAYLOAD};
use super::{LogError, Result, Topic};
use std::collections::HashMap;

/// Batches are cut at this size, so that reading from the middle of a large commit does not begin at its start.
const BATCH_BYTES: usize = 1 << 16;

/// A commit in the making. One is kept and cleared: its room stays.
#[derive(Debug, Default)]
pub struct Commit {
    batches: Vec<Batch>,
    /// How many of the batches are of this commit; the others are room.
    used: usize,
    /// The batch that a partition's next record goes to.
    open: HashMap<(Topic, u32), usize, foldhash::fast::FixedState>,
    last: Option<((Topic, u32), usize)>,
    /// Committed offsets, as the frame will have them, and what partitions they are of.
    offsets: Vec<u8>,
    homes: Vec<(Topic, u32)>,
}

#[derive(Debug, Default)]
struct Batch {
    topic: Topic,
    partition: u32,
    count: u32,
    bytes: Vec<u8>,
}

/// Where some of a commit's records went: `count` of them, from this offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which topic.
    pub topic: Topic,
    /// Which partition of it.
    pub partition: u32,
    /// The offset of the first one.
    pub base: i64,
    /// How many.
    pub count: u32,
}

impl Commit {
    /// Adds a record. Records of one partition keep their order. `headers` are in the encoding of
    /// [`crate::headers`].
    #[inline]
    pub fn record(
        &mut self,
        topic: Topic,
        partition: u32,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[u8],
    ) {
        let batch = self.batch((topic, partition));
        batch.count += 1;
        super::record::encode(&mut batch.bytes, timestamp, key, value, headers);
    }

    #[inline]
    fn batch(&mut self, home: (Topic, u32)) -> &mut Batch {
        let at = match self.last {
            Some((last, at)) if last == home => at,
            _ => self.open.get(&home).copied().unwrap_or(usize::MAX),
        };
        let full = self.batches.get(at).is_none_or(|batch| batch.bytes.len() >= BATCH_BYTES);
        let at = if full { self.begin(home) } else { at };
        self.last = Some((home, at));
        &mut self.batches[at]
    }

    fn begin(&mut self, home: (Topic, u32)) -> usize {
        if self.used == self.batches.len() {
            self.batches.push(Batch::default());
        }
        let batch = &mut self.batches[self.used];
        (batch.topic, batch.partition, batch.count) = (home.0, home.1, 0);
        batch.bytes.clear();
        self.open.insert(home, self.used);
        self.used += 1;
        self.used - 1
    }

    /// Notes that a group has come up to an offset, with a note of its own.
    pub fn offset(&mut self, group: &str, topic: Topic, partition: u32, offset: i64, metadata: &[u8]) {
        self.homes.push((topic, partition));
        frame::put_offset(&mut self.offsets, group, (topic, partition), offset, metadata);
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.used == 0 && self.offsets.is_empty()
    }

    /// Forgets everything; the room stays.
    pub fn clear(&mut self) {
        self.used = 0;
        self.open.clear();
        self.last = None;
        self.offsets.clear();
        self.homes.clear();
    }

    /// Writes the frame's payload behind room for its head. `end` tells where a partition ends.
    pub(super) fn encode(
        &self,
        out: &mut Vec<u8>,
        mut end: impl FnMut(Topic, u32) -> Result<i64>,
    ) -> Result<Vec<Position>> {
        out.clear();
        out.resize(HEAD, 0);
        let batches = &self.batches[..self.used];
        let bytes: usize = batches.iter().map(|batch| batch.bytes.len() + 32).sum();
        if bytes + self.offsets.len() > MAX_PAYLOAD {
            return Err(LogError::TooLarge);
        }
        // A frame that names what is not there would be damage to whoever reads it.
        self.homes.iter().try_for_each(|home| end(home.0, home.1).map(drop))?;
        let mut positions: Vec<Position> = Vec::with_capacity(self.open.len());
        let mut ends: HashMap<(Topic, u32), usize, foldhash::fast::FixedState> = HashMap::default();
        for Batch { topic, partition, count, bytes } in batches {
            let at = match ends.get(&(*topic, *partition)) {
                Some(at) => *at,
                None => {
                    let base = end(*topic, *partition)?;
                    positions.push(Position { topic: *topic, partition: *partition, base, count: 0 });
                    ends.insert((*topic, *partition), positions.len() - 1);
                    positions.len() - 1
                }
            };
            let position = &mut positions[at];
            let base = position.base + i64::from(position.count);
            position.count += count;
            frame::put_batch(out, *topic, *partition, base, *count, bytes);
        }
        out.extend_from_slice(&self.offsets);
        Ok(positions)
    }
}
