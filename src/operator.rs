//! The contract between a node and the task that runs it.
//!
//! An operator is what `check` resolved and nothing that changes: it gets `&self`, a frame and a context, and all
//! that it remembers lives in stores. It does no I/O, asks no clock and throws no dice. A `process` that returns an
//! error has changed nothing.

use crate::frame::{Frame, Value};
use crate::lanes::{Came, Lane, Visit};
use crate::outbox::Outbox;
use crate::rows::{Row, Rows};
use crate::store::{self, Stores};
use std::fmt::Debug;

/// Which input of a node a record comes through; 0 is `from`.
pub type Port = u8;

/// A node of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

/// Event time as a task's clock shows it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamTime(pub i64);

impl StreamTime {
    /// Later than anything.
    pub const NEVER: Self = StreamTime(i64::MAX);
    /// Earlier than anything: nothing has been seen yet.
    pub const START: Self = StreamTime(i64::MIN);
}

/// A reason for a dead letter, as an index into the plan's reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReasonId(pub u16);

/// What is wrong with a record. Four bytes, so that `Result<Flow, RecordError>` is eight and comes back in a
/// register; the sentence is put together where the dead letter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The sentence, as an index into the plan's reasons.
    pub reason: ReasonId,
    /// A byte of the payload or a field, as the reason needs it; cut off at 65,535.
    pub at: u16,
}

impl RecordError {
    /// An error that needs no place.
    pub const fn new(reason: ReasonId) -> Self {
        RecordError { reason, at: 0 }
    }
}

const _: () = assert!(size_of::<Result<Flow, RecordError>>() == 8);

/// Why a record goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A filter did not want it, or no route took it.
    Filtered,
    /// It reached a sink, a table or a window.
    Kept,
    /// Its window has closed.
    Late,
    /// It is late, and late ones are wanted as dead letters.
    LateLetter(ReasonId),
    /// A rule rejected it.
    Rejected(ReasonId),
}

/// The named outputs a record takes, a bit each; bit 0 is the node's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSet(pub u32);

/// What becomes of a record after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// On to everything behind this node.
    Pass,
    /// On to what stands behind these outputs.
    Routes(RouteSet),
    /// No further.
    Stop(Outcome),
}

/// A checked, compiled, immutable node.
pub trait Operator: Debug + Send + Sync {
    /// A record on one of the node's inputs. Others go side by side with it (see [`crate::lanes`]): it looks into no
    /// store but the node's own, and emits no rows.
    fn process(&self, input: Port, frame: &mut Frame<'_>, cx: &mut Context<'_>) -> Result<Flow, RecordError>;

    /// The same for records side by side, those of them that come here. Written once: each kind's `process`, which says
    /// `#[inline(always)]` for it, is compiled into a loop of its own.
    fn process_all(&self, visit: &Visit, lanes: &mut [Lane<'_>], cx: &mut Context<'_>) -> Came {
        let mut came = Came::default();
        for (at, lane) in lanes.iter_mut().enumerate() {
            if lane.next <= visit.step {
                (cx.clock, cx.out.turn) = (lane.clock, lane.turn.into());
                let flow = self.process(visit.port, &mut lane.frame, cx);
                came.note(at, lane, visit, flow);
            }
        }
        came
    }

    /// When this node next wants `advance`; derived from its stores, so that restore and abort need nothing more.
    fn due(&self, _stores: &Stores) -> Option<StreamTime> {
        None
    }

    /// The clock has reached `now`. Emits at most `cx.rows.room()` rows and stays due while there are more.
    fn advance(&self, _now: StreamTime, _cx: &mut Context<'_>) {}

    /// A multiple of the wall-clock interval this node asked for, in milliseconds since 1970; right behind a commit.
    fn tick(&self, _now: i64, _cx: &mut Context<'_>) {}

    /// Shows a row of the node's table, as others see it. `end` is the window's, if it has one.
    fn show(
        &self,
        _constants: &[u8],
        _end: Option<i64>,
        _key: &[u8],
        _stored: store::Row<'_>,
        _row: &mut Row,
    ) -> Result<(), RecordError> {
        Ok(())
    }
}

/// What an operator may touch. Fields, not methods: `advance` holds the node's store and emits rows at once.
#[derive(Debug)]
pub struct Context<'t> {
    /// The task's stores.
    pub stores: &'t mut Stores,
    /// Fresh rows on their way.
    pub rows: &'t mut Rows,
    /// What goes out.
    pub out: &'t mut Outbox,
    /// Room for an encoded key.
    pub scratch: &'t mut Vec<u8>,
    /// Room for the arguments of aggregates.
    pub values: &'t mut Vec<Value>,
    /// The plan's constant texts.
    pub constants: &'t [u8],
    /// The node being run.
    pub node: NodeId,
    /// The task's clock; behind a repartition that of the task which wrote the record, if that is later.
    pub clock: StreamTime,
    /// The smallest `due` of all nodes. A node that opens something earlier lowers it.
    pub due: StreamTime,
}

impl Context<'_> {
    /// Asks for `advance` at `at`, if nothing is due earlier. Forgetting it is caught by an assertion in debug
    /// builds.
    #[inline]
    pub fn wake_at(&mut self, at: StreamTime) {
        self.due = self.due.min(at);
    }
}

/// What a record's paths have come to; a record's fate is the lowest bit that is set.
#[derive(Clone, Copy, Debug)]
pub struct Seen;

impl Seen {
    /// It reached a sink, a table or a window.
    pub const USED: u8 = 1;
    /// It became a dead letter.
    pub const DEAD: u8 = 2;
    /// It was late.
    pub const LATE: u8 = 4;
}
