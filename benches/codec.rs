//! The scanner beside `serde_json` on sensor readings, and what a sink costs. `cargo bench --bench codec`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

mod common;

use common::{Contestant, compare};
use serde::Deserialize;
use std::hint::black_box;
use streamrun::codec::json::{Field, Scanner};
use streamrun::codec::splice::{Base, Layout, SetField, Splice};
use streamrun::frame::{EMPTY, Frame, Register, Registers, Text, Value};
use streamrun::types::{Kind, TimeFormat};

/// What `serde_json` decodes into.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Reading<'r> {
    sensor_id: &'r str,
    temperature: f64,
    humidity: Option<f64>,
    location: Option<&'r str>,
    timestamp: &'r str,
}

/// Readings of 130 to 140 bytes, a thousand sensors, times jittered over four minutes.
fn readings(count: usize) -> Vec<Vec<u8>> {
    let reading = |i: usize| {
        let ms = i * 7 % 4_000 + i / 10;
        format!(
            r#"{{"sensor_id":"sensor-{}","temperature":{}.{:02},"humidity":{}.{},"location":"warehouse-a","timestamp":"2026-01-01T00:{:02}:{:02}.{:03}Z"}}"#,
            i * 7919 % 1000,
            20 + i % 70,
            i % 100,
            20 + i % 60,
            i % 10,
            ms / 60_000 % 60,
            ms / 1000 % 60,
            ms % 1000,
        )
        .into_bytes()
    };
    (0..count).map(reading).collect()
}

fn fields(read: [bool; 5], time: Kind) -> Vec<Field> {
    let field = |(i, (name, kind, optional)): (usize, (&str, Kind, bool))| Field {
        path: vec![name.into()],
        kind,
        time: TimeFormat::Text,
        optional,
        register: read[i].then_some(Register(i as u8)),
    };
    let fields = [
        ("sensor_id", Kind::String, false),
        ("temperature", Kind::Float, false),
        ("humidity", Kind::Float, true),
        ("location", Kind::String, true),
        ("timestamp", time, false),
    ];
    fields.into_iter().enumerate().map(field).collect()
}

fn with_frame<T>(
    payload: &[u8],
    registers: &mut Registers,
    arena: &mut Vec<u8>,
    run: impl FnOnce(&mut Frame<'_>) -> T,
) -> T {
    arena.clear();
    run(&mut Frame { payload, ..Frame::new(registers, arena, b"critical") })
}

/// Scans all of the readings.
fn scan<'c>(name: &'c str, readings: &'c [Vec<u8>], fields: Vec<Field>) -> Contestant<'c> {
    let mut scanner = Scanner::new(fields, vec!["status".into()]);
    let (mut registers, mut arena) = (EMPTY, vec![]);
    Contestant::new(name, move || {
        for payload in readings {
            let found = with_frame(payload, &mut registers, &mut arena, |frame| {
                scanner.scan(frame).unwrap();
                frame.body.end
            });
            black_box(found);
        }
    })
}

/// Parses all of them with `serde_json`.
fn serde<'c, T: Deserialize<'c>>(name: &'c str, readings: &'c [Vec<u8>]) -> Contestant<'c> {
    Contestant::new(name, move || {
        for payload in readings {
            black_box(serde_json::from_slice::<T>(payload).unwrap());
        }
    })
}

/// Scans and writes all of them, with a text and a float added.
fn scan_and_splice<'c>(name: &'c str, readings: &'c [Vec<u8>], drop: &[&str]) -> Contestant<'c> {
    let set = |name: &str, register, kind| SetField {
        path: vec![name.into()],
        register: Register(register),
        kind,
        time: TimeFormat::Text,
        optional: false,
    };
    let splice = Splice::new(&Layout {
        base: Base::Json,
        keep: None,
        drop: drop.iter().map(|name| vec![name.to_string()]).collect(),
        rename: vec![],
        set: vec![set("status", 5, Kind::String), set("fahrenheit", 6, Kind::Float)],
    });
    let mut scanner = Scanner::new(fields([true, true, false, false, true], Kind::Timestamp), vec![]);
    let (mut registers, mut arena, mut out) = (EMPTY, vec![], vec![]);
    Contestant::new(name, move || {
        out.clear();
        for payload in readings {
            with_frame(payload, &mut registers, &mut arena, |frame| {
                scanner.scan(frame).unwrap();
                frame.set(Register(5), Value::Text(Text::constant(0, 8)));
                frame.set(Register(6), Value::Float(frame.float(Register(1)) * 1.8 + 32.0));
                splice.write(frame, &mut out).unwrap();
            });
        }
        out.len()
    })
}

fn main() {
    let readings = readings(1_000);
    let bytes: usize = readings.iter().map(Vec::len).sum();
    println!("{} readings of {} B on average", readings.len(), bytes / readings.len());
    let three = [true, true, false, false, true];
    let contestants = vec![
        scan("scan, 3 of 5 read", &readings, fields(three, Kind::Timestamp)),
        scan("scan, time kept as text", &readings, fields(three, Kind::String)),
        scan("scan, all 5 read", &readings, fields([true; 5], Kind::Timestamp)),
        scan_and_splice("scan and splice 2", &readings, &[]),
        scan_and_splice("scan and rewrite", &readings, &["location"]),
        serde::<Reading<'_>>("serde_json, struct", &readings),
        serde::<serde_json::Value>("serde_json, Value", &readings),
        serde::<serde::de::IgnoredAny>("serde_json, validate only", &readings),
    ];
    compare("a reading", 11, readings.len(), contestants);
}
