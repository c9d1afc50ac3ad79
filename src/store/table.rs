//! One row a key.
//!
//! The table owns its rows, the texts they hold and the undo log of the running commit. Invariants:
//! - an entry stands in the undo log exactly when its stamp is of this epoch;
//! - a text handle is held by one row, or by a row and its saved copy, and by nothing else: what a commit or an
//!   abort leaves behind is freed there and then;
//! - a removed row stays in the index, dead, until the commit, so that an abort or a second touch finds it.

use super::StoreDecl;
use super::changelog::{self, Corrupt};
use super::entries::{Entries, Stamp};
use super::order::{smallest_by_key, sort_by_key};
use super::row::{Row, RowMut, Shape, Word, bits};
use super::texts::Texts;
use super::undo::Undo;
use std::fmt;

/// A table of rows that change in place.
pub struct Table {
    entries: Entries,
    texts: Texts,
    undo: Undo,
    shape: Shape,
    /// Counts commits and aborts; see [`Stamp`].
    epoch: u32,
    /// Rows that are there.
    live: usize,
    /// Dead entries, to be freed at the commit.
    dead: usize,
}

impl Table {
    /// An empty table as declared.
    pub fn new(decl: &StoreDecl) -> Self {
        Self::with_shape(decl.shape())
    }

    pub(super) fn with_shape(shape: Shape) -> Self {
        let (entries, undo) = (Entries::new(shape.cells()), Undo::new(shape.cells()));
        Table { entries, texts: Texts::default(), undo, shape, epoch: 1, live: 0, dead: 0 }
    }

