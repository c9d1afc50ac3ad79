//! The engine on a real broker, beside the client's own speed.
//!
//! ```sh
//! cargo bench --bench kafka                       # 10 million readings; a few minutes
//! cargo bench --bench kafka -- 2000000 speed      # fewer, and only a part: speed, latency, restart
//! ```
//!
//! The broker is the bench's own and is warmed first: a cold JVM takes twice the time. Machines are shared, so what
//! counts are ratios within a round, and the time on cores a record.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[path = "../engine/readings.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod readings;

mod broker;
mod copy;
mod input;
mod latency;
mod pipeline;
mod process;
mod restart;

use broker::Broker;
use pipeline::Pipeline;
use process::Took;
use std::process::Command;

const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [what, address, from, to, count, transactions] = arguments.as_slice()
        && what == "copy"
    {
        return copy::run(address, from, to, count.parse().unwrap(), transactions == "true");
    }
    let count = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(10_000_000);
    let part = arguments.iter().find(|a| a.parse::<usize>().is_err()).map(String::as_str);
    let wanted = |name: &str| part.is_none_or(|part| part == name);
    let broker = Broker::start();
    if wanted("speed") {
        speed(&broker, count);
    }
    if wanted("latency") {
        latency::report(&broker);
    }
    if wanted("restart") {
        restart::report(&broker);
    }
}

fn speed(broker: &Broker, count: usize) {
    println!("speed: {count} readings, 4 partitions, one broker, one machine");
    for sensors in [1_000, 100_000] {
        let input = format!("readings-{sensors}");
        broker.topic(&input, 4);
        input::fill(broker, &input, count, sensors);
    }
    let copy = |to: &str, transactions: bool| {
        broker.topic(to, 4);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "copy",
            &broker.address,
            "readings-1000",
            to,
            &count.to_string(),
            &transactions.to_string(),
        ]);
        let (took, is_well) = process::run(&mut command);
        assert!(is_well, "the copy failed");
        took
    };
    let _ = copy("warm-up", true);
    let engine = |name: &str, sensors: usize, guarantee: &str| {
        let change = |text: String| {
            let text = text.replace("\"exactly-once\"", &format!("\"{guarantee}\""));
            format!("{text}\n[run]\nworkers = 1\n")
        };
        Pipeline::new(broker, name, &format!("readings-{sensors}"), change).to_end()
    };
    let mut rows: Vec<(&str, Vec<(Took, f64)>)> = vec![
        ("copy, transactions", vec![]),
        ("copy, none", vec![]),
        ("sensor.toml, exactly once, 1,000 keys", vec![]),
        ("sensor.toml, at least once, 1,000 keys", vec![]),
        ("sensor.toml, exactly once, 100,000 keys", vec![]),
    ];
    for round in 0..ROUNDS {
        let mut measured = |row: usize, run: &dyn Fn() -> Took| {
            let before = broker.cpu();
            let took = run();
            rows[row].1.push((took, broker.cpu() - before));
        };
        measured(0, &|| copy(&format!("copy-{round}"), true));
        measured(1, &|| copy(&format!("plain-{round}"), false));
        measured(2, &|| engine(&format!("eos-{round}"), 1_000, "exactly-once"));
        measured(3, &|| engine(&format!("alo-{round}"), 1_000, "at-least-once"));
        measured(4, &|| engine(&format!("many-{round}"), 100_000, "exactly-once"));
    }
    let baseline: Vec<Took> = rows[0].1.iter().map(|(took, _)| *took).collect();
    println!(
        "  median of {ROUNDS} rounds; ratios to the transactional copy of the same round, median (least-most)"
    );
    println!(
        "  {:<40} {:>9} {:>9} {:>9} {:>8}   {:<20} {:<20}",
        "", "M rec/s", "µs/rec", "broker", "MiB", "speed", "CPU"
    );
    for (name, runs) in &rows {
        let per = |f: &dyn Fn(&(Took, f64)) -> f64| median(runs.iter().map(f).collect());
        let speed = ratios(runs.iter().zip(&baseline).map(|((took, _), base)| base.wall / took.wall));
        let cpu = ratios(runs.iter().zip(&baseline).map(|((took, _), base)| took.cpu / base.cpu));
        println!(
            "  {name:<40} {:>9.2} {:>9.2} {:>9.2} {:>8.0}   {speed:<20} {cpu:<20}",
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
