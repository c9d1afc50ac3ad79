//! A pipeline, the records it gets, and when.

use super::outcome::Strictness;
use std::sync::Arc;
use streamrun::plan::{self, Plan};

/// The first millisecond of 2026.
pub const START: i64 = 1_767_225_600_000;

/// A record on its way to a topic.
#[derive(Clone, Debug)]
pub struct Sent {
    pub topic: String,
    pub partition: u32,
    pub key: Option<String>,
    pub value: Option<String>,
    pub timestamp: i64,
}

/// What happens to a pipeline.
#[derive(Clone, Debug)]
pub enum Act {
    /// A record is written.
    Send(Sent),
    /// The engine works until there is nothing left to do.
    Settle,
    /// The clock moves on, stopping wherever there is something to do.
    Wait(i64),
    /// What there is is committed.
    Commit,
    /// The clock moves on, and nothing else happens.
    Clock(i64),
    /// The engine has so many turns.
    Turns(usize),
}

/// A pipeline and what happens to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub text: String,
    pub plan: Arc<Plan>,
    /// Partitions of topics; others have `default_partitions`.
    pub partitions: Vec<(String, u32)>,
    pub default_partitions: u32,
    pub acts: Vec<Act>,
    pub batch: usize,
    /// How much of the order of its output is fixed.
    pub strictness: Strictness,
}

impl Scenario {
    pub fn new(name: &str, text: &str) -> Self {
        let checked = plan::check(text, &[]);
        let faults: Vec<_> = checked.diagnostics.iter().map(|d| &d.message).collect();
        assert_eq!(checked.errors(), 0, "{name}: {faults:#?}\n{text}");
        Scenario {
            name: name.to_owned(),
            text: text.to_owned(),
            plan: Arc::new(checked.plan.unwrap()),
            partitions: vec![],
            default_partitions: 1,
            acts: vec![],
            batch: 7,
            strictness: Strictness::Partition,
        }
    }

    pub fn partitions(mut self, default: u32) -> Self {
        self.default_partitions = default;
        // The order of one worker's output over several tasks is not fixed, that of a key's records is.
        self.strictness = Strictness::Key;
        self
    }

    pub fn topic(mut self, name: &str, partitions: u32) -> Self {
        self.partitions.push((name.to_owned(), partitions));
        self
    }

    pub fn batch(mut self, records: usize) -> Self {
        self.batch = records;
        self
    }

    pub fn partitions_of(&self, topic: &str) -> u32 {
        let found = self.partitions.iter().find(|(name, _)| name == topic);
        found.map_or(self.default_partitions, |(_, count)| *count)
    }

    /// A record with a key, in the partition that is the key's; its timestamp counts its milliseconds from the start.
    pub fn send(mut self, topic: &str, key: &str, at: i64, value: &str) -> Self {
        let count = self.partitions_of(topic);
        let partition = streamrun::partitioner::partition_of(key.as_bytes(), count);
        self.acts.push(Act::Send(Sent {
            topic: topic.to_owned(),
            partition,
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
            timestamp: START + at,
        }));
        self
    }

    /// A reading `{"k": …, "x": …, "at": …}` of a key, at so many milliseconds from the start.
    pub fn reading(self, topic: &str, key: &str, at: i64, x: &str) -> Self {
        let value = format!(r#"{{"k":"{key}","x":{x},"at":{}}}"#, START + at);
        self.send(topic, key, at, &value)
    }

    /// A record without a value.
    pub fn tombstone(mut self, topic: &str, key: &str, at: i64) -> Self {
        self = self.send(topic, key, at, "");
        if let Some(Act::Send(sent)) = self.acts.last_mut() {
            sent.value = None;
        }
        self
    }

    pub fn settle(mut self) -> Self {
        self.acts.push(Act::Settle);
        self
    }

    pub fn wait(mut self, ms: i64) -> Self {
        self.acts.push(Act::Wait(ms));
        self
    }
}
