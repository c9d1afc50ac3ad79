//! What a batch writes: one growing buffer and the cuts in it, handed to the transport and cleared.

/// A topic the pipeline writes to, as an index into the plan's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(pub u16);

/// Which partition of its topic a record goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one that the key says, as JVM clients do it; without a key, the task's own, modulo their number.
    Key,
    /// The task's own: changelogs.
    Own,
    /// This one.
    At(u32),
}

/// One record in the outbox: where its parts end, one behind the other, from `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Where to.
    pub topic: TopicId,
    /// Which partition there.
    pub target: Target,
    /// The partition of the task that wrote it.
    pub own: u32,
    /// The place in its batch of the record that it came of; of what came of rows see [`Lane`](crate::lanes::Lane).
    pub turn: u32,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Where the key starts.
    pub start: u32,
    /// Where the key ends and the value starts.
    pub key_end: u32,
    /// Where the value ends and the headers start.
    pub value_end: u32,
    /// Where the headers end.
    pub end: u32,
    /// Whether there is a key at all: an empty one is one.
    pub has_key: bool,
    /// Whether there is a value at all: none is a tombstone.
    pub has_value: bool,
}

/// Records on their way out, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The partition of the task that writes at the moment.
    pub own: u32,
    /// The place in its batch of the record that is worked on. Wider than it has to be: next to `own` the two would be
    /// read at once, right behind a write of one of them, which a processor stalls on.
    pub turn: u64,
    bytes: Vec<u8>,
    records: Vec<Output>,
    largest: u32,
}

impl Output {
    /// How many bytes its key, value and headers are.
    pub fn len_bytes(&self) -> usize {
        (self.end - self.start) as usize
    }
}

impl Outbox {
    /// Writes key, value and headers behind each other; what `key` or `value` answer is whether there is one. The
    /// cuts are made from the lengths, so that half a record cannot remain.
    #[inline(always)]
    pub fn record(
        &mut self,
        topic: TopicId,
        target: Target,
        timestamp: i64,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        value: impl FnOnce(&mut Vec<u8>) -> bool,
        headers: &[u8],
    ) {
        let start = self.bytes.len() as u32;
        let has_key = key(&mut self.bytes);
        let key_end = self.bytes.len() as u32;
        let has_value = value(&mut self.bytes);
        let value_end = self.bytes.len() as u32;
        if !headers.is_empty() {
            self.bytes.extend_from_slice(headers);
        }
        let end = self.bytes.len() as u32;
        self.largest = self.largest.max(end - start);
        self.records.push(Output {
            topic,
            target,
            own: self.own,
            turn: self.turn as u32,
            timestamp,
            start,
            key_end,
            value_end,
            end,
            has_key,
            has_value,
        });
    }

    /// Puts the records from a place on into the order of those that they came of. What came of one stays in the order
    /// in which it was written.
    #[inline]
    pub fn in_turn(&mut self, from: usize) {
        let records = &mut self.records[from..];
        if !records.is_sorted_by_key(|record| record.turn) {
            records.sort_by_key(|record| record.turn);
        }
    }

    /// Writes a record of another outbox, whose task writes it still.
    pub fn copy(&mut self, other: &Outbox, output: &Output) {
        let part = |bytes: Option<&[u8]>, out: &mut Vec<u8>| {
            out.extend_from_slice(bytes.unwrap_or_default());
            bytes.is_some()
        };
        self.own = output.own;
        let (key, value) = (other.key(output), other.value(output));
        let headers = other.headers(output);
        let (topic, target) = (output.topic, output.target);
        self.record(topic, target, output.timestamp, |out| part(key, out), |out| part(value, out), headers);
    }

    /// No record has more bytes than this; one that was taken back may have had.
    #[inline]
    pub fn largest(&self) -> usize {
        self.largest as usize
    }

    /// Takes the last record back.
    pub fn undo_last(&mut self) {
        if let Some(record) = self.records.pop() {
            self.bytes.truncate(record.start as usize);
        }
    }

    /// The records, in their order.
    pub fn records(&self) -> &[Output] {
        &self.records
    }

    /// A record's key.
    pub fn key(&self, output: &Output) -> Option<&[u8]> {
        output.has_key.then(|| &self.bytes[output.start as usize..output.key_end as usize])
    }

    /// A record's value.
    pub fn value(&self, output: &Output) -> Option<&[u8]> {
        output.has_value.then(|| &self.bytes[output.key_end as usize..output.value_end as usize])
    }

    /// A record's headers, in the encoding of [`crate::headers`].
    pub fn headers(&self, output: &Output) -> &[u8] {
        &self.bytes[output.value_end as usize..output.end as usize]
    }

    /// How many bytes wait.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Forgets what has been handed over; the room stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.largest = 0;
    }
}
