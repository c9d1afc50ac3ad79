//! What is run in trials: a pipeline with each way in which something can come out twice or not at all, and records
//! of which it is known what has to become of them.
//!
//! Some are no JSON, some break a rule, some come too late for their window. Each good one has an id of its own.

use crate::support::producer::Raw;
use crate::support::{Place, Random, broker};

pub mod feed;
pub mod sampler;

/// How many partitions the topics have.
pub const PARTITIONS: i32 = 4;
/// What the pipeline says, for those who compute what it must come to.
pub const LATE_BY_MS: i64 = 2_000;
pub const WINDOW_MS: i64 = 10_000;

/// The event time of the first record: 2025-01-01.
const START: i64 = 1_735_689_600_000;
/// Event time runs on by so much a record, and most are up to so much behind: less than `LATE_BY_MS`.
const STEP: i64 = 20;
const JITTER: i64 = 1_500;
/// So far behind is what comes too late.
const TOO_LATE: i64 = 60_000;
const KEYS: u64 = 23;
const SORTS: i64 = 5;

const PIPELINE: &str = r#"
name = "NAME"
guarantee = "GUARANTEE"
dead_letters = "NAME-dead"

[run]
commit_every = "50ms"
workers = WORKERS

[schema.reading]
id = "int"
id_key = "string"
sort = "string"
amount = "int"
at = "timestamp(ms)"

[source.readings]
topic = "NAME-in"
schema = "reading"
key = "id_key"
event_time = "at"
late_by = "2s"

[branch.valid]
from = "readings"
reject = [{ when = 'amount < 0', reason = "negative amount" }]

[count.per_key]
from = "valid"
by = "id_key"

[tumble.per_window]
from = "valid"
by = "id_key"
every = "10s"
compute.n = 'count()'
compute.total = 'sum(amount)'

[sink.counted_out]
from = "per_key"
topic = "NAME-counted"

[sink.windows_out]
from = "per_window"
topic = "NAME-windows"
"#;

/// The same grouped by what records are not keyed by: each group comes together in a repartition.
const REGROUPED: &str = r#"
[count.per_sort]
from = "valid"
by = "sort"

[tumble.per_sort_window]
from = "valid"
by = "sort"
every = "10s"
compute.n = 'count()'
compute.total = 'sum(amount)'

[sink.sorted_out]
from = "per_sort"
topic = "NAME-sorted"

[sink.sort_windows_out]
from = "per_sort_window"
topic = "NAME-sort-windows"
"#;

/// How members of a group find together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Classic,
    Consumer,
}

/// What differs from trial to trial.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub protocol: Protocol,
    pub exactly_once: bool,
    /// Whether records are also grouped by what they are not keyed by.
    pub regrouped: bool,
    /// What a dead process is given before others take over; none: the engine's own.
    pub short_session: bool,
    /// Further lines of `[kafka.producer]`.
    pub producer: &'static str,
    pub workers: u32,
    /// Records a second.
    pub rate: u64,
}

impl Default for Workload {
    fn default() -> Self {
        Workload {
            protocol: Protocol::Classic,
            exactly_once: true,
            regrouped: true,
            short_session: true,
            producer: "",
            workers: 1,
            rate: 2_000,
        }
    }
}

impl Workload {
    /// The pipeline file, `NAME` still being that.
    pub fn pipeline(&self) -> String {
        let guarantee = if self.exactly_once { "exactly-once" } else { "at-least-once" };
        let nodes = if self.regrouped { REGROUPED } else { "" };
        let text = [PIPELINE, nodes].concat();
        let text = text.replace("GUARANTEE", guarantee).replace("WORKERS", &self.workers.to_string());
        let mut settings = String::new();
        match self.protocol {
            // The broker alone says there how long it waits.
            Protocol::Consumer => settings.push_str("\n[kafka]\ngroup_protocol = \"consumer\"\n"),
            Protocol::Classic if self.short_session => settings.push_str(&format!(
                "\n[kafka.consumer]\n\"session.timeout.ms\" = {}\n\"heartbeat.interval.ms\" = 500\n",
                session_ms()
            )),
            Protocol::Classic => {}
        }
        if !self.producer.is_empty() {
            settings.push_str(&format!("\n[kafka.producer]\n{}\n", self.producer));
        }
        text + &settings
    }

    /// Makes the topics and writes the pipeline file.
    pub fn prepare(&self, place: &Place) {
        for topic in ["in", "counted", "windows", "sorted", "sort-windows", "dead"] {
            place.create(topic, PARTITIONS, &[]);
        }
        place.pipeline(&self.pipeline());
    }
}

/// How short a session may be: a cluster that is not ours has Kafka's own lower bound.
pub fn session_ms() -> u64 {
    if broker::external().is_some() { 6_000 } else { 3_000 }
}

/// What a record is sorted into, whatever its key.
pub fn sort(id: i64) -> String {
    format!("s-{}", id * 7 % SORTS)
}

/// The record of an id.
pub fn record(id: i64, dice: &mut Random) -> Raw {
    let key = format!("k-{}", dice.below(KEYS));
    let behind = if dice.one_in(40) { TOO_LATE } else { dice.within(0, JITTER) };
    let at = START + id * STEP - behind;
    let amount = if dice.one_in(30) { -1 } else { dice.within(0, 1_000) };
    let sort = sort(id);
    let json = format!(r#"{{"id":{id},"id_key":"{key}","sort":"{sort}","amount":{amount},"at":{at}}}"#);
    let value = if dice.one_in(50) { format!("not json {id}") } else { json };
    Raw {
        key: Some(key.into_bytes()),
        value: Some(value.into_bytes()),
        timestamp: Some(at),
        ..Raw::default()
    }
}
