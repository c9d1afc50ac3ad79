//! What a pipeline must come to, computed from its input alone and in another way than the engine does.

use crate::support::reader::Found;
use crate::workload::{LATE_BY_MS, WINDOW_MS};
use std::collections::BTreeMap;
use std::fmt;

/// A record that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    pub partition: i32,
    pub offset: i64,
    pub key: String,
    pub value: String,
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record {} {} {} {}", self.partition, self.offset, self.key, self.value)
    }
}

/// What is expected of all topics.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The ids of each key that is counted, in their order.
    pub per_key: BTreeMap<String, Vec<i64>>,
    /// How many, and their sum, by key and start.
    pub windows: BTreeMap<(String, i64), (i64, i64)>,
    /// The ids of each sort that is counted.
    pub per_sort: BTreeMap<String, Vec<i64>>,
    /// How many, and their sum, by sort and start.
    pub sort_windows: BTreeMap<(String, i64), (i64, i64)>,
    pub dead: Vec<Dead>,
    pub late: u64,
}

impl Expected {
    /// What is to become of an input, given by partition and offset.
    pub fn of(input: &[Found]) -> Self {
        let mut expected = Expected::default();
        let mut clocks: BTreeMap<i32, i64> = BTreeMap::new();
        for found in input {
            match Reading::of(found) {
                Some(reading) => {
                    // The clock moves before the record is looked at, and for one that a rule rejects, too.
                    let clock = clocks.entry(found.partition).or_insert(i64::MIN);
                    *clock = (*clock).max(reading.at - LATE_BY_MS);
                    expected.reading(found, &reading, *clock);
                }
                None => expected.dead(found),
            }
        }
        expected
    }

    /// How often the input holds each id that is counted: more than once where its producer wrote it again.
    pub fn times(&self) -> BTreeMap<i64, usize> {
        let mut times = BTreeMap::new();
        self.per_sort.values().flatten().for_each(|id| *times.entry(*id).or_default() += 1);
        times
    }

    fn reading(&mut self, found: &Found, reading: &Reading, clock: i64) {
        if reading.amount < 0 {
            return self.dead(found);
        }
        self.per_key.entry(reading.key.clone()).or_default().push(reading.id);
        self.per_sort.entry(reading.sort.clone()).or_default().push(reading.id);
        let start = reading.at.div_euclid(WINDOW_MS) * WINDOW_MS;
        if start + WINDOW_MS <= clock {
            self.late += 1;
            return;
        }
        // Late or in time where it was written, so it is behind a repartition.
        for (windows, key) in [(&mut self.windows, &reading.key), (&mut self.sort_windows, &reading.sort)] {
            let window = windows.entry((key.clone(), start)).or_default();
            *window = (window.0 + 1, window.1 + reading.amount);
        }
    }

    fn dead(&mut self, found: &Found) {
        let value = String::from_utf8_lossy(found.value.as_deref().unwrap_or_default()).into_owned();
        self.dead.push(Dead { partition: found.partition, offset: found.offset, key: found.key(), value });
    }
}

/// Windows in words.
pub fn rows(windows: &BTreeMap<(String, i64), (i64, i64)>) -> impl Iterator<Item = String> {
    windows.iter().map(|((key, start), (n, total))| format!("{key} from {}: {n} of {total}", moment(*start)))
}

/// A time as the engine writes it.
pub fn moment(ms: i64) -> String {
    let mut text = vec![];
    streamrun::time::write_timestamp(&mut text, ms).expect("a time of this century");
    String::from_utf8_lossy(&text).trim_matches('"').to_owned()
}

/// What can be used of a record.
struct Reading {
    id: i64,
    key: String,
    sort: String,
    amount: i64,
    at: i64,
}

impl Reading {
    fn of(found: &Found) -> Option<Self> {
        let json = found.json();
        let number = |name: &str| json.get(name)?.as_i64();
        let key = json.get("id_key")?.as_str()?.to_owned();
        let sort = json.get("sort")?.as_str()?.to_owned();
        Some(Reading { id: number("id")?, key, sort, amount: number("amount")?, at: number("at")? })
    }
}
