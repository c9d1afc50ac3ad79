//! Cost against the number of keys: a counted key in memory, a new one, and a record of one that is there.

use super::common::median;
use super::held;
use super::readings::{Dice, Readings};
use super::rig::{Rig, SOURCE};
use std::fmt::Write;

const COUNT: &str = "\n[count.per_sensor]\nfrom = \"readings\"\nby = \"sensor_id\"\n";
/// Readings are made so many at a time.
const PART: usize = 100_000;
const PARTS: usize = 9;

pub fn table() {
    println!("| keys of a count | bytes a key | a new key, ns | a record, ns |");
    println!("|---|---|---|---|");
    for keys in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        row(keys);
    }
}

fn row(keys: usize) {
    let before = held::live();
    let mut rig = Rig::new(&format!("{SOURCE}{COUNT}"));
    let mut fresh = 0.0;
    for first in (0..keys).step_by(PART) {
        let count = PART.min(keys - first);
        // In no order: the factor has no divisor in common with a power of ten.
        fresh += rig.ns(&readings(count, |i| (first + i) as u64 * 7_368_787 % keys as u64)) * count as f64;
    }
    rig.settle();
    let bytes = (held::live() - before) as f64;
    let mut dice = Dice(42);
    let mut part = || rig.ns(&readings(PART, |_| dice.below(keys as u64)));
    let warm = median((0..PARTS).map(|_| part()).collect());
    println!("| {keys} | {:.0} | {:.0} | {warm:.0} |", bytes / keys as f64, fresh / keys as f64);
}

fn readings(count: usize, mut sensor: impl FnMut(usize) -> u64) -> Readings {
    Readings::made(count, |i, key, value| {
        write!(key, "sensor-{}", sensor(i)).unwrap();
        write!(value, r#"{{"sensor_id":"{key}","temperature":23.5,"timestamp":"2026-01-01T00:00:00Z"}}"#)
            .unwrap();
    })
}
