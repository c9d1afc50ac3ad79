//! Bad surroundings: each is met with a clear message, and nothing is lost.

use crate::support::program::Place;
use serde_json::Value;
use std::collections::BTreeMap;

mod clock;
mod cluster;
mod demo;
mod disk;
mod engines;
mod looking;
mod mount;
mod signals;
mod tables;
mod trimmed;
mod usage;

const PIPELINE: &str = r#"
name = "p"
dead_letters = "dead"

[run]
commit_every = "20ms"
workers = 2

[schema.reading]
id = "string"
n = "int"
at = "timestamp(ms)"

[source.readings]
topic = "readings"
schema = "reading"
key = "id"
event_time = "at"
partitions = 2

[count.per_id]
from = "readings"
by = "id"

[tumble.sums]
from = "readings"
by = "id"
every = "10s"
compute.total = 'sum(n)'

[sink.out]
from = "per_id"
topic = "out"

[sink.sums_out]
from = "sums"
topic = "sums"

[generate.readings]
set.id = '"s-" + str(random_int(1, 400))'
set.n = 'random_int(1, 100)'
set.at = 'now()'
"#;

/// Sends so many records at once.
fn produce(place: &Place, count: u64, seed: u64) {
    let line = format!("produce p.toml --local=log --interval 0s --count {count} --seed {seed}");
    place.run(&line).with(0);
}

/// How many records have been counted.
fn counted(place: &Place) -> u64 {
    place.values("out").len() as u64
}

/// Each of so many records has been counted once: 1, 2, 3 … for every key.
fn assert_once(place: &Place, records: u64) {
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for found in place.records("out").concat() {
        let value: Value = serde_json::from_str(&found.value.unwrap_or_default()).expect("JSON");
        let of = counts.entry(found.key.unwrap_or_default()).or_default();
        of.push(value["count"].as_u64().expect("a count"));
    }
    for (key, counts) in &counts {
        let expected: Vec<u64> = (1..=counts.len() as u64).collect();
        assert_eq!(*counts, expected, "{key}");
    }
    assert_eq!(counts.values().map(|counts| counts.len() as u64).sum::<u64>(), records);
}
