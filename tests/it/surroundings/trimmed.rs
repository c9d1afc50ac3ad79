//! A log whose old end is gone: its tables stand in snapshots.

use crate::support::outcome;
use crate::support::program::sole_engine;
use std::path::Path;
use std::sync::Arc;
use streamrun::outbox::TopicId;
use streamrun::plan::{self, Plan};
use streamrun::runtime::{Options, Stopped, Turn, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::local::{Client, Local};
use streamrun::transport::{Partition, Transport};

const DAY: i64 = 24 * 3_600_000;
const NOW: i64 = 1_767_225_600_000;

const PIPELINE: &str = r#"
name = "p"

[schema.reading]
id = "string"

[source.readings]
topic = "readings"
schema = "reading"
key = "id"

[count.per_id]
from = "readings"
by = "id"
"#;

fn plan() -> Arc<Plan> {
    Arc::new(plan::check(PIPELINE, &[]).plan.expect("it is sound"))
}

fn worker(log: &Path, now: i64) -> Worker<Local> {
    worker_of(plan(), &[], log, now)
}

fn worker_of(plan: Arc<Plan>, reset: &[&str], log: &Path, now: i64) -> Worker<Local> {
    let engine = sole_engine(log, "p");
    let names = plan.topics.all().iter().map(|topic| topic.name.clone()).collect();
    let mut local = Local::open(&engine, names, 0, 1).expect("the log opens");
    streamrun::engine::prepare(&plan, &mut local, true, 1).expect("topics");
    let reset = reset.iter().map(|node| (*node).to_owned()).collect();
    let options = Options { snapshots: Some(log.join("state")), reset, ..Options::default() };
    Worker::new(plan, local, Arc::new(ManualClock::at(now)), options)
}

fn settle(worker: &mut Worker<Local>) -> Result<(), Stopped> {
    while worker.turn()? == Turn::Busy {}
    Ok(())
}

fn send(log: &Path, records: usize, bytes: usize) {
    let mut client = Client::open(log).expect("the log opens");
    client.ensure_topic("readings", 1).expect("a topic");
    let value = format!(r#"{{"id":"a","rest":"{}"}}"#, "x".repeat(bytes));
    for _ in 0..records {
        client.send("readings", NOW, Some(b"a"), Some(value.as_bytes())).expect("sent");
        client.flush().expect("written");
    }
}

/// A log that has lost its first segment behind a snapshot; 80 records have been counted.
fn trimmed(log: &Path) {
    let mut worker = worker(log, NOW);
    send(log, 10, 1);
    settle(&mut worker).expect("it works");
    worker.commit_now().expect("a commit");
    send(log, 70, 1 << 20);
    settle(&mut worker).expect("it works");
    worker.finish().expect("a snapshot");
    let changelog = plan().topics.all().iter().position(|t| t.name.ends_with("-changelog")).expect("there");
    let partition = Partition { topic: TopicId(changelog as u16), index: 0 };
    let (_, end) = worker.transport.bounds(partition).expect("bounds");
    let gone = worker.transport.trim(0, &[(partition, end)]).expect("trimmed");
    assert!(
        gone > 0 && worker.transport.bounds(partition).expect("bounds").0 > 0,
        "{gone} segments are gone"
    );
}

#[test]
fn a_snapshot_holds_however_long_the_engine_was_away() {
    let log = tempfile::tempdir().expect("a directory");
    trimmed(log.path());
    send(log.path(), 1, 1);
    let mut later = worker(log.path(), NOW + 30 * DAY);
    settle(&mut later).expect("it restores");
    later.commit_now().expect("a commit");
    let rows = outcome::tables(&plan(), later.running().map(|(_, task)| task));
    assert!(rows.len() == 1 && rows[0].ends_with(r#"{"id":"a","count":81}"#), "{rows:?}");
}

#[test]
fn a_table_whose_snapshot_is_gone_or_too_old_stops_it() {
    let log = tempfile::tempdir().expect("a directory");
    let state = log.path().join("state");
    let mut first = worker(log.path(), NOW);
    send(log.path(), 1, 1);
    settle(&mut first).expect("it works");
    first.finish().expect("a snapshot");
    drop(first);
    let old: Vec<_> = std::fs::read_dir(&state).expect("snapshots").filter_map(Result::ok).collect();
    let old: Vec<_> = old.iter().map(|e| (e.path(), std::fs::read(e.path()).expect("read"))).collect();
    trimmed(log.path());
    for (path, bytes) in &old {
        std::fs::write(path, bytes).expect("brought back");
    }
    let stops = || settle(&mut worker(log.path(), NOW)).expect_err("rows are missing").to_string();
    assert!(stops().contains("the table of `per_id` cannot be restored"), "{}", stops());
    std::fs::remove_dir_all(&state).expect("removed");
    assert!(stops().contains("start the table over with `--reset per_id`"), "{}", stops());
}

#[test]
fn a_table_can_be_added_or_started_over_beside_one_that_stands_in_a_snapshot() {
    let log = tempfile::tempdir().expect("a directory");
    trimmed(log.path());
    let more = format!("{PIPELINE}\n[count.again]\nfrom = \"readings\"\nby = \"id\"\n");
    let plan: Arc<Plan> = Arc::new(plan::check(&more, &[]).plan.expect("it is sound"));
    let mut now = NOW;
    let mut counts = |reset: &[&str]| {
        send(log.path(), 1, 1);
        now += 1;
        let mut worker = worker_of(plan.clone(), reset, log.path(), now);
        settle(&mut worker).expect("it restores");
        worker.commit_now().expect("a commit");
        let rows = outcome::tables(&plan, worker.running().map(|(_, task)| task));
        worker.finish().expect("a snapshot");
        rows
    };
    let ends = |rows: Vec<String>, mut expected: [&str; 2]| {
        let count =
            |row: &String| row.rsplit_once(':').map(|(_, count)| count.trim_end_matches('}').to_owned());
        let mut found: Vec<String> = rows.iter().filter_map(count).collect();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{rows:?}");
    };
    ends(counts(&[]), ["81", "1"]);
    ends(counts(&["again"]), ["82", "1"]);
    ends(counts(&["per_id"]), ["1", "2"]);
}
