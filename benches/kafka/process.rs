//! A process that is measured from outside: how long it took, its time on cores, its memory.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What a process has taken.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// From start to end, in seconds.
    pub wall: f64,
    /// Time on cores, in seconds.
    pub cpu: f64,
    /// The most memory, in MiB.
    pub memory: f64,
}

/// Time on cores so far, in seconds.
pub fn cpu(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn memory(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Runs a command to its end; whether that was a good one.
pub fn run(command: &mut Command) -> (Took, bool) {
    let since = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut took = Took { wall: 0.0, cpu: 0.0, memory: 0.0 };
    let status = loop {
        look(&child, &mut took);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    took.wall = since.elapsed().as_secs_f64();
    (took, status.success())
}

fn look(child: &Child, took: &mut Took) {
    // Gone between two looks: what was seen last counts.
    took.cpu = cpu(child.id()).filter(|cpu| *cpu > took.cpu).unwrap_or(took.cpu);
    took.memory = memory(child.id()).unwrap_or(took.memory);
}
