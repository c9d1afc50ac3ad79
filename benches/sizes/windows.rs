//! Cost against the number of windows that are open at a time, all of them with a row of each key.

use super::common::median;
use super::held;
use super::readings::{Dice, Readings, START, time};
use super::rig::{Rig, SOURCE};
use std::fmt::Write;

const KEYS: u64 = 1_000;
/// Readings a second of event time, which is also how many each window gets.
const RATE: usize = 20_000;
const PARTS: usize = 15;

pub fn table() {
    println!("| open windows a key | rows | bytes a row, with room for windows to come | a record, ns |");
    println!("|---|---|---|---|");
    for open in [1, 3, 10, 30, 100] {
        row(open);
    }
}

fn row(open: usize) {
    let late = open - 1;
    let source =
        SOURCE.replace("\n[source.readings]", &format!("\n[source.readings]\nlate_by = \"{late}s\""));
    let before = held::live();
    let mut rig = Rig::new(&format!(
        "{source}
        [tumble.per_second]
        from = \"readings\"
        by = \"sensor_id\"
        every = \"1s\"
        compute.readings = 'count()'
        compute.hottest = 'max(temperature)'
        [sink.out]
        from = \"per_second\"
        topic = \"out\"\n"
    ));
    let mut dice = Dice(42);
    // A second at a time, spread over the windows that wait for stragglers.
    let mut second = |at: usize| {
        let readings = Readings::made(RATE, |i, key, value| {
            let back = dice.below(late as u64 * 1000 + 1) as i64;
            let time = time(START + (at * 1000 + i * 1000 / RATE) as i64 - back);
            write!(key, "sensor-{}", dice.below(KEYS)).unwrap();
            write!(value, r#"{{"sensor_id":"{key}","temperature":23.5,"timestamp":"{time}"}}"#).unwrap();
        });
        rig.ns(&readings)
    };
    (0..open + 2).for_each(|at| _ = second(at));
    let ns = median((open + 2..open + 2 + PARTS).map(second).collect());
    rig.settle();
    let rows: usize = rig.task.stores.iter().map(|store| store.len()).sum();
    let bytes = (held::live() - before) as f64 / rows as f64;
    println!("| {open} | {rows} | {bytes:.0} | {ns:.0} |");
}
