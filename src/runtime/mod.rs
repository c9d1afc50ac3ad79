//! What runs a plan.
//!
//! A [`task::Task`] is one partition of one part of the plan: records in, outputs out, synchronous from the source to
//! the sinks. A [`Worker`] has the tasks of its partitions and a transport; its turns poll, process and commit, and
//! between them it answers what it is asked ([`control`]). Nothing here knows a name of the file or a word of TOML.

mod ahead;
mod batch;
mod beats;
mod commit;
pub mod control;
pub mod counters;
mod counts;
pub mod dead;
mod ends;
mod examine;
mod idle;
pub mod input;
mod intake;
mod large;
pub mod markers;
mod meaning;
mod mend;
mod merge;
mod metadata;
mod options;
mod outlets;
mod outside;
pub mod pages;
mod purge;
mod queues;
pub mod report;
mod restore;
mod snapshots;
pub mod tally;
pub mod task;
mod walk;
mod worker;

pub use control::ControlHandle;
pub use input::Input;
pub use meaning::KEY as MEANING;
pub use options::{Broken, Options};
pub use pages::{Page, Shown};
pub use restore::Restoring;
pub use snapshots::OLDEST as OLDEST_SNAPSHOT;
pub use tally::{NodeTally, SourceTally};
pub use task::{Progress, Task};
pub use worker::{Stopped, TaskId, TaskState, Turn, Worker};
