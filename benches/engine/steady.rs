//! The naive design beside the engine, over twice as many readings: while the tables fill up, and once they are full,
//! as they are for nearly all of a pipeline's life.

use super::common::{median, on_core};
use super::naive;
use super::pipeline::drive;
use std::sync::Arc;
use std::time::Duration;
use streamrun::outbox::Outbox;
use streamrun::plan::Plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

/// The naive design takes its time.
const ROUNDS: usize = 3;
const HALVES: [&str; 2] = ["from empty tables", "once they are full"];

/// Nanoseconds a reading in the first half and in the second.
type Halves = [f64; 2];

/// Runs both in turn and prints how they compare.
pub fn race(plan: &Arc<Plan>, records: &[Record<'_>]) {
    let half = records.len() / 2;
    let mut out = Outbox::default();
    let (mut engine, mut naive) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        engine.push(timed(half, |between| {
            let mut task = Task::new(plan.clone(), 0, 0, false);
            drive(&mut task, &records[..half], &mut out, super::look);
            between();
            drive(&mut task, &records[half..], &mut out, super::look);
        }));
        // What is still in its channels then, a few thousand, is counted to the second half.
        naive.push(timed(half, |between| naive::run(&records[..half], &records[half..], false, between)));
    }
    println!(
        "the naive design, median ns of {ROUNDS} rounds; how many times the engine's: median (least–most)"
    );
    for (at, name) in HALVES.into_iter().enumerate() {
        let of = |all: &[Halves]| median(all.iter().map(|halves| halves[at]).collect());
        let mut ratios: Vec<f64> = engine.iter().zip(&naive).map(|(e, n)| n[at] / e[at]).collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "  {name:<28} engine {:>7.1}   naive {:>8.1}   {:.1} ({:.1}–{:.1})",
            of(&engine),
            of(&naive),
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1]
        );
    }
}

/// What a run takes on a core up to its middle, and from there.
fn timed<T>(half: usize, run: impl FnOnce(&mut dyn FnMut()) -> T) -> Halves {
    let now = || on_core().unwrap();
    let (began, mut middle) = (now(), Duration::ZERO);
    std::hint::black_box(run(&mut || middle = now()));
    [middle - began, now() - middle].map(|took| took.as_nanos() as f64 / half as f64)
}
