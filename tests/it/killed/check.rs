//! What holds of the topics, whatever happened on the way to them.

use super::feeder::Sent;
use crate::support::outcome;
use crate::support::program::{Found, Place, sole_engine};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use streamrun::plan;
use streamrun::runtime::{Options, Worker};
use streamrun::time::SystemClock;
use streamrun::transport::local::Local;

/// Everything that is wrong.
pub fn faults(place: &Place, sent: &[Sent]) -> Vec<String> {
    let good: Vec<&Sent> = sent.iter().filter(|sent| sent.temperature.is_some()).collect();
    let mut faults = vec![];
    faults.extend(each_once(
        "enriched",
        ids(&place.records("enriched")),
        good.iter().map(|s| s.id.to_string()),
    ));
    let bad = sent.iter().filter(|sent| sent.temperature.is_none()).map(|sent| sent.value.clone());
    faults.extend(each_once("dead", place.values("dead"), bad));
    faults.extend(origins(&place.records("dead")));
    faults.extend(counts(&place.records("counted"), &good));
    faults.extend(each_once("windows", rows(&place.records("windows")), windows(&good)));
    let sensors: BTreeMap<_, _> = good.iter().map(|sent| (sent.sensor.clone(), ())).collect();
    let spoken = place.records("busy").concat().into_iter().map(|found| field(&found, "sensor_id"));
    faults.extend(each_once(
        "busy",
        spoken.collect(),
        sensors.into_keys().map(|sensor| format!("\"{sensor}\"")),
    ));
    faults.extend(tables(place, &good));
    faults
}

/// Each of what was expected is there, once, and nothing else is.
fn each_once(topic: &str, found: Vec<String>, expected: impl Iterator<Item = String>) -> Vec<String> {
    let mut balance: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    found.into_iter().for_each(|text| balance.entry(text).or_default().0 += 1);
    expected.for_each(|text| balance.entry(text).or_default().1 += 1);
    let wrong = balance.into_iter().filter(|(_, (found, expected))| found != expected);
    let said = wrong.map(|(text, (found, expected))| {
        format!("`{topic}`: {text} is there {found} times, and {expected} times was expected")
    });
    said.take(3).collect()
}

fn field(found: &Found, name: &str) -> String {
    let value: Value = serde_json::from_str(found.value.as_deref().unwrap_or_default()).unwrap_or_default();
    value.get(name).map(Value::to_string).unwrap_or_default()
}

fn ids(partitions: &[Vec<Found>]) -> Vec<String> {
    partitions.iter().flatten().map(|found| field(found, "id")).collect()
}

/// No two dead letters are of the same record.
fn origins(partitions: &[Vec<Found>]) -> Vec<String> {
    let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
    for found in partitions.iter().flatten() {
        let origin = (found.header("streamrun-partition").into(), found.header("streamrun-offset").into());
        *seen.entry(origin).or_default() += 1;
    }
    let twice = seen.into_iter().filter(|(origin, times)| *times > 1 || origin.1.is_empty());
    twice.take(3).map(|(origin, times)| format!("`dead`: {times} are of the record {origin:?}")).collect()
}

/// For each key 1, 2, 3 … beside its records, in the order in which they were sent.
fn counts(partitions: &[Vec<Found>], good: &[&Sent]) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for record in partitions.iter().flatten() {
        let key = record.key.clone().unwrap_or_default();
        found.entry(key).or_default().push((field(record, "count"), field(record, "id")));
    }
    let mut expected: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for sent in good {
        let of = expected.entry(sent.sensor.clone()).or_default();
        of.push(((of.len() + 1).to_string(), sent.id.to_string()));
    }
    let mut faults = vec![];
    for (sensor, expected) in expected {
        let found = found.remove(&sensor).unwrap_or_default();
        let most = found.len().max(expected.len());
        if let Some(at) = (0..most).find(|at| found.get(*at) != expected.get(*at)) {
            let (found, expected) = (found.get(at), expected.get(at));
            faults.push(format!("`counted`: {sensor} has {found:?} where {expected:?} was expected"));
        }
    }
    faults.extend(found.keys().map(|sensor| format!("`counted`: nobody sent {sensor}")));
    faults
}

/// What windows of ten seconds hold, from the input alone.
fn windows(good: &[&Sent]) -> impl Iterator<Item = String> {
    let mut all: BTreeMap<(String, i64), (u64, f64, f64, f64)> = BTreeMap::new();
    for sent in good {
        let temperature = sent.temperature.unwrap_or_default();
        let key = (sent.sensor.clone(), sent.time.div_euclid(10_000) * 10_000);
        let window = all.entry(key).or_insert((0, f64::MAX, f64::MIN, 0.0));
        *window =
            (window.0 + 1, window.1.min(temperature), window.2.max(temperature), window.3 + temperature);
    }
    all.into_iter().map(|((sensor, start), (count, min, max, sum))| {
        let mut text = vec![];
        streamrun::time::write_timestamp(&mut text, start).expect("a time of this century");
        let start = String::from_utf8_lossy(&text).into_owned();
        format!("{sensor} {start} {count} {min:?} {max:?} {sum:?}")
    })
}

/// The rows of windows, in the same words.
fn rows(partitions: &[Vec<Found>]) -> Vec<String> {
    let row = |found: &Found| {
        let value: Value = serde_json::from_str(found.value.as_deref()?).ok()?;
        let number = |name: &str| value.get(name)?.as_f64();
        let start = value.get("window_start")?.as_str()?.trim_matches('"').to_owned();
        let (min, max, sum) = (number("min_temp")?, number("max_temp")?, number("sum_temp")?);
        let sensor = value.get("sensor_id")?.as_str()?.to_owned();
        Some(format!("{sensor} {start} {} {min:?} {max:?} {sum:?}", value.get("readings")?))
    };
    partitions.iter().flatten().map(|found| row(found).unwrap_or_else(|| format!("{found:?}"))).collect()
}

/// The changelogs, read from their beginnings, hold what the last process left in its tables: a counter a sensor, and
/// no window.
fn tables(place: &Place, good: &[&Sent]) -> Vec<String> {
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    good.iter().for_each(|sent| *expected.entry(&sent.sensor).or_default() += 1);
    let expected =
        expected.into_iter().map(|(sensor, n)| format!(r#"{{"sensor_id":"{sensor}","count":{n}}}"#));
    let (left, folded) = (rows_of(place, Some(place.log().join("state/killed"))), rows_of(place, None));
    let mut faults = vec![];
    if left != folded {
        faults.push(format!("the tables were left as {left:#?} and their changelogs say {folded:#?}"));
    }
    let shown = folded.iter().filter(|row| !row.starts_with("busy "));
    let shown = shown.map(|row| row[row.find('{').unwrap_or(0)..].to_owned()).collect();
    faults.extend(each_once("the tables", shown, expected));
    faults
}

/// The rows of all tables as a worker finds them, from the last snapshots or without.
fn rows_of(place: &Place, snapshots: Option<PathBuf>) -> Vec<String> {
    let plan = Arc::new(plan::check(super::PIPELINE, &[]).plan.expect("it is sound"));
    let engine = sole_engine(&place.log(), "killed");
    let names = plan.topics.all().iter().map(|topic| topic.name.clone()).collect();
    let local = Local::open(&engine, names, 0, 1).expect("the log opens");
    let options = Options { snapshots, ..Options::default() };
    let mut worker = Worker::new(plan.clone(), local, Arc::new(SystemClock), options);
    while !worker.is_ready() || worker.running().next().is_none() {
        worker.turn().expect("it restores");
    }
    outcome::tables(&plan, worker.running().map(|(_, task)| task))
}
