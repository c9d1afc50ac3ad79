//! The engine between the same work written by hand and the naive design: `cargo bench --bench engine [-- KEYS…]`.
//!
//! All take the same records. By hand and engine work in batches, write the same bytes into an outbox that is emptied
//! behind each batch, and commit, changelogs included, every 10,000 records and whenever a closing window asks for it;
//! the naive design writes the same records. A round starts with empty tables; beside the naive design it goes on with
//! full ones. No transport is in it, and nothing of what one costs. All of it takes a few minutes, most of them the
//! naive design's.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[path = "../common/mod.rs"]
mod common;
mod hand;
mod naive;
mod pipeline;
#[allow(dead_code, reason = "shared with the bench of state")]
mod readings;
mod same;
mod shares;
mod steady;

use common::{Contestant, compare};
use hand::Hand;
use pipeline::drive;
use readings::{Readings, sensor_plan};
use shares::Stage;
use std::hint::black_box;
use std::sync::Arc;
use streamrun::outbox::Outbox;
use streamrun::plan::Plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

/// The allocator that the program has: the naive design needs a good one most.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let keys = if asked.is_empty() { vec![1_000, 100_000, 1_000_000] } else { asked };
    let (plan, stages) = (Arc::new(sensor_plan()), shares::stages());
    keys.into_iter().for_each(|keys| race(&plan, &stages, keys));
}

fn race(plan: &Arc<Plan>, stages: &[Stage], keys: u64) {
    let count = 1_000_000.max(2 * keys as usize);
    let readings = Readings::new(2 * count, keys);
    let all = readings.records();
    let records = &all[..count];
    let (outputs, bytes) = same::check(plan, records);
    println!(
        "{keys} keys: {count} readings of {} B; {:.2} records, {} B written a reading",
        readings.mean_bytes(),
        outputs as f64 / count as f64,
        bytes / count
    );
    let mut hand_out = Outbox::default();
    let by_hand = Contestant::new("by hand", || {
        drive(&mut Hand::new(plan), records, &mut hand_out, look);
    });
    let engine = || engine("engine", plan, records);
    compare("a reading", ROUNDS, count, vec![by_hand, engine()]);
    let parts = stages.iter().map(|stage| self::engine(stage.name, &stage.plan, records));
    let parts = parts.chain([self::engine("+ sinks: the engine", plan, records)]).collect();
    shares::print(&compare("the engine, part by part", ROUNDS, count, parts));
    steady::race(plan, &all);
}

fn engine<'c>(name: &'c str, plan: &'c Arc<Plan>, records: &'c [Record<'c>]) -> Contestant<'c> {
    let mut out = Outbox::default();
    Contestant::new(name, move || drive(&mut Task::new(plan.clone(), 0, 0, false), records, &mut out, look))
}

fn look(out: &Outbox) {
    black_box(out.len_bytes());
}
