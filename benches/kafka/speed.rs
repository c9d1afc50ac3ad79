//! Records a second, time on cores and memory: the client's own copy, and the sensor pipeline beside it.

use super::broker::Broker;
use super::input;
use super::pipeline::Pipeline;
use super::process::{self, Took};
use std::process::Command;

const ROUNDS: usize = 3;
const WARM_UP: usize = 2_000_000;
const KEYS: [u64; 2] = [1_000, 100_000];

/// What is run, one after the other in each round.
#[derive(Clone, Copy)]
enum Run {
    Copy { transactions: bool },
    Sensor { guarantee: &'static str, keys: u64, workers: u32 },
}

/// A run, and what the broker had to do for it, in seconds on cores.
type Measured = (Took, f64);

/// The transactional copy comes first: the others are held against it.
fn runs() -> Vec<Run> {
    let mut runs = vec![Run::Copy { transactions: true }, Run::Copy { transactions: false }];
    for workers in [1, 2] {
        for keys in KEYS {
            let sensor = |guarantee| Run::Sensor { guarantee, keys, workers };
            runs.extend(["exactly-once", "at-least-once"].map(sensor));
        }
    }
    runs
}

/// Has the broker do what it will be measured with, for some seconds: a cold JVM takes many times as long for it.
pub fn warm_up(broker: &Broker) {
    broker.topic("warm-up", 4);
    input::fill(broker, "warm-up", WARM_UP, 1_000);
    for round in 0..2 {
        Pipeline::new(broker, &format!("warm-up-{round}"), "warm-up", |text| text).to_end();
    }
}

/// Measures and prints.
pub fn report(broker: &Broker, count: usize) {
    println!("speed: {count} readings, 4 partitions, one broker, one machine");
    for keys in KEYS {
        let input = format!("readings-{keys}");
        broker.topic(&input, 4);
        input::fill(broker, &input, count, keys);
    }
    let runs = runs();
    let mut measured: Vec<Vec<Measured>> = vec![vec![]; runs.len()];
    for round in 0..ROUNDS {
        for (at, run) in runs.iter().enumerate() {
            let before = broker.cpu();
            let took = run.run(broker, count, &format!("run-{at}-{round}"));
            measured[at].push((took, broker.cpu() - before));
        }
    }
    print(&runs, &measured, count);
}

impl Run {
    fn run(self, broker: &Broker, count: usize, name: &str) -> Took {
        match self {
            Run::Copy { transactions } => copy(broker, count, name, transactions),
            Run::Sensor { guarantee, keys, workers } => {
                let change = |text: String| {
                    let text = text.replace("\"exactly-once\"", &format!("\"{guarantee}\""));
                    format!("{text}\n[run]\nworkers = {workers}\n")
                };
                Pipeline::new(broker, name, &format!("readings-{keys}"), change).to_end()
            }
        }
    }

    fn name(self) -> String {
        match self {
            Run::Copy { transactions: true } => "copy, transactions".to_owned(),
            Run::Copy { transactions: false } => "copy".to_owned(),
            Run::Sensor { guarantee, keys, workers } => {
                format!("sensor.toml, {guarantee}, {keys} keys, workers: {workers}")
            }
        }
    }
}

/// In a process of its own, so that its time and memory can be told from ours.
fn copy(broker: &Broker, count: usize, to: &str, transactions: bool) -> Took {
    broker.topic(to, 4);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let (count, transactions) = (count.to_string(), transactions.to_string());
    command.args(["copy", &broker.address, "readings-1000", to, &count, &transactions]);
    let (took, is_well) = process::run(&mut command);
    assert!(is_well, "the copy failed");
    took
}

fn print(runs: &[Run], measured: &[Vec<Measured>], count: usize) {
    println!(
        "  median of {ROUNDS} rounds; ratios to the transactional copy of the same round, median (least-most)"
    );
    println!(
        "  {:<52} {:>9} {:>9} {:>9} {:>8}   {:<20} {:<20}",
        "", "M rec/s", "µs/rec", "broker", "MiB", "speed", "CPU"
    );
    for (run, measured_here) in runs.iter().zip(measured) {
        let pairs = || measured_here.iter().zip(&measured[0]);
        let per = |f: &dyn Fn(&Measured) -> f64| median(measured_here.iter().map(f).collect());
        let speed = ratios(pairs().map(|((took, _), (base, _))| base.wall / took.wall));
        let cpu = ratios(pairs().map(|((took, _), (base, _))| took.cpu / base.cpu));
        println!(
            "  {:<52} {:>9.2} {:>9.2} {:>9.2} {:>8.0}   {speed:<20} {cpu:<20}",
            run.name(),
            per(&|(took, _)| count as f64 / took.wall / 1e6),
            per(&|(took, _)| took.cpu / count as f64 * 1e6),
            per(&|(_, broker)| broker / count as f64 * 1e6),
            per(&|(took, _)| took.memory),
        );
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn ratios(all: impl Iterator<Item = f64>) -> String {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2}-{:.2})", all[all.len() / 2], all[0], all[all.len() - 1])
}
