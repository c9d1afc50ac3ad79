//! Rows as they stand in a changelog and in a snapshot.
//!
//! A value is: the version; the number of cells, its top bit set when presence bits follow; those, eight bytes; then
//! each cell, little-endian: eight bytes, or for a text its length in four and the text. What is read is checked as a
//! whole before any of it is believed. A row with fewer cells than the store has is one from before its node learned
//! to compute more: the cells that are missing are as in a fresh row, and absent where that is kept.

use super::row::{Row, Shape, Word};
use super::table::Table;
use super::texts::Texts;
use crate::outbox::{Outbox, Target, TopicId};
use std::fmt;

const VERSION: u8 = 1;
const PRESENCE: u8 = 0x80;

/// A record of a changelog or a snapshot that cannot have been written by this pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrupt {
    /// A newer version of streamrun wrote it.
    Version(u8),
    /// It has more cells than the store.
    TooWide(u8),
    /// It says which cells are set, and the store's always are; or a cell that it does not have is set.
    Presence,
    /// It ends early.
    CutShort,
    /// It goes on behind its end.
    TooLong,
    /// A text's bytes are no UTF-8, or a window's key is shorter than its end.
    Malformed,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Corrupt::Version(version) => write!(f, "row of format {version}, this build reads {VERSION}"),
            Corrupt::TooWide(cells) => write!(f, "row of {cells} cells, more than its node computes"),
            Corrupt::Presence => f.write_str("row with cells set that it does not have"),
            Corrupt::CutShort => f.write_str("row that ends early"),
            Corrupt::TooLong => f.write_str("row with bytes behind its end"),
            Corrupt::Malformed => f.write_str("row with a malformed key or text"),
        }
    }
}

impl std::error::Error for Corrupt {}

/// A record for each row that this commit has touched, with its last value, in the order of first touch.
pub(super) fn write_changes(table: &Table, prefix: &[u8], topic: TopicId, timestamp: i64, out: &mut Outbox) {
    table.changes(|key, row| {
        let write_key = |out: &mut Vec<u8>| {
            out.extend_from_slice(prefix);
            out.extend_from_slice(key);
            true
        };
        let write_value = |out: &mut Vec<u8>| row.inspect(|row| encode(row, out)).is_some();
        out.record(topic, Target::Own, timestamp, write_key, write_value, &[]);
    });
}

/// Appends a row's value.
pub(super) fn encode(row: &Row<'_>, out: &mut Vec<u8>) {
    let shape = row.shape;
    out.extend_from_slice(&[VERSION, shape.width | if shape.optional { PRESENCE } else { 0 }]);
    if shape.optional {
        out.extend_from_slice(&row.presence().to_le_bytes());
    }
    let cells = &row.cells[..shape.width as usize];
    if shape.texts == 0 {
        return out.extend_from_slice(cells.as_flattened());
    }
    for (cell, word) in cells.iter().enumerate() {
        if shape.is_text(cell) {
            let text = row.text(cell);
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text);
        } else {
            out.extend_from_slice(word);
        }
    }
}

/// What a cell of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'v> {
    /// A number, a time or a boolean.
    Bits(u64),
    /// A text.
    Text(&'v [u8]),
}

/// The cells of a row of which only the value is there; none for one that is not set. For those who look at a
/// changelog from outside.
pub fn cells<'v>(value: &'v [u8], width: usize, texts: &[usize]) -> Result<Vec<Option<Cell<'v>>>, Corrupt> {
    let width = width.min(super::StoreDecl::MAX_WIDTH) as u8;
    let texts = texts.iter().fold(0, |mask, cell| mask | 1u64 << cell);
    let decoded = decode(value, Shape { width, optional: true, texts })?;
    let (mut rest, mut cells) = (decoded.cells, vec![]);
    for cell in 0..decoded.width as usize {
        let (bytes, behind) = decoded.split_cell(cell, rest).ok_or(Corrupt::CutShort)?;
        rest = behind;
        let found = match bytes.try_into() {
            Ok(word) if texts >> cell & 1 == 0 => Cell::Bits(u64::from_le_bytes(word)),
            _ => Cell::Text(bytes),
        };
        cells.push((decoded.presence >> cell & 1 == 1).then_some(found));
    }
    Ok(cells)
}

/// A row's value that has been checked from end to end.
#[derive(Debug)]
pub(super) struct Decoded<'v> {
    presence: u64,
    cells: &'v [u8],
    width: u8,
    shape: Shape,
}

/// Checks a value against what its store's rows look like.
pub(super) fn decode(value: &[u8], shape: Shape) -> Result<Decoded<'_>, Corrupt> {
    let ([version], rest) = value.split_first_chunk().ok_or(Corrupt::CutShort)?;
    if *version != VERSION {
        return Err(Corrupt::Version(*version));
    }
    let ([width], mut cells) = rest.split_first_chunk().ok_or(Corrupt::CutShort)?;
    let (has_presence, width) = (width & PRESENCE != 0, width & !PRESENCE);
    if width > shape.width {
        return Err(Corrupt::TooWide(width));
    }
    let all = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    let mut presence = all;
    if has_presence {
        let (word, rest) = cells.split_first_chunk().ok_or(Corrupt::CutShort)?;
        (presence, cells) = (u64::from_le_bytes(*word), rest);
    }
    if has_presence && !shape.optional || presence & !all != 0 {
        return Err(Corrupt::Presence);
    }
    let decoded = Decoded { presence, cells, width, shape };
    decoded.check()?;
    Ok(decoded)
}

