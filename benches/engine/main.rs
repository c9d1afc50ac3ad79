//! The engine beside the same work written by hand: `cargo bench --bench engine [-- KEYS…]`.
//!
//! Both take the same records in batches, write the same bytes into an outbox that is emptied behind each batch, and
//! commit, changelogs included, every 10,000 records and whenever a closing window asks for it. A round starts with
//! empty tables. What no transport costs is not in it.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[path = "../common/mod.rs"]
mod common;
mod hand;
#[allow(dead_code, reason = "shared with the bench of state")]
mod readings;

use common::{Contestant, compare};
use hand::Hand;
use readings::{Readings, sensor_plan};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::sync::Arc;
use streamrun::outbox::Outbox;
use streamrun::plan::Plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

const BATCH: usize = 1_000;
const COMMIT_EVERY: usize = 10_000;
const ROUNDS: usize = 7;

/// What is driven: by hand, or the engine.
trait Pipeline {
    /// How many records were processed before a commit is needed.
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize;
    fn commit(&mut self, out: &mut Outbox);
}

impl Pipeline for Hand {
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize {
        Hand::process(self, records, out)
    }

    fn commit(&mut self, out: &mut Outbox) {
        self.prepare(out);
        self.committed();
    }
}

impl Pipeline for Task {
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize {
        Task::process(self, 0, records, i64::MAX, out).records
    }

    fn commit(&mut self, out: &mut Outbox) {
        self.prepare(out);
        self.committed();
    }
}

fn engine(plan: &Arc<Plan>) -> Task {
    Task::new(plan.clone(), 0, 0, false)
}

/// Runs all records through, and hands each filled outbox to `sent`.
fn drive(
    mut pipeline: impl Pipeline,
    records: &[Record<'_>],
    out: &mut Outbox,
    mut sent: impl FnMut(&Outbox),
) {
    let (mut done, mut uncommitted) = (0, 0);
    while done < records.len() {
        let batch = &records[done..records.len().min(done + BATCH)];
        let processed = pipeline.process(batch, out);
        done += processed;
        uncommitted += processed;
        sent(out);
        out.clear();
        if processed < batch.len() || uncommitted >= COMMIT_EVERY || done == records.len() {
            pipeline.commit(out);
            uncommitted = 0;
            sent(out);
            out.clear();
        }
    }
}

/// Everything that was written, as one number, and how much that is.
fn written(pipeline: impl Pipeline, records: &[Record<'_>]) -> (u64, usize, usize) {
    let (mut hash, mut outputs, mut bytes) = (DefaultHasher::new(), 0, 0);
    drive(pipeline, records, &mut Outbox::default(), |out| {
        for output in out.records() {
            let parts = (out.key(output), out.value(output), out.headers(output));
            (output.topic, output.timestamp, output.own, parts).hash(&mut hash);
        }
        outputs += out.records().len();
        bytes += out.len_bytes();
    });
    (hash.finish(), outputs, bytes)
}

fn race(plan: &Arc<Plan>, keys: u64) {
    let count = 1_000_000.max(2 * keys as usize);
    let readings = Readings::new(count, keys);
    let records = readings.records();
    let by_hand = written(Hand::new(plan), &records);
    assert_eq!(by_hand, written(engine(plan), &records), "both write the same");
    let (_, outputs, bytes) = by_hand;
    println!(
        "{keys} keys: {count} readings of {} B; {:.2} records, {} B written a reading",
        readings.mean_bytes(),
        outputs as f64 / count as f64,
        bytes / count
    );
    let (mut hand_out, mut engine_out) = (Outbox::default(), Outbox::default());
    let look = |out: &Outbox| {
        black_box(out.len_bytes());
    };
    let contestants = vec![
        Contestant::new("by hand", || drive(Hand::new(plan), &records, &mut hand_out, look)),
        Contestant::new("engine", || drive(engine(plan), &records, &mut engine_out, look)),
    ];
    compare("a reading", ROUNDS, count, contestants);
}

fn main() {
    let plan = Arc::new(sensor_plan());
    let asked: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let keys = if asked.is_empty() { vec![1_000, 100_000, 1_000_000] } else { asked };
    keys.into_iter().for_each(|keys| race(&plan, keys));
}
