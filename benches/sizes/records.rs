//! Cost against the size of a record, and against the fields that it has beside those that are read: two.

use super::common::median;
use super::readings::Readings;
use super::rig::{Rig, SOURCE};
use std::fmt::Write;

const PARTS: usize = 9;
/// So many bytes of records in a part.
const BYTES: usize = 20_000_000;
/// What the two fields take that are read, and each of the others beside its text.
const READ: usize = 42;
const NAMED: usize = 13;

pub fn table() {
    println!("| a record's bytes | fields, two of them read | read and written, ns | GB/s |");
    println!("|---|---|---|---|");
    for (bytes, fields) in
        [(100, 4), (1_000, 4), (10_000, 4), (100_000, 4), (1_000, 50), (10_000, 50), (100_000, 50)]
    {
        row(bytes, fields);
    }
}

/// Texts of one length share what two numbers leave.
fn row(bytes: usize, fields: usize) {
    let source =
        SOURCE.replace("timestamp = \"timestamp\"\n", "").replace("event_time = \"timestamp\"\n", "");
    let mut rig = Rig::new(&format!(
        "{source}
        [filter.warm]
        from = \"readings\"
        when = 'temperature > -1.0'
        [sink.out]
        from = \"warm\"
        topic = \"out\"\n"
    ));
    let others = fields - 2;
    let each = bytes.saturating_sub(READ + others * NAMED) / others;
    let text = "warehouse ".repeat(each / 10 + 1);
    let readings = Readings::made((BYTES / bytes).min(100_000), |i, key, value| {
        write!(key, "sensor-{}", i % 1000).unwrap();
        write!(value, r#"{{"sensor_id":"{key}","#).unwrap();
        for at in 0..others {
            write!(value, r#""field_{at:02}":"{}","#, &text[..each]).unwrap();
        }
        write!(value, r#""temperature":{}.5}}"#, i % 90).unwrap();
    });
    rig.ns(&readings);
    let ns = median((0..PARTS).map(|_| rig.ns(&readings)).collect());
    let mean = readings.mean_bytes();
    println!("| {mean} | {fields} | {ns:.0} | {:.2} |", mean as f64 / ns);
}
