//! What a commit to the embedded log costs, and reading it back: `cargo bench --bench journal`. `fdatasync` is
//! counted, so the directory for temporary files decides: name another with `TMPDIR`.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::time::Instant;
use streamrun::transport::local::journal::{Commit, Log, Records};

const VALUE: &[u8] = &[b'x'; 120];

fn commits(log: &mut Log, commits: usize, records: usize) {
    let topic = log.create_topic(&format!("of-{records}"), 4, false).expect("made");
    let mut commit = Commit::default();
    let (mut encoding, began) = (0, Instant::now());
    for _ in 0..commits {
        let since = Instant::now();
        commit.clear();
        for record in 0..records {
            commit.record(topic, record as u32 % 4, 0, Some(b"sensor-17"), Some(VALUE), b"");
        }
        commit.offset("group", topic, 0, 1, b"metadata");
        encoding += since.elapsed().as_nanos();
        log.append(&commit).expect("appended");
    }
    let (all, micros) = (commits * records, began.elapsed().as_micros());
    println!(
        "{commits} commits of {records} records of {} B: {:.3} ms a commit, {:.2} M records/s, making them {} ns each",
        VALUE.len(),
        micros as f64 / 1e3 / commits as f64,
        all as f64 / micros as f64,
        encoding / all as u128,
    );
}

fn read(log: &Log, name: &str) {
    let topic = log.topic(name).expect("made");
    let (mut records, mut read, began) = (Records::default(), 0, Instant::now());
    for partition in 0..4 {
        let mut from = 0;
        while from < log.end_offset(topic, partition).expect("there") {
            log.read(topic, partition, from, (1000, 1 << 20), &mut records).expect("read");
            from += std::hint::black_box(&records).iter().count() as i64;
            read += records.len();
        }
    }
    println!("read `{name}`: {:.2} M records/s", read as f64 / began.elapsed().as_micros() as f64);
}

fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut log = Log::open(dir.path()).expect("a new log");
    commits(&mut log, 20, 100_000);
    commits(&mut log, 200, 700);
    commits(&mut log, 500, 1);
    read(&log, "of-100000");
    read(&log, "of-700");
    let bytes = log.bytes().expect("there");
    let began = Instant::now();
    drop(Log::open(dir.path()).expect("sound"));
    println!("opened {} MB in {:.0} ms", bytes >> 20, began.elapsed().as_micros() as f64 / 1e3);
}
