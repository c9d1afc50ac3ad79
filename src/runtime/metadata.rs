//! What is committed with each input's offset, so that state and offsets cannot part: the task's clock, the largest
//! event time, the commit's number, and what the tables' bytes mean.
//!
//! Transports carry it as a short text (Kafka allows 4 KiB): base64 of a version and little-endian numbers.

use crate::operator::StreamTime;

/// The metadata of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The clock of the task.
    pub clock: StreamTime,
    /// The largest event time of the input.
    pub largest: i64,
    /// Which of its worker's commits this is.
    pub commit: u64,
    /// Up to which wall time the task's nodes have been called.
    pub ticked: i64,
    /// The tables of the task: a hash of the name, and of what the bytes mean.
    pub tables: Vec<(u64, u64)>,
}

const VERSION: u8 = 1;
/// More tables than this are not written: the text would grow past what a broker takes.
const MOST_TABLES: usize = 100;

impl Metadata {
    /// As a text.
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.clock.0.to_le_bytes());
        bytes.extend_from_slice(&self.largest.to_le_bytes());
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.extend_from_slice(&self.ticked.to_le_bytes());
        for (name, meaning) in self.tables.iter().take(MOST_TABLES) {
            bytes.extend_from_slice(&name.to_le_bytes());
            bytes.extend_from_slice(&meaning.to_le_bytes());
        }
        encode_base64(&bytes)
    }

    /// From a text; nothing if it is none of ours, or of a later version.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = decode_base64(text)?;
        let (version, rest) = bytes.split_first()?;
        let mut numbers = rest.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()));
        if *version != VERSION || rest.is_empty() || rest.len() % 8 != 0 {
            return None;
        }
        let clock = StreamTime(numbers.next()? as i64);
        let largest = numbers.next()? as i64;
        let commit = numbers.next()?;
        let ticked = numbers.next()? as i64;
        let mut tables = vec![];
        while let (Some(name), Some(meaning)) = (numbers.next(), numbers.next()) {
            tables.push((name, meaning));
        }
        Some(Metadata { clock, largest, commit, ticked, tables })
    }
}

/// A hash that is the same everywhere and for ever (FNV-1a).
pub fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(DIGITS[(word >> (18 - 6 * digit)) as usize & 63] as char);
        }
    }
    text
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut word = 0u32;
        for digit in chunk {
            word = word << 6 | DIGITS.iter().position(|d| d == digit)? as u32;
        }
        let word = word << (6 * (4 - chunk.len()));
        bytes.extend((0..chunk.len() - 1).map(|i| (word >> (16 - 8 * i)) as u8));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_the_way_out_and_back() {
        for tables in 0..5u64 {
            let tables = (0..tables).map(|i| (hash(&format!("table {i}")), u64::MAX - i)).collect();
            let clock = StreamTime(-5);
            let metadata = Metadata { clock, largest: i64::MIN, commit: 7, ticked: -1, tables };
            assert_eq!(Metadata::decode(&metadata.encode()), Some(metadata));
        }
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        for text in ["", "x", "AAAA", "not base64!", "AQ=="] {
            assert_eq!(Metadata::decode(text), None, "{text}");
        }
    }
}
