//! Reading on: from where the log has been read to the last whole frame there is.
//!
//! Without the lock the last bytes may be a write in progress, so what is no whole frame is waited for. With the lock
//! nobody writes, so it is a write that was cut short, or damage.

use super::append::Held;
use super::contents::Contents;
use super::error::{LogError, Result};
use super::frame::{self, HEAD, Peek, Place};
use super::segment::{self, HEADER, Segment};
use super::{CHUNK, Log};

/// What stands behind the last frame that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    End,
    /// Bytes that are no whole frame: being written, cut short, or damaged.
    Torn,
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

impl Log {
    /// Takes in what others have appended; answers whether there was anything.
    pub fn refresh(&mut self) -> Result<bool> {
        let before = (self.last().number, self.at);
        self.catch_up()?;
        Ok(before != (self.last().number, self.at))
    }

    /// Begins to read at the first segment there is.
    pub(super) fn open_first(&mut self) -> Result<()> {
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

    /// Reads up to the last whole frame of the last segment.
    pub(super) fn catch_up(&mut self) -> Result<Tail> {
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
    pub(super) fn catch_up_and_settle(&mut self, _held: &Held) -> Result<()> {
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

    pub(super) fn place(&self) -> Place {
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

    pub(super) fn apply(&mut self, payload: &[u8], place: Place) -> Result<()> {
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
}
