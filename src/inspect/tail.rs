//! The new records of a topic in few words: values, and the reasons of dead letters.

use crate::headers;
use crate::transport::TransportError;
use crate::transport::local::Client;
use crate::transport::local::journal::Records;

/// How much is read at once.
const MOST: (usize, usize) = (10_000, 4 << 20);

/// A value, with its reason if it is a dead letter.
pub type Seen = (String, Option<String>);

/// Values from an offset on, and the offset behind them.
pub fn tail(
    client: &mut Client,
    topic: &str,
    partition: u32,
    from: i64,
) -> Result<(Vec<Seen>, i64), TransportError> {
    let (first, end) = client.bounds(topic, partition)?;
    let (mut next, mut found) = (from.max(first), vec![]);
    let mut records = Records::default();
    while next < end {
        for record in client.read(topic, partition, next, MOST, &mut records)? {
            let reason = headers::iter(record.headers).find(|(name, _)| *name == b"streamrun-reason");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((text(record.value.unwrap_or_default()), reason.and_then(|(_, r)| r.map(text))));
            next = record.offset + 1;
        }
    }
    Ok((found, next))
}
