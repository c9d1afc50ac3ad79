//! A back-fill through a repartition: one partition holds a thousand times what the others do, so that whoever reads
//! those is hours ahead. Nothing is late for it, and what comes out is what one partition with all of it gives.

use crate::same_output::run_to_end;
use crate::support::engine::{DEADLINE, Start};
use crate::support::producer::{Producer, Raw};
use crate::support::reader::Found;
use crate::support::{Engine, Place, local};
use std::collections::BTreeMap;

/// Readings are keyed by nothing, and grouped by their grade.
const PIPELINE: &str = r#"
name = "NAME"
dead_letters = "NAME-dead"

[run]
workers = 3

[schema.reading]
grade = "string"
at = "timestamp(ms)"

[source.readings]
topic = "NAME-in"
schema = "reading"
event_time = "at"

[count.per_grade]
from = "readings"
by = "grade"

[tumble.per_minute]
from = "readings"
by = "grade"
every = "60s"
late = "dead-letter"
compute.n = 'count()'

[sink.counted]
from = "per_grade"
topic = "NAME-counted"

[sink.windows]
from = "per_minute"
topic = "NAME-windows"
"#;

const FIRST: i64 = 1_767_225_600_000;
const HOURS: i64 = 10 * 3_600_000;
/// How many records each partition has.
const RECORDS: [i64; 3] = [12, 12, 12_000];

pub fn one_partition_is_a_thousand_times_longer() {
    let place = Place::shared("back-fill");
    place.pipeline(PIPELINE);
    place.create("in", RECORDS.len() as i32, &[]);
    for topic in ["counted", "windows", "dead"] {
        place.create(topic, 1, &[]);
    }
    let mut records = records();
    let producer = Producer::new(place.cluster.bootstrap());
    records.iter().for_each(|raw| producer.send(&place.topic("in"), raw));
    producer.flush();
    Engine::start_as(&place, &Start { home: "a", flags: "--until-end", ..Start::default() })
        .ended(DEADLINE)
        .with(0);
    let log = place.path().join("log");
    // There is one order in one partition: that of their time.
    records.sort_by_key(|raw| raw.timestamp);
    local::send(&log, &place.topic("in"), 1, &records);
    run_to_end(place.path(), "--local=log");

    let reader = place.reader();
    let on_kafka = |topic: &str| reader.read(&place.topic(topic));
    let on_the_log = |topic: &str| local::read(&log, &place.topic(topic));
    assert_eq!((on_kafka("dead").len(), on_the_log("dead").len()), (0, 0), "nothing is late");
    let windows = rows(&on_kafka("windows"));
    assert!(windows.len() > 1_500, "three grades in each of ten hours' minutes: {}", windows.len());
    assert_eq!(windows, rows(&on_the_log("windows")));
    let counts = counts(&on_kafka("counted"));
    let all: i64 = RECORDS.iter().map(|records| records + 1).sum();
    assert_eq!(counts.values().sum::<i64>(), all);
    assert_eq!(counts, self::counts(&on_the_log("counted")));
}

/// Those of each partition are spread over the same hours; behind them comes one that closes their windows.
fn records() -> Vec<Raw> {
    let mut records = vec![];
    for (partition, count) in RECORDS.iter().enumerate() {
        for n in 0..=*count {
            let at = FIRST + if n == *count { HOURS * 2 } else { HOURS * n / count };
            let grade = ["low", "middle", "high"][(n as usize + partition) % 3];
            let value = format!(r#"{{"grade":"{grade}","at":{at}}}"#);
            let (partition, value) = (Some(partition as i32), Some(value.into_bytes()));
            records.push(Raw { partition, value, timestamp: Some(at), ..Raw::default() });
        }
    }
    records
}

/// Rows with their keys, in no order.
fn rows(all: &[Found]) -> Vec<String> {
    let mut rows: Vec<String> = all.iter().map(|found| format!("{} {}", found.key(), found.json())).collect();
    rows.sort();
    rows
}

/// The last count of each grade.
fn counts(all: &[Found]) -> BTreeMap<String, i64> {
    all.iter().map(|found| (found.key(), found.json()["count"].as_i64().expect("a count"))).collect()
}
