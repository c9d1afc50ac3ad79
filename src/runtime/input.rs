//! An input partition of a task: where it stands, and what its records become in a frame.

use super::ahead::Ahead;
use super::batch;
use super::markers::{Marker, Upstreams};
use super::metadata::MOST_UPSTREAM_BYTES;
use crate::codec::{self, ScanError, Scanner};
use crate::frame::{Body, Frame, Origin, Register, Text, Value};
use crate::operator::{ReasonId, RecordError, StreamTime};
use crate::origin;
use crate::outbox::TopicId;
use crate::plan::Plan;
use crate::plan::shape::Meta;
use crate::plan::source::Format;
use crate::short;
use crate::transport::Record;
use crate::types::Kind;
use std::collections::BTreeSet;

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
    /// Up to where it has been deleted, if it is a repartition.
    pub purged: i64,
    /// Whether its records can go side by side.
    pub(super) side_by_side: bool,
    late_by: i64,
    max_future: i64,
    decoder: Decoder,
    /// Where to look for the rows of records to come.
    pub(super) ahead: Ahead,
    promise: Option<Promise>,
    event_time: Option<Register>,
    metas: Vec<(Meta, Register)>,
    /// What it reads may have come from these: a topic's id, its name, and that among the constants.
    topics: Vec<(TopicId, String, Text)>,
    /// What those before it have said of their clocks, if it is a repartition.
    behind: Option<Box<Behind>>,
}

/// What an input knows that stands behind a repartition.
#[derive(Debug)]
struct Behind {
    now: Upstreams,
    committed: Upstreams,
    /// Where the clock of the task stood that has written the last record.
    wrote_at: StreamTime,
    /// Whether it follows its records instead: only for the tests that prove that this is noticed.
    deaf: bool,
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
            purged: 0,
            side_by_side: batch::side_by_side(plan, source),
            late_by: declared.late_by,
            max_future: declared.max_future,
            decoder,
            ahead: Ahead::of(plan, source),
            promise,
            event_time: run.event_time,
            metas: run.metas.clone(),
            topics: run
                .topics
                .iter()
                .map(|(id, text)| (*id, plan.topics.get(*id).name.clone(), *text))
                .collect(),
            behind: declared.cut.as_ref().map(|cut| {
                let parts: BTreeSet<usize> = cut.from.iter().map(|from| plan.runs[*from].part).collect();
                let none = Upstreams::new(parts.into_iter().map(|part| plan.part_name(part).to_owned()));
                Box::new(Behind {
                    now: none.clone(),
                    committed: none,
                    wrote_at: StreamTime::START,
                    deaf: false,
                })
            }),
        }
    }

    /// The input's clock: the largest event time seen, less what windows wait for stragglers.
    pub fn clock(&self) -> StreamTime {
        if let Some(behind) = self.behind.as_ref().filter(|behind| !behind.deaf) {
            return behind.now.clock();
        }
        match self.now.largest {
            i64::MIN => StreamTime::START,
            largest => StreamTime(largest.saturating_sub(self.late_by)),
        }
    }

    /// Whether it stands behind a repartition: its clock is what it is told.
    pub fn is_told(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| !behind.deaf)
    }

    /// Where the clock of the task stood that has written the record which was decoded last, if a repartition has
    /// brought it.
    #[inline]
    pub fn wrote_at(&self) -> Option<StreamTime> {
        self.behind.as_ref().map(|behind| behind.wrote_at)
    }

    /// Has it follow its records instead of what it is told.
    pub(super) fn deafen(&mut self) {
        self.behind.iter_mut().for_each(|behind| behind.deaf = true);
    }

    /// The marker that a record is, if it is one.
    #[inline]
    pub fn marker<'b>(&self, record: &Record<'b>) -> Option<Marker<'b>> {
        if self.behind.is_none() || record.value.is_some() { None } else { Marker::read(record.headers) }
    }

    /// Takes a marker for known.
    pub fn hear(&mut self, marker: &Marker<'_>) {
        if let Some(behind) = &mut self.behind {
            behind.now.hear(marker);
            self.idle = behind.now.are_quiet();
        }
    }

    /// A record has come: nobody goes on without it any more. Whether a repartition is quiet is only said in markers.
    pub fn wake(&mut self) {
        self.idle &= self.behind.is_some();
    }

    /// How many tasks run each part before it, as far as it stands behind any.
    pub(super) fn expect(&mut self, part: &str, tasks: u32) {
        if let Some(behind) = &mut self.behind {
            behind.now.expect(part, tasks);
        }
    }

    /// What has been said before it, for the metadata.
    pub fn upstreams(&self) -> Vec<u8> {
        self.behind.as_ref().map(|behind| behind.now.encode(MOST_UPSTREAM_BYTES)).unwrap_or_default()
    }

    /// Takes over what a commit left.
    pub fn resume(&mut self, standing: Standing, upstreams: &[u8]) {
        (self.now, self.committed) = (standing, standing);
        if let Some(behind) = &mut self.behind {
            // What cannot be read holds the clock until everyone has spoken again.
            let _ = behind.now.decode(upstreams);
            behind.committed.clone_from(&behind.now);
            self.idle = false;
        }
    }

    /// It is permanent.
    pub fn committed(&mut self) {
        self.committed = self.now;
        if let Some(behind) = &mut self.behind {
            behind.committed.clone_from(&behind.now);
        }
    }

    /// It never happened.
    pub fn abort(&mut self) {
        self.now = self.committed;
        if let Some(behind) = &mut self.behind {
            behind.now.clone_from(&behind.committed);
            self.idle = behind.now.are_quiet();
        }
    }

    /// Brings a record into a frame: decoded, its key checked, its time known.
    #[inline(always)]
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
        if self.behind.is_some() {
            self.come_from(record, frame);
        }
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
            self.fill_metas(frame);
        }
        Ok(())
    }

    /// A record that was repartitioned is what it was before: of its own topic, with its own key and times.
    fn come_from<'b>(&mut self, record: &Record<'b>, frame: &mut Frame<'b>) {
        let Some(behind) = &mut self.behind else { return };
        behind.wrote_at = StreamTime::START;
        let Some((theirs, came)) = origin::split(record.headers) else { return };
        behind.wrote_at = StreamTime(came.clock);
        frame.headers = theirs;
        frame.key = came.key;
        (frame.timestamp, frame.stamp) = (came.time, came.stamp);
        let topic = self.topics.iter().find(|(_, name, _)| name.as_bytes() == came.topic);
        let topic = topic.map_or(u16::MAX, |(id, _, _)| id.0);
        frame.origin = Origin { topic, partition: came.partition, offset: came.offset };
    }

    fn fill_metas(&self, frame: &mut Frame<'_>) {
        for (meta, register) in &self.metas {
            let value = match meta {
                Meta::Key => match frame.key {
                    Some(key) if std::str::from_utf8(key).is_ok() => Value::Text(Text::key(0, key.len())),
                    _ => Value::Absent,
                },
                Meta::Topic => {
                    let topic = self.topics.iter().find(|(id, _, _)| id.0 == frame.origin.topic);
                    Value::Text(topic.map_or(Text::EMPTY, |(_, _, text)| *text))
                }
                Meta::Partition => Value::Int(i64::from(frame.origin.partition)),
                Meta::Offset => Value::Int(frame.origin.offset),
                Meta::Timestamp => Value::Int(frame.stamp),
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
            (Kind::String, false, Some(key)) => short::same(frame.bytes(self.register), key),
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
