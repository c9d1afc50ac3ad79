//! What is committed with each input's offset, so that state and offsets cannot part: the task's clock, the largest
//! event time, the commit's number, what the tables' bytes mean, and which run has started tables over.
//!
//! Transports carry it as a text under 1 KiB, that of a repartition under 4, which is what Kafka allows: base64 of a
//! version and little-endian numbers. Version 1 had 64 bits a hash and no run.

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
    /// When the last run was started that has started tables over, in milliseconds since 1970; 0: none has.
    pub reset: i64,
    /// The tables of the task: a hash of the name, and of what the bytes mean.
    pub tables: Vec<(u32, u32)>,
    /// What was said before a repartition, as [`super::markers`] encodes it; empty: the input is none.
    pub upstreams: Vec<u8>,
}

const VERSION: u8 = 2;
/// The version of what has something behind its tables.
const WITH_UPSTREAMS: u8 = 3;
/// So many bytes at most are kept of what was said before a repartition: Kafka allows 4 KiB in all.
pub const MOST_UPSTREAM_BYTES: usize = 2000;
/// Of more tables than this the text would grow past 1 KiB.
pub const MOST_TABLES: usize = 90;

impl Metadata {
    /// As a text.
    pub fn encode(&self) -> String {
        let mut bytes = vec![if self.upstreams.is_empty() { VERSION } else { WITH_UPSTREAMS }];
        bytes.extend_from_slice(&self.clock.0.to_le_bytes());
        bytes.extend_from_slice(&self.largest.to_le_bytes());
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.extend_from_slice(&self.ticked.to_le_bytes());
        bytes.extend_from_slice(&self.reset.to_le_bytes());
        if !self.upstreams.is_empty() {
            bytes.push(self.tables.len() as u8);
        }
        for (name, meaning) in &self.tables {
            bytes.extend_from_slice(&name.to_le_bytes());
            bytes.extend_from_slice(&meaning.to_le_bytes());
        }
        bytes.extend_from_slice(&self.upstreams);
        encode_base64(&bytes)
    }

    /// From a text; nothing if it is none of ours.
    pub fn decode(text: &str) -> Result<Option<Self>, Newer> {
        let Some(bytes) = decode_base64(text) else { return Ok(None) };
        Ok(match bytes.split_first() {
            Some((1, rest)) => {
                numbers(rest, 4).filter(|(_, rest)| rest.len().is_multiple_of(8)).map(|(numbers, rest)| {
                    let pairs =
                        rest.as_chunks::<16>().0.iter().map(|pair| (low(&pair[..8]), low(&pair[8..])));
                    Metadata::new(&[numbers, vec![0]].concat(), pairs.collect(), &[])
                })
            }
            Some((&VERSION, rest)) => numbers(rest, 5)
                .filter(|(_, rest)| rest.len().is_multiple_of(8))
                .map(|(numbers, rest)| Metadata::new(&numbers, pairs(rest), &[])),
            Some((&WITH_UPSTREAMS, rest)) => numbers(rest, 5).and_then(|(numbers, rest)| {
                let (count, rest) = rest.split_first()?;
                let (tables, upstreams) = rest.split_at_checked(usize::from(*count) * 8)?;
                Some(Metadata::new(&numbers, pairs(tables), upstreams))
            }),
            // Anything may stand there that others have put there; what looks like this is ours.
            Some((4..16, rest)) if rest.len() >= 32 => return Err(Newer),
            _ => None,
        })
    }

    fn new(numbers: &[u64], tables: Vec<(u32, u32)>, upstreams: &[u8]) -> Self {
        let number = |at: usize| numbers[at];
        let (clock, largest) = (StreamTime(number(0) as i64), number(1) as i64);
        let (commit, ticked, reset) = (number(2), number(3) as i64, number(4) as i64);
        Metadata { clock, largest, commit, ticked, reset, tables, upstreams: upstreams.to_vec() }
    }
}

/// Pairs of hashes.
fn pairs(bytes: &[u8]) -> Vec<(u32, u32)> {
    bytes.as_chunks::<8>().0.iter().map(|pair| (low(&pair[..4]), low(&pair[4..]))).collect()
}

/// It is of a later version: what it says is not known, and must not be taken for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newer;

/// So many numbers, and what stands behind them.
fn numbers(bytes: &[u8], count: usize) -> Option<(Vec<u64>, &[u8])> {
    let (numbers, rest) = bytes.split_at_checked(8 * count)?;
    let numbers = numbers.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    Some((numbers.collect(), rest))
}

/// The lower half of a hash, or all of a half.
fn low(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |low| u32::from_le_bytes(*low))
}

/// A hash that is the same everywhere and for ever (the lower half of FNV-1a with 64 bits).
pub fn hash(text: &str) -> u32 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step) as u32
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

    fn some(tables: usize) -> Metadata {
        let tables = (0..tables).map(|i| (hash(&format!("table {i}")), u32::MAX - i as u32)).collect();
        let upstreams = vec![];
        Metadata {
            clock: StreamTime(-5),
            largest: i64::MIN,
            commit: 7,
            ticked: -1,
            reset: 1 << 41,
            tables,
            upstreams,
        }
    }

    #[test]
    fn metadata_survives_the_way_out_and_back() {
        for tables in [0, 1, 2, 3, 4, MOST_TABLES] {
            let metadata = some(tables);
            let text = metadata.encode();
            assert!(text.len() < 1024, "{tables} tables: {} bytes", text.len());
            assert_eq!(Metadata::decode(&text), Ok(Some(metadata.clone())));
            let upstreams = vec![7; MOST_UPSTREAM_BYTES];
            let metadata = Metadata { upstreams, ..metadata };
            let text = metadata.encode();
            assert!(text.len() < 4096, "{tables} tables: {} bytes", text.len());
            assert_eq!(Metadata::decode(&text), Ok(Some(metadata)));
        }
    }

    /// As the first version wrote it: 64 bits a hash, and no run.
    #[test]
    fn the_first_version_is_still_read() {
        let numbers = [-5i64 as u64, i64::MIN as u64, 7, -1i64 as u64, 0x1111_2222_3333_4444, u64::MAX];
        let bytes: Vec<u8> = [1].into_iter().chain(numbers.iter().flat_map(|n| n.to_le_bytes())).collect();
        let expected = Metadata { reset: 0, tables: vec![(0x3333_4444, u32::MAX)], ..some(0) };
        assert_eq!(Metadata::decode(&encode_base64(&bytes)), Ok(Some(expected)));
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        for text in ["", "x", "AAAA", "not base64!", "AQ==", "Ag==", "AgAA"] {
            assert_eq!(Metadata::decode(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_later_version_is_not_taken_for_nothing() {
        let bytes: Vec<u8> = [4].into_iter().chain([0; 48]).collect();
        assert_eq!(Metadata::decode(&encode_base64(&bytes)), Err(Newer));
    }
}
