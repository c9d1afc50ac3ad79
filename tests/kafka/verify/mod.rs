//! What must hold of the topics, whatever happened on the way to them, judged from what is committed alone.

use crate::support::reader::Found;
use crate::workload::sampler::Sample;
use expected::Expected;
use serde_json::Value;
use std::collections::BTreeMap;

pub mod expected;
pub mod logs;
pub mod tests;

pub use logs::{Logs, TOPICS};

/// Nobody reads more of one kind.
const MOST: usize = 3;

/// Everything that is wrong with what an engine did exactly once, and then closed.
pub fn faults(logs: &Logs) -> Vec<String> {
    let mut faults = contents(logs);
    faults.extend(positions(&logs.samples));
    faults.extend(at_end(logs));
    faults.extend(hanging(&logs.ends));
    faults
}

/// What is wrong with what the topics hold.
pub fn contents(logs: &Logs) -> Vec<String> {
    let expected = Expected::of(&logs.input);
    let mut faults = vec![];
    faults.extend(ids(&logs.counted, &expected));
    faults.extend(counts(&logs.counted, &expected));
    faults.extend(windows("windows", "id_key", &logs.windows, &expected.windows));
    faults.extend(between(&logs.between, &expected));
    faults.extend(sorted(&logs.sorted, &expected));
    faults.extend(windows("sort-windows", "sort", &logs.sort_windows, &expected.sort_windows));
    faults.extend(dead(&logs.dead, &expected));
    faults.extend(tables(logs, &expected));
    faults
}

/// Each of what was expected is there so often, and nothing else is.
fn each_once(
    topic: &str,
    found: impl Iterator<Item = String>,
    expected: impl Iterator<Item = String>,
) -> Vec<String> {
    let mut balance: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    found.for_each(|text| balance.entry(text).or_default().0 += 1);
    expected.for_each(|text| balance.entry(text).or_default().1 += 1);
    let wrong: Vec<_> = balance.into_iter().filter(|(_, (found, expected))| found != expected).collect();
    let more = wrong.len().saturating_sub(MOST);
    let said = wrong.into_iter().take(MOST).map(|(text, (found, expected))| {
        format!("`{topic}`: {text} is there {found} times, and {expected} times was expected")
    });
    said.chain((more > 0).then(|| format!("`{topic}`: and {more} more"))).collect()
}

/// Every id that was sent appears once.
fn ids(counted: &[Found], expected: &Expected) -> Vec<String> {
    let sent = expected.per_key.values().flatten().map(|id| format!("the id {id}"));
    each_once("counted", counted.iter().map(|found| format!("the id {}", found.json()["id"])), sent)
}

/// For each key 1, 2, 3 … beside its records, in the order in which they were sent.
fn counts(counted: &[Found], expected: &Expected) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<(Value, Value)>> = BTreeMap::new();
    for record in counted {
        let json = record.json();
        found.entry(record.key()).or_default().push((json["count"].clone(), json["id"].clone()));
    }
    let mut faults = vec![];
    for (key, ids) in &expected.per_key {
        let found = found.remove(key).unwrap_or_default();
        let expected: Vec<_> = (1..).zip(ids).map(|(n, id)| (Value::from(n), Value::from(*id))).collect();
        let most = found.len().max(expected.len());
        if let Some(at) = (0..most).find(|at| found.get(*at) != expected.get(*at)) {
            let (found, expected) = (found.get(at), expected.get(at));
            faults
                .push(format!("`counted`: {key} has (count, id) {found:?} where {expected:?} was expected"));
        }
    }
    faults.extend(found.keys().map(|key| format!("`counted`: nobody sent {key}")));
    faults.truncate(MOST);
    faults
}

/// Each window once, with what the input says.
fn windows(
    topic: &str,
    key: &str,
    windows: &[Found],
    expected: &BTreeMap<(String, i64), (i64, i64)>,
) -> Vec<String> {
    let row = |found: &Found| {
        let json = found.json();
        let text = |name: &str| json[name].as_str().map_or_else(|| json[name].to_string(), str::to_owned);
        format!("{} from {}: {} of {}", text(key), text("window_start"), json["n"], json["total"])
    };
    each_once(topic, windows.iter().map(row), expected::rows(expected))
}

/// What a repartition holds it holds as often as the input does. Markers have no value, and what has been read may have
/// been deleted.
fn between(between: &[Found], expected: &Expected) -> Vec<String> {
    let times = expected.times();
    let mut places: BTreeMap<i64, Vec<(i32, i64)>> = BTreeMap::new();
    for found in between.iter().filter(|found| found.value.is_some()) {
        let id = found.json()["id"].as_i64().unwrap_or(-1);
        places.entry(id).or_default().push((found.partition, found.offset));
    }
    let twice = places.into_iter().filter(|(id, at)| at.len() > times.get(id).copied().unwrap_or(0));
    twice.take(MOST).map(|(id, at)| format!("the repartition holds the id {id} at {at:?}")).collect()
}

