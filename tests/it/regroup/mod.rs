//! Repartitions: what is grouped behind one is what one task with all of the input would have grouped.

mod together;

use crate::support::scenario::{Act, START};
use crate::support::world::{cluster, options, settle, sim};
use crate::support::{Outcome, Scenario, World, kinds};
use std::sync::Arc;
use streamrun::headers;
use streamrun::partitioner::partition_of;
use streamrun::runtime::{Broken, Worker};
use streamrun::time::{Clock, ManualClock};
use streamrun::transport::sim::{Cluster, Entry, Sim};

/// Readings are keyed by `k` and grouped by their grade.
const GRADES: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "float"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
event_time = "at"
late_by = "2s"
max_future = "1000d"

[map.graded]
from = "in"
set.grade = 'if(x >= 3.0, "high", "low")'

[count.per_grade]
from = "graded"
by = "grade"

[tumble.per_minute]
from = "graded"
by = "grade"
every = "60s"
late = "dead-letter"
compute.c = 'count()'
compute.least = 'min(x)'
compute.sum = 'sum(x)'

[sink.out]
from = "per_minute"
topic = "out"
"#;

const MINUTE: i64 = 60_000;
const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn run(scenario: &Scenario, broken: Broken) -> Outcome {
    World::run(scenario, vec![], broken).unwrap()
}

/// The rows that were written and the tables, in no order.
fn result(outcome: &Outcome) -> (Vec<String>, Vec<String>) {
    let lines = outcome.topics["out"].concat();
    let mut rows: Vec<String> =
        lines.into_iter().map(|line| format!("{:?} {}", line.key, line.rest)).collect();
    rows.sort();
    // A row says behind its node in which partition it is.
    let row = |line: &String| -> String {
        line.split(' ').enumerate().filter(|(at, _)| *at != 2).map(|(_, word)| format!("{word} ")).collect()
    };
    let mut tables: Vec<String> = outcome.tables.iter().map(row).collect();
    tables.sort();
    (rows, tables)
}

/// Hours of readings. A poll takes the first partition first, so that it is read to its end before the others begin.
fn back_fill(partitions: u32, batch: usize) -> Scenario {
    let mut scenario = Scenario::new("back-fill", GRADES).partitions(partitions).batch(batch);
    for minute in 0..180 {
        for (n, key) in KEYS.iter().enumerate() {
            let x = (minute + n as i64) % 6;
            scenario = scenario.reading("in", key, minute * MINUTE + n as i64 * 300, &x.to_string());
        }
    }
    // Everyone comes to one end.
    for key in KEYS {
        scenario = scenario.reading("in", key, 200 * MINUTE, "0");
    }
    scenario.wait(30_000)
}

#[test]
fn a_task_that_runs_hours_ahead_makes_nothing_late() {
    let partitions: Vec<u32> = KEYS.iter().map(|key| partition_of(key.as_bytes(), 3)).collect();
    assert!((0..3).all(|p| partitions.contains(&p)), "each partition has a key: {partitions:?}");
    let one = run(&back_fill(1, 1000), Broken::Nothing);
    assert_eq!((one.topics["out"].concat().len(), one.topics["dead"].concat().len()), (2 * 180, 0));
    for batch in [1, 50, 1000] {
        let several = run(&back_fill(3, batch), Broken::Nothing);
        assert!(several.topics["dead"].concat().is_empty(), "batches of {batch}: something is late");
        assert!(result(&several) == result(&one), "batches of {batch}");
    }
}

#[test]
fn without_markers_it_would() {
    let deaf = run(&back_fill(3, 50), Broken::DeafToMarkers);
    assert!(deaf.topics["dead"].concat().len() > 100, "the clock follows whoever runs ahead");
    assert!(result(&deaf) != result(&run(&back_fill(1, 1000), Broken::Nothing)));
}

/// What comes too late for its window where it is read is late behind the repartition, whatever was committed when.
#[test]
fn what_is_late_at_its_source_is_late_behind() {
    let scenario = |pauses: bool| {
        let pause = |scenario: Scenario| if pauses { scenario.wait(500) } else { scenario };
        let scenario = Scenario::new("late", GRADES).reading("in", "a", 1_000, "1");
        let scenario = pause(scenario.reading("in", "a", 63_000, "1"));
        pause(scenario.reading("in", "a", 59_000, "4")).reading("in", "a", 200_000, "1").wait(500)
    };
    for pauses in [true, false] {
        let outcome = run(&scenario(pauses), Broken::Nothing);
        let dead = outcome.topics["dead"].concat();
        assert_eq!(dead.len(), 1, "{dead:?}");
        assert!(dead[0].rest.contains("streamrun-reason=late"), "{dead:?}");
        // It is named by where it came from, as it is.
        assert_eq!(dead[0].key.as_deref(), Some("a"));
        let origin = "streamrun-topic=in streamrun-partition=0 streamrun-offset=2 ";
        assert!(dead[0].rest.contains(origin), "{dead:?}");
        assert_eq!(outcome.topics["out"].concat().len(), 2);
    }
}

