//! The undo log of a table: which rows this commit has touched, and what they were.

use super::row::Word;

/// A row that is new in this commit has nothing to go back to.
const FRESH: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Touched {
    entry: u32,
    /// Which of the saved rows is its old one, or [`FRESH`].
    saved: u32,
}

/// Each touched row once, in the order of their first touch.
#[derive(Debug)]
pub(super) struct Undo {
    log: Vec<Touched>,
    rows: Vec<Word>,
    cells: usize,
    saved: u32,
}

impl Undo {
    pub fn new(cells: usize) -> Self {
        Undo { log: vec![], rows: vec![], cells, saved: 0 }
    }

    /// How many rows were touched.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Notes a row that is new; answers its place in the log.
    pub fn push_fresh(&mut self, entry: u32) -> u32 {
        self.log.push(Touched { entry, saved: FRESH });
        self.log.len() as u32 - 1
    }

    /// Saves a row that is about to change; answers its place in the log.
    #[inline]
    pub fn push_saved(&mut self, entry: u32, cells: &[Word]) -> u32 {
        debug_assert_eq!(cells.len(), self.cells);
        self.rows.extend_from_slice(cells);
        self.log.push(Touched { entry, saved: self.saved });
        self.saved += 1;
        self.log.len() as u32 - 1
    }

    /// The entry at a place in the log.
    pub fn entry(&self, slot: u32) -> u32 {
        self.log[slot as usize].entry
    }

    /// What a row was before this commit; `None` when it was not.
    pub fn saved(&self, slot: u32) -> Option<&[Word]> {
        let saved = self.log[slot as usize].saved;
        (saved != FRESH).then(|| &self.rows[saved as usize * self.cells..][..self.cells])
    }

    /// Forgets everything; the room stays.
    pub fn clear(&mut self) {
        self.log.clear();
        self.rows.clear();
        self.saved = 0;
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        self.log.capacity() * size_of::<Touched>() + self.rows.capacity() * size_of::<Word>()
    }
}
