//! The entries of a table: keys and cells side by side in one vector, and the index that finds them.
//!
//! An entry is four words – when it was last touched, then the key – and its cells behind them, so that what a
//! look-up compares and what it then changes are neighbours in memory. An entry keeps its place for as long as it
//! lives; a removed one goes onto the free list, for undo logs and sorted orders refer to entries by number.

use super::row::{Word, bits};
use super::texts::Texts;
use crate::short;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::hint::black_box;

/// Words before the cells: one for the stamp, three for the key.
const HEAD: usize = 4;
/// Keys up to this many bytes lie in the entry itself.
const INLINE: usize = 23;
/// Instead of a length: the key is in `long`, under the handle that follows.
const LONG: u8 = 24;
/// Removed in this commit: still there for undo and for the index, but for nobody else.
const DEAD: u8 = 0x40;
/// On the free list.
const FREE: u8 = 0x80;

/// When an entry was last touched: in which epoch of its table, and where in that epoch's undo log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub epoch: u32,
    pub slot: u32,
}

impl Stamp {
    /// Not touched since the table began.
    pub const NEVER: Self = Stamp { epoch: 0, slot: 0 };

    #[inline(always)]
    fn word(self) -> Word {
        (self.epoch as u64 | (self.slot as u64) << 32).to_le_bytes()
    }
}

/// A key's hash: 32 bits, kept in the index so that growing it and most misses read no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short(u32);

