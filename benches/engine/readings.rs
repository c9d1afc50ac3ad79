//! Sensor readings: 120 to 150 bytes each, their times jittered by four seconds, one in a hundred to be rejected.

use std::fmt::Write;
use streamrun::plan::{self, Plan};
use streamrun::time::write_timestamp;
use streamrun::transport::Record;

/// 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600_000;

/// The example that all figures are about, without its tests.
pub fn sensor_text() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/sensor.toml");
    let mut text = std::fs::read_to_string(path).unwrap();
    text.truncate(text.find("\n[[test]]").unwrap());
    text
}

/// The same, checked.
pub fn sensor_plan() -> Plan {
    plan::check(&sensor_text(), &[]).plan.unwrap()
}

/// Keys and values behind each other, and where each ends.
pub struct Readings {
    bytes: Vec<u8>,
    cuts: Vec<(usize, usize)>,
}

impl Readings {
    /// So many readings of so many sensors, eight thousand to the second of event time.
    pub fn new(count: usize, sensors: u64) -> Self {
        Readings::part(0, count, sensors)
    }

    /// The same from the one with this number on: their times go on where those before ended.
    pub fn part(first: usize, count: usize, sensors: u64) -> Self {
        let mut dice = Dice(42 + first as u64);
        Readings::made(count, |i, sensor_id, text| {
            let temperature = if dice.below(100) == 0 { 999.0 } else { dice.below(12_000) as f64 / 100.0 };
            let place = ['a', 'b', 'c'][i % 3];
            write!(sensor_id, "sensor-{}", dice.below(sensors)).unwrap();
            let humidity = (dice.below(700) + 200) as f64 / 10.0;
            let time = time(START + (first + i) as i64 / 8 + dice.below(4_000) as i64);
            write!(
                text,
                r#"{{"sensor_id":"{sensor_id}","temperature":{temperature:.2},"humidity":{humidity:.1},"location":"warehouse-{place}","timestamp":"{time}"}}"#,
            )
            .unwrap();
        })
    }

    /// One reading of each of so many sensors, all of one minute.
    pub fn of_each(sensors: u64) -> Self {
        Readings::made(sensors as usize, |i, sensor_id, text| {
            // In no order: the factor has no divisor in common with a power of ten.
            write!(sensor_id, "sensor-{}", i as u64 * 7_368_787 % sensors).unwrap();
            write!(
                text,
                r#"{{"sensor_id":"{sensor_id}","temperature":23.51,"humidity":48.2,"location":"warehouse-a","timestamp":"2026-01-01T00:00:05.123Z"}}"#
            )
            .unwrap();
        })
    }

    /// So many of any kind: `make` writes the key and the value of the one with a number.
    pub fn made(count: usize, mut make: impl FnMut(usize, &mut String, &mut String)) -> Self {
        let (mut key, mut value) = (String::new(), String::new());
        let mut readings = Readings { bytes: Vec::with_capacity(count * 150), cuts: vec![] };
        for i in 0..count {
            key.clear();
            value.clear();
            make(i, &mut key, &mut value);
            readings.bytes.extend_from_slice(key.as_bytes());
            let key_end = readings.bytes.len();
            readings.bytes.extend_from_slice(value.as_bytes());
            readings.cuts.push((key_end, readings.bytes.len()));
        }
        readings
    }

    /// How long a value is on average.
    pub fn mean_bytes(&self) -> usize {
        self.cuts.iter().map(|(key_end, end)| end - key_end).sum::<usize>() / self.cuts.len()
    }

    /// As a transport hands them out.
    pub fn records(&self) -> Vec<Record<'_>> {
        let mut start = 0;
        let record = |(offset, (key_end, end)): (usize, &(usize, usize))| {
            let key = &self.bytes[start..*key_end];
            start = *end;
            Record {
                offset: offset as i64,
                timestamp: START,
                key: Some(key),
                value: Some(&self.bytes[*key_end..*end]),
                headers: &[],
            }
        };
        self.cuts.iter().enumerate().map(record).collect()
    }
}

/// A time as a reading has it.
pub fn time(ms: i64) -> String {
    let mut text = vec![];
    write_timestamp(&mut text, ms).unwrap();
    String::from_utf8(text).unwrap()
}

/// Numbers without a pattern, the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
