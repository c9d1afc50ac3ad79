//! The targets over random inputs: good ones, cut up and put together again. `FUZZ_SECONDS` a target; one if unset.

use std::time::{Duration, Instant};

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }

    /// A run of some bytes.
    fn piece<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.below(bytes.len() + 1);
        &bytes[start..start + self.below((bytes.len() - start).min(64) + 1)]
    }

    /// One of the seeds with a few edits: bytes changed, pieces of seeds put in, pieces taken out.
    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..self.below(6) {
            let at = self.below(input.len() + 1);
            match self.below(4) {
                0 if at < input.len() => input[at] = self.below(256) as u8,
                1 => {
                    let from = self.below(seeds.len());
                    let piece = self.piece(&seeds[from]).to_vec();
                    input.splice(at..at, piece);
                }
                2 => {
                    let end = at + self.below((input.len() - at).min(32) + 1);
                    input.drain(at..end);
                }
                _ => input.insert(at, br#""{}[]:,.\-+eE0123456789 tfn()=<>&|!'"#[self.below(36)]),
            }
        }
        input
    }
}

fn run(name: &str, target: fn(&[u8]), seeds: &[&[u8]]) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let (began, mut seed) = (Instant::now(), 0u64);
    while began.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let input = dice.mutated(&seeds);
        let outcome = std::panic::catch_unwind(|| target(&input));
        assert!(outcome.is_ok(), "{name}, seed {seed}: {:?}", String::from_utf8_lossy(&input));
    }
    println!("{name}: {seed} inputs in {seconds} s");
}

#[test]
fn scanner() {
    run(
        "scanner",
        streamrun_fuzz::scanner,
        &[
            br#"{"sensor_id":"sensor-1","temperature":21.5e3,"timestamp":"2026-01-01T00:00:00Z"}"#,
            br#"{"a":[1,-0.0,true,false,null,{"b":{}}],"\u00e9\ud83d\ude00":"\n\"\\"} "#,
            "{\"ü\":\"grün\u{1F600}\"}".as_bytes(),
            b"[]",
            b"\xff\xfe{",
        ],
    );
}

#[test]
fn expression() {
    run(
        "expression",
        streamrun_fuzz::expression,
        &[
            b"f > 2.0 && i <= -7 || !b",
            br#"if(s == "a", i + 1, i % 3) * 2"#,
            br#"len(s) + int("12") - round(f, 2)"#,
            br#"t + 5m < now() && o.x ?? 0 == 1"#,
            br#"contains(s, "x") || matches(s, "[a-z]+") && n == null"#,
            b"9223372036854775807 + -9223372036854775808 / 0",
        ],
    );
}

#[test]
fn journal() {
    let mut topics = vec![2, 1];
    topics.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0, 3, b'a', b'b', b'c', 0xff, 0xff, 0xff, 0xff]);
    let counted: Vec<u8> = (0..=255).collect();
    let file =
        b"\x00SRJOURNL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf7SR\x1a\x04\x00\x00\x00abcdabcd";
    run("journal", streamrun_fuzz::journal, &[&topics, &counted, file, &file[21..], b"\x02\x00\x00\x00\x00"]);
}

#[test]
fn check() {
    let sensor = concat!(env!("CARGO_MANIFEST_DIR"), "/../pipelines/sensor.toml");
    let sensor = std::fs::read(sensor).expect("the example is there");
    let small = br#"
name = "a"
[schema.s]
x = "int?"
[source.in]
topic = "t"
schema = "s"
[map.m]
from = "in"
set.y = 'x ?? 0 + 1'
[sink.out]
from = "m"
topic = "o"
"#;
    run("check", streamrun_fuzz::check, &[&sensor, small]);
}
