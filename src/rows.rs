//! Fresh rows on their way: what a window that closes or an alert that speaks puts into the pipeline.
//!
//! A row owns its cells and texts, so that it borrows from no store, and is pooled, so that it costs nothing when
//! warm. [`Rows`] is a stack of queues: what a call emitted lies behind the mark taken before the call and is run
//! down to the sinks before anything else, depth first.

use crate::frame::{Body, Frame, Origin, Text, Value};
use crate::operator::NodeId;

/// A row: a register file of its own.
#[derive(Debug, Default)]
pub struct Row {
    /// The node that made it.
    pub node: u16,
    /// Its event time.
    pub timestamp: i64,
    cells: Vec<u64>,
    present: u64,
    text: Vec<u8>,
}

impl Row {
    /// Keeps a text for one of the row's cells.
    pub fn text(&mut self, bytes: &[u8]) -> Value {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        Value::Text(Text::arena(start, self.text.len()))
    }

    /// Sets a cell.
    pub fn set(&mut self, register: crate::frame::Register, value: Value) {
        self.cells[register.0 as usize] = value.bits();
        self.present = self.present & !(1 << register.0) | (value.is_set() as u64) << register.0;
    }

    /// The row as a frame.
    pub fn frame<'r>(&'r mut self, constants: &'r [u8]) -> Frame<'r> {
        Frame {
            payload: &[],
            key: None,
            headers: &[],
            registers: &mut self.cells,
            present: self.present,
            arena: &mut self.text,
            constants,
            body: Body::default(),
            timestamp: self.timestamp,
            origin: Origin::default(),
            variant: 0,
            seen: 0,
        }
    }
}

/// Rows that were emitted and not yet run.
#[derive(Debug, Default)]
pub struct Rows {
    queue: Vec<Row>,
    spare: Vec<Row>,
}

impl Rows {
    /// How many rows may wait at a time.
    pub const ROOM: usize = 1024;

    /// How many more rows a node may emit before it has to stay due.
    pub fn room(&self) -> usize {
        Self::ROOM.saturating_sub(self.queue.len())
    }

    /// What is emitted from now on lies behind this.
    #[inline]
    pub fn mark(&self) -> usize {
        self.queue.len()
    }

    /// A cleared row with a file of `width` registers, already in the queue.
    pub fn add(&mut self, node: NodeId, width: usize, timestamp: i64) -> &mut Row {
        let mut row = self.spare.pop().unwrap_or_default();
        (row.node, row.timestamp, row.present) = (node.0, timestamp, 0);
        row.text.clear();
        row.cells.clear();
        row.cells.resize(width, 0);
        self.queue.push(row);
        self.queue.last_mut().expect("just pushed")
    }

    /// Takes the row at a place of the queue out, to be run.
    pub fn take(&mut self, at: usize) -> Option<Row> {
        self.queue.get_mut(at).map(std::mem::take)
    }

    /// Gives a row's room back.
    pub fn recycle(&mut self, row: Row) {
        if self.spare.len() < Self::ROOM {
            self.spare.push(row);
        }
    }

    /// Forgets what lies behind a mark.
    pub fn truncate(&mut self, mark: usize) {
        self.queue.truncate(mark);
    }
}
