//! Several inputs of a task as one stream: the record with the lowest time goes first.
//!
//! Only tasks with several inputs have one of these. What has to wait is copied out of its batch into the queue of its
//! input; an input is waited for only while records are known to stand in it. A record counts as processed when it
//! has left its queue.

use crate::transport::Record;
use std::collections::VecDeque;

/// A record that waits.
#[derive(Debug, Default)]
struct Waiting {
    time: i64,
    offset: i64,
    timestamp: i64,
    key: Option<(usize, usize)>,
    value: Option<(usize, usize)>,
    bytes: Vec<u8>,
    headers: usize,
}

/// The queues.
#[derive(Debug)]
pub struct Merge {
    queues: Vec<VecDeque<Waiting>>,
    bytes: Vec<usize>,
    most_bytes: usize,
    spare: Vec<Waiting>,
}

impl Merge {
    /// Queues for so many inputs, each of which may hold so many bytes.
    pub fn new(inputs: usize, most_bytes: usize) -> Self {
        let queues = (0..inputs).map(|_| VecDeque::new()).collect();
        Merge { queues, bytes: vec![0; inputs], most_bytes, spare: vec![] }
    }

    /// Takes in a record of an input, whose time is known.
    pub fn push(&mut self, input: usize, record: &Record<'_>, time: i64) {
        let mut waiting = self.spare.pop().unwrap_or_default();
        let bytes = &mut waiting.bytes;
        bytes.clear();
        let mut put = |part: Option<&[u8]>| {
            let start = bytes.len();
            bytes.extend_from_slice(part?);
            Some((start, bytes.len()))
        };
        (waiting.key, waiting.value) = (put(record.key), put(record.value));
        waiting.headers = waiting.bytes.len();
        waiting.bytes.extend_from_slice(record.headers);
        (waiting.time, waiting.offset, waiting.timestamp) = (time, record.offset, record.timestamp);
        self.bytes[input] += waiting.bytes.len() + size_of::<Waiting>();
        self.queues[input].push_back(waiting);
    }

    /// Whether an input has so much waiting that no more should be read of it.
    pub fn is_full(&self, input: usize) -> bool {
        self.bytes[input] > self.most_bytes
    }

    /// Whether an input has nothing waiting.
    pub fn is_empty(&self, input: usize) -> bool {
        self.queues[input].is_empty()
    }

    /// The input whose turn it is: that of the lowest time, inputs in their order where times are equal. None while
    /// an input that `more` knows to have records has none here.
    pub fn next(&self, mut more: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut next: Option<(i64, usize)> = None;
        for (input, queue) in self.queues.iter().enumerate() {
            match queue.front() {
                Some(first) if next.is_none_or(|(time, _)| first.time < time) => {
                    next = Some((first.time, input))
                }
                Some(_) => {}
                None if more(input) => return None,
                None => {}
            }
        }
        next.map(|(_, input)| input)
    }

    /// The first record of an input.
    pub fn front(&self, input: usize) -> Option<Record<'_>> {
        let waiting = self.queues[input].front()?;
        let part = |(start, end): (usize, usize)| &waiting.bytes[start..end];
        Some(Record {
            offset: waiting.offset,
            timestamp: waiting.timestamp,
            key: waiting.key.map(part),
            value: waiting.value.map(part),
            headers: &waiting.bytes[waiting.headers..],
        })
    }

    /// The first record of an input has been processed.
    pub fn pop(&mut self, input: usize) {
        if let Some(waiting) = self.queues[input].pop_front() {
            self.bytes[input] -= waiting.bytes.len() + size_of::<Waiting>();
            if self.spare.len() < 1024 {
                self.spare.push(waiting);
            }
        }
    }

    /// Forgets everything: it will be read again.
    pub fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
        self.bytes.fill(0);
    }
}
