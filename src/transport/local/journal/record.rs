//! Records as they stand in a batch: three lengths, the timestamp, then key, value and headers.

/// Instead of a length: there is no key, or no value.
const NONE: u32 = u32::MAX;
/// Three lengths and the timestamp.
const HEAD: usize = 20;

#[inline]
pub(super) fn encode(
    out: &mut Vec<u8>,
    timestamp: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[u8],
) {
    let len = |part: Option<&[u8]>| part.map_or(NONE, |part| part.len() as u32).to_le_bytes();
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&len(key));
    head[4..8].copy_from_slice(&len(value));
    head[8..12].copy_from_slice(&len(Some(headers)));
    head[12..].copy_from_slice(&timestamp.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(key.unwrap_or_default());
    out.extend_from_slice(value.unwrap_or_default());
    out.extend_from_slice(headers);
}

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'r> {
    /// Its place in its partition.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'r [u8]>,
    /// Its value; none is a tombstone.
    pub value: Option<&'r [u8]>,
    /// Its headers, in the encoding of [`crate::headers`].
    pub headers: &'r [u8],
}

/// Records that were read, and the bytes they lie in. One is kept and read into again: its room stays.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// How many bytes the records have.
    taken: usize,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    offset: i64,
    timestamp: i64,
    start: usize,
    key: u32,
    value: u32,
    headers: u32,
}

impl Records {
    /// The records, in the order of their offsets.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.spans.iter().map(|span| self.record(span))
    }

    /// The record at a place in that order.
    pub fn get(&self, at: usize) -> Option<Record<'_>> {
        self.spans.get(at).map(|span| self.record(span))
    }

    fn record(&self, span: &Span) -> Record<'_> {
        let mut rest = &self.bytes[span.start..];
        let mut take = |len: u32| {
            let (part, behind) = rest.split_at(if len == NONE { 0 } else { len as usize });
            rest = behind;
            (len != NONE).then_some(part)
        };
        let (key, value) = (take(span.key), take(span.value));
        let headers = take(span.headers).unwrap_or_default();
        Record { offset: span.offset, timestamp: span.timestamp, key, value, headers }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many bytes they have.
    pub fn len_bytes(&self) -> usize {
        self.taken
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.taken = 0;
    }

    pub(super) fn is_full(&self, max_records: usize, max_bytes: usize) -> bool {
        self.spans.len() >= max_records || self.taken >= max_bytes
    }

    /// Room for the bytes of a batch; answers where it begins.
    pub(super) fn grow(&mut self, len: usize) -> (usize, &mut [u8]) {
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        (start, &mut self.bytes[start..])
    }

    /// Takes the records of the batch that begins at `start`, from an offset on and as long as there is room.
    pub(super) fn take(&mut self, start: usize, base: i64, from: i64, max: (usize, usize)) -> Option<()> {
        let (mut at, mut offset) = (start, base);
        while at < self.bytes.len() && !self.is_full(max.0, max.1) {
            let head = self.bytes[at..].first_chunk::<HEAD>()?;
            let u32_at = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (key, value, headers) = (u32_at(0), u32_at(4), u32_at(8));
            let timestamp = u64::from(u32_at(12)) | u64::from(u32_at(16)) << 32;
            let len: usize =
                [key, value, headers].iter().filter(|len| **len != NONE).map(|len| *len as usize).sum();
            let start = at + HEAD;
            at = start.checked_add(len).filter(|end| *end <= self.bytes.len())?;
            if offset >= from {
                self.spans.push(Span { offset, timestamp: timestamp as i64, start, key, value, headers });
                self.taken += HEAD + len;
            }
            offset += 1;
        }
        Some(())
    }
}
