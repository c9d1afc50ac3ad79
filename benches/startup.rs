//! `streamrun` as a whole process: from its start to its exit, and to the first output of a pipeline. What it is made
//! of, too. `cargo bench --bench startup`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use streamrun::transport::local::Client;

const BINARY: &str = env!("CARGO_BIN_EXE_streamrun");
const SENSOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/sensor.toml");
const READING: &str = r#"{"sensor_id":"a","temperature":21.5,"timestamp":"2026-01-01T00:00:00Z"}"#;

fn main() {
    report("--version", 5, 51, || to_exit(&["--version"]));
    report("check", 20, 51, || to_exit(&["check", SENSOR]));
    report("run --local, to the first output, commits every 100 ms", 150, 21, to_first_output);
    println!("binary: {:.1} MiB, {}; {} crates in it", mib(BINARY.as_ref()), stripped(), crates());
}

fn report(what: &str, most_ms: u32, rounds: usize, run: impl Fn() -> Duration) {
    let mut took: Vec<f64> = (0..rounds).map(|_| run().as_secs_f64() * 1e3).collect();
    took.sort_by(f64::total_cmp);
    let (least, median) = (took[0], took[rounds / 2]);
    println!("{what}: {least:.1} ms min, {median:.1} ms median of {rounds}; to be under {most_ms} ms");
}

fn streamrun(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn to_exit(arguments: &[&str]) -> Duration {
    let began = Instant::now();
    assert!(streamrun(arguments).status().unwrap().success());
    began.elapsed()
}

/// A reading waits in a log; an output counts when another process can read it, which is when it is committed.
fn to_first_output() -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let mut client = Client::open(dir.path()).unwrap();
    client.ensure_topic("sensor-readings", 4).unwrap();
    client.ensure_topic("enriched-readings", 4).unwrap();
    client.send("sensor-readings", 0, Some(b"a"), Some(READING.as_bytes())).unwrap();
    client.flush().unwrap();
    let local = format!("--local={}", dir.path().display());
    let began = Instant::now();
    let mut engine = streamrun(&["run", SENSOR, &local, "--status", "off"]).spawn().unwrap();
    while (0..4).all(|partition| client.bounds("enriched-readings", partition).unwrap().1 == 0) {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing comes out");
        std::thread::sleep(Duration::from_micros(200));
        client.refresh().unwrap();
    }
    let took = began.elapsed();
    engine.kill().unwrap();
    engine.wait().unwrap();
    took
}

fn mib(path: &Path) -> f64 {
    std::fs::metadata(path).unwrap().len() as f64 / (1 << 20) as f64
}

/// What is left of it without what only backtraces need.
fn stripped() -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("streamrun");
    match Command::new("strip").arg(BINARY).arg("-o").arg(&path).status() {
        Ok(status) if status.success() => format!("{:.1} MiB stripped", mib(&path)),
        _ => "and no `strip` here".to_owned(),
    }
}

/// How many crates are linked into the binary, ours included.
fn crates() -> usize {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--offline"]);
    let out = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let mut names: Vec<&str> = std::str::from_utf8(&out.stdout).unwrap().lines().collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}
