//! What runs a plan.
//!
//! A [`task::Task`] is one partition of one part of the plan: records in, outputs out, synchronous from the source to
//! the sinks. Nothing here knows a name of the file or a word of TOML.

pub mod dead;
pub mod input;
pub mod tally;
pub mod task;
mod walk;

pub use input::Input;
pub use tally::{NodeTally, SourceTally};
pub use task::{Progress, Task};
