//! Dead letters: what cannot be used, with its reason, in the same transaction as everything else.

use crate::codec::{SetField, write_value};
use crate::frame::Frame;
use crate::headers;
use crate::outbox::{Outbox, Target};
use crate::plan::Plan;

/// Writes a record to the dead letters as it came: key, value, timestamp and headers are its own.
#[cold]
pub fn record(plan: &Plan, out: &mut Outbox, frame: &Frame<'_>, has_value: bool, reason: &str, node: &str) {
    let mut added = frame.headers.to_vec();
    headers::push(&mut added, b"streamrun-reason", Some(reason.as_bytes()));
    headers::push(&mut added, b"streamrun-node", Some(node.as_bytes()));
    // One that a node has made, and a repartition has brought here, came from nowhere.
    if frame.origin.offset >= 0 {
        let topic = plan.topics.all().get(frame.origin.topic as usize).map_or("", |t| t.name.as_str());
        headers::push(&mut added, b"streamrun-topic", Some(topic.as_bytes()));
        let partition = frame.origin.partition.to_string();
        headers::push(&mut added, b"streamrun-partition", Some(partition.as_bytes()));
        headers::push(&mut added, b"streamrun-offset", Some(frame.origin.offset.to_string().as_bytes()));
    }
    let key = |out: &mut Vec<u8>| {
        out.extend_from_slice(frame.key.unwrap_or_default());
        frame.key.is_some()
    };
    let value = |out: &mut Vec<u8>| {
        out.extend_from_slice(frame.payload);
        has_value
    };
    out.record(plan.dead_letters, Target::Key, frame.stamp, key, value, &added);
}

/// Writes a row that a node made to the dead letters, as the JSON it would have been as far as it can be written. It
/// has no origin.
#[cold]
pub fn row(plan: &Plan, out: &mut Outbox, frame: &Frame<'_>, fields: &[SetField], reason: &str, node: &str) {
    let mut added = vec![];
    headers::push(&mut added, b"streamrun-reason", Some(reason.as_bytes()));
    headers::push(&mut added, b"streamrun-node", Some(node.as_bytes()));
    let value = |out: &mut Vec<u8>| {
        write_row(out, frame, fields);
        true
    };
    out.record(plan.dead_letters, Target::Key, frame.timestamp, |_| false, value, &added);
}

/// A fresh row as JSON; what JSON cannot say is `null`.
pub fn write_row(out: &mut Vec<u8>, frame: &Frame<'_>, fields: &[SetField]) {
    out.push(b'{');
    let start = out.len();
    for field in fields.iter().filter(|field| frame.is_set(field.register)) {
        if out.len() > start {
            out.push(b',');
        }
        crate::codec::json::quote(out, field.path.join(".").as_bytes());
        out.push(b':');
        if write_value(out, frame, field.register, field.kind, field.time).is_err() {
            out.extend_from_slice(b"null");
        }
    }
    out.push(b'}');
}
