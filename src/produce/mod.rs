//! Records for a source: made up as `[generate]` says, or lines of a file, keyed as the source promises.
//!
//! Nothing here writes, waits or asks what time it is: a [`Feed`] gives one record after the other, a [`Pace`] says
//! when each is due, and a [`Destination`] takes them.

mod destination;
mod feed;
mod generator;
mod key;
mod lines;
mod pace;
mod tree;

pub use destination::Destination;
pub use feed::{Feed, FeedError};
pub use generator::{Generator, Made, Unmade};
pub use key::Keyer;
pub use lines::Lines;
pub use pace::Pace;

/// How many partitions a source's topic gets on the embedded log, unless the source says.
pub const PARTITIONS: u32 = 4;
