//! Fresh rows on their way: what a window that closes or an alert that speaks puts into the pipeline, never a record.
//!
//! A row owns its cells and texts, so that it borrows from no store, and is pooled, so that it costs nothing when
//! warm. What a call has emitted into [`Rows`] is run down to the sinks before anything else.

use crate::frame::{Frame, MAX_REGISTERS, Register, Text, Value};
use crate::operator::{NodeId, RecordError};
use crate::store::KeyShape;
use crate::store::key::KeyPart;

/// A row: a register file of its own.
#[derive(Debug, Default)]
pub struct Row {
    /// The node that made it.
    pub node: u16,
    /// Its event time.
    pub timestamp: i64,
    /// What went wrong while it was made: it goes to the dead letters.
    pub error: Option<RecordError>,
    /// Which cells are set.
    pub present: u64,
    cells: Vec<u64>,
    text: Vec<u8>,
}

impl Row {
    /// A row outside of any queue, to look at.
    pub fn blank() -> Self {
        Row { cells: vec![0; MAX_REGISTERS], ..Row::default() }
    }

    /// Keeps a text for one of the row's cells.
    pub fn text(&mut self, bytes: &[u8]) -> Value {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        Value::Text(Text::arena(start, self.text.len()))
    }

    /// Sets the cells of a key from its encoding.
    pub fn set_key(&mut self, shape: &KeyShape, key: &[u8]) {
        for (register, part) in shape.decode(key) {
            let value = match part {
                KeyPart::Text(text) => self.text(&text),
                KeyPart::Int(int) => Value::Int(int),
                KeyPart::Float(float) => Value::Float(float),
                KeyPart::Bool(bool) => Value::Bool(bool),
            };
            self.set(register, value);
        }
    }

    /// Copies a cell, whether it is set included.
    #[inline]
    pub fn copy(&mut self, from: Register, to: Register) {
        self.cells[to.place()] = self.cells[from.place()];
        self.present = self.present & !(1 << to.0) | (self.present >> from.0 & 1) << to.0;
    }

    /// Sets a cell.
    #[inline]
    pub fn set(&mut self, register: Register, value: Value) {
        self.cells[register.place()] = value.bits();
        self.present = self.present & !(1 << register.0) | (value.is_set() as u64) << register.0;
    }

    /// The row as a frame.
    pub fn frame<'r>(&'r mut self, constants: &'r [u8]) -> Frame<'r> {
        let (present, timestamp) = (self.present, self.timestamp);
        let cells = self.cells.first_chunk_mut().expect("a row has a whole file");
        let mut frame = Frame::new(cells, &mut self.text, constants);
        (frame.present, frame.timestamp, frame.stamp) = (present, timestamp, timestamp);
        frame
    }
}

/// Rows that were emitted and not yet run.
#[derive(Debug, Default)]
pub struct Rows {
    /// Behind those that were emitted stand used ones.
    rows: Vec<Row>,
    /// How many were.
    emitted: usize,
}

impl Rows {
    /// How many rows may wait at a time: as many as are still near when their turn comes.
    pub const ROOM: usize = 64;
    /// How many are kept to be used again.
    const SPARE: usize = 1024;

    /// How many more rows a node may emit before it has to stay due.
    pub fn room(&self) -> usize {
        Self::ROOM.saturating_sub(self.emitted)
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.emitted == 0
    }

    /// A cleared row, emitted already.
    pub fn add(&mut self, node: NodeId, timestamp: i64) -> &mut Row {
        if self.emitted == self.rows.len() {
            self.rows.push(Row::blank());
        }
        let row = &mut self.rows[self.emitted];
        self.emitted += 1;
        (row.node, row.timestamp, row.present, row.error) = (node.0, timestamp, 0, None);
        // What the cells held stays: the presence bits say that it counts for nothing.
        row.text.clear();
        row
    }

    /// The last one is not to be emitted after all.
    pub fn take_back(&mut self) {
        self.emitted = self.emitted.saturating_sub(1);
    }

    /// Those that were emitted, to be run.
    pub fn emitted(&mut self) -> &mut [Row] {
        &mut self.rows[..self.emitted]
    }

    /// They have been run; their room is for others.
    pub fn clear(&mut self) {
        self.emitted = 0;
        self.rows.truncate(Self::SPARE);
    }
}
