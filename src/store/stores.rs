//! The stores of a task, and the typed ids by which operators reach them.

use super::index::KeyHash;
use super::{Store, StoreDecl, Table, Windows};
use std::fmt;
use std::marker::PhantomData;

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

    /// Whether there is one among some stores that is worth it to look ahead in.
    #[inline]
    pub fn are_far(&self, stores: &[usize]) -> bool {
        self.tables(stores).any(Table::is_far)
    }

    /// Has the places come near where a key is about to be looked up, in some stores.
    #[inline]
    pub fn near(&self, stores: &[usize], hash: KeyHash) {
        self.tables(stores).for_each(|table| table.near(hash));
    }

    /// Has the rows of a key come near that are about to be touched, in some stores.
    #[inline]
    pub fn approach(&self, stores: &[usize], hash: KeyHash) {
        self.tables(stores).for_each(|table| table.approach(hash));
    }

    #[inline(always)]
    fn tables(&self, stores: &[usize]) -> impl Iterator<Item = &Table> {
        stores.iter().filter_map(|store| match &self.0[*store] {
            Store::Table(table) => Some(table),
            Store::Windows(windows) => windows.last(),
        })
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
