//! Where the entry of a key is: a table of hashes, open and in one piece.
//!
//! A look-up reads one place of memory – the slots that follow each other are neighbours – and knows where that is
//! from the hash alone, so that it can be asked for long before ([`Index::near`]). The places go by the hash's upper
//! bits: growing reads and writes from one end to the other.

use super::near::near;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// The hash of a key, the same in every table, kept in its slot so that growing and most misses read no entry. It is
/// odd: no slot that is empty has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash(u32);

impl KeyHash {
    /// That of a key.
    #[inline(always)]
    pub fn of_key(key: &[u8]) -> Self {
        Self::of(FixedState::default().hash_one(key))
    }

    #[inline(always)]
    fn of(hash: u64) -> Self {
        KeyHash(hash as u32 | 1)
    }

    /// The slots want its bits spread over 64.
    #[inline(always)]
    fn spread(self) -> u64 {
        (self.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// A slot has the hash above and the entry below. Zeros are what a system hands out untouched.
const EMPTY: u64 = 0;

fn slot(hash: KeyHash, entry: u32) -> u64 {
    (hash.0 as u64) << 32 | entry as u64
}

#[inline(always)]
fn hash_of(slot: u64) -> KeyHash {
    KeyHash((slot >> 32) as u32)
}

#[inline(always)]
fn entry_of(slot: u64) -> u32 {
    slot as u32
}

/// The slots of an index without entries.
const LEAST: usize = 8;

/// Entries by their keys' hashes.
#[derive(Debug)]
pub(super) struct Index {
    /// A power of two of them.
    slots: Vec<u64>,
    /// So far is a hash shifted to say where its search begins.
    shift: u32,
    used: usize,
}

impl Index {
    pub fn new() -> Self {
        Self::with_slots(LEAST)
    }

    fn with_slots(many: usize) -> Self {
        Index { slots: vec![EMPTY; many], shift: u64::BITS - many.ilog2(), used: 0 }
    }

    /// Where the search for a hash begins.
    #[inline(always)]
    fn home(&self, hash: KeyHash) -> usize {
        (hash.spread() >> self.shift) as usize
    }

    #[inline(always)]
    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The entries with a hash.
    #[inline(always)]
    pub fn all(&self, hash: KeyHash) -> Found<'_> {
        Found { index: self, at: self.home(hash), hash }
    }

    /// Has the slot come near at which a search for a hash begins.
    #[inline(always)]
    pub fn near(&self, hash: KeyHash) {
        near(&self.slots[self.home(hash)..][..1]);
    }

    /// Adds an entry that is not there.
    pub fn add(&mut self, hash: KeyHash, entry: u32) {
        // Three of four: the longer searches get from there on, the more of them leave the line of memory.
        if self.used >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        self.put(slot(hash, entry));
        self.used += 1;
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home(hash_of(slot));
        while self.slots[at] != EMPTY {
            at = self.behind(at);
        }
        self.slots[at] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let used = self.used;
        let before = std::mem::replace(self, Self::with_slots(self.slots.len() * 2));
        before.slots.into_iter().filter(|slot| *slot != EMPTY).for_each(|slot| self.put(slot));
        self.used = used;
    }

    /// Takes an entry out. Those behind it move up, for a search ends where a slot is empty.
    pub fn remove(&mut self, hash: KeyHash, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut hole = self.home(hash);
        while self.slots[hole] != slot(hash, entry) {
            assert_ne!(self.slots[hole], EMPTY, "it is there");
            hole = self.behind(hole);
        }
        let mut at = self.behind(hole);
        while self.slots[at] != EMPTY {
            // Not before the place where its own search begins.
            let searched = at.wrapping_sub(self.home(hash_of(self.slots[at]))) & mask;
            if searched >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = self.behind(at);
        }
        self.slots[hole] = EMPTY;
        self.used -= 1;
    }

    /// Empties it; the room stays.
    pub fn clear(&mut self) {
        if self.used > 0 {
            self.slots.fill(EMPTY);
            self.used = 0;
        }
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }
}

/// Entries with the same hash.
pub(super) struct Found<'i> {
    index: &'i Index,
    at: usize,
    hash: KeyHash,
}

impl Iterator for Found<'_> {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        loop {
            let slot = self.index.slots[self.at];
            if slot == EMPTY {
                return None;
            }
            self.at = self.index.behind(self.at);
            if hash_of(slot) == self.hash {
                return Some(entry_of(slot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(index: &Index, hash: KeyHash) -> Vec<u32> {
        let mut all: Vec<u32> = index.all(hash).collect();
        all.sort_unstable();
        all
    }

    /// Few hashes, so that searches cross each other, and the end of the slots.
    #[test]
    fn what_was_added_and_not_removed_is_found() {
        let mut dice = 7u64;
        let mut throw = |below: u64| {
            dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (dice >> 33) % below
        };
        for hashes in [3, 40, 100_000] {
            let (mut index, mut there) = (Index::new(), vec![]);
            for entry in 0..2_000 {
                let hash = KeyHash::of(throw(hashes) * 0x1234_5677);
                index.add(hash, entry);
                assert!(index.used <= index.slots.len() / 4 * 3, "a search needs an empty one");
                there.push((hash, entry));
                if throw(3) > 0 || entry % 500 > 400 {
                    let (hash, entry) = there.swap_remove(throw(there.len() as u64) as usize);
                    index.remove(hash, entry);
                }
                if entry % 50 == 0 {
                    for (hash, entry) in &there {
                        assert!(found(&index, *hash).contains(entry));
                    }
                    let slots = index.slots.iter().filter(|slot| **slot != EMPTY).count();
                    assert_eq!((slots, index.used), (there.len(), there.len()));
                }
            }
            there.drain(..).for_each(|(hash, entry)| index.remove(hash, entry));
            assert!(index.slots.iter().all(|slot| *slot == EMPTY));
        }
    }

    #[test]
    fn it_is_never_full_and_keeps_its_room() {
        let mut index = Index::new();
        (0..1_000_u32).for_each(|entry| index.add(KeyHash::of(entry as u64), entry));
        assert_eq!(index.slots.len(), 2_048);
        assert_eq!(found(&index, KeyHash::of(8)), [8, 9], "the lowest bit is lost");
        index.clear();
        assert_eq!((index.slots.len(), index.all(KeyHash::of(8)).next()), (2_048, None));
    }
}
