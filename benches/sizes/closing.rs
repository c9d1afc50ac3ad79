//! A window that closes with many keys: how long it takes, and the longest stretch in which a worker does nothing else.

use super::readings::{Readings, START, time};
use super::rig::{Rig, SOURCE};
use std::fmt::Write;
use std::time::{Duration, Instant};

const TUMBLE: &str = r#"
[tumble.per_minute]
from = "readings"
by = "sensor_id"
every = "60s"
compute.readings = 'count()'
compute.min_temp = 'min(temperature)'
compute.max_temp = 'max(temperature)'
compute.avg_temp = 'avg(temperature)'

[sink.out]
from = "per_minute"
topic = "out"
"#;

pub fn table() {
    println!(
        "| keys in a window that closes | commits | all in all, ms | the longest of processing, ms | of commits |"
    );
    println!("|---|---|---|---|---|");
    [10_000, 100_000, 1_000_000].into_iter().for_each(row);
}

fn row(keys: u64) {
    let mut rig = Rig::new(&format!("{SOURCE}{TUMBLE}"));
    rig.run(&Readings::of_each(keys).records());
    rig.commit();
    (rig.longest, rig.longest_commit, rig.commits) = (Duration::ZERO, Duration::ZERO, 0);
    let last = Readings::made(1, |_, key, value| {
        key.push('x');
        let time = time(START + 60_000);
        write!(value, r#"{{"sensor_id":"x","temperature":23.5,"timestamp":"{time}"}}"#).unwrap();
    });
    let since = Instant::now();
    rig.run(&last.records());
    rig.commit();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let all = ms(since.elapsed());
    let (process, commit) = (ms(rig.longest), ms(rig.longest_commit));
    println!("| {keys} | {} | {all:.1} | {process:.2} | {commit:.2} |", rig.commits);
}
