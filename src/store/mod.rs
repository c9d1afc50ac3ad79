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
pub mod key;
mod order;
mod row;
pub mod snapshot;
mod table;
mod texts;
mod undo;
mod window;

#[cfg(test)]
mod tests;

pub use changelog::Corrupt;
pub use key::KeyShape;
pub use row::{Row, RowMut};
pub use table::Table;
pub use window::Windows;

use crate::outbox::{Outbox, TopicId};
use row::Shape;
use std::fmt;
use std::marker::PhantomData;

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
    /// How many cells a row has; at most [`StoreDecl::MAX_WIDTH`].
    pub width: usize,
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
        assert!(self.width <= Self::MAX_WIDTH, "`check` bounds the width of a store");
        let texts = self.texts.iter().fold(0, |mask, cell| mask | 1u64 << cell);
        Shape { width: self.width as u8, optional: self.optional, texts }
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

/// A store of a known family, by its place in the plan. The plan hands these out; nothing permanent holds one.
pub struct StoreId<S>(u16, PhantomData<fn() -> S>);

impl<S> StoreId<S> {
    /// The store at a place in the plan.
    pub const fn new(index: u16) -> Self {
        StoreId(index, PhantomData)
    }

    /// Its place in the plan.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl<S> Clone for StoreId<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for StoreId<S> {}

impl<S> PartialEq for StoreId<S> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<S> Eq for StoreId<S> {}

impl<S> fmt::Debug for StoreId<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {}", self.0)
    }
}

/// A family as a type: what a [`StoreId`] can name.
pub trait Typed: Sized {
    /// The store, if it is of this family.
    fn of(store: &Store) -> Option<&Self>;
    /// The same, to change it.
    fn of_mut(store: &mut Store) -> Option<&mut Self>;
}

impl Typed for Table {
    #[inline(always)]
    fn of(store: &Store) -> Option<&Self> {
        if let Store::Table(table) = store { Some(table) } else { None }
    }

    #[inline(always)]
    fn of_mut(store: &mut Store) -> Option<&mut Self> {
        if let Store::Table(table) = store { Some(table) } else { None }
    }
}

impl Typed for Windows {
    #[inline(always)]
    fn of(store: &Store) -> Option<&Self> {
        if let Store::Windows(windows) = store { Some(windows) } else { None }
    }

    #[inline(always)]
    fn of_mut(store: &mut Store) -> Option<&mut Self> {
        if let Store::Windows(windows) = store { Some(windows) } else { None }
    }
}

/// The stores of a task, in the plan's order.
#[derive(Debug, Default)]
pub struct Stores(Vec<Store>);

impl Stores {
    /// Empty stores as declared.
    pub fn new(decls: &[StoreDecl]) -> Self {
        Stores(decls.iter().map(Store::new).collect())
    }

    /// A store, to read.
    #[inline(always)]
    pub fn get<S: Typed>(&self, id: StoreId<S>) -> &S {
        S::of(&self.0[id.index()]).expect("the plan typed this store")
    }

    /// A store, to change.
    #[inline(always)]
    pub fn get_mut<S: Typed>(&mut self, id: StoreId<S>) -> &mut S {
        S::of_mut(&mut self.0[id.index()]).expect("the plan typed this store")
    }

    /// All of them, in the plan's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Store> {
        self.0.iter()
    }

    /// All of them, for commits, aborts and restores.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Store> {
        self.0.iter_mut()
    }

    /// An estimate of the memory held by all.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Store::bytes).sum()
    }
}
