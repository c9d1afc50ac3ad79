//! What a record costs as things grow, a table each: `cargo bench --bench sizes [-- keys windows chain records
//! partitions commits closing]`.
//!
//! `keys`, `windows`, `chain`, `records` and `closing` drive a task alone; `partitions` and `commits` a worker on the
//! embedded log, `fdatasync` included, so the directory for temporary files decides: name another with `TMPDIR`.
//! Times are a thread's on a core, but for what is called a pause or a speed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[allow(dead_code, reason = "shared with benches that compare")]
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/held.rs"]
mod held;
#[allow(dead_code, reason = "shared with the bench on a broker")]
#[path = "../kafka/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the bench of the engine")]
#[path = "../engine/readings.rs"]
mod readings;

mod chain;
mod closing;
mod keys;
mod local;
mod records;
mod rig;
mod windows;

const TABLES: &[(&str, fn())] = &[
    ("keys", keys::table),
    ("windows", windows::table),
    ("chain", chain::table),
    ("records", records::table),
    ("partitions", local::partitions),
    ("commits", local::commits),
    ("closing", closing::table),
];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    for (name, table) in TABLES {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            table();
            println!();
        }
    }
}
