//! Records a second, time on cores and memory: the client's own copy, and the sensor pipeline beside it.

use super::broker::Broker;
use super::input;
use super::pipeline::Pipeline;
use super::process::{self, Took};
use std::process::Command;

const ROUNDS: usize = 3;
const WARM_UP: usize = 2_000_000;
const WARM_UP_ROUNDS: usize = 3;
const KEYS: [u64; 2] = [1_000, 100_000];
/// So few readings that they take no time: what is left is to start and to end.
const FEW: usize = 1_000;

/// What is run, one after the other in each round.
#[derive(Clone, Copy)]
enum Run {
    /// In transactions of so many milliseconds, or without.
    Copy {
        every: Option<u64>,
    },
    Sensor {
        guarantee: &'static str,
        keys: u64,
        workers: u32,
    },
}

/// A run.
#[derive(Clone, Copy)]
struct Measured {
    took: Took,
    /// What the broker had to do for it, in seconds on cores.
    broker: f64,
    /// How long the same takes with next to nothing to do, in seconds.
    idle: f64,
}

impl Measured {
    /// How long it was under way, in seconds.
    fn under_way(&self) -> f64 {
        self.took.wall - self.idle
    }
}

/// The first one is what the others are held against. It commits as often as the pipeline is asked to, the second one
/// as often as the pipeline does behind a backlog.
const COPIES: [Run; 3] =
    [Run::Copy { every: Some(100) }, Run::Copy { every: Some(500) }, Run::Copy { every: None }];

fn sensors(keys: u64, workers: u32) -> [Run; 2] {
    ["exactly-once", "at-least-once"].map(|guarantee| Run::Sensor { guarantee, keys, workers })
}

fn runs() -> Vec<Run> {
    let mut runs = COPIES.to_vec();
    for workers in [1, 2] {
        runs.extend(KEYS.iter().flat_map(|keys| sensors(*keys, workers)));
    }
    runs
}

/// Has the broker do what it will be measured with, until nothing is left to compile: a cold JVM takes many times as
/// long for it, and what only the pipeline asks of it (transactions over many partitions) stays cold the longest.
pub fn warm_up(broker: &Broker) {
    broker.topic("warm-up-1000", 4);
    input::fill(broker, "warm-up-1000", WARM_UP, 1_000);
    for round in 0..WARM_UP_ROUNDS {
        for (at, run) in COPIES.into_iter().chain(sensors(1_000, 1)).enumerate() {
            run.run(broker, "warm-up", WARM_UP, &format!("warm-up-{at}-{round}"));
        }
    }
}

/// Measures and prints.
pub fn report(broker: &Broker, count: usize) {
    println!("speed: {count} readings, 4 partitions, one broker, one machine");
    for keys in KEYS {
        for (name, count) in [("readings", count), ("few", FEW)] {
            let input = format!("{name}-{keys}");
            broker.topic(&input, 4);
            input::fill(broker, &input, count, keys);
        }
    }
    let runs = runs();
    let mut measured: Vec<Vec<Measured>> = vec![vec![]; runs.len()];
    for round in 0..ROUNDS {
        for (at, run) in runs.iter().enumerate() {
            let idle = run.run(broker, "few", FEW, &format!("few-{at}-{round}")).wall;
            let before = broker.cpu();
            let took = run.run(broker, "readings", count, &format!("run-{at}-{round}"));
            measured[at].push(Measured { took, broker: broker.cpu() - before, idle });
        }
    }
    print(&runs, &measured, count);
}

impl Run {
    fn run(self, broker: &Broker, from: &str, count: usize, name: &str) -> Took {
        match self {
            Run::Copy { every } => copy(broker, from, count, name, every),
            Run::Sensor { guarantee, keys, workers } => {
                let change = |text: String| {
                    let text = text.replace("\"exactly-once\"", &format!("\"{guarantee}\""));
                    format!("{text}\n[run]\nworkers = {workers}\n")
                };
                Pipeline::new(broker, name, &format!("{from}-{keys}"), change).to_end()
            }
        }
    }

    fn name(self) -> String {
        match self {
            Run::Copy { every: Some(every) } => format!("copy, transactions of {every} ms"),
            Run::Copy { every: None } => "copy".to_owned(),
            Run::Sensor { guarantee, keys, workers } => {
                format!("sensor.toml, {guarantee}, {keys} keys, workers: {workers}")
            }
        }
    }
}

/// In a process of its own, so that its time and memory can be told from ours.
fn copy(broker: &Broker, from: &str, count: usize, to: &str, every: Option<u64>) -> Took {
    broker.topic(to, 4);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let count = count.to_string();
    let every = every.map_or("never".to_owned(), |every| every.to_string());
    let from = format!("{from}-1000");
    command.args(["copy", &broker.address, &from, to, &count, &every]);
    let (took, is_well) = process::run(&mut command);
    assert!(is_well, "the copy failed");
    took
}

fn print(runs: &[Run], measured: &[Vec<Measured>], count: usize) {
    println!(
        "  median of {ROUNDS} rounds; ratios to the first copy of the same round, median (least-most); under way: \
         without the time that it takes to start and to end"
    );
    println!(
        "  {:<48} {:>7} {:>7} {:>7} {:>6} {:>7}   {:<17} {:<17} {:<17}",
        "", "M rec/s", "µs/rec", "broker", "MiB", "start s", "speed", "under way", "CPU"
    );
    for (run, measured_here) in runs.iter().zip(measured) {
        let pairs = || measured_here.iter().zip(&measured[0]);
        let per = |f: &dyn Fn(&Measured) -> f64| median(measured_here.iter().map(f).collect());
        let speed = ratios(pairs().map(|(run, base)| base.took.wall / run.took.wall));
        let under_way = ratios(pairs().map(|(run, base)| base.under_way() / run.under_way()));
        let cpu = ratios(pairs().map(|(run, base)| run.took.cpu / base.took.cpu));
        println!(
            "  {:<48} {:>7.2} {:>7.2} {:>7.2} {:>6.0} {:>7.2}   {speed:<17} {under_way:<17} {cpu:<17}",
            run.name(),
            per(&|run| count as f64 / run.took.wall / 1e6),
            per(&|run| run.took.cpu / count as f64 * 1e6),
            per(&|run| run.broker / count as f64 * 1e6),
            per(&|run| run.took.memory),
            per(&|run| run.idle),
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