impl Short {
    /// The index wants its bits spread over 64.
    #[inline(always)]
    fn spread(self) -> u64 {
        (self.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

#[derive(Debug)]
pub(super) struct Entries {
    hasher: FixedState,
    index: HashTable<(Short, u32)>,
    words: Vec<Word>,
    stride: usize,
    long: Texts,
    free: Vec<u32>,
}

impl Entries {
    pub fn new(cells: usize) -> Self {
        Entries {
            hasher: FixedState::default(),
            index: HashTable::new(),
            words: vec![],
            stride: HEAD + cells,
            long: Texts::default(),
            free: vec![],
        }
    }

    #[inline(always)]
    pub fn hash(&self, key: &[u8]) -> Short {
        Short(self.hasher.hash_one(key) as u32)
    }

    /// The entry of a key, dead ones included.
    #[inline(always)]
    pub fn find(&self, short: Short, key: &[u8]) -> Option<u32> {
        // A loop, for the index's own search calls what compares.
        for (other, entry) in self.index.iter_hash(short.spread()) {
            if *other == short && self.is_key(*entry, key) {
                return Some(*entry);
            }
        }
        None
    }

    /// Has what a look-up of a key reads come near, and the cells that it leads to.
    #[inline(always)]
    pub fn approach(&self, key: &[u8]) {
        if let Some(entry) = self.find(self.hash(key), key) {
            self.approach_cells(entry);
        }
    }

    /// The same with the entry of a key that needs not be looked up.
    #[inline(always)]
    pub fn approach_cells(&self, entry: u32) {
        black_box((self.state(entry), self.cells(entry).last().copied()));
    }

    /// A new entry for a key that has none.
    pub fn add(&mut self, short: Short, key: &[u8], stamp: Stamp, cells: impl Iterator<Item = Word>) -> u32 {
        let head = self.head(key);
        let entry = match self.free.pop() {
            Some(entry) => {
                let at = entry as usize * self.stride;
                self.words[at] = stamp.word();
                self.words[at + 1..at + HEAD].copy_from_slice(head.as_chunks().0);
                self.cells_mut(entry).iter_mut().zip(cells).for_each(|(to, from)| *to = from);
                entry
            }
            None => {
                let entry = (self.words.len() / self.stride) as u32;
                self.words.push(stamp.word());
                self.words.extend_from_slice(head.as_chunks().0);
                self.words.extend(cells);
                debug_assert_eq!(self.words.len() % self.stride, 0, "as many cells as the table has");
                entry
            }
        };
        self.index.insert_unique(short.spread(), (short, entry), |(s, _)| s.spread());
        entry
    }

    /// The three words of a key.
    fn head(&mut self, key: &[u8]) -> [u8; 24] {
        let mut head = [0; 24];
        if key.len() <= INLINE {
            head[0] = key.len() as u8;
            head[1..1 + key.len()].copy_from_slice(key);
        } else {
            head[0] = LONG;
            head[8..16].copy_from_slice(&self.long.make(key).to_le_bytes());
        }
        head
    }

    /// Takes an entry out of the index and onto the free list.
    pub fn remove(&mut self, entry: u32) {
        let short = self.hash(self.key(entry));
        if let Ok(slot) = self.index.find_entry(short.spread(), |(_, at)| *at == entry) {
            slot.remove();
        }
        self.bury(entry);
        self.free.push(entry);
    }

    /// Takes out an entry of a table that is soon emptied as a whole: nobody finds it any more, and its place is not
    /// used again.
    pub fn bury(&mut self, entry: u32) {
        let at = entry as usize * self.stride;
        if self.state(entry) & !DEAD == LONG {
            self.long.free(bits(&self.words[at + 2]));
        }
        self.words[at + 1][0] = FREE;
    }

    /// The length or kind of the key, and the flags.
    #[inline(always)]
    fn state(&self, entry: u32) -> u8 {
        self.words[entry as usize * self.stride + 1][0]
    }

    #[inline(always)]
    pub fn is_dead(&self, entry: u32) -> bool {
        self.state(entry) & DEAD != 0
    }

    pub fn is_free(&self, entry: u32) -> bool {
        self.state(entry) & FREE != 0
    }

    pub fn set_dead(&mut self, entry: u32, dead: bool) {
        let state = &mut self.words[entry as usize * self.stride + 1][0];
        *state = *state & !DEAD | if dead { DEAD } else { 0 };
    }

    /// The key of an entry that is not free.
    #[inline(always)]
    pub fn key(&self, entry: u32) -> &[u8] {
        let words = &self.words[entry as usize * self.stride + 1..][..HEAD - 1];
        let len = words[0][0] & !DEAD;
        if len == LONG { self.long.get(bits(&words[1])) } else { &words.as_flattened()[1..][..len as usize] }
    }

    #[inline(always)]
    fn is_key(&self, entry: u32, key: &[u8]) -> bool {
        let head = self.words[entry as usize * self.stride + 1..][..HEAD - 1].as_flattened();
        if key.len() > INLINE {
            return head[0] & !DEAD == LONG && self.key(entry) == key;
        }
        (head[0] & !DEAD) as usize == key.len() && short::same(&head[1..][..key.len()], key)
    }

    #[inline(always)]
    pub fn stamp(&self, entry: u32) -> Stamp {
        let word = bits(&self.words[entry as usize * self.stride]);
        Stamp { epoch: word as u32, slot: (word >> 32) as u32 }
    }

    #[inline(always)]
    pub fn set_stamp(&mut self, entry: u32, stamp: Stamp) {
        self.words[entry as usize * self.stride] = stamp.word();
    }

    #[inline(always)]
    pub fn cells(&self, entry: u32) -> &[Word] {
        &self.words[entry as usize * self.stride + HEAD..][..self.stride - HEAD]
    }

    #[inline(always)]
    pub fn cells_mut(&mut self, entry: u32) -> &mut [Word] {
        &mut self.words[entry as usize * self.stride + HEAD..][..self.stride - HEAD]
    }

    /// All entries but the free ones, by number.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..(self.words.len() / self.stride) as u32).filter(|entry| !self.is_free(*entry))
    }

    /// Empties it; the room stays.
    pub fn clear(&mut self) {
        self.index.clear();
        self.words.clear();
        self.long.clear();
        self.free.clear();
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        // A slot of the index and its control byte, at most seven eighths of them used.
        let slots = self.index.capacity() * 8 / 7;
        slots * (size_of::<(Short, u32)>() + 1)
            + self.words.capacity() * size_of::<Word>()
            + self.free.capacity() * 4
            + self.long.bytes()
    }

    #[cfg(test)]
    pub fn live_long_keys(&self) -> usize {
        self.long.live()
    }
}
