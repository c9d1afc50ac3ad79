//! Keys: whether the newest records of the inputs keep what their source promises.

use super::{Seen, Survey, count, warning};
use crate::diagnostic::Code;
use crate::frame::{self, Frame};
use crate::partitioner;
use crate::plan::Plan;
use crate::runtime::Input;
use crate::runtime::input::Unusable;
use crate::transport::kafka::Client;
use crate::transport::{Batch, TransportError};

/// How many of the newest records of each partition are looked at.
pub const NEWEST: i64 = 100;

/// What the newest records of a source look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The plan's index of the source.
    pub source: usize,
    /// How many records were looked at.
    pub records: usize,
    /// Where the first of those lies whose key is not the field it should be, and how many there are.
    pub wrong_key: (usize, Option<String>),
    /// The same of those that lie in another partition than their key's.
    pub misplaced: (usize, Option<String>),
    /// How many cannot be decoded.
    pub unusable: usize,
    /// How many lie too far in the future.
    pub future: usize,
    /// The times of the others' events.
    pub events: Vec<i64>,
}

/// Looks at the newest records of a source.
pub fn sample(
    plan: &Plan,
    source: usize,
    client: &mut Client,
    now_ms: i64,
) -> Result<Sample, TransportError> {
    let mut sample = Sample { source, ..Sample::default() };
    for topic in &plan.sources[source].topics {
        let name = &plan.topics.get(*topic).name;
        let count = client.partitions(name)?.unwrap_or(0);
        let mut input = Input::new(plan, source, *topic, count <= 1);
        for partition in 0..count {
            let (start, end) = client.bounds(name, partition)?;
            let (mut next, mut batch) = ((end - NEWEST).max(start), Batch::default());
            while next < end {
                batch.clear();
                next = client.read(name, partition, (next, end), (NEWEST as usize, 4 << 20), &mut batch)?;
                sample.take_in(plan, &mut input, &batch, name, (partition, count), now_ms);
            }
            client.stop(name, partition)?;
        }
    }
    Ok(sample)
}

impl Sample {
    /// Takes in records of a partition, of so many.
    pub(super) fn take_in(
        &mut self,
        plan: &Plan,
        input: &mut Input,
        batch: &Batch,
        topic: &str,
        (partition, partitions): (u32, u32),
        now_ms: i64,
    ) {
        let (mut registers, mut arena) = (frame::EMPTY, vec![]);
        for record in batch.iter() {
            self.records += 1;
            let place = || Some(format!("{topic} {partition}:{}", record.offset));
            let home = record.key.map(|key| partitioner::partition_of(key, partitions.max(1)));
            if plan.sources[self.source].key.is_some() && home.is_some_and(|home| home != partition) {
                self.misplaced = (self.misplaced.0 + 1, self.misplaced.1.take().or_else(place));
            }
            let mut frame = Frame::new(&mut registers, &mut arena, &plan.constants);
            match input.decode(&record, partition, &mut frame, now_ms) {
                Ok(()) => self.events.push(frame.timestamp),
                Err(Unusable::Key(_)) => {
                    self.wrong_key = (self.wrong_key.0 + 1, self.wrong_key.1.take().or_else(place));
                }
                Err(Unusable::Future) => self.future += 1,
                Err(_) => self.unusable += 1,
            }
        }
    }
}

/// Judges the samples.
pub fn judge(plan: &Plan, seen: &Seen, survey: &mut Survey) {
    for sample in &seen.samples {
        let source = &plan.sources[sample.source];
        let (name, records) = (&source.name, count(sample.records, "record"));
        let dead = [(sample.unusable, "cannot be decoded"), (sample.future, "too far in the future")];
        let dead: Vec<String> =
            dead.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} {what}")).collect();
        survey.fact(format!("{records} of `{name}` looked at{}", dead.concat()));
        if let (wrong, Some(first)) = &sample.wrong_key {
            let field = source.key.as_ref().map_or("", |key| key.name.as_str());
            let finding = warning(
                Code::WrongKey,
                format!("{wrong} of the newest {records} of `{name}` are not keyed by `{field}`"),
            );
            let finding = finding.help("have producers key records by it, or leave `key` out");
            survey.add(
                finding.note(format!("they become dead letters; the first is {first}")),
                Some(source.place),
            );
        }
        if let (wrong, Some(first)) = &sample.misplaced {
            let finding = warning(
                Code::WrongPartition,
                format!(
                    "{wrong} of the newest {records} of `{name}` lie in another partition than their key's"
                ),
            );
            let finding = finding.help(
                "have producers partition by murmur2, as JVM clients do; librdkafka calls it \
                 `partitioner=murmur2_random`",
            );
            survey.add(finding.note(format!("the first is {first}")), Some(source.place));
        }
    }
}
