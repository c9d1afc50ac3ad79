//! The verdict, tried on logs that are sound and on each way in which they can be spoiled.

use super::expected::{Expected, moment};
use super::{Logs, faults};
use crate::support::Random;
use crate::support::reader::Found;
use crate::workload::{PARTITIONS, record};
use streamrun::partitioner::partition_of;

const RECORDS: i64 = 2_000;

pub fn sound_logs_are_found_sound() {
    let sound = sound();
    assert_eq!(faults(&sound), [""; 0]);
    let expected = Expected::of(&sound.input);
    assert!(expected.late > 0 && expected.dead.len() > 10 && expected.windows.len() > 10, "it is no trial");
}

pub fn whatever_is_wrong_is_found() {
    spoiled("a record lost", &["the id", "counted"], |logs| drop(logs.counted.remove(7)));
    spoiled("a record twice", &["there 2 times"], |logs| logs.counted.push(logs.counted[7].clone()));
    spoiled("a record nobody sent", &["the id 99999"], |logs| logs.counted.push(counted("k-1", 1, 99_999)));
    spoiled("a count that goes on from an older one", &["(count, id)"], |logs| {
        let at = logs.counted.iter().position(|f| f.json()["count"] == 5).expect("five of a key");
        let found = logs.counted[at].clone();
        logs.counted[at] = Found { offset: found.offset, ..counted(&found.key(), 4, id(&found)) };
    });
    spoiled("two records of a key in the wrong order", &["(count, id)"], |logs| {
        let key = logs.counted[0].key();
        let next = (1..).find(|at| logs.counted[*at].key() == key).expect("a second of the key");
        logs.counted.swap(0, next);
    });
    spoiled("a window lost", &["`windows`", "there 0 times"], |logs| drop(logs.windows.pop()));
    spoiled("a window twice", &["`windows`", "there 2 times"], |logs| {
        logs.windows.push(logs.windows[0].clone());
    });
    spoiled("a window without one of its records", &["`windows`"], |logs| {
        let (first, n) = (logs.windows[0].clone(), logs.windows[0].json()["n"].as_i64().expect("a number"));
        let mut json = first.json();
        json["n"] = (n - 1).into();
        logs.windows[0].value = Some(json.to_string().into_bytes());
    });
    spoiled("a record lost behind the repartition", &["`sorted`", "0 times"], |logs| drop(logs.sorted.pop()));
    spoiled("a record twice behind it", &["`sorted`", "2 times"], |logs| {
        logs.sorted.push(logs.sorted[7].clone())
    });
    spoiled("a count behind it that goes on from an older one", &["has the count Some(1) where 2"], |logs| {
        let at = logs.sorted.iter().position(|f| f.json()["count"] == 2).expect("two of a sort");
        logs.sorted[at] = sorted(&logs.sorted[at].key(), 1, id(&logs.sorted[at]));
    });
    spoiled("a record twice between", &["holds the id"], |logs| {
        logs.between = vec![logs.sorted[7].clone(); 2]
    });
    spoiled("a window lost behind it", &["`sort-windows`", "0 times"], |logs| drop(logs.sort_windows.pop()));
    spoiled("a dead letter lost", &["`dead`"], |logs| drop(logs.dead.remove(0)));
    spoiled("a dead letter twice", &["`dead`", "there 2 times"], |logs| logs.dead.push(logs.dead[0].clone()));
    spoiled("a dead letter that is another", &["`dead`"], |logs| logs.dead[0].value = None);
    spoiled("a dead letter without a reason", &["no reason"], |logs| drop(logs.dead[0].headers.remove(0)));
    spoiled("a table that fell behind", &["changelog"], |logs| drop(logs.counters.pop()));
    spoiled("a table that went ahead", &["changelog"], |logs| logs.counters.push(counter("k-1", 9_999)));
    spoiled("a window left open", &["left in its changelog"], |logs| {
        logs.open.push(Found { key: Some(vec![1; 9]), value: Some(vec![1]), ..Found::default() });
    });
    spoiled("a position that goes back", &["back to"], |logs| {
        let last = logs.samples.last().expect("a sample").clone();
        let before = last.iter().map(|offset| offset.map(|offset| offset - 1)).collect();
        logs.samples.extend([before, last]);
    });
    spoiled("a position that is lost", &["back to None"], |logs| {
        let last = logs.samples.last().expect("a sample").clone();
        logs.samples.extend([vec![None; PARTITIONS as usize], last]);
    });
    spoiled("input that was not read", &["ends at"], |logs| drop(logs.samples.pop()));
    spoiled("a transaction left open", &["open transaction between 5 and 6"], |logs| {
        logs.ends.push(("counted".into(), vec![(5, 6)]));
    });
}

