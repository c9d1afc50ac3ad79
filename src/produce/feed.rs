//! Where records come from: made up, or read.

use super::generator::{Generator, Made, Unmade};
use super::lines::Lines;
use std::fmt;
use std::io;

/// One record after the other.
#[derive(Debug)]
pub enum Feed<'p> {
    /// Made up, without an end.
    Made(Box<Generator<'p>>),
    /// Read, line by line.
    Read(Lines),
}

/// There is no next record.
#[derive(Debug)]
pub enum FeedError {
    /// It cannot be made up.
    Unmade(Unmade),
    /// It cannot be read.
    Unread(io::Error),
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedError::Unmade(unmade) => unmade.fmt(f),
            FeedError::Unread(error) => write!(f, "the input cannot be read on: {error}"),
        }
    }
}

impl std::error::Error for FeedError {}

impl Feed<'_> {
    /// The next record, made at this time; none: that was all.
    pub fn next_record(&mut self, now_ms: i64) -> Result<Option<Made<'_>>, FeedError> {
        match self {
            Feed::Made(generator) => generator.next_record(now_ms).map(Some).map_err(FeedError::Unmade),
            Feed::Read(lines) => lines.next_record().map_err(FeedError::Unread),
        }
    }

    /// Whether the next record may have to be waited for: what has been sent should not wait with it.
    pub fn may_wait(&self) -> bool {
        match self {
            Feed::Made(_) => false,
            Feed::Read(lines) => lines.may_wait(),
        }
    }

    /// How many of the records were made up to be bad.
    pub fn made_bad(&self) -> u64 {
        match self {
            Feed::Made(generator) => generator.made_bad(),
            Feed::Read(_) => 0,
        }
    }
}
