//! Where a repartitioned record came from: what its own topic, key and times were, in a header.
//!
//! A text of fields with a space between them, so that anyone who looks at the topic can read it: the topic, the
//! partition, the offset, the timestamp it came with, its event time, and where the clock of its task stood, all three
//! in milliseconds; then, if it had a key, its bytes. A row that a node has made came from nowhere: its topic is empty
//! and its offset −1.

use crate::headers;

/// The header's name. It is the last one of a record.
pub const HEADER: &[u8] = b"streamrun-origin";

/// Where a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came<'r> {
    /// The name of its topic.
    pub topic: &'r [u8],
    /// Its partition there.
    pub partition: u32,
    /// Its offset there; −1: a node has made it.
    pub offset: i64,
    /// The timestamp it came with.
    pub stamp: i64,
    /// Its event time.
    pub time: i64,
    /// Where the clock of its task stood: what was late there is late behind.
    pub clock: i64,
    /// The key it came with.
    pub key: Option<&'r [u8]>,
}

/// Appends the header.
pub fn push(out: &mut Vec<u8>, came: &Came<'_>) {
    out.extend_from_slice(&(HEADER.len() as u16).to_le_bytes());
    out.extend_from_slice(HEADER);
    let len_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(came.topic);
    for number in [i64::from(came.partition), came.offset, came.stamp, came.time, came.clock] {
        out.push(b' ');
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
    if let Some(key) = came.key {
        out.push(b' ');
        out.extend_from_slice(key);
    }
    let len = (out.len() - len_at - 4) as i32;
    out[len_at..len_at + 4].copy_from_slice(&len.to_le_bytes());
}

/// Takes the header off a run: what stands before it, and what it says. None: there is none that can be read.
pub fn split(run: &[u8]) -> Option<(&[u8], Came<'_>)> {
    let at = headers::last_at(run, HEADER)?;
    let (_, value) = headers::iter(&run[at..]).next()?;
    Some((&run[..at], read(value?)?))
}

fn read(value: &[u8]) -> Option<Came<'_>> {
    let (topic, rest) = word(value);
    let (partition, rest) = number(rest?)?;
    let (offset, rest) = number(rest?)?;
    let (stamp, rest) = number(rest?)?;
    let (time, rest) = number(rest?)?;
    let (clock, key) = number(rest?)?;
    Some(Came { topic, partition: u32::try_from(partition).ok()?, offset, stamp, time, clock, key })
}

/// The first word, and what stands behind the space that ends it.
fn word(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b' ', text) {
        Some(end) => (&text[..end], Some(&text[end + 1..])),
        None => (text, None),
    }
}

fn number(text: &[u8]) -> Option<(i64, Option<&[u8]>)> {
    let (digits, rest) = word(text);
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(came: Came<'_>) {
        let mut run = vec![];
        headers::push(&mut run, b"theirs", Some(b"1"));
        let theirs = run.clone();
        push(&mut run, &came);
        assert_eq!(split(&run), Some((&theirs[..], came)));
    }

    #[test]
    fn what_is_written_is_read() {
        let key: Option<&[u8]> = Some(b"a b ");
        let came = Came { topic: b"views", partition: 3, offset: 17, stamp: 5, time: -6, clock: 7, key };
        there_and_back(came);
        there_and_back(Came { key: None, ..came });
        there_and_back(Came { key: Some(b""), ..came });
        there_and_back(Came { topic: b"", offset: -1, stamp: i64::MIN, time: i64::MAX, ..came });
    }

    #[test]
    fn what_is_none_is_refused() {
        let refused = |value: Option<&[u8]>| {
            let mut run = vec![];
            headers::push(&mut run, HEADER, value);
            assert_eq!(split(&run), None, "{value:?}");
        };
        refused(None);
        for value in
            ["", "t", "t 1", "t 1 2 3 4", "t 1 2 3 4 x", "t -1 2 3 4 5", "t 1 2 99999999999999999999 4 5"]
        {
            refused(Some(value.as_bytes()));
        }
        assert_eq!(split(b""), None);
    }
}
