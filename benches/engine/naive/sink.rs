//! Where the naive design's records go: encoded into a buffer that is emptied at each commit.

use super::nodes::Message;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use tokio::sync::mpsc::Receiver;

/// What went to one topic, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub records: u64,
    /// The sum of the hashes of all keys and values, if they were asked for.
    pub sum: u64,
}

impl Written {
    pub fn add(&mut self, key: &[u8], value: impl Hash) {
        let mut hash = DefaultHasher::new();
        (key, value).hash(&mut hash);
        self.records += 1;
        self.sum = self.sum.wrapping_add(hash.finish());
    }
}

pub async fn run(mut from: Receiver<Message>, check: bool) -> Written {
    let (mut written, mut bytes) = (Written::default(), vec![]);
    while let Some(message) = from.recv().await {
        let Message::Reading(reading) = message else {
            black_box(&bytes);
            bytes.clear();
            continue;
        };
        bytes.extend_from_slice(reading.key.as_bytes());
        let start = bytes.len();
        if !reading.value.is_null() {
            serde_json::to_writer(&mut bytes, &reading.value).unwrap();
        }
        black_box(reading.time);
        match check {
            true => written.add(reading.key.as_bytes(), &bytes[start..]),
            false => written.records += 1,
        }
    }
    written
}
