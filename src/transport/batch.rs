//! Records that were read, copied: for those who look at a topic at their own pace, beside the engines.

use super::Record;

/// Records in the order in which they were added. One is kept and read into again: its room stays.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    offset: i64,
    timestamp: i64,
    start: usize,
    key: Option<u32>,
    value: Option<u32>,
    headers: u32,
}

impl Batch {
    /// Adds a record.
    pub fn push(&mut self, record: &Record<'_>) {
        let start = self.bytes.len();
        let mut copy = |bytes: &[u8]| {
            self.bytes.extend_from_slice(bytes);
            bytes.len() as u32
        };
        let (key, value) = (record.key.map(&mut copy), record.value.map(&mut copy));
        let headers = copy(record.headers);
        let Record { offset, timestamp, .. } = *record;
        self.spans.push(Span { offset, timestamp, start, key, value, headers });
    }

    /// The record at a place.
    pub fn get(&self, at: usize) -> Option<Record<'_>> {
        let Span { offset, timestamp, start, key, value, headers } = *self.spans.get(at)?;
        let mut rest = &self.bytes[start..];
        let mut take = |len: u32| {
            let (part, behind) = rest.split_at(len as usize);
            rest = behind;
            part
        };
        let (key, value) = (key.map(&mut take), value.map(&mut take));
        Some(Record { offset, timestamp, key, value, headers: take(headers) })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.spans.len()).filter_map(|at| self.get(at))
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
        self.bytes.len()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_comes_back() {
        let records = [
            Record { offset: 7, timestamp: 1, key: None, value: Some(b""), headers: b"" },
            Record { offset: 9, timestamp: -1, key: Some(b"\xff"), value: None, headers: b"h" },
            Record { offset: 10, timestamp: 3, key: Some(b""), value: Some(b"value"), headers: b"" },
        ];
        let mut batch = Batch::default();
        for _ in 0..2 {
            batch.clear();
            records.iter().for_each(|record| batch.push(record));
            assert_eq!(batch.iter().collect::<Vec<_>>(), records);
            assert_eq!((batch.len(), batch.len_bytes(), batch.get(3)), (3, 7, None));
        }
    }
}
