//! Tasks that do not come forward together: whoever writes a repartition is waited for by those who read it, through
//! restarts, silences, commits in between, and at the end.

use super::{Bench, GRADES};
use crate::support::Scenario;
use crate::support::scenario::START;
use crate::support::world::{cluster, sim};
use std::time::{Duration, Instant};
use streamrun::engine::{Engine, Until};
use streamrun::headers;
use streamrun::partitioner::partition_of;
use streamrun::runtime::Options;
use streamrun::transport::sim::{Cluster, Entry};

/// Windows by key feed windows over all.
const CHAIN: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"
max_future = "1000d"

[tumble.tens]
from = "in"
by = "k"
every = "10s"
late = "dead-letter"
compute.c = 'count()'

[map.one]
from = "tens"
set.all = '"all"'

[tumble.both]
from = "one"
by = "all"
every = "10s"
late = "dead-letter"
compute.n = 'sum(c)'

[sink.out]
from = "both"
topic = "out"
"#;

fn put(cluster: &Cluster, partition: u32, key: &str, at: i64) {
    let value = format!(r#"{{"k":"{key}","at":{}}}"#, START + at);
    let (key, value) = (Some(key.as_bytes().to_vec()), Some(value.into_bytes()));
    cluster.write("in", partition, Entry { timestamp: START + at, key, value, headers: vec![] }).unwrap();
}

/// How many records the windows that have ended had in all, and how many rows came too late for theirs.
fn counted(cluster: &Cluster) -> (i64, usize) {
    let rows = cluster.records("out").concat();
    let count = |entry: &Entry| -> i64 {
        let row: serde_json::Value = serde_json::from_slice(entry.value.as_deref().unwrap()).unwrap();
        row["n"].as_i64().unwrap()
    };
    (rows.iter().map(|entry| count(entry)).sum(), cluster.records("dead").concat().len())
}

/// A key that belongs to one of two partitions.
fn key_of(partition: u32) -> String {
    (0..).map(|n| format!("k{n}")).find(|key| partition_of(key.as_bytes(), 2) == partition).unwrap()
}

/// Both partitions were quiet, and hours have come to each when somebody starts again.
#[test]
fn who_was_quiet_before_a_restart_is_waited_for_behind_it() {
    for leaves_in_peace in [true, false] {
        let mut bench = Bench::of(Scenario::new("quiet", GRADES).partitions(2).batch(20));
        (0..2).for_each(|partition| bench.send(partition, 1_000, "1"));
        bench.work(15_000);
        if leaves_in_peace {
            bench.worker.finish().unwrap();
        }
        for partition in 0..2 {
            (0..1_000).for_each(|n| bench.send(partition, 5_000 + n * 5_000, "1"));
        }
        bench.crash();
        bench.work(30_000);
        assert_eq!(bench.dead(), 0, "in peace: {leaves_in_peace}");
        let counted: i64 = bench.minutes().iter().map(|(_, count)| count).sum();
        assert!(counted > 1_900, "the windows go on: {counted} of 2,002 are in those that have ended");
    }
}

/// The same without a restart: what both have read is committed at once.
#[test]
fn who_was_quiet_is_waited_for_when_hours_come_to_both() {
    let mut bench = Bench::of(Scenario::new("quiet", GRADES).partitions(2).batch(5_000));
    (0..2).for_each(|partition| bench.send(partition, 1_000, "1"));
    bench.work(15_000);
    for partition in 0..2 {
        (0..10_000).for_each(|n| bench.send(partition, 5_000 + n * 5_000, "1"));
    }
    bench.work(30_000);
    assert_eq!(bench.dead(), 0);
}

/// Those behind forget with a restart who is quiet. So it is said again, now and then and not with every commit.
#[test]
fn who_is_quiet_says_so_again() {
    let mut bench = Bench::new(2);
    bench.send(0, 1_000, "1");
    bench.work(20_000);
    let end = |bench: &Bench| bench.cluster.end_offset("p-per_grade-repartition", 0);
    let before = end(&bench);
    bench.work(300_000);
    let more = end(&bench) - before;
    // From each of two tasks, and with the end of a transaction behind.
    assert!((20..=45).contains(&more), "{more} in five minutes");
}

/// Not with every commit, of which there are 180.
#[test]
fn clocks_are_told_where_windows_end() {
    let mut bench = Bench::new(1);
    let markers = |bench: &Bench, node: &str| {
        let records = bench.cluster.records(&format!("p-{node}-repartition")).concat();
        records.iter().filter(|entry| entry.value.is_none()).count()
    };
    for second in 0..180 {
        bench.send(0, 1_000 + second * 1_000, "1");
        bench.work(100);
    }
    let found = ["per_grade", "per_minute"].map(|node| markers(&bench, node));
    assert_eq!(found, [4, 4], "the first one, and three minutes have ended");
}

/// A window that is closed in several commits has not ended for those behind before the last of its rows is there.
#[test]
fn more_rows_than_a_commit_holds_come_in_time() {
    let mut bench = Bench::of(Scenario::new("many", CHAIN).partitions(1).batch(1000));
    (0..25_000).for_each(|n| put(&bench.cluster, 0, &format!("k{n}"), 1_000));
    bench.work(1_000);
    put(&bench.cluster, 0, "k0", 100_000);
    bench.work(3_000);
    assert_eq!(counted(&bench.cluster), (25_000, 0));
}

/// A silence will close its window: until then it is waited for, however long others have gone on.
#[test]
fn who_has_a_window_open_that_silence_closes_is_not_quiet() {
    let text = CHAIN.replace("\"10s\"", "\"60s\"");
    let text =
        text.replace("event_time = \"at\"\n", "event_time = \"at\"\nlate_by = \"2s\"\nidle_after = \"5s\"\n");
    let mut bench = Bench::of(Scenario::new("open", &text).partitions(2).batch(1000));
    let (silent, live) = (key_of(0), key_of(1));
    put(&bench.cluster, 0, &silent, 5_000);
    put(&bench.cluster, 1, &live, 5_300);
    for second in 0..150 {
        bench.work(1_000);
        put(&bench.cluster, 1, &live, 9_300 + second * 1000);
    }
    bench.work(10_000);
    // Up to 0:59.3 and up to 1:59.3.
    assert_eq!(counted(&bench.cluster), (2 + 51 + 60, 0));
}

/// What was said by tasks that are no more holds nobody.
#[test]
fn an_input_with_fewer_partitions_stalls_nothing() {
    let mut bench = Bench::new(3);
    (0..3).for_each(|partition| bench.send(partition, 1_000, "1"));
    bench.work(1_000);
    let text = GRADES.replace("topic = \"in\"", "topic = \"other\"");
    bench.scenario = Scenario::new("fewer", &text).partitions(3);
    bench.cluster.create("other", 1);
    bench.crash();
    for n in 1..10 {
        let value = format!(r#"{{"k":"k","x":1,"at":{}}}"#, START + n * 10_000);
        let entry = Entry { timestamp: START, key: None, value: Some(value.into_bytes()), headers: vec![] };
        bench.cluster.write("other", 0, entry).unwrap();
    }
    bench.work(5_000);
    assert_eq!(bench.minutes(), [(1, 3 + 5)]);
}

/// Workers end together, and those behind hear of it when all windows before them are closed.
#[test]
fn windows_that_are_closed_at_the_end_feed_those_behind_in_time() {
    for round in 0..5 {
        let scenario = Scenario::new("end", CHAIN).partitions(2);
        let cluster = cluster(&scenario);
        let keys = [key_of(0), key_of(1)];
        // One has hours of windows, and one has many rows in one of the first.
        (0..60).for_each(|n| put(&cluster, 0, &keys[0], n * 10_000));
        let many = (0..).map(|n| format!("m{n}")).filter(|key| partition_of(key.as_bytes(), 2) == 1);
        many.take(15_000).for_each(|key| put(&cluster, 1, &key, 1_000));
        let transports = vec![sim(&scenario, &cluster), sim(&scenario, &cluster)];
        let until = Until::End { close_windows: true };
        let mut engine = Engine::start(&scenario.plan, transports, &Options::default(), until).unwrap();
        let (mut left, latest) = (vec![], Instant::now() + Duration::from_secs(120));
        let ended = loop {
            if let Some(ended) = engine.ended(&mut left) {
                break ended;
            }
            assert!(Instant::now() < latest, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        ended.unwrap();
        assert_eq!(counted(&cluster), (15_060, 0), "round {round}");
    }
}

/// What a repartition does not take is told of by where it came from.
#[test]
fn what_is_too_large_for_a_repartition_is_named_by_its_own_topic() {
    let mut bench = Bench::new(1);
    bench.cluster.limit("p-per_grade-repartition", 200);
    let mut trace = vec![];
    headers::push(&mut trace, b"trace", Some(b"7"));
    let value = format!(r#"{{"k":"a","x":1,"at":{START},"more":"{}"}}"#, "m".repeat(200));
    let entry = Entry {
        timestamp: START + 5,
        key: Some(b"theirs".to_vec()),
        value: Some(value.clone().into_bytes()),
        headers: trace,
    };
    bench.cluster.write("in", 0, entry).unwrap();
    bench.work(1_000);
    let letters = bench.cluster.records("dead").concat();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.key.as_deref(), letter.timestamp), (Some(&b"theirs"[..]), START + 5));
    let written = value.replace('}', r#","grade":"low"}"#);
    assert_eq!(letter.value.as_deref(), Some(written.as_bytes()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told: Vec<_> =
        headers::iter(&letter.headers).map(|(name, value)| (text(name), text(value.unwrap()))).collect();
    let named = |name: &str| told.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!((named("trace"), named("streamrun-origin")), (Some("7"), None));
    let origin = ["streamrun-topic", "streamrun-partition", "streamrun-offset"].map(named);
    assert_eq!(origin, [Some("in"), Some("0"), Some("0")]);
    let reason = named("streamrun-reason").unwrap();
    assert!(reason.starts_with("output is too large for `p-per_grade-repartition`"), "{reason}");
}