impl<'v> Decoded<'v> {
    fn check(&self) -> Result<(), Corrupt> {
        let mut rest = self.cells;
        for cell in 0..self.width as usize {
            let (bytes, behind) = self.split_cell(cell, rest).ok_or(Corrupt::CutShort)?;
            if self.shape.is_text(cell) && std::str::from_utf8(bytes).is_err() {
                return Err(Corrupt::Malformed);
            }
            rest = behind;
        }
        if rest.is_empty() { Ok(()) } else { Err(Corrupt::TooLong) }
    }

    /// The bytes of a cell, and what is behind it.
    fn split_cell(&self, cell: usize, bytes: &'v [u8]) -> Option<(&'v [u8], &'v [u8])> {
        if !self.shape.is_text(cell) {
            return bytes.split_at_checked(8);
        }
        let (len, rest) = bytes.split_first_chunk()?;
        rest.split_at_checked(u32::from_le_bytes(*len) as usize)
    }

    /// Puts the cells into a row whose texts, if any, have been freed.
    pub fn fill(&self, row: &mut [Word], fresh: &[u64], texts: &mut Texts) {
        row.iter_mut().zip(fresh).for_each(|(cell, bits)| *cell = bits.to_le_bytes());
        let mut rest = self.cells;
        for (cell, word) in row[..self.width as usize].iter_mut().enumerate() {
            let Some((bytes, behind)) = self.split_cell(cell, rest) else { return };
            *word = match bytes.try_into() {
                Ok(cell_bytes) if !self.shape.is_text(cell) => cell_bytes,
                _ => texts.make(bytes).to_le_bytes(),
            };
            rest = behind;
        }
        if self.shape.optional {
            row[self.shape.width as usize] = self.presence.to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Family, StoreDecl};
    use super::*;

    fn decl(width: usize, optional: bool) -> StoreDecl {
        let (name, fingerprint) = (String::new(), String::new());
        let fresh = vec![9, 0, 9, 9][..width].to_vec();
        StoreDecl { name, family: Family::Table, fresh, texts: vec![1], optional, fingerprint }
    }

    fn value(width: usize, optional: bool) -> Vec<u8> {
        let mut table = Table::new(&decl(width, optional));
        let mut row = table.touch(b"k", &vec![0; width]);
        row.set(0, u64::MAX);
        row.set_text(1, "grün".as_bytes());
        let mut out = vec![];
        table.changes(|_, row| encode(&row.expect("touched"), &mut out));
        out
    }

    #[test]
    fn corrupt_values_are_refused_and_change_nothing() {
        for optional in [false, true] {
            let good = value(3, optional);
            let mut table = Table::new(&decl(3, optional));
            table.restore(b"k", Some(&good)).expect("what was written");
            let mut check = |bytes: &[u8], flipped: bool| {
                if table.restore(b"k", Some(bytes)).is_err() || !flipped {
                    assert_eq!(table.get(b"k").map(|row| row.get(0)), Some(u64::MAX));
                }
                table.restore(b"k", Some(&good)).expect("what was written");
                table.assert_no_leak();
            };
            for end in 0..good.len() {
                check(&good[..end], false);
            }
            for at in 0..good.len() * 8 {
                let mut bytes = good.clone();
                bytes[at / 8] ^= 1 << (at % 8);
                check(&bytes, true);
            }
            assert_eq!(table.restore(b"k", Some(&good[..good.len() - 1])), Err(Corrupt::CutShort));
            assert_eq!(table.restore(b"k", Some(&[&good[..], b"x"].concat())), Err(Corrupt::TooLong));
            assert_eq!(table.restore(b"k", Some(&value(4, optional))), Err(Corrupt::TooWide(4)));
            assert_eq!(table.restore(b"k", Some(&[2])), Err(Corrupt::Version(2)));
        }
        let mut table = Table::new(&decl(3, false));
        assert_eq!(table.restore(b"k", Some(&value(3, true))), Err(Corrupt::Presence));
    }

    #[test]
    fn rows_from_before_a_node_computed_more_are_filled_up() {
        for optional in [false, true] {
            let mut table = Table::new(&decl(4, optional));
            table.restore(b"k", Some(&value(2, optional))).expect("narrower is fine");
            let row = table.get(b"k").expect("restored");
            assert_eq!((row.get(0), row.text(1), row.get(3)), (u64::MAX, "grün".as_bytes(), 9));
            assert_eq!((row.is_set(0), row.is_set(1), row.is_set(3)), (true, true, !optional));
        }
    }
}
