//! `streamrun` as a whole process, from its start to its exit: `cargo bench --bench check`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

use std::process::{Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 51;

fn main() {
    time(&["--version"]);
    time(&["check", concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/sensor.toml")]);
}

fn time(arguments: &[&str]) {
    let mut took: Vec<f64> = (0..ROUNDS).map(|_| run(arguments)).collect();
    took.sort_by(f64::total_cmp);
    println!(
        "streamrun {:<10} {:>6.2} ms min, {:>6.2} ms median of {ROUNDS}",
        arguments[0],
        took[0],
        took[ROUNDS / 2]
    );
}

fn run(arguments: &[&str]) -> f64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamrun"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    assert!(command.status().unwrap().success());
    began.elapsed().as_secs_f64() * 1e3
}