    /// The row of a key, about to change: made from `fresh` if there is none, saved if this commit has not touched
    /// it yet. Cells that hold texts are 0 in `fresh`; in an `optional` store fresh cells count as absent until
    /// they are set.
    #[inline]
    pub fn touch(&mut self, key: &[u8], fresh: &[u64]) -> RowMut<'_> {
        debug_assert_eq!(fresh.len(), self.shape.width as usize, "a cell for each cell");
        let short = self.entries.hash(key);
        let (entry, slot) = match self.entries.find(short, key) {
            Some(entry) => {
                let slot = self.save(entry);
                if self.entries.is_dead(entry) {
                    self.revive(entry, slot, fresh);
                }
                (entry, slot)
            }
            None => {
                let stamp = Stamp { epoch: self.epoch, slot: self.undo.len() as u32 };
                let entry = self.entries.add(short, key, stamp, fresh_cells(fresh, self.shape));
                self.live += 1;
                (entry, self.undo.push_fresh(entry))
            }
        };
        RowMut {
            cells: self.entries.cells_mut(entry),
            texts: &mut self.texts,
            undo: &self.undo,
            slot,
            shape: self.shape,
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

    /// Removes the row of a key; answers whether there was one.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        match self.find(key) {
            Some(entry) => self.remove_entry(entry),
            None => return false,
        }
        true
    }

    pub(super) fn remove_entry(&mut self, entry: u32) {
        self.save(entry);
        self.entries.set_dead(entry, true);
        self.live -= 1;
        self.dead += 1;
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        self.entries.find(self.entries.hash(key), key).filter(|entry| !self.entries.is_dead(*entry))
    }

    /// The row of a key as this commit has it so far.
    pub fn get(&self, key: &[u8]) -> Option<Row<'_>> {
        self.find(key).map(|entry| self.row(entry))
    }

    /// The row of a key as the last commit left it.
    pub fn committed(&self, key: &[u8]) -> Option<Row<'_>> {
        self.entries.find(self.entries.hash(key), key).and_then(|entry| self.committed_row(entry))
    }

    /// All rows as the last commit left them, in no order that means anything.
    pub fn committed_iter(&self) -> impl Iterator<Item = (&[u8], Row<'_>)> {
        self.entries.iter().filter_map(|entry| Some((self.entries.key(entry), self.committed_row(entry)?)))
    }

    /// The first `limit` rows whose keys come after `after`, by key bytes, as the last commit left them.
    pub fn committed_range(&self, after: Option<&[u8]>, limit: usize) -> Vec<(&[u8], Row<'_>)> {
        let wanted = |entry: &u32| {
            self.committed_row(*entry).is_some() && after.is_none_or(|after| self.entries.key(*entry) > after)
        };
        let entries = self.entries.iter().filter(wanted).collect();
        let rows = smallest_by_key(entries, limit, |entry| self.entries.key(entry)).into_iter();
        rows.filter_map(|entry| Some((self.entries.key(entry), self.committed_row(entry)?))).collect()
    }

    fn row_of<'t>(&'t self, cells: &'t [Word]) -> Row<'t> {
        Row { cells, texts: &self.texts, shape: self.shape }
    }

    pub(super) fn row(&self, entry: u32) -> Row<'_> {
        self.row_of(self.entries.cells(entry))
    }

    fn committed_row(&self, entry: u32) -> Option<Row<'_>> {
        let stamp = self.entries.stamp(entry);
        if stamp.epoch != self.epoch {
            return Some(self.row(entry));
        }
        self.undo.saved(stamp.slot).map(|cells| self.row_of(cells))
    }

    /// Each row this commit has touched, once, with its last value; none when it is gone. Rows that came and went
    /// within the commit are left out.
    pub fn changes(&self, mut visit: impl FnMut(&[u8], Option<Row<'_>>)) {
        for slot in 0..self.undo.len() as u32 {
            let entry = self.undo.entry(slot);
            let dead = self.entries.is_dead(entry);
            if !dead || self.undo.saved(slot).is_some() {
                visit(self.entries.key(entry), (!dead).then(|| self.row(entry)));
            }
        }
    }

    /// What was touched is what is: frees what only the undo log held, and empties it.
    pub fn clear_undo(&mut self) {
        if self.undo.len() == 0 {
            return;
        }
        if self.live == 0 {
            return self.reset();
        }
        // A table without texts or removals has nothing to look after, and need not visit its rows.
        if self.shape.texts != 0 || self.dead > 0 {
            for slot in 0..self.undo.len() as u32 {
                self.settle(slot);
            }
        }
        self.dead = 0;
        self.next_epoch();
    }

    fn settle(&mut self, slot: u32) {
        let entry = self.undo.entry(slot);
        let dead = self.entries.is_dead(entry);
        if dead {
            self.free_new_texts(entry, slot);
        }
        if let Some(saved) = self.undo.saved(slot) {
            for cell in self.shape.text_cells() {
                if dead || saved[cell] != self.entries.cells(entry)[cell] {
                    self.texts.free(bits(&saved[cell]));
                }
            }
        }
        if dead {
            self.entries.remove(entry);
        }
    }

    /// Puts back what the last commit left.
    pub fn abort(&mut self) {
        if self.undo.len() == 0 {
            return;
        }
        for slot in (0..self.undo.len() as u32).rev() {
            let entry = self.undo.entry(slot);
            self.free_new_texts(entry, slot);
            let dead = self.entries.is_dead(entry);
            match self.undo.saved(slot) {
                Some(cells) => {
                    self.entries.cells_mut(entry).copy_from_slice(cells);
                    self.entries.set_dead(entry, false);
                    self.live += dead as usize;
                }
                None => {
                    self.entries.remove(entry);
                    self.live -= !dead as usize;
                }
            }
        }
        self.dead = 0;
        self.next_epoch();
    }

    /// Frees the texts that a row holds and its saved copy does not.
    fn free_new_texts(&mut self, entry: u32, slot: u32) {
        let (cells, saved) = (self.entries.cells(entry), self.undo.saved(slot));
        for cell in self.shape.text_cells() {
            if saved.is_none_or(|saved| saved[cell] != cells[cell]) {
                self.texts.free(bits(&cells[cell]));
            }
        }
    }

    fn next_epoch(&mut self) {
        self.undo.clear();
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // After four thousand million commits an old stamp could pass for a new one.
            let entries: Vec<u32> = self.entries.iter().collect();
            entries.into_iter().for_each(|entry| self.entries.set_stamp(entry, Stamp::NEVER));
            self.epoch = 1;
        }
    }

    /// Empties it, undo log included; the room stays.
    pub(super) fn reset(&mut self) {
        self.entries.clear();
        self.texts.clear();
        self.undo.clear();
        (self.live, self.dead) = (0, 0);
    }

    /// Takes in a row of the changelog as it is, without undo; no value removes the row.
    pub fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Corrupt> {
        debug_assert_eq!(self.undo.len(), 0, "a store is restored before it is used");
        let value = value.map(|value| changelog::decode(value, self.shape)).transpose()?;
        let short = self.entries.hash(key);
        let found = self.entries.find(short, key);
        if let Some(entry) = found {
            for cell in self.shape.text_cells() {
                self.texts.free(bits(&self.entries.cells(entry)[cell]));
            }
        }
        match (found, value) {
            (Some(entry), Some(value)) => value.fill(self.entries.cells_mut(entry), &mut self.texts),
            (Some(entry), None) => {
                self.entries.remove(entry);
                self.live -= 1;
            }
            (None, Some(value)) => {
                let empty = std::iter::repeat_n([0; 8], self.shape.cells());
                let entry = self.entries.add(short, key, Stamp::NEVER, empty);
                value.fill(self.entries.cells_mut(entry), &mut self.texts);
                self.live += 1;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The rows that are there, sorted by key.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let live = self.entries.iter().filter(|entry| !self.entries.is_dead(*entry)).collect();
        sort_by_key(live, |entry| self.entries.key(entry))
    }

    pub(super) fn key(&self, entry: u32) -> &[u8] {
        self.entries.key(entry)
    }

    /// Whether an entry that was once seen still has a row.
    pub(super) fn has(&self, entry: u32) -> bool {
        !self.entries.is_free(entry) && !self.entries.is_dead(entry)
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
    pub(super) fn run_out_of_epochs(&mut self) {
        self.epoch = u32::MAX;
    }

    /// Every text and every long key that is kept belongs to exactly one row.
    #[cfg(test)]
    pub(super) fn assert_no_leak(&self) {
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
