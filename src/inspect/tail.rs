//! The new records of a topic in few words: values, and the reasons of dead letters.

use super::source::Source;
use crate::headers;
use crate::transport::{Batch, TransportError};

/// How much is read at once.
const MOST: (usize, usize) = (10_000, 4 << 20);

/// A value, with its reason if it is a dead letter.
pub type Seen = (String, Option<String>);

/// Values from an offset on, and the offset behind them.
pub fn tail(
    source: &mut dyn Source,
    topic: &str,
    partition: u32,
    from: i64,
) -> Result<(Vec<Seen>, i64), TransportError> {
    let (first, end) = source.bounds(topic, partition)?;
    let (mut next, mut found) = (from.max(first), vec![]);
    let mut records = Batch::default();
    while next < end {
        records.clear();
        next = source.read(topic, partition, (next, end), MOST, &mut records)?;
        for record in records.iter() {
            let reason = headers::iter(record.headers).find(|(name, _)| *name == b"streamrun-reason");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((text(record.value.unwrap_or_default()), reason.and_then(|(_, r)| r.map(text))));
        }
    }
    Ok((found, next))
}
