//! 100,000 readings through the sensor pipeline, for callgrind to count the instructions: `benches/instructions/run`.
//!
//! Run by itself it does the work and says nothing. The tables are warm: as many readings have come before, uncounted.
//! Among those that are counted a minute closes, so that what a window hands on is counted as well.
//! The allocator is the system's, whose behaviour does not depend on the time of day.

#![allow(clippy::unwrap_used, reason = "a bench stops when something is wrong")]

#[allow(dead_code, reason = "shared with the bench of the engine")]
#[path = "../engine/hand.rs"]
mod hand;
#[path = "../engine/pipeline.rs"]
mod pipeline;
#[allow(dead_code, reason = "shared with the bench of the engine")]
#[path = "../engine/readings.rs"]
mod readings;

use hand::Hand;
use pipeline::{Pipeline, drive};
use readings::{Readings, sensor_plan};
use std::hint::black_box;
use std::sync::Arc;
use streamrun::outbox::Outbox;
use streamrun::runtime::Task;
use streamrun::transport::Record;

const RECORDS: usize = 100_000;
/// 47.5 seconds into the first minute. Those that are counted begin at its end, and five seconds more are waited for.
const FIRST: usize = 380_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let keys = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(1_000);
    let plan = Arc::new(sensor_plan());
    match arguments.iter().any(|a| a == "hand") {
        true => count(&mut Hand::new(&plan), keys),
        false => count(&mut Task::new(plan, 0, 0, false), keys),
    }
}

fn count(pipeline: &mut impl Pipeline, keys: u64) {
    let mut out = Outbox::default();
    let warm = Readings::part(FIRST, RECORDS, keys);
    drive(pipeline, &warm.records(), &mut out, |_| {});
    let readings = Readings::part(FIRST + RECORDS, RECORDS, keys);
    counted(pipeline, &readings.records(), &mut out);
}

/// What callgrind counts, with all that it calls. It is told by this name.
#[inline(never)]
fn counted(pipeline: &mut impl Pipeline, records: &[Record<'_>], out: &mut Outbox) {
    drive(pipeline, records, out, look);
}

fn look(out: &Outbox) {
    black_box(out.len_bytes());
}
