//! Records side by side: what a node does with one it does with all of them before the next node has its turn.
//!
//! Reaching a node, counting and leaving it again costs more than most nodes' work. Records side by side share that,
//! and a node's work becomes a loop in which the processor sees several records at once.
//!
//! Nobody can tell it from one record after the other:
//! - a node sees the records in their order, each at the clock that it came at;
//! - what they write is put into their order afterwards ([`Outbox::in_turn`](crate::outbox::Outbox::in_turn));
//! - no window ends between the first of them and the last: the task runs them before that;
//! - where a node that keeps something is reached on two ways, and would have a record come on the second one behind
//!   those that follow it on the first, they go one at a time.
//!
//! So while records run a node looks into its own stores and those of no other, and makes no rows: those come from
//! `advance` and `tick`. A kind that has to do otherwise needs its records one at a time (`runtime/batch.rs`).
//!
//! Those rows go side by side themselves, as many as there are lanes or one at a time: no window ends while they run.

use crate::frame::Frame;
use crate::operator::{Flow, Outcome, Port, RecordError, Seen, StreamTime};

/// How many go side by side.
pub const LANES: usize = 16;

/// One of them.
#[derive(Debug)]
pub struct Lane<'r> {
    /// The record.
    pub frame: Frame<'r>,
    /// The task's clock when it came; behind a repartition that of the task which wrote it, if that is later.
    pub clock: StreamTime,
    /// Its place in the batch; that of a row among those that it goes with.
    pub turn: u32,
    /// The first step that it takes part in again.
    pub next: u32,
    /// What the last node has answered, where [`Came::others`] has its bit.
    pub flow: Result<Flow, RecordError>,
}

impl<'r> Lane<'r> {
    /// A lane for a frame.
    pub fn new(frame: Frame<'r>, clock: StreamTime) -> Self {
        Lane { frame, clock, turn: 0, next: 0, flow: Ok(Flow::Pass) }
    }
}

/// A visit of records to a node.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Which step it is.
    pub step: u32,
    /// The first step behind its subtree.
    pub after: u32,
    /// The input that records come through.
    pub port: Port,
    /// What a record that passes has come to.
    pub seen: u8,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Came {
    /// How many records go on, or were kept.
    pub passed: u32,
    /// How many were turned away.
    pub filtered: u32,
    /// A bit for each lane whose `flow` says something else.
    pub others: u32,
}

const _: () = assert!(LANES <= u32::BITS as usize, "a bit each");

impl Came {
    /// Notes what a node has answered to the record in a lane.
    #[inline(always)]
    pub fn note(&mut self, at: usize, lane: &mut Lane<'_>, visit: &Visit, flow: Result<Flow, RecordError>) {
        match flow {
            Ok(Flow::Pass) => {
                self.passed += 1;
                lane.frame.seen |= visit.seen;
            }
            Ok(Flow::Stop(Outcome::Kept)) => {
                self.passed += 1;
                lane.frame.seen |= Seen::USED;
                lane.next = visit.after;
            }
            Ok(Flow::Stop(Outcome::Filtered)) => {
                self.filtered += 1;
                lane.next = visit.after;
            }
            other => {
                self.others |= 1 << at;
                lane.flow = other;
            }
        }
    }
}
