//! Rows: a fixed number of eight-byte cells, whose number is known when the plan is.
//!
//! A cell is untagged; the node that owns the store knows its type. Cells that hold texts hold a handle into the
//! table's texts. Where cells can be absent one more cell, behind the others, has a bit for each.

use super::texts::Texts;
use super::undo::Undo;

/// Eight bytes of a table: bytes and not an integer, so that keys and cells can lie in one vector and a key can be
/// borrowed from it.
pub(super) type Word = [u8; 8];

/// What the rows of a store look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many cells a node sees.
    pub width: u8,
    /// Whether there is a cell of presence bits behind them.
    pub optional: bool,
    /// A bit for each cell that holds a text.
    pub texts: u64,
}

impl Shape {
    /// How many cells there are, that of the presence bits included.
    #[inline(always)]
    pub fn cells(self) -> usize {
        self.width as usize + self.optional as usize
    }

    #[inline(always)]
    pub fn is_text(self, cell: usize) -> bool {
        self.texts >> cell & 1 == 1
    }

    /// The cells that hold texts.
    pub fn text_cells(self) -> impl Iterator<Item = usize> {
        (0..self.width as usize).filter(move |cell| self.is_text(*cell))
    }
}

#[inline(always)]
pub(super) fn bits(word: &Word) -> u64 {
    u64::from_le_bytes(*word)
}

/// A row, to read.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    pub(super) cells: &'t [Word],
    pub(super) texts: &'t Texts,
    pub(super) shape: Shape,
}

impl<'t> Row<'t> {
    /// The eight bytes of a cell.
    #[inline(always)]
    pub fn get(&self, cell: usize) -> u64 {
        debug_assert!(!self.shape.is_text(cell), "cell {cell} holds a text");
        bits(&self.cells[cell])
    }

    /// The text of a cell that holds one.
    #[inline]
    pub fn text(&self, cell: usize) -> &'t [u8] {
        debug_assert!(self.shape.is_text(cell), "cell {cell} holds no text");
        self.texts.get(bits(&self.cells[cell]))
    }

    /// Whether a cell is set. Always, where the store was not declared `optional`.
    #[inline]
    pub fn is_set(&self, cell: usize) -> bool {
        !self.shape.optional || self.presence() >> cell & 1 == 1
    }

    pub(super) fn presence(&self) -> u64 {
        bits(&self.cells[self.shape.width as usize])
    }
}

/// A row that has been saved in the undo log and may change.
#[derive(Debug)]
pub struct RowMut<'t> {
    pub(super) cells: &'t mut [Word],
    pub(super) texts: &'t mut Texts,
    pub(super) undo: &'t Undo,
    /// The row's place in the undo log.
    pub(super) slot: u32,
    pub(super) shape: Shape,
}

impl RowMut<'_> {
    /// The eight bytes of a cell.
    #[inline(always)]
    pub fn get(&self, cell: usize) -> u64 {
        debug_assert!(!self.shape.is_text(cell), "cell {cell} holds a text");
        bits(&self.cells[cell])
    }

    /// The text of a cell that holds one.
    #[inline]
    pub fn text(&self, cell: usize) -> &[u8] {
        debug_assert!(self.shape.is_text(cell), "cell {cell} holds no text");
        self.texts.get(bits(&self.cells[cell]))
    }

    /// Whether a cell has been set since the row was fresh.
    #[inline]
    pub fn is_set(&self, cell: usize) -> bool {
        !self.shape.optional || bits(&self.cells[self.shape.width as usize]) >> cell & 1 == 1
    }

    /// Sets a cell.
    #[inline(always)]
    pub fn set(&mut self, cell: usize, value: u64) {
        debug_assert!(!self.shape.is_text(cell), "cell {cell} holds a text");
        self.cells[cell] = value.to_le_bytes();
        self.mark(cell, true);
    }

    /// Changes a cell that holds a float.
    #[inline(always)]
    pub fn change_float(&mut self, cell: usize, change: impl FnOnce(f64) -> f64) {
        self.set(cell, change(f64::from_bits(self.get(cell))).to_bits());
    }

    /// Sets a cell that holds a text. The text of the last commit stays where it is until the next one; a text of
    /// this commit is written over.
    pub fn set_text(&mut self, cell: usize, text: &[u8]) {
        debug_assert!(self.shape.is_text(cell), "cell {cell} holds no text");
        let handle = bits(&self.cells[cell]);
        if handle == 0 || self.is_saved(cell, handle) {
            self.cells[cell] = self.texts.make(text).to_le_bytes();
        } else {
            self.texts.overwrite(handle, text);
        }
        self.mark(cell, true);
    }

    /// Marks a cell absent; only in stores that were declared `optional`.
    pub fn clear(&mut self, cell: usize) {
        debug_assert!(self.shape.optional, "the store has no absent cells");
        let handle = bits(&self.cells[cell]);
        if self.shape.is_text(cell) && !self.is_saved(cell, handle) {
            self.texts.free(handle);
        }
        self.cells[cell] = [0; 8];
        self.mark(cell, false);
    }

    fn is_saved(&self, cell: usize, handle: u64) -> bool {
        self.undo.saved(self.slot).is_some_and(|old| bits(&old[cell]) == handle)
    }

    #[inline(always)]
    fn mark(&mut self, cell: usize, set: bool) {
        if self.shape.optional {
            let presence = &mut self.cells[self.shape.width as usize];
            *presence = (bits(presence) & !(1 << cell) | (set as u64) << cell).to_le_bytes();
        }
    }
}