/// A worker by a clock that the test moves.
struct Bench {
    scenario: Scenario,
    cluster: Cluster,
    clock: ManualClock,
    worker: Worker<Sim>,
}

impl Bench {
    fn new(partitions: u32) -> Self {
        Self::of(Scenario::new("bench", GRADES).partitions(partitions))
    }

    fn of(scenario: Scenario) -> Self {
        let (cluster, clock) = (cluster(&scenario), ManualClock::at(START));
        let worker = worker(&scenario, &cluster, &clock);
        Bench { scenario, cluster, clock, worker }
    }

    /// A reading in a partition, whatever its key says: producers do as they like.
    fn send(&self, partition: u32, at: i64, x: &str) {
        let value = format!(r#"{{"k":"k{partition}","x":{x},"at":{}}}"#, START + at);
        let entry =
            Entry { timestamp: START + at, key: None, value: Some(value.into_bytes()), headers: vec![] };
        self.cluster.write("in", partition, entry).unwrap();
    }

    /// Works until nothing is left, as time goes by.
    fn work(&mut self, ms: i64) {
        let until = self.clock.now_ms() + ms;
        loop {
            settle(&mut self.worker).unwrap();
            if self.clock.now_ms() >= until {
                return;
            }
            self.clock.set((self.clock.now_ms() + 100).min(until));
        }
    }

    fn crash(&mut self) {
        let next = worker(&self.scenario, &self.cluster, &self.clock);
        std::mem::replace(&mut self.worker, next).transport.crash();
    }

    /// The minutes that are closed, each with how many readings it has in all.
    fn minutes(&self) -> Vec<(i64, i64)> {
        let mut minutes = std::collections::BTreeMap::new();
        for entry in self.cluster.records("out").concat() {
            let row: serde_json::Value = serde_json::from_slice(entry.value.as_deref().unwrap()).unwrap();
            *minutes.entry((entry.timestamp + 1 - START) / MINUTE).or_default() += row["c"].as_i64().unwrap();
        }
        minutes.into_iter().collect()
    }

    fn dead(&self) -> usize {
        self.cluster.records("dead").concat().len()
    }
}

fn worker(scenario: &Scenario, cluster: &Cluster, clock: &ManualClock) -> Worker<Sim> {
    let options = options(scenario, Broken::Nothing);
    Worker::new(scenario.plan.clone(), sim(scenario, cluster), Arc::new(clock.clone()), options)
}

#[test]
fn a_partition_that_is_empty_holds_the_clock_for_ten_seconds_and_no_longer() {
    let mut bench = Bench::new(2);
    bench.send(0, 1_000, "1");
    bench.send(0, 63_000, "1");
    bench.work(5_000);
    assert_eq!(bench.minutes(), [], "it may still have something");
    bench.work(7_000);
    assert_eq!(bench.minutes(), [(1, 1)]);
    // When something comes after all it is waited for again.
    bench.send(1, 64_000, "1");
    bench.work(500);
    bench.send(0, 190_000, "1");
    bench.work(5_000);
    assert_eq!((bench.minutes(), bench.dead()), (vec![(1, 1)], 0));
    bench.send(1, 190_000, "1");
    bench.work(1_000);
    assert_eq!(bench.minutes(), [(1, 1), (2, 2)]);
}

#[test]
fn a_partition_that_goes_quiet_is_waited_for_ten_seconds_and_others_go_on() {
    let mut bench = Bench::new(2);
    (0..2).for_each(|p| bench.send(p, 1_000, "1"));
    bench.work(12_000);
    for second in 0..20 {
        bench.send(0, 61_000 + second * 10_000, "1");
        bench.work(1_000);
    }
    assert_eq!(
        bench.minutes(),
        [(1, 2), (2, 6), (3, 6), (4, 6)],
        "the other one has been quiet all the time"
    );
    assert_eq!(bench.dead(), 0);
}

/// The clock behind is that of the whole, and survives whoever computes it.
#[test]
fn a_clock_that_is_held_stays_held_over_a_crash() {
    let mut bench = Bench::new(2);
    bench.send(0, 1_000, "1");
    bench.send(1, 1_000, "1");
    bench.work(500);
    bench.send(0, 500_000, "1");
    bench.work(500);
    for _ in 0..3 {
        bench.crash();
        bench.work(2_000);
        assert_eq!(bench.minutes(), [], "the second partition has not come as far");
    }
    bench.send(1, 30_000, "1");
    bench.send(1, 500_000, "1");
    bench.work(1_000);
    assert_eq!((bench.minutes(), bench.dead()), (vec![(1, 3)], 0));
}

#[test]
fn a_partition_that_appears_is_waited_for_and_stalls_nothing() {
    let mut bench = Bench::new(2);
    (0..2).for_each(|p| bench.send(p, 1_000, "1"));
    bench.work(1_000);
    bench.cluster.widen("in", 3);
    bench.crash();
    bench.work(500);
    (0..2).for_each(|p| bench.send(p, 130_000, "1"));
    bench.work(3_000);
    assert_eq!(bench.minutes(), [], "nobody knows yet what the new one has");
    bench.send(2, 30_000, "1");
    bench.work(1_000);
    bench.send(2, 130_000, "1");
    bench.work(1_000);
    assert_eq!((bench.minutes(), bench.dead()), (vec![(1, 3)], 0));
    // And if nothing ever comes, it holds nobody.
    bench.cluster.widen("in", 4);
    bench.crash();
    (0..3).for_each(|p| bench.send(p, 250_000, "1"));
    bench.work(12_000);
    assert_eq!(bench.minutes(), [(1, 3), (3, 3)]);
}

/// Between a record and its marker there is no commit: both are seen, or neither.
#[test]
fn a_worker_that_dies_between_a_record_and_its_marker_leaves_neither() {
    let mut bench = Bench::new(2);
    (0..2).for_each(|p| bench.send(p, 1_000, "1"));
    bench.work(1_000);
    for turns in 1..12 {
        let at = i64::from(turns) * 120_000;
        (0..2).for_each(|p| bench.send(p, at, "1"));
        for _ in 0..turns {
            bench.worker.turn().unwrap();
        }
        bench.crash();
        bench.work(1_000);
        // Two a window, whatever was under way, and each as soon as its end has come.
        let expected: Vec<_> = (0..i64::from(turns)).map(|n| (n * 2 + 1, 2)).collect();
        assert_eq!((bench.minutes(), bench.dead()), (expected, 0), "after {turns} turns");
    }
}

/// With a silence that closes windows, the clock before a repartition goes on where windows behind it end.
#[test]
fn a_silence_closes_windows_behind_a_repartition() {
    let text = GRADES.replace("late_by = \"2s\"\n", "late_by = \"2s\"\nidle_after = \"5s\"\n");
    let mut bench = Bench::of(Scenario::new("silence", &text).partitions(2));
    (0..2).for_each(|p| bench.send(p, 30_000, "1"));
    bench.work(20_000);
    assert_eq!(bench.minutes(), [], "the minute is not over");
    bench.work(14_000);
    assert_eq!(bench.minutes(), [(1, 2)]);
    let before = bench.cluster.end_offset("p-per_minute-repartition", 0);
    bench.work(600_000);
    let markers = bench.cluster.end_offset("p-per_minute-repartition", 0) - before;
    // From each of two tasks where a minute ends, and every half minute as they are quiet.
    assert!(markers < 100, "ten minutes of silence have written {markers} markers and ends of transactions");
}

/// Windows of ten seconds feed windows of a minute that are keyed otherwise, and days lie between two records.
#[test]
fn a_chain_over_repartitions_loses_nothing_in_a_jump_of_days() {
    let outcome = run(&kinds::regrouped_twice(), Broken::Nothing);
    assert!(outcome.topics["dead"].concat().is_empty(), "{:?}", outcome.topics["dead"]);
    let sum = |topic: &str, field: &str| -> i64 {
        let lines = outcome.topics[topic].concat();
        let value = |line: &crate::support::outcome::Line| -> serde_json::Value {
            serde_json::from_str(line.rest.rsplit_once(" @").unwrap().0).unwrap()
        };
        lines.iter().map(|line| value(line)[field].as_i64().unwrap()).sum()
    };
    // All but the last reading's window are closed, and of the windows behind those all that were handed on.
    assert_eq!((sum("tens", "c"), sum("minutes", "windows"), sum("minutes", "records")), (5, 3, 5));
    for topic in ["tens", "minutes"] {
        for lines in &outcome.topics[topic] {
            let at = |line: &crate::support::outcome::Line| -> i64 {
                line.rest.rsplit_once('@').unwrap().1.parse().unwrap()
            };
            let order: Vec<_> = lines.iter().map(|line| (at(line), line.key.clone())).collect();
            assert!(order.is_sorted(), "by window end, then key: {order:?}");
        }
    }
}

/// Headers, keys and times of a record are its own on the far side, and none of ours is written on.
#[test]
fn a_record_is_what_it_was_on_the_far_side() {
    let text = r#"
name = "p"
dead_letters = "dead"
[schema.reading]
k = "string"
x = "float"
[source.in]
topic = "in"
schema = "reading"
[count.per_x]
from = "in"
by = "x"
[map.told]
from = "per_x"
set.from = '_topic + "/" + str(_partition) + "/" + str(_offset) + "/" + coalesce(_key, "none")'
set.share = '6 / (count - 2)'
[sink.out]
from = "told"
topic = "out"
"#;
    let scenario = Scenario::new("own", text).partitions(1);
    let mut bench = Bench::of(scenario);
    let mut theirs = vec![];
    headers::push(&mut theirs, b"trace", Some(b"7"));
    for n in 0..3 {
        let entry = Entry {
            timestamp: START + n,
            key: Some(format!("key {n}").into_bytes()),
            value: Some(br#"{"k":"a","x":-0.0,"more":[1]}"#.to_vec()),
            headers: theirs.clone(),
        };
        bench.cluster.write("in", 0, entry).unwrap();
    }
    bench.work(1_000);
    let written = bench.cluster.records("out").concat();
    assert_eq!(written.len(), 2);
    let value = String::from_utf8(written[0].value.clone().unwrap()).unwrap();
    let expected = r#"{"k":"a","x":-0.0,"more":[1],"count":1,"from":"in/0/0/key 0","share":-6}"#;
    assert_eq!(value, expected);
    assert_eq!((written[0].timestamp, &written[0].headers), (START, &theirs));
    assert_eq!(written[0].key.as_deref(), Some(&b"0.0"[..]), "there is one zero");
    let dead = bench.cluster.records("dead").concat();
    assert_eq!((dead.len(), dead[0].timestamp), (1, START + 1));
    assert_eq!(dead[0].key.as_deref(), Some(&b"key 1"[..]));
    let told: Vec<String> = headers::iter(&dead[0].headers)
        .map(|(name, value)| {
            format!(
                "{}={}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value.unwrap_or_default())
            )
        })
        .collect();
    assert_eq!(told[0], "trace=7");
    let origin = ["streamrun-topic=in", "streamrun-partition=0", "streamrun-offset=1"];
    assert_eq!(told[3..], origin.map(str::to_owned), "{told:?}");
}

/// What has been read and committed is deleted now and then: a repartition does not grow.
#[test]
fn what_has_been_read_of_a_repartition_is_purged() {
    let mut bench = Bench::new(2);
    let mut longest = 0;
    for round in 0..20 {
        for n in 0..200 {
            bench.send(n % 2, i64::from(round) * 10_000 + i64::from(n), "1");
        }
        bench.work(10_000);
        for topic in ["p-per_grade-repartition", "p-per_minute-repartition"] {
            for partition in 0..2 {
                let kept =
                    bench.cluster.end_offset(topic, partition) - bench.cluster.start_offset(topic, partition);
                longest = longest.max(kept);
            }
        }
    }
    assert!(longest < 2_000, "up to {longest} of more than 4,000 are kept");
    bench.crash();
    bench.work(1_000);
    assert_eq!(bench.dead(), 0);
    let read: i64 = bench.minutes().iter().map(|(_, count)| count).sum();
    assert_eq!(read, 3_600, "nothing that was needed is gone: three minutes are over");
}

/// A key that producers do not keep any more, or keep again, is another way to the table: it must not go on silently.
#[test]
fn a_table_that_moves_behind_a_repartition_stops_the_start() {
    let keyed =
        GRADES.replace("event_time", "key = \"k\"\nevent_time").replace("by = \"grade\"", "by = \"k\"");
    let before = Scenario::new("before", &keyed).reading("in", "a", 1_000, "1").wait(500);
    let mut world = World::new(&before, vec![], Broken::Nothing);
    before.acts.iter().for_each(|act| world.act(act).unwrap());
    let after = Scenario::new("after", &keyed.replace("key = \"k\"\n", ""));
    after.plan.topics.all().iter().for_each(|topic| world.cluster.create(&topic.name, 1));
    let clock = ManualClock::at(START);
    let why = settle(&mut worker(&after, &world.cluster, &clock)).unwrap_err().to_string();
    assert!(why.starts_with("the table of `per_grade` was made of what is keyed otherwise"), "{why}");
    assert!(why.contains("--reset per_grade"), "{why}");
    world.act(&Act::Settle).unwrap();
}
