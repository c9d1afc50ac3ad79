//! The entries of a table: keys and cells side by side in one vector, and the index that finds them.
//!
//! An entry is four words – when it was last touched, then the key – and its cells behind them, so that what a
//! look-up compares and what it then changes are neighbours in memory. An entry keeps its place for as long as it
//! lives; a removed one goes onto the free list, for undo logs and sorted orders refer to entries by number.

use super::index::{Index, KeyHash};
use super::near::near;
use super::row::{Word, bits};
use super::texts::Texts;
use crate::short;

/// Entries of no more bytes are in the caches of a processor anyway.
const NEAR: usize = 512 << 10;
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

#[derive(Debug)]
pub(super) struct Entries {
    index: Index,
    words: Vec<Word>,
    stride: usize,
    long: Texts,
    free: Vec<u32>,
}

impl Entries {
    pub fn new(cells: usize) -> Self {
        Entries {
            index: Index::new(),
            words: vec![],
            stride: HEAD + cells,
            long: Texts::default(),
            free: vec![],
        }
    }

    /// The entry of a key, dead ones included.
    #[inline(always)]
    pub fn find(&self, hash: KeyHash, key: &[u8]) -> Option<u32> {
        #[expect(clippy::manual_find, reason = "what `find` is told to compare it calls, for each record")]
        for entry in self.index.all(hash) {
            if self.is_key(entry, key) {
                return Some(entry);
            }
        }
        None
    }

    /// Has the place come near where a hash is looked up.
    #[inline(always)]
    pub fn near(&self, hash: KeyHash) {
        self.index.near(hash);
    }

    /// Has the entry come near that the look-up of a hash leads to.
    #[inline(always)]
    pub fn approach(&self, hash: KeyHash) {
        if let Some(entry) = self.index.all(hash).next() {
            self.approach_entry(entry);
        }
    }

    /// The same with an entry that needs not be looked up.
    #[inline(always)]
    pub fn approach_entry(&self, entry: u32) {
        near(self.words(entry));
    }

    /// A new entry for a key that has none.
    pub fn add(&mut self, hash: KeyHash, key: &[u8], stamp: Stamp, cells: impl Iterator<Item = Word>) -> u32 {
        let head = self.head(stamp, key);
        let entry = match self.free.pop() {
            Some(entry) => {
                let words = self.words_mut(entry);
                words[..HEAD].copy_from_slice(&head);
                words[HEAD..].iter_mut().zip(cells).for_each(|(to, from)| *to = from);
                entry
            }
            None => {
                self.words.extend_from_slice(&head);
                self.words.extend(cells);
                debug_assert_eq!(self.words.len() % self.stride, 0, "as many cells as the table has");
                (self.words.len() / self.stride) as u32 - 1
            }
        };
        self.index.add(hash, entry);
        entry
    }

    /// The words before the cells.
    fn head(&mut self, stamp: Stamp, key: &[u8]) -> [Word; HEAD] {
        let mut head = [stamp.word(), [0; 8], [0; 8], [0; 8]];
        if key.len() <= INLINE {
            head[1][0] = key.len() as u8;
            head[1..].as_flattened_mut()[1..=key.len()].copy_from_slice(key);
        } else {
            head[1][0] = LONG;
            head[2] = self.long.make(key).to_le_bytes();
        }
        head
    }

    /// Takes an entry out of the index and onto the free list.
    pub fn remove(&mut self, entry: u32) {
        let hash = KeyHash::of_key(self.key(entry));
        self.index.remove(hash, entry);
        self.bury(entry);
        self.free.push(entry);
    }

    /// Takes out an entry of a table that is soon emptied as a whole: nobody finds it any more, and its place is not
    /// used again.
    pub fn bury(&mut self, entry: u32) {
        if self.state(entry) & !DEAD == LONG {
            self.long.free(bits(&self.words(entry)[2]));
        }
        self.words_mut(entry)[1][0] = FREE;
    }

    #[inline(always)]
    fn words(&self, entry: u32) -> &[Word] {
        &self.words[entry as usize * self.stride..][..self.stride]
    }

    #[inline(always)]
    fn words_mut(&mut self, entry: u32) -> &mut [Word] {
        &mut self.words[entry as usize * self.stride..][..self.stride]
    }

    /// The length or kind of the key, and the flags.
    #[inline(always)]
    fn state(&self, entry: u32) -> u8 {
        self.words(entry)[1][0]
    }

    #[inline(always)]
    pub fn is_dead(&self, entry: u32) -> bool {
        self.state(entry) & DEAD != 0
    }

    pub fn is_free(&self, entry: u32) -> bool {
        self.state(entry) & FREE != 0
    }

    pub fn set_dead(&mut self, entry: u32, dead: bool) {
        let state = &mut self.words_mut(entry)[1][0];
        *state = *state & !DEAD | if dead { DEAD } else { 0 };
    }

    /// The key of an entry that is not free.
    #[inline(always)]
    pub fn key(&self, entry: u32) -> &[u8] {
        let words = &self.words(entry)[1..HEAD];
        let len = words[0][0] & !DEAD;
        if len == LONG { self.long.get(bits(&words[1])) } else { &words.as_flattened()[1..][..len as usize] }
    }

    #[inline(always)]
    fn is_key(&self, entry: u32, key: &[u8]) -> bool {
        let head = self.words(entry)[1..HEAD].as_flattened();
        if key.len() > INLINE {
            return head[0] & !DEAD == LONG && self.key(entry) == key;
        }
        (head[0] & !DEAD) as usize == key.len() && short::same(&head[1..][..key.len()], key)
    }

    #[inline(always)]
    pub fn stamp(&self, entry: u32) -> Stamp {
        let word = bits(&self.words(entry)[0]);
        Stamp { epoch: word as u32, slot: (word >> 32) as u32 }
    }

    #[inline(always)]
    pub fn set_stamp(&mut self, entry: u32, stamp: Stamp) {
        self.words_mut(entry)[0] = stamp.word();
    }

    #[inline(always)]
    pub fn cells(&self, entry: u32) -> &[Word] {
        &self.words(entry)[HEAD..]
    }

    #[inline(always)]
    pub fn cells_mut(&mut self, entry: u32) -> &mut [Word] {
        &mut self.words_mut(entry)[HEAD..]
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

    /// Whether a look-up waits for memory.
    #[inline(always)]
    pub fn is_far(&self) -> bool {
        self.words.len() > NEAR / size_of::<Word>()
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        self.index.bytes()
            + self.words.capacity() * size_of::<Word>()
            + self.free.capacity() * 4
            + self.long.bytes()
    }

    #[cfg(test)]
    pub fn live_long_keys(&self) -> usize {
        self.long.live()
    }
}