/// Behind the repartition each id is there as often as it was sent, and each sort's counts are 1, 2, 3 …; whose turn it was is free.
fn sorted(sorted: &[Found], expected: &Expected) -> Vec<String> {
    let sent =
        expected.per_sort.iter().flat_map(|(sort, ids)| ids.iter().map(move |id| format!("{id} of {sort}")));
    let found = sorted.iter().map(|found| format!("{} of {}", found.json()["id"], found.key()));
    let mut faults = each_once("sorted", found, sent);
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for found in sorted {
        let (sort, count) = (found.key(), found.json()["count"].as_i64());
        let next = counts.entry(sort.clone()).or_default();
        *next += 1;
        if count != Some(*next) {
            faults.push(format!("`sorted`: {sort} has the count {count:?} where {next} was expected"));
            break;
        }
    }
    faults
}

/// Each record that cannot be used once, with where it stood, why, and its own bytes.
fn dead(dead: &[Found], expected: &Expected) -> Vec<String> {
    let said = |found: &Found| {
        let origin = (found.header("streamrun-partition"), found.header("streamrun-offset"));
        let value = String::from_utf8_lossy(found.value.as_deref().unwrap_or_default()).into_owned();
        format!("the record {} {} {} {value}", origin.0, origin.1, found.key())
    };
    let mut faults = each_once("dead", dead.iter().map(said), expected.dead.iter().map(ToString::to_string));
    let silent = dead.iter().filter(|found| found.header("streamrun-reason").is_empty());
    faults.extend(silent.take(MOST).map(|found| format!("`dead`: no reason with {found:?}")));
    faults
}

/// The changelogs, each key's last value taken, are a fold of the input; no window is open.
fn tables(logs: &Logs, expected: &Expected) -> Vec<String> {
    let said = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        format!("{} counted to {:?}", String::from_utf8_lossy(key), counter(value))
    };
    let counters = fold(&logs.counters);
    let should = expected.per_key.iter().map(|(key, ids)| format!("{key} counted to Some({})", ids.len()));
    let mut faults = each_once("per_key's changelog", counters.iter().map(said), should);
    let open = fold(&logs.open);
    faults
        .extend(open.iter().take(MOST).map(|(key, _)| format!("a window is left in its changelog: {key:?}")));
    faults
}

/// Each key's last value. A key has one partition, and there the order of offsets. What the bytes mean stands between
/// the rows, under a key that no row has.
fn fold(changelog: &[Found]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut table = BTreeMap::new();
    for found in changelog {
        let key = found.key.clone().unwrap_or_default();
        if key.starts_with(b"\xff\xff") {
            continue;
        }
        match &found.value {
            Some(value) => drop(table.insert(key, value.clone())),
            None => drop(table.remove(&key)),
        }
    }
    table
}

/// A counter's row: a version, one cell, eight bytes.
fn counter(value: &[u8]) -> Option<u64> {
    match value {
        [1, 1, cell @ ..] => Some(u64::from_le_bytes(cell.try_into().ok()?)),
        _ => None,
    }
}

/// What is committed never goes back.
pub fn positions(samples: &[Sample]) -> Vec<String> {
    let mut faults = vec![];
    for (before, after) in samples.iter().zip(samples.iter().skip(1)) {
        for (partition, (before, after)) in before.iter().zip(after).enumerate() {
            if after < before {
                faults.push(format!("the position of {partition} went from {before:?} back to {after:?}"));
            }
        }
    }
    faults.truncate(MOST);
    faults
}

/// In the end all of the input is committed as read.
fn at_end(logs: &Logs) -> Vec<String> {
    let Some(last) = logs.samples.last() else { return vec!["nobody saw a position".to_owned()] };
    let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
    logs.input.iter().for_each(|found| {
        ends.insert(found.partition, found.offset + 1);
    });
    let wrong = ends.iter().filter(|(partition, end)| last.get(**partition as usize) != Some(&Some(**end)));
    wrong
        .map(|(partition, end)| format!("partition {partition} ends at {end}, committed: {last:?}"))
        .collect()
}

/// No transaction is left open: everything that was written is committed or taken back.
pub fn hanging(ends: &[(String, Vec<(i64, i64)>)]) -> Vec<String> {
    let mut faults = vec![];
    for (topic, partitions) in ends {
        let open = (0..).zip(partitions).filter(|(_, (committed, all))| committed != all);
        faults.extend(open.map(|(partition, (committed, all))| {
            format!("`{topic}` {partition}: an open transaction between {committed} and {all}")
        }));
    }
    faults
}
