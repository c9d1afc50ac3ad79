//! streamrun: one TOML file describes a stream-processing pipeline, one binary checks it, tests it and runs it.
//!
//! # A tour
//!
//! Three layers, in one direction:
//!
//! ```text
//! TOML ──spec──▶ what was written ──plan──▶ what it means ──runtime──▶ tasks that run it
//! ```
//!
//! - [`spec`] mirrors the file: keys and values, each byte with its place. No meaning.
//! - [`plan`] gives it meaning: names become indices, expressions ([`expr`]) are typed and compiled, each edge gets a
//!   shape, each node an [`operator::Operator`]. What is wrong is collected as [`diagnostic`]s. `check`, `graph`
//!   ([`plan::draw`]) and `help` ([`mod@reference`]) stop here.
//! - [`runtime`] runs it: a [`runtime::Task`] is one partition, synchronous from source to sink; a [`runtime::Worker`]
//!   has tasks and a [`transport`], and its turns poll, process and commit. [`engine`] is workers in threads,
//!   [`testing`] a worker under a test's clock, [`http`] what others see of it. [`survey`] holds a plan against a
//!   cluster before anything runs.
//!
//! Between them lies what a record is while it is worked on: a [`frame::Frame`] is a register file over the original
//! bytes; [`codec`] fills it and splices it out again; [`rows`] are fresh frames, [`outbox`] is what goes out,
//! [`store`] is what is remembered. Sixteen records go through the steps side by side, so that reaching a node costs
//! each of them a sixteenth; what that must not change, and does not, is said in [`lanes`], and a test runs made-up
//! pipelines both ways.
//!
//! Where a node groups by what its records are not keyed by, `plan/cut.rs` cuts the plan in two: a writer on the near
//! side (`operators/repartition.rs`), a source on the far side, a topic between them. Records carry their [`origin`]
//! there, and markers the clocks of the tasks that write (`runtime/markers.rs`). Those come where windows behind end,
//! not with each commit: a record says itself where its writer's clock stood, so nothing that is late or in time hangs
//! on them. What is read together is a part (`plan/parts.rs`), and no part stands behind itself.
//!
//! Of the three [`transport`]s [`transport::kafka`] is what the product is for: a member of a group, a transaction a
//! commit, and unsafe code, in one folder with its reasons; the only other line of that is a hint to the processor
//! (`store/near.rs`): the tables of a million keys are waited for, unless their rows are asked for ahead.
//! [`inspect`] and [`produce`] read and write topics beside it.
//!
//! To add a kind of node: a file in [`operators`] with its doc, its `KIND` (keys, example, check) and its operator,
//! and a line in the table there. Help, the JSON Schema, checks of its keys and the test that runs its example follow.
//!
//! # Invariants
//!
//! 1. An operator remembers nothing: all that changes lives in stores. It does no I/O, asks no clock, throws no dice.
//! 2. The same plan, records in the same order and clock give the same bytes: results never depend on batches, hash
//!    order or threads. Wall time enters in three places: idle clocks, alerts' ticks, `max_future`.
//! 3. Only `runtime/commit.rs` makes anything permanent: outputs and changelogs out, then positions with metadata,
//!    then the commit, then undo logs cleared. An abort replays the undo logs and goes back in the inputs.
//! 4. State and positions cannot part: the metadata of each position holds the clock, the commit's number and what the
//!    tables' bytes mean. A commit whose outcome is unknown is decided by the number that is committed.
//! 5. Waiting and computing are apart: between a task's source and its sinks there is no channel, no lock and no
//!    allocation a record.
//! 6. Bad data is data: it becomes a dead letter with a reason, and never stops a task.
//! 7. What can fail comes first: a `process` that returns an error has changed nothing.
//!
//! Who may see whom, and which crate is named where, is kept by `tests/it/tidy.rs`.

pub mod aggregates;
pub mod codec;
pub mod diagnostic;
pub mod engine;
pub mod expr;
pub mod frame;
pub mod headers;
pub mod http;
pub mod inspect;
pub mod lanes;
pub mod metrics;
pub mod operator;
pub mod operators;
pub mod origin;
pub mod outbox;
pub mod partitioner;
pub mod plan;
pub mod produce;
pub mod reference;
pub mod rows;
pub mod runtime;
mod sha256;
mod short;
pub mod spec;
pub mod store;
pub mod survey;
pub mod testing;
pub mod time;
pub mod transport;
pub mod types;