fn spoiled(what: &str, words: &[&str], spoil: impl FnOnce(&mut Logs)) {
    let mut logs = sound();
    spoil(&mut logs);
    let found = faults(&logs).join("\n");
    words.iter().for_each(|words| assert!(found.contains(words), "{what}: expected {words:?} in:\n{found}"));
}

/// What an engine without faults would leave.
fn sound() -> Logs {
    let input = input();
    let expected = Expected::of(&input);
    let mut logs = Logs { ends: vec![("in".into(), vec![(7, 7)])], ..Logs::default() };
    for (key, ids) in &expected.per_key {
        for (n, id) in (1..).zip(ids) {
            logs.counted.push(counted(key, n, *id));
            logs.counters.push(counter(key, n as u64));
        }
    }
    for (sort, ids) in &expected.per_sort {
        logs.sorted.extend((1..).zip(ids).map(|(n, id)| sorted(sort, n, *id)));
    }
    for (windows, key, rows) in [
        (&expected.windows, "id_key", &mut logs.windows),
        (&expected.sort_windows, "sort", &mut logs.sort_windows),
    ] {
        for ((group, start), (n, total)) in windows {
            let start = moment(*start);
            let row = format!(r#"{{"{key}":"{group}","window_start":"{start}","n":{n},"total":{total}}}"#);
            rows.push(Found { value: Some(row.into_bytes()), ..Found::default() });
        }
    }
    for dead in &expected.dead {
        let header = |name: &str, value: String| (name.to_owned(), Some(value.into_bytes()));
        let headers = vec![
            header("streamrun-reason", "no good".into()),
            header("streamrun-partition", dead.partition.to_string()),
            header("streamrun-offset", dead.offset.to_string()),
        ];
        let (key, value) = (Some(dead.key.clone().into_bytes()), Some(dead.value.clone().into_bytes()));
        logs.dead.push(Found { key, value, headers, ..Found::default() });
    }
    let window = Found { key: Some(vec![1; 9]), value: Some(vec![1]), ..Found::default() };
    logs.open = vec![window.clone(), Found { value: None, ..window }];
    let mut ends = vec![None; PARTITIONS as usize];
    input.iter().for_each(|found| ends[found.partition as usize] = Some(found.offset + 1));
    logs.samples = vec![vec![None; PARTITIONS as usize], vec![Some(1); PARTITIONS as usize], ends];
    logs.input = input;
    logs
}

fn input() -> Vec<Found> {
    let mut dice = Random::new(1);
    let mut partitions = vec![vec![]; PARTITIONS as usize];
    for id in 0..RECORDS {
        let raw = record(id, &mut dice);
        let partition = partition_of(raw.key.as_deref().unwrap_or_default(), PARTITIONS as u32);
        let of = &mut partitions[partition as usize];
        let (partition, offset) = (partition as i32, of.len() as i64);
        of.push(Found { partition, offset, key: raw.key, value: raw.value, ..Found::default() });
    }
    partitions.concat()
}

fn counted(key: &str, count: i64, id: i64) -> Found {
    let value = format!(r#"{{"id":{id},"id_key":"{key}","count":{count}}}"#);
    Found { key: Some(key.into()), value: Some(value.into_bytes()), ..Found::default() }
}

fn sorted(sort: &str, count: i64, id: i64) -> Found {
    let value = format!(r#"{{"id":{id},"sort":"{sort}","count":{count}}}"#);
    Found { key: Some(sort.into()), value: Some(value.into_bytes()), ..Found::default() }
}

fn id(found: &Found) -> i64 {
    found.json()["id"].as_i64().expect("a number")
}

fn counter(key: &str, count: u64) -> Found {
    let value = [&[1, 1][..], &count.to_le_bytes()].concat();
    Found { key: Some(key.into()), value: Some(value), ..Found::default() }
}
