//! Batches, sorted into runs: a partition's records stay together, and what is none of them is looked at.

use super::super::Outcome;
use super::super::fault;
use super::super::native::{Inbox, Message};
use super::listener::Listener;
use crate::outbox::TopicId;
use crate::transport::{Class, Partition, Record, Run, TransportError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;

/// How a partition is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// The next offset; nothing is read before the worker has said where to begin.
    pub next: Option<i64>,
    /// Where it was found to end, if nothing has come since.
    pub end: Option<i64>,
    pub paused: bool,
    /// It is still to be told to librdkafka.
    pub to_begin: bool,
    /// librdkafka has given up on where it stands.
    pub in_doubt: bool,
}

/// Puts a batch into runs, one a partition: a partition's records stay together, whatever lies between them.
pub(super) fn sort<'m>(
    inbox: &'m Inbox<Listener>,
    names: &[String],
    readings: &mut BTreeMap<Partition, Reading>,
    headers: &'m mut Vec<u8>,
) -> Outcome<Vec<Run<'m>>> {
    headers.clear();
    let mut cuts = vec![];
    for message in inbox.messages() {
        let start = headers.len();
        message.headers(headers);
        cuts.push((start, headers.len()));
    }
    let headers: &'m [u8] = headers;
    let mut runs: Vec<Run<'m>> = vec![];
    let mut last: Option<(usize, u32, usize)> = None;
    for (message, (start, end)) in inbox.messages().zip(cuts) {
        let (address, index) = (message.topic_address(), message.partition());
        let same = last.filter(|(topic, partition, _)| (*topic, *partition) == (address, index));
        let at = match same {
            Some((_, _, at)) => at,
            None => {
                let Some(topic) = names.iter().position(|name| name == message.topic()) else {
                    unnamed(message)?;
                    continue;
                };
                let partition = Partition { topic: TopicId(topic as u16), index };
                let known = runs.iter().position(|run| run.partition == partition);
                known.unwrap_or_else(|| {
                    runs.push(Run { partition, records: vec![] });
                    runs.len() - 1
                })
            }
        };
        last = Some((address, index, at));
        let run = &mut runs[at];
        let Some(reading) = readings.get_mut(&run.partition) else { continue };
        if let Some(code) = message.error() {
            instead(message, code, reading)?;
            continue;
        }
        // What comes before its place is of an earlier assignment.
        if reading.next.is_none_or(|next| message.offset() < next) || reading.to_begin || reading.paused {
            continue;
        }
        (reading.next, reading.end) = (Some(message.offset() + 1), None);
        run.records.push(Record {
            offset: message.offset(),
            timestamp: message.timestamp(),
            key: message.key(),
            value: message.value(),
            headers: &headers[start..end],
        });
    }
    runs.retain(|run| !run.records.is_empty());
    Ok(runs)
}

/// What a partition says instead of a record.
fn instead(message: Message<'_>, code: RDKafkaErrorCode, reading: &mut Reading) -> Outcome<()> {
    let place = format!("{}-{}", message.topic(), message.partition());
    match code {
        RDKafkaErrorCode::PartitionEOF => {
            if reading.next.is_some_and(|next| message.offset() >= next) && !reading.to_begin {
                reading.end = Some(message.offset());
            }
            Ok(())
        }
        // Said also when a broker dies at the wrong moment: whether the offset is really gone is asked for.
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
            let why = String::from_utf8_lossy(message.value().unwrap_or_default()).into_owned();
            tracing::debug!(place, next = reading.next, why, "an offset is in doubt");
            reading.in_doubt = true;
            Ok(())
        }
        RDKafkaErrorCode::BadMessage
        | RDKafkaErrorCode::BadCompression
        | RDKafkaErrorCode::InvalidMessage => {
            let next = reading.next.unwrap_or_default();
            Err(TransportError::fatal(format!(
                "a batch of {place} from offset {next} on cannot be read: {}",
                fault::words(code)
            ))
            .hint("the topic's data is damaged, or compressed in a way that this build does not know"))
        }
        code if fault::is_final(code) => {
            let error = KafkaError::MessageConsumption(code);
            Err(fault::fault(Class::Fatal, &format!("{place} cannot be read"), &error))
        }
        code => {
            tracing::warn!("{place} cannot be read at the moment: {}", fault::words(code));
            Ok(())
        }
    }
}

/// An error that belongs to no partition of ours.
fn unnamed(message: Message<'_>) -> Outcome<()> {
    let Some(code) = message.error().filter(|code| fault::is_final(*code)) else { return Ok(()) };
    let error = KafkaError::MessageConsumption(code);
    Err(fault::fault(Class::Fatal, "the inputs cannot be read", &error))
}
