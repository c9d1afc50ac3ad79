//! Inputs that are read to their ends: what stands there, whose they are by then, and who ends when.

use crate::support::Scenario;
use crate::support::scenario::START;
use crate::support::world::{cluster, options, settle, sim};
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::engine::{Engine, Until};
use streamrun::runtime::{Broken, Options, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::sim::{Cluster, Entry, Fault, Faults, Sim, When};

const COUNT: &str = r#"
name = "p"

[schema.reading]
k = "string"

[source.in]
topic = "in"
schema = "reading"

[sink.out]
from = "in"
topic = "out"
"#;

const TWO: &str = r#"
name = "p"

[source.a]
topic = "a"
format = "bytes"

[source.b]
topic = "b"
format = "bytes"

[sink.out]
from = ["a", "b"]
topic = "out"
"#;

/// A worker that reads to the ends.
fn worker(scenario: &Scenario, cluster: &Cluster) -> Worker<Sim> {
    let options = Options { to_ends: true, ..options(scenario, Broken::Nothing) };
    let clock = Arc::new(ManualClock::at(START));
    Worker::new(scenario.plan.clone(), sim(scenario, cluster), clock, options)
}

/// The same by a clock of its own.
fn worker_by(scenario: &Scenario, cluster: &Cluster, clock: &ManualClock) -> Worker<Sim> {
    let options = Options { commit_every: 0, ..options(scenario, Broken::Nothing) };
    Worker::new(scenario.plan.clone(), sim(scenario, cluster), Arc::new(clock.clone()), options)
}

fn turns(worker: &mut Worker<Sim>, turns: usize) {
    for _ in 0..turns {
        worker.turn().unwrap();
    }
}

fn entry(value: &str) -> Entry {
    Entry { timestamp: START, key: None, value: Some(value.as_bytes().to_vec()), headers: vec![] }
}

/// A record as a transaction leaves it: with the end of the transaction behind it.
fn write(cluster: &Cluster, topic: &str, value: &str) {
    let transaction = cluster.id();
    cluster.write_open(transaction, topic, 0, entry(value));
    cluster.end(transaction, Some(&[]));
}

#[test]
fn what_is_no_record_keeps_no_input_from_its_end() {
    let scenario = Scenario::new("ends", COUNT);
    let cluster = cluster(&scenario);
    write(&cluster, "in", r#"{"k":"a"}"#);
    let mut first = worker(&scenario, &cluster);
    settle(&mut first).unwrap();
    assert!(first.is_at_ends(), "one record and the end of its transaction");
    first.commit_now().unwrap();
    let committed = cluster.committed("in", 0).unwrap().0;
    assert_eq!(committed, cluster.end_offset("in", 0), "nothing is left to read, and other tools see it");
}

/// What waits in a queue has been handed out, and is not done.
#[test]
fn a_record_that_waits_for_another_input_is_not_passed_over() {
    let scenario = Scenario::new("ends", TWO).topic("a", 1).topic("b", 1);
    let cluster = cluster(&scenario);
    write(&cluster, "a", "2");
    cluster.write("b", 0, Entry { timestamp: START - 1, ..entry("1") });
    // Somebody's transaction is still open in the other one: a record that is known to be there and cannot be read.
    let open = cluster.id();
    cluster.write_open(open, "b", 0, entry("3"));
    let mut first = worker(&scenario, &cluster);
    settle(&mut first).unwrap();
    assert!(!first.is_at_ends(), "it waits");
    first.commit_now().unwrap();
    assert_eq!(cluster.records("out").concat().len(), 1, "the earlier one of the other input");
    first.transport.crash();
    cluster.end(open, Some(&[]));
    let mut next = worker(&scenario, &cluster);
    settle(&mut next).unwrap();
    assert!(next.is_at_ends());
    next.commit_now().unwrap();
    assert_eq!(cluster.records("out").concat().len(), 3, "each once");
}

/// One that does not know its inputs yet has not read them; one that is known to have none has.
#[test]
fn a_worker_is_ready_when_it_has_been_told_what_is_its() {
    let scenario = Scenario::new("ends", COUNT);
    let cluster = cluster(&scenario);
    write(&cluster, "in", r#"{"k":"a"}"#);
    let (mut first, mut second) = (worker(&scenario, &cluster), worker(&scenario, &cluster));
    assert!(!first.is_ready());
    settle(&mut first).unwrap();
    assert!(first.is_ready() && first.is_at_ends());
    // The second one joins, and waits until the first has let go.
    second.turn().unwrap();
    assert!(!second.is_ready() && !second.is_at_ends(), "it has joined and waits");
    first.turn().unwrap();
    assert!(!first.is_ready() && !first.is_at_ends(), "it has let go of everything and waits");
    settle(&mut second).unwrap();
    assert_eq!(second.running().count(), 0, "there is one partition");
    assert!(second.is_ready() && second.is_at_ends(), "it is known to have none");
    settle(&mut first).unwrap();
    assert!(first.is_ready() && first.running().count() == 1);
    cluster.expire(first.transport.member());
    first.turn().unwrap();
    assert!(!first.is_ready(), "it was given up");
}

/// What others have, they read themselves; that they have is known by what they have committed.
#[test]
fn reading_is_over_when_others_have_committed_their_ends() {
    let scenario = Scenario::new("ends", COUNT).topic("in", 2).batch(1);
    let cluster = cluster(&scenario);
    for at in 0..6 {
        cluster.write("in", at % 2, entry(r#"{"k":"a"}"#)).unwrap();
    }
    let clock = ManualClock::at(START);
    let options = Options { to_ends: true, ..options(&scenario, Broken::Nothing) };
    let shared: Arc<ManualClock> = Arc::new(clock.clone());
    let mut first = Worker::new(scenario.plan.clone(), sim(&scenario, &cluster), shared, options);
    let mut second = worker(&scenario, &cluster);
    turns(&mut first, 2);
    second.turn().unwrap();
    first.turn().unwrap();
    settle(&mut first).unwrap();
    assert!(first.running().count() == 1 && !first.is_at_ends(), "nobody has read the other one");
    settle(&mut second).unwrap();
    second.commit_now().unwrap();
    clock.set(START + 1_000);
    assert!(first.is_at_ends(), "now somebody has");
}

/// What others had, and have not read to its end, is read by whoever gets it: to the end that it had at the start.
#[test]
fn inputs_that_come_back_are_read_to_the_ends_they_had() {
    let scenario = Scenario::new("ends", COUNT).topic("in", 2).batch(1);
    let cluster = cluster(&scenario);
    let write = |partition: u32| cluster.write("in", partition, entry(r#"{"k":"a"}"#)).unwrap();
    (0..3).for_each(|_| assert_eq!(write(0), write(1)));
    let (mut first, mut second) = (worker(&scenario, &cluster), worker(&scenario, &cluster));
    turns(&mut first, 2);
    second.turn().unwrap();
    first.turn().unwrap();
    assert!(!first.is_at_ends(), "it has nothing at the moment");
    turns(&mut second, 2);
    settle(&mut first).unwrap();
    first.commit_now().unwrap();
    assert!(
        first.running().count() == 1 && !first.is_at_ends(),
        "the other has not committed the end of its own"
    );
    assert!(!second.is_at_ends());
    // What has come since the start has to be read by nobody.
    (0..50).for_each(|_| assert!(write(1) >= 3));
    second.finish().unwrap();
    while first.running().count() < 2 {
        first.turn().unwrap();
        assert!(first.running().count() == 1 || !first.is_at_ends(), "not before it has read the other one");
    }
    while !first.is_at_ends() {
        first.turn().unwrap();
    }
    first.commit_now().unwrap();
    let read = cluster.committed("in", 1).unwrap().0;
    assert!((3..10).contains(&read), "{read} of 53");
}

const WINDOWS: &str = r#"
name = "p"

[schema.reading]
k = "string"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
event_time = "at"
key = "k"

[tumble.ten]
from = "in"
by = "k"
every = "10s"
compute.n = 'count()'

[sink.out]
from = "ten"
topic = "out"
"#;

/// Runs two workers in threads to the end, the inputs of one being much longer; how many windows are left open.
fn ends_together(close_windows: bool) -> (Cluster, usize) {
    let scenario = Scenario::new("ends", WINDOWS).partitions(2);
    let cluster = cluster(&scenario);
    let key = |partition: u32| {
        let of = |k: &String| streamrun::partitioner::partition_of(k.as_bytes(), 2) == partition;
        (0..).map(|n| format!("k{n}")).find(of).unwrap()
    };
    for (partition, count) in [(0, 1), (1, 20_000)] {
        let k = key(partition);
        let entry =
            Entry { key: Some(k.clone().into_bytes()), ..entry(&format!(r#"{{"k":"{k}","at":{START}}}"#)) };
        (0..count).for_each(|_| assert!(cluster.write("in", partition, entry.clone()).is_some()));
    }
    let transports = vec![sim(&scenario, &cluster), sim(&scenario, &cluster)];
    let until = Until::End { close_windows };
    let mut engine = Engine::start(&scenario.plan, transports, &Options::default(), until).unwrap();
    let (mut left, latest) = (vec![], Instant::now() + Duration::from_secs(60));
    let ended = loop {
        if let Some(ended) = engine.ended(&mut left) {
            break ended;
        }
        assert!(Instant::now() < latest, "it does not end");
        std::thread::yield_now();
    };
    ended.unwrap();
    for partition in 0..2 {
        let committed = cluster.committed("in", partition).unwrap().0;
        assert_eq!(committed, cluster.end_offset("in", partition), "partition {partition}");
    }
    let open = left.iter().flat_map(|ended| ended.open.values()).map(|(rows, _)| rows).sum();
    (cluster, open)
}

/// One that is done hands nothing to the other, which would find the windows it has left open once more.
#[test]
fn workers_that_read_to_the_end_end_together() {
    let (cluster, open) = ends_together(false);
    assert_eq!((open, cluster.records("out").concat().len()), (2, 0));
}

#[test]
fn windows_are_closed_once_when_all_are_at_the_end() {
    let (cluster, open) = ends_together(true);
    let rows = cluster.records("out").concat();
    assert_eq!((open, rows.len()), (0, 2));
}

/// Behind the poll and the look at where the input ends.
const ASKS: u64 = 2;

/// What is passed over is no record: a commit that fails and has passed over something breaks no silence.
#[test]
fn a_silence_goes_on_over_what_is_no_record() {
    let text = WINDOWS.replace("key = \"k\"\n", "key = \"k\"\nidle_after = \"5s\"\n");
    let scenario = Scenario::new("silence", &text);
    for call in 0..12 {
        let (cluster, clock) = (cluster(&scenario), ManualClock::at(START));
        let mut worker = worker_by(&scenario, &cluster, &clock);
        cluster.write(
            "in",
            0,
            Entry { key: Some(b"a".to_vec()), ..entry(&format!(r#"{{"k":"a","at":{START}}}"#)) },
        );
        settle(&mut worker).unwrap();
        worker.commit_now().unwrap();
        let open = cluster.id();
        cluster.write_open(open, "in", 0, entry("never seen"));
        cluster.end(open, None);
        settle(&mut worker).unwrap();
        clock.advance(20_000);
        worker.transport.faults = Faults::new(vec![Fault { call, when: When::Before, for_good: false }]);
        settle(&mut worker).unwrap();
        // The one call that asks whether it is a silence: without an answer it may be none, and begins anew.
        if call == ASKS {
            assert_eq!(cluster.records("out").concat().len(), 0);
            clock.advance(20_000);
            settle(&mut worker).unwrap();
        }
        assert_eq!(
            cluster.records("out").concat().len(),
            1,
            "the window is closed, whatever failed: call {call}"
        );
    }
}

/// Where the end was when it came is committed before there is a record: one that comes while nobody is there is the
/// first to be read.
#[test]
fn who_starts_at_the_end_comes_back_to_it() {
    let text = WINDOWS.replace("key = \"k\"\n", "key = \"k\"\nstart = \"latest\"\n");
    let scenario = Scenario::new("latest", &text);
    let (cluster, clock) = (cluster(&scenario), ManualClock::at(START));
    let record = |at: i64| Entry { key: Some(b"a".to_vec()), ..entry(&format!(r#"{{"k":"a","at":{at}}}"#)) };
    cluster.write("in", 0, record(START));
    let mut first = worker_by(&scenario, &cluster, &clock);
    settle(&mut first).unwrap();
    first.transport.crash();
    cluster.write("in", 0, record(START + 1));
    let mut second = worker_by(&scenario, &cluster, &clock);
    settle(&mut second).unwrap();
    let read: u64 = second.tallies().sources.iter().map(|source| source.input).sum();
    assert_eq!(read, 1, "and not what was there before it first came");
}
