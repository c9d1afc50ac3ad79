//! State: typed tables in memory that change in place and remember how to undo it.
//!
//! The first touch of a row in a commit saves what the row was. That one log serves everything else: it names the
//! changelog records of a commit, an abort replays it, and a query reads through it and so sees only what is
//! committed. Nothing here does I/O (but for [`snapshot`], which is handed a path), asks a clock or depends on the
//! order of a hash table.
//!
//! A commit has two halves, for only the transport knows whether it happened: [`Store::commit`] writes the changelog
//! and leaves the undo log alone, [`Store::committed`] clears it once the answer is yes, and [`Store::abort`] rolls
//! back from either side of the first half.

mod changelog;
mod entries;
mod index;
pub mod key;
mod near;
mod order;
mod row;
pub mod snapshot;
mod stores;
mod table;
mod texts;
mod undo;
mod window;
pub mod written;

#[cfg(test)]
mod tests;

pub use changelog::{Cell, Corrupt, cells};
pub use index::KeyHash;
pub use key::KeyShape;
pub use row::{Row, RowMut};
pub use stores::{StoreId, Stores, Typed};
pub use table::Table;
pub use window::Windows;

use crate::outbox::{Outbox, TopicId};
use row::Shape;

/// Which kind of store a node wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// One row a key.
    Table,
    /// One row a key and window, windows by their end.
    Windows,
}

/// A store that a node declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDecl {
    /// The node's name: what snapshots and changelogs call it.
    pub name: String,
    /// Which kind of store.
    pub family: Family,
    /// The cells of a fresh row, those of texts 0: at most [`StoreDecl::MAX_WIDTH`]. Rows that were stored before the
    /// node learned to compute more are filled up with these.
    pub fresh: Vec<u64>,
    /// Which cells hold texts.
    pub texts: Vec<usize>,
    /// Whether rows keep track of which cells are set. Without it all are.
    pub optional: bool,
    /// What the bytes of its rows mean; opaque here.
    pub fingerprint: String,
}

impl StoreDecl {
    /// The most cells a row can have: one bit each says whether it is set.
    pub const MAX_WIDTH: usize = 64;

    fn shape(&self) -> Shape {
        assert!(self.fresh.len() <= Self::MAX_WIDTH, "`check` bounds the width of a store");
        let texts = self.texts.iter().fold(0, |mask, cell| mask | 1u64 << cell);
        Shape { width: self.fresh.len() as u8, optional: self.optional, texts }
    }
}

/// A store of one of the families: closed, so that reaching one costs a compare and no downcast.
#[derive(Debug)]
pub enum Store {
    /// One row a key.
    Table(Table),
    /// One row a key and window.
    Windows(Windows),
}

impl Store {
    /// An empty store as declared.
    pub fn new(decl: &StoreDecl) -> Self {
        match decl.family {
            Family::Table => Store::Table(Table::new(decl)),
            Family::Windows => Store::Windows(Windows::new(decl)),
        }
    }

    /// The first half of a commit: a changelog record for each row that changed, with its last value, to the task's
    /// own partition. The undo log stays. Nothing may be touched until [`Store::committed`] or [`Store::abort`].
    pub fn commit(&mut self, topic: TopicId, timestamp: i64, out: &mut Outbox) {
        match self {
            Store::Table(table) => changelog::write_changes(table, &[], topic, timestamp, out),
            Store::Windows(windows) => windows.write_changes(topic, timestamp, out),
        }
    }

    /// The second half: the transport has said yes, what was changed is what is.
    pub fn committed(&mut self) {
        match self {
            Store::Table(table) => table.clear_undo(),
            Store::Windows(windows) => windows.clear_undo(),
        }
    }

    /// Puts back what the last commit left, whether or not the changelog of this one was written already.
    pub fn abort(&mut self) {
        match self {
            Store::Table(table) => table.abort(),
            Store::Windows(windows) => windows.abort(),
        }
    }

    /// Takes in a record of the changelog, or of a snapshot; no value is a tombstone.
    pub fn restore_record(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Corrupt> {
        match self {
            Store::Table(table) => table.restore(key, value),
            Store::Windows(windows) => windows.restore(key, value),
        }
    }

    /// Every row the last commit left, with its changelog key, in no order that means anything.
    fn for_each_committed(&self, mut visit: impl FnMut(&[u8], &[u8], Row<'_>)) {
        match self {
            Store::Table(table) => table.committed_iter().for_each(|(key, row)| visit(&[], key, row)),
            Store::Windows(windows) => windows.for_each_committed(visit),
        }
    }

    /// How many rows there are, those of this commit included.
    pub fn len(&self) -> usize {
        match self {
            Store::Table(table) => table.len(),
            Store::Windows(windows) => windows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An estimate of the memory held.
    pub fn bytes(&self) -> usize {
        match self {
            Store::Table(table) => table.bytes(),
            Store::Windows(windows) => windows.bytes(),
        }
    }
}
