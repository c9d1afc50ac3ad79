//! The ends of a commit: what changed, then that it stands or that it is taken back. And the restore, which has no
//! commit.

use super::{AHEAD, Table};
use crate::store::changelog::{self, Corrupt};
use crate::store::entries::Stamp;
use crate::store::index::KeyHash;
use crate::store::row::{Row, bits};

impl Table {
    /// Each row this commit has touched, once, with its last value; none when it is gone. Rows that came and went
    /// within the commit are left out.
    pub fn changes(&self, mut visit: impl FnMut(&[u8], Option<Row<'_>>)) {
        let touched = self.undo.len() as u32;
        for slot in 0..touched {
            self.approach_entry((slot + AHEAD < touched).then(|| self.undo.entry(slot + AHEAD)));
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
        if dead && self.shape.texts != 0 {
            self.free_new_texts(entry, slot);
        }
        if let Some(saved) = self.undo.saved(slot) {
            for cell in self.shape.text_cells() {
                if dead || saved[cell] != self.entries.cells(entry)[cell] {
                    self.texts.free(bits(&saved[cell]));
                }
            }
        }
        match dead {
            true if self.passes => self.entries.bury(entry),
            true => self.entries.remove(entry),
            false => {}
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
    pub(super) fn free_new_texts(&mut self, entry: u32, slot: u32) {
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
    pub(in crate::store) fn reset(&mut self) {
        self.entries.clear();
        self.texts.clear();
        self.undo.clear();
        (self.live, self.dead) = (0, 0);
    }

    /// Takes in a row of the changelog as it is, without undo; no value removes the row.
    pub fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Corrupt> {
        debug_assert_eq!(self.undo.len(), 0, "a store is restored before it is used");
        let value = value.map(|value| changelog::decode(value, self.shape)).transpose()?;
        let hash = KeyHash::of_key(key);
        let found = self.entries.find(hash, key);
        if let Some(entry) = found {
            for cell in self.shape.text_cells() {
                self.texts.free(bits(&self.entries.cells(entry)[cell]));
            }
        }
        match (found, value) {
            (Some(entry), Some(value)) => {
                value.fill(self.entries.cells_mut(entry), &self.fresh, &mut self.texts)
            }
            (Some(entry), None) => {
                self.entries.remove(entry);
                self.live -= 1;
            }
            (None, Some(value)) => {
                let empty = std::iter::repeat_n([0; 8], self.shape.cells());
                let entry = self.entries.add(hash, key, Stamp::NEVER, empty);
                value.fill(self.entries.cells_mut(entry), &self.fresh, &mut self.texts);
                self.live += 1;
            }
            (None, None) => {}
        }
        Ok(())
    }
}
