//! Reading a table: as it is, or through the undo log as the last commit left it.

use super::Table;
use crate::store::index::KeyHash;
use crate::store::order::{smallest_by_key, sort_by_key};
use crate::store::row::{Row, Word};

impl Table {
    /// The row of a key as this commit has it so far.
    pub fn get(&self, key: &[u8]) -> Option<Row<'_>> {
        self.find(key).map(|entry| self.row(entry))
    }

    /// The row of a key as the last commit left it.
    pub fn committed(&self, key: &[u8]) -> Option<Row<'_>> {
        self.entries.find(KeyHash::of_key(key), key).and_then(|entry| self.committed_row(entry))
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
        let entries = self.entries.iter().filter(wanted);
        let rows = smallest_by_key(entries, limit, |entry| self.entries.key(entry)).into_iter();
        rows.filter_map(|entry| Some((self.entries.key(entry), self.committed_row(entry)?))).collect()
    }

    fn row_of<'t>(&'t self, cells: &'t [Word]) -> Row<'t> {
        Row { cells, texts: &self.texts, shape: self.shape }
    }

    pub(in crate::store) fn row(&self, entry: u32) -> Row<'_> {
        self.row_of(self.entries.cells(entry))
    }

    pub(super) fn committed_row(&self, entry: u32) -> Option<Row<'_>> {
        let stamp = self.entries.stamp(entry);
        if stamp.epoch != self.epoch {
            return Some(self.row(entry));
        }
        self.undo.saved(stamp.slot).map(|cells| self.row_of(cells))
    }

    /// The rows that are there, sorted by key.
    pub(in crate::store) fn sorted(&self) -> Vec<u32> {
        let mut live = Vec::with_capacity(self.live);
        live.extend(self.entries.iter().filter(|entry| !self.entries.is_dead(*entry)));
        sort_by_key(live, |entry| self.entries.key(entry))
    }

    pub(in crate::store) fn key(&self, entry: u32) -> &[u8] {
        self.entries.key(entry)
    }

    /// Whether an entry that was once seen still has a row.
    pub(in crate::store) fn has(&self, entry: u32) -> bool {
        !self.entries.is_free(entry) && !self.entries.is_dead(entry)
    }
}
