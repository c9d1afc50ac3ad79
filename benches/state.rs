//! What a table costs: memory a key, and the restart of a task from its snapshot. `cargo bench --bench state`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[path = "common/held.rs"]
mod held;
#[allow(dead_code, reason = "shared with the bench of the engine")]
#[path = "engine/readings.rs"]
mod readings;

use readings::Readings;
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::outbox::Outbox;
use streamrun::plan::{self, Plan};
use streamrun::runtime::Task;
use streamrun::store::snapshot::{self, Snapshot};

const KEYS: usize = 1_000_000;

const COUNT: &str = r#"
name = "readings-per-sensor"

[schema.reading]
sensor_id = "string"
timestamp = "timestamp"

[source.readings]
topic = "readings"
schema = "reading"
key = "sensor_id"
event_time = "timestamp"

[count.per_sensor]
from = "readings"
by = "sensor_id"
"#;

/// A task that has had a reading of each sensor, a commit every 10,000.
fn counted(plan: &Arc<Plan>, readings: &Readings) -> Task {
    let (records, mut out) = (readings.records(), Outbox::default());
    let before = held::live();
    held::forget_most();
    let mut task = Task::new(plan.clone(), 0, 0, false);
    for batch in records.chunks(10_000) {
        task.process(0, batch, i64::MAX, &mut out);
        out.clear();
        task.prepare(&mut out);
        task.committed();
        out.clear();
    }
    drop(out);
    let a_key = |bytes: usize| (bytes - before) as f64 / KEYS as f64;
    println!(
        "count, {KEYS} keys: {:.1} bytes a key held, {:.1} by its own estimate, {:.1} at most while it grew",
        a_key(held::live()),
        task.stores.bytes() as f64 / KEYS as f64,
        a_key(held::most()),
    );
    task
}

/// From a snapshot to a task that could run.
fn restart(plan: &Arc<Plan>, path: &std::path::Path) -> Duration {
    let began = Instant::now();
    let mut task = Task::new(plan.clone(), 0, 0, false);
    let snapshot = Snapshot::open(path).unwrap();
    snapshot.restore(&mut task.stores, |name| plan.stores.iter().position(|s| s.name == name)).unwrap();
    task.resume(&[], task.clock(), 0);
    let took = began.elapsed();
    assert_eq!(task.stores.iter().map(|store| store.len()).sum::<usize>(), KEYS);
    took
}

fn main() {
    let plan = Arc::new(plan::check(COUNT, &[]).plan.unwrap());
    let task = counted(&plan, &Readings::of_each(KEYS as u64));
    let path = std::env::temp_dir().join(format!("streamrun-state-{}.snapshot", std::process::id()));
    let began = Instant::now();
    snapshot::write(&path, b"", &plan.stores, &task.stores).unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("snapshot of {KEYS} keys, {} MB: written in {:.0?}", bytes >> 20, began.elapsed());
    let mut took: Vec<_> = (0..5).map(|_| restart(&plan, &path)).collect();
    took.sort();
    println!("restart with {KEYS} keys from it: {:.0?} min, {:.0?} median of 5", took[0], took[2]);
    std::fs::remove_file(&path).unwrap();
}
