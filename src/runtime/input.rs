//! An input partition of a task: where it stands, and what its records become in a frame.

use crate::codec::{self, ScanError, Scanner};
use crate::frame::{Body, Frame, Origin, Register, Text, Value};
use crate::operator::{ReasonId, RecordError, StreamTime};
use crate::outbox::TopicId;
use crate::plan::Plan;
use crate::plan::shape::Meta;
use crate::plan::source::Format;
use crate::transport::Record;
use crate::types::Kind;

/// What is permanent of an input partition once it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The next offset to be processed.
    pub position: i64,
    /// The largest event time seen.
    pub largest: i64,
}

impl Standing {
    /// Nothing has been seen.
    pub const START: Self = Standing { position: 0, largest: i64::MIN };
}

/// An input partition of a task.
#[derive(Debug)]
pub struct Input {
    /// The plan's index of the source.
    pub source: usize,
    /// The topic it reads.
    pub topic: TopicId,
    /// Where it stands.
    pub now: Standing,
    /// Where it stood at the last commit.
    pub committed: Standing,
    /// Whether it has been quiet for so long that others no longer wait for it.
    pub idle: bool,
    /// Whether nothing is read of it for the time being.
    pub paused: bool,
    late_by: i64,
    max_future: i64,
    decoder: Decoder,
    promise: Option<Promise>,
    event_time: Option<Register>,
    metas: Vec<(Meta, Register)>,
    topic_text: Text,
}

/// How a value becomes registers.
#[derive(Debug)]
enum Decoder {
    Json(Box<Scanner>),
    Text(Option<Register>),
    Bytes,
}

/// The key that records are promised to have.
#[derive(Debug)]
struct Promise {
    register: Register,
    kind: Kind,
    json: bool,
    reason: ReasonId,
}

/// Why a record could not become a frame.
#[derive(Clone, Copy, Debug)]
pub enum Unusable {
    /// The value is not what the source promises.
    Scan(ScanError),
    /// The value is no text.
    NotText(codec::text::NotText),
    /// There is no value.
    NoValue,
    /// The key is not the field it is promised to be.
    Key(RecordError),
    /// Its time lies too far ahead of the wall clock.
    Future,
}

impl Input {
    /// An input of a source's topic; `alone` if its topic has one partition, where a wrong key does no harm.
    pub fn new(plan: &Plan, source: usize, topic: TopicId, alone: bool) -> Self {
        let (declared, run) = (&plan.sources[source], &plan.runs[source]);
        let decoder = match declared.format {
            Format::Json => Decoder::Json(Box::new(Scanner::new(run.fields.clone(), run.touched.clone()))),
            Format::Text => Decoder::Text(run.fields.first().and_then(|f| f.register)),
            Format::Bytes => Decoder::Bytes,
        };
        let promise = declared.key.as_ref().filter(|_| !alone).zip(run.key).map(|(key, register)| Promise {
            register,
            kind: key.kind,
            json: key.json,
            reason: key.reason,
        });
        Input {
            source,
            topic,
            now: Standing::START,
            committed: Standing::START,
            idle: false,
            paused: false,
            late_by: declared.late_by,
            max_future: declared.max_future,
            decoder,
            promise,
            event_time: run.event_time,
            metas: run.metas.clone(),
            topic_text: run.topics.iter().find(|(id, _)| *id == topic).map_or(Text::EMPTY, |(_, text)| *text),
        }
    }

    /// The input's clock: the largest event time seen, less what windows wait for stragglers.
    pub fn clock(&self) -> StreamTime {
        match self.now.largest {
            i64::MIN => StreamTime::START,
            largest => StreamTime(largest.saturating_sub(self.late_by)),
        }
    }

