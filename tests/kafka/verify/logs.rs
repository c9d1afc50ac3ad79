//! All that is left of a trial.

use crate::support::Place;
use crate::support::reader::{Found, Reader};
use crate::workload::sampler::Sample;
use std::time::{Duration, Instant};

/// Longer than any transaction may last. Whoever was killed and never came back has left one open that long.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(45);

/// The topics of a pipeline, each by partition and offset, and what was seen of it while it ran.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    pub input: Vec<Found>,
    pub counted: Vec<Found>,
    pub windows: Vec<Found>,
    /// The same of what is grouped behind a repartition.
    pub sorted: Vec<Found>,
    pub sort_windows: Vec<Found>,
    /// What stands between, as far as it has not been purged.
    pub between: Vec<Found>,
    pub dead: Vec<Found>,
    /// The changelog of the counts.
    pub counters: Vec<Found>,
    /// The changelog of open windows.
    pub open: Vec<Found>,
    pub samples: Vec<Sample>,
    /// For each topic and partition the end of what is committed and of what there is.
    pub ends: Vec<(String, Vec<(i64, i64)>)>,
}

/// The topics that are read, in the order of [`Logs`].
pub const TOPICS: [&str; 8] = [
    "in",
    "counted",
    "windows",
    "sorted",
    "sort-windows",
    "dead",
    "per_key-changelog",
    "per_window-changelog",
];
/// The topics between; what is written to them is the same.
const BETWEEN: [&str; 2] = ["per_sort-repartition", "per_sort_window-repartition"];

impl Logs {
    /// Reads everything, as somebody who has nothing to do with the engine.
    pub fn read(place: &Place, samples: Vec<Sample>) -> Self {
        let reader = place.reader();
        let is_there = |topic: &&&str| !reader.ends(&place.topic(topic)).is_empty();
        let between = BETWEEN.iter().filter(is_there);
        let ends = TOPICS.iter().chain(between);
        let ends = ends.map(|topic| ((*topic).to_owned(), decided(&reader, &place.topic(topic)))).collect();
        let between =
            BETWEEN.iter().filter(is_there).take(1).flat_map(|topic| reader.read(&place.topic(topic)));
        let between = between.collect();
        Logs { samples, ends, between, ..Logs::of(TOPICS.map(|topic| reader.read(&place.topic(topic)))) }
    }

    /// What the topics hold.
    pub fn of(topics: [Vec<Found>; 8]) -> Self {
        let [input, counted, windows, sorted, sort_windows, dead, counters, open] = topics;
        Logs { input, counted, windows, sorted, sort_windows, dead, counters, open, ..Logs::default() }
    }
}

/// A topic's ends, once they are one: or as they are after a time in which they should have become that.
fn decided(reader: &Reader, topic: &str) -> Vec<(i64, i64)> {
    let since = Instant::now();
    loop {
        let ends = reader.ends(topic);
        if ends.iter().all(|(committed, all)| committed == all) || since.elapsed() > LONGEST_TRANSACTION {
            return ends;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
