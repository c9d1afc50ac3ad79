//! A worker on the embedded log: cost against the number of partitions, and against the time between commits.

use super::process;
use super::readings::{Readings, sensor_text};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::engine::{self, Engine, Until};
use streamrun::outbox::TopicId;
use streamrun::plan::{self, Plan, Role};
use streamrun::runtime::Options;
use streamrun::transport::local::{self, Client, Local};

const RECORDS: usize = 1_000_000;
const PART: usize = 100_000;

/// What a run to the end has taken.
struct Ran {
    wall: f64,
    cpu: f64,
    /// Records written to changelogs.
    changes: i64,
}

pub fn partitions() {
    println!("| partitions, one worker, 1,000 keys | M records/s | µs on a core a record |");
    println!("|---|---|---|");
    for partitions in [1, 4, 16, 64] {
        let ran = run(partitions, 1_000, 100);
        println!("| {partitions} | {:.2} | {:.2} |", per_second(&ran), per_record(&ran));
    }
}

pub fn commits() {
    println!(
        "| commit every, ms; 100,000 keys, 4 partitions | M records/s | µs on a core a record | changelog records a record |"
    );
    println!("|---|---|---|---|");
    for every in [5, 20, 100, 300, 1_000] {
        let ran = run(4, 100_000, every);
        let changes = ran.changes as f64 / RECORDS as f64;
        println!("| {every} | {:.2} | {:.2} | {changes:.2} |", per_second(&ran), per_record(&ran));
    }
}

fn per_second(ran: &Ran) -> f64 {
    RECORDS as f64 / ran.wall / 1e6
}

fn per_record(ran: &Ran) -> f64 {
    ran.cpu * 1e6 / RECORDS as f64
}

/// Runs the sensor pipeline over readings that wait in a log of its own.
fn run(partitions: u32, keys: u64, commit_every: i64) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), partitions, keys);
    let plan = Arc::new(plan::check(&sensor_text(), &[]).plan.unwrap());
    let lock = local::Engine::start(dir.path(), &plan.settings.name).unwrap();
    let names = plan.topics.all().iter().map(|topic| topic.name.clone()).collect();
    let mut log = Local::open(&lock, names, 0, 1).unwrap();
    engine::prepare(&plan, &mut log, true, partitions).unwrap();
    let options = Options { commit_every, ..Options::default() };
    let (since, before) = (Instant::now(), process::cpu(std::process::id()).unwrap());
    let mut engine = Engine::start(&plan, vec![log], &options, Until::End { close_windows: false }).unwrap();
    let mut left = vec![];
    let ended = loop {
        match engine.ended(&mut left) {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    ended.unwrap();
    let (wall, cpu) = (since.elapsed(), process::cpu(std::process::id()).unwrap() - before);
    Ran { wall: wall.as_secs_f64(), cpu, changes: changes(dir.path(), &plan, partitions) }
}

fn fill(dir: &Path, partitions: u32, keys: u64) {
    let mut client = Client::open(dir).unwrap();
    client.ensure_topic("sensor-readings", partitions).unwrap();
    for first in (0..RECORDS).step_by(PART) {
        for record in Readings::part(first, PART, keys).records() {
            client.send("sensor-readings", record.timestamp, record.key, record.value).unwrap();
        }
        client.flush().unwrap();
    }
}

fn changes(dir: &Path, plan: &Plan, partitions: u32) -> i64 {
    let mut client = Client::open(dir).unwrap();
    client.refresh().unwrap();
    let topics = (0..plan.topics.all().len()).map(|at| plan.topics.get(TopicId(at as u16)));
    let changelogs = topics.filter(|topic| topic.role == Role::Changelog);
    let end = |name: &str, partition| client.bounds(name, partition).unwrap().1;
    changelogs.map(|topic| (0..partitions).map(|p| end(&topic.name, p)).sum::<i64>()).sum()
}