    /// Brings a record into a frame: decoded, its key checked, its time known.
    #[inline]
    pub fn decode<'b>(
        &mut self,
        record: &Record<'b>,
        partition: u32,
        frame: &mut Frame<'b>,
        now_ms: i64,
    ) -> Result<(), Unusable> {
        frame.present = 0;
        frame.arena.clear();
        frame.payload = record.value.unwrap_or_default();
        frame.key = record.key;
        frame.headers = record.headers;
        (frame.timestamp, frame.stamp) = (record.timestamp, record.timestamp);
        frame.body = Body::default();
        frame.origin = Origin { topic: self.topic.0, partition, offset: record.offset };
        (frame.variant, frame.seen) = (0, 0);
        if record.value.is_none() {
            return Err(Unusable::NoValue);
        }
        match &mut self.decoder {
            Decoder::Json(scanner) => scanner.scan(frame).map_err(Unusable::Scan)?,
            Decoder::Text(register) => codec::text::scan(frame, *register).map_err(Unusable::NotText)?,
            Decoder::Bytes => codec::bytes::scan(frame),
        }
        if let Some(promise) = &self.promise {
            promise.check(frame).map_err(Unusable::Key)?;
        }
        if let Some(register) = self.event_time {
            frame.timestamp = frame.int(register);
        }
        if frame.timestamp.saturating_sub(self.max_future) > now_ms {
            return Err(Unusable::Future);
        }
        if !self.metas.is_empty() {
            self.fill_metas(record, frame);
        }
        Ok(())
    }

    fn fill_metas(&self, record: &Record<'_>, frame: &mut Frame<'_>) {
        for (meta, register) in &self.metas {
            let value = match meta {
                Meta::Key => match record.key {
                    Some(key) if std::str::from_utf8(key).is_ok() => Value::Text(Text::key(0, key.len())),
                    _ => Value::Absent,
                },
                Meta::Topic => Value::Text(self.topic_text),
                Meta::Partition => Value::Int(i64::from(frame.origin.partition)),
                Meta::Offset => Value::Int(record.offset),
                Meta::Timestamp => Value::Int(record.timestamp),
            };
            frame.set(*register, value);
        }
    }

    /// The sentence of a dead letter.
    pub fn explain(&self, unusable: Unusable, plan: &Plan, payload: &[u8]) -> String {
        match (unusable, &self.decoder) {
            (Unusable::Scan(error), Decoder::Json(scanner)) => scanner.explain(error, payload),
            (Unusable::Scan(_), _) => "not JSON".to_owned(),
            (Unusable::NotText(error), _) => error.explain(),
            (Unusable::NoValue, _) => "the record has no value".to_owned(),
            (Unusable::Key(error), _) => plan.reasons.sentence(error.reason).to_owned(),
            (Unusable::Future, _) => "its time lies too far in the future".to_owned(),
        }
    }
}

impl Unusable {
    /// What it is, for counting: one of few words.
    pub fn class(self) -> &'static str {
        match self {
            Unusable::Scan(error) => error.class(),
            Unusable::NotText(_) => "not-text",
            Unusable::NoValue => "no-value",
            Unusable::Key(_) => "wrong-key",
            Unusable::Future => "future",
        }
    }

    /// All the words.
    pub const CLASSES: [&'static str; 7] =
        ["not-json", "wrong-type", "missing", "not-text", "no-value", "wrong-key", "future"];
}

impl Promise {
    /// Whether the record's key is the field it is promised to be.
    #[inline]
    fn check(&self, frame: &mut Frame<'_>) -> Result<(), RecordError> {
        let kept = match (self.kind, self.json, frame.key) {
            (Kind::String, false, Some(key)) => frame.bytes(self.register) == key,
            (_, _, Some(_)) => self.written(frame),
            (_, _, None) => false,
        };
        if kept { Ok(()) } else { Err(RecordError::new(self.reason)) }
    }

    /// The kinds and formats that are worth writing out before they are compared.
    #[cold]
    fn written(&self, frame: &mut Frame<'_>) -> bool {
        let mut text = vec![];
        let time = crate::types::TimeFormat::Millis;
        let written = match self.json {
            true => codec::write_value(&mut text, frame, self.register, self.kind, time),
            false => codec::write_key_text(&mut text, frame, self.register, self.kind, time),
        };
        let key = frame.key.unwrap_or_default();
        // Another spelling of the same JSON would lie in another partition: it is no such key.
        written.is_ok() && text == key
    }
}
