//! One row a key.
//!
//! The table owns its rows, the texts they hold and the undo log of the running commit. Invariants:
//! - an entry stands in the undo log exactly when its stamp is of this epoch;
//! - a text handle is held by one row, or by a row and its saved copy, and by nothing else: what a commit or an
//!   abort leaves behind is freed there and then;
//! - a removed row stays in the index, dead, until the commit, so that an abort or a second touch finds it.

mod commit;
mod reads;

use super::StoreDecl;
use super::entries::{Entries, Stamp};
use super::index::KeyHash;
use super::row::{RowMut, Shape, Word};
use super::texts::Texts;
use super::undo::Undo;
use std::fmt;
use std::sync::Arc;

/// So many rows before its turn a row is asked for.
pub(in crate::store) const AHEAD: u32 = 16;

/// A table of rows that change in place.
pub struct Table {
    entries: Entries,
    texts: Texts,
    undo: Undo,
    shape: Shape,
    /// What restored rows are filled up with.
    fresh: Arc<[u64]>,
    /// Counts commits and aborts; see [`Stamp`].
    epoch: u32,
    /// Rows that are there.
    live: usize,
    /// Dead entries, to be freed at the commit.
    dead: usize,
    /// Whether rows go one after the other until none is left, as those of a window do: then their places wait for
    /// that, and the index is left alone.
    passes: bool,
}

impl Table {
    /// An empty table as declared.
    pub fn new(decl: &StoreDecl) -> Self {
        Self::with_shape(decl.shape(), decl.fresh.as_slice().into(), false)
    }

    /// The table of a window.
    pub(in crate::store) fn of_window(shape: Shape, fresh: Arc<[u64]>) -> Self {
        Self::with_shape(shape, fresh, true)
    }

    fn with_shape(shape: Shape, fresh: Arc<[u64]>, passes: bool) -> Self {
        let (entries, undo) = (Entries::new(shape.cells()), Undo::new(shape.cells()));
        Table { entries, texts: Texts::default(), undo, shape, fresh, epoch: 1, live: 0, dead: 0, passes }
    }

    /// The row of a key, about to change: made from `fresh` if there is none, saved if this commit has not touched
    /// it yet. Cells that hold texts are 0 in `fresh`; in an `optional` store fresh cells count as absent until
    /// they are set.
    #[inline(always)]
    pub fn touch(&mut self, key: &[u8], fresh: &[u64]) -> RowMut<'_> {
        // Put together where it is used, it lies in no memory.
        let (entry, slot) = self.reach(key, fresh);
        RowMut {
            cells: self.entries.cells_mut(entry),
            texts: &mut self.texts,
            undo: &self.undo,
            slot,
            shape: self.shape,
        }
    }

    /// The entry of a key and its place in the undo log, made if there is none.
    #[inline]
    fn reach(&mut self, key: &[u8], fresh: &[u64]) -> (u32, u32) {
        debug_assert_eq!(fresh.len(), self.shape.width as usize, "a cell for each cell");
        let hash = KeyHash::of_key(key);
        match self.entries.find(hash, key) {
            Some(entry) => {
                let slot = self.save(entry);
                if self.entries.is_dead(entry) {
                    self.revive(entry, slot, fresh);
                }
                (entry, slot)
            }
            None => {
                let stamp = Stamp { epoch: self.epoch, slot: self.undo.len() as u32 };
                let entry = self.entries.add(hash, key, stamp, fresh_cells(fresh, self.shape));
                self.live += 1;
                (entry, self.undo.push_fresh(entry))
            }
        }
    }

    /// Makes sure the entry is in the undo log; answers its place there.
    #[inline(always)]
    fn save(&mut self, entry: u32) -> u32 {
        let stamp = self.entries.stamp(entry);
        if stamp.epoch == self.epoch {
            return stamp.slot;
        }
        let slot = self.undo.push_saved(entry, self.entries.cells(entry));
        self.entries.set_stamp(entry, Stamp { epoch: self.epoch, slot });
        slot
    }

    /// A row that this commit has removed comes back, as fresh as any.
    #[cold]
    fn revive(&mut self, entry: u32, slot: u32, fresh: &[u64]) {
        self.free_new_texts(entry, slot);
        let cells = self.entries.cells_mut(entry);
        cells.iter_mut().zip(fresh_cells(fresh, self.shape)).for_each(|(to, from)| *to = from);
        self.entries.set_dead(entry, false);
        self.live += 1;
        self.dead -= 1;
    }

    /// Whether a row waits for memory.
    #[inline]
    pub(super) fn is_far(&self) -> bool {
        self.entries.is_far()
    }

    /// Has the place come near where a key is looked up.
    #[inline]
    pub(super) fn near(&self, hash: KeyHash) {
        self.entries.near(hash);
    }

    /// Has the row of a key come near; the place where it is looked up has to be.
    #[inline]
    pub(super) fn approach(&self, hash: KeyHash) {
        self.entries.approach(hash);
    }

    /// Has a row come near, if there is an entry.
    #[inline]
    pub(super) fn approach_entry(&self, entry: Option<u32>) {
        if let Some(entry) = entry
            && self.is_far()
        {
            self.entries.approach_entry(entry);
        }
    }

    /// Removes the row of a key; answers whether there was one.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        match self.find(key) {
            Some(entry) => self.remove_entry(entry),
            None => return false,
        }
        true
    }

    pub(in crate::store) fn remove_entry(&mut self, entry: u32) {
        self.save(entry);
        self.entries.set_dead(entry, true);
        self.live -= 1;
        self.dead += 1;
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        self.entries.find(KeyHash::of_key(key), key).filter(|entry| !self.entries.is_dead(*entry))
    }

    /// How many rows there are, those of this commit included.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many rows this commit has touched.
    pub fn touched(&self) -> usize {
        self.undo.len()
    }

    /// An estimate of the memory held.
    pub fn bytes(&self) -> usize {
        self.entries.bytes() + self.texts.bytes() + self.undo.bytes()
    }

    #[cfg(test)]
    pub(in crate::store) fn run_out_of_epochs(&mut self) {
        self.epoch = u32::MAX;
    }

    /// Every text and every long key that is kept belongs to exactly one row.
    #[cfg(test)]
    pub(in crate::store) fn assert_no_leak(&self) {
        use super::row::bits;
        assert_eq!(self.undo.len(), 0, "only between commits");
        let rows = || self.entries.iter();
        let handles = |entry| self.shape.text_cells().map(move |cell| bits(&self.entries.cells(entry)[cell]));
        let held = rows().flat_map(handles).filter(|handle| *handle != 0).count();
        assert_eq!(self.texts.live(), held, "texts");
        let long = rows().filter(|entry| self.entries.key(*entry).len() > 23).count();
        assert_eq!(self.entries.live_long_keys(), long, "long keys");
        assert_eq!(rows().count(), self.live, "rows");
    }
}

/// The cells of a fresh row: none of them set, where that is kept.
#[inline(always)]
fn fresh_cells(fresh: &[u64], shape: Shape) -> impl Iterator<Item = Word> {
    fresh.iter().map(|bits| bits.to_le_bytes()).chain(std::iter::repeat_n([0; 8], shape.optional as usize))
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.live).field("touched", &self.undo.len()).finish()
    }
}
