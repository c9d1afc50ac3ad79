//! The same pipeline and the same records give the same output for each key, wherever they run: in memory
//! (`streamrun test`), on the embedded log, on Kafka.

use crate::support::engine::{DEADLINE, Start};
use crate::support::local;
use crate::support::producer::{Producer, Raw};
use crate::support::reader::Found;
use crate::support::{Engine, Place, Random};
use crate::verify::{self, Logs, TOPICS};
use crate::workload::{PARTITIONS, Workload, record, sort};
use std::collections::BTreeMap;
use std::path::Path;

const RECORDS: i64 = 600;
/// Behind the repartition it is free whose turn it is, so its counts are not compared; its windows are.
const OUTPUTS: [&str; 4] = ["counted", "windows", "sort-windows", "dead"];

/// What the outputs hold, by key and in order.
type Outputs = [BTreeMap<String, Vec<String>>; 4];

pub fn on_kafka_on_the_embedded_log_and_in_memory() {
    let place = Place::shared("same");
    Workload::default().prepare(&place);
    let records = records();
    let (on_kafka, on_the_log) = (on_kafka(&place, &records), on_the_log(&place, &records));
    for ((topic, kafka), log) in OUTPUTS.iter().zip(&on_kafka).zip(&on_the_log) {
        assert!(!kafka.is_empty(), "`{topic}` is empty");
        assert_eq!(kafka, log, "`{topic}` on Kafka, and on the embedded log");
    }
    in_memory(&place, &records, &on_kafka);
}

/// What the engine writes on the embedded log is what the verdict expects: it is right about the pipeline.
pub fn the_verdict_holds_on_the_embedded_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = Workload::default().pipeline().replace("NAME", "p");
    std::fs::write(folder.path().join("p.toml"), text).expect("written");
    let mut dice = Random::new(5);
    let records: Vec<Raw> = (0..5_000).map(|id| record(id, &mut dice)).collect();
    let log = folder.path().join("log");
    local::send(&log, "p-in", PARTITIONS as u32, &records);
    run_to_end(folder.path(), "--local=log --close-windows");
    let logs = Logs::of(TOPICS.map(|topic| local::read(&log, &format!("p-{topic}"))));
    let faults = verify::contents(&logs);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Records, and behind them one for each partition that closes all windows of the others.
fn records() -> Vec<Raw> {
    let mut dice = Random::new(3);
    let mut records: Vec<Raw> = (0..RECORDS).map(|id| record(id, &mut dice)).collect();
    let last = records.iter().filter_map(|raw| raw.timestamp).max().expect("there are some");
    records.extend((0..40).map(|n| {
        let (id, at, key) = (RECORDS + n, last + 3_600_000, format!("last-{n}"));
        let sort = sort(id);
        let value = format!(r#"{{"id":{id},"id_key":"{key}","sort":"{sort}","amount":1,"at":{at}}}"#);
        let (key, value) = (Some(key.into_bytes()), Some(value.into_bytes()));
        Raw { key, value, timestamp: Some(at), ..Raw::default() }
    }));
    records
}

fn on_kafka(place: &Place, records: &[Raw]) -> Outputs {
    let producer = Producer::new(place.cluster.bootstrap());
    records.iter().for_each(|raw| producer.send(&place.topic("in"), raw));
    producer.flush();
    let start = Start { home: "a", flags: "--until-end", ..Start::default() };
    Engine::start_as(place, &start).ended(DEADLINE).with(0);
    let reader = place.reader();
    OUTPUTS.map(|topic| by_key(&reader.read(&place.topic(topic))))
}

fn on_the_log(place: &Place, records: &[Raw]) -> Outputs {
    let log = place.path().join("log");
    local::send(&log, &place.topic("in"), PARTITIONS as u32, records);
    run_to_end(place.path(), "--local=log");
    OUTPUTS.map(|topic| by_key(&local::read(&log, &place.topic(topic))))
}

/// Runs a folder's pipeline to the end.
pub fn run_to_end(folder: &Path, flags: &str) {
    program(folder, &format!("run p.toml --status off --until-end {flags}"));
}

/// What was written on Kafka is what a test in the pipeline's file expects.
fn in_memory(place: &Place, records: &[Raw], expected: &Outputs) {
    let [counted, windows, sort_windows, dead] = expected;
    let text = std::fs::read_to_string(place.path().join("p.toml")).expect("a pipeline");
    let sent: Vec<String> = records.iter().map(sent).collect();
    let rows =
        |of: &BTreeMap<String, Vec<String>>| of.values().flatten().map(|row| table(row)).collect::<String>();
    let letters = dead.values().flatten().map(|text| format!("  {{ _value = {} }},\n", literal(text)));
    let test = format!(
        "{text}\n[[test]]\nname = \"as on Kafka\"\npartitions = {PARTITIONS}\nsend.readings = [\n{}]\n\
         expect.counted_out = [\n{}]\nexpect.windows_out = [\n{}]\nexpect.sort_windows_out = [\n{}]\n\
         expect.dead_letters = [\n{}]\n",
        sent.concat(),
        rows(counted),
        rows(windows),
        rows(sort_windows),
        letters.collect::<String>()
    );
    std::fs::write(place.path().join("tested.toml"), test).expect("written");
    program(place.path(), "test tested.toml");
}

fn sent(raw: &Raw) -> String {
    let text =
        |bytes: &Option<Vec<u8>>| literal(&String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()));
    let timestamp = raw.timestamp.unwrap_or_default();
    format!("  {{ _key = {}, _value = {}, _timestamp = {timestamp} }},\n", text(&raw.key), text(&raw.value))
}

/// A row of JSON as one of TOML.
fn table(row: &str) -> String {
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).expect("a row of ours");
    let fields: Vec<String> = json.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("  {{ {} }},\n", fields.join(", "))
}

/// A text of TOML; nothing in it needs more than JSON's escapes.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn by_key(all: &[Found]) -> BTreeMap<String, Vec<String>> {
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in all {
        let value = String::from_utf8_lossy(found.value.as_deref().unwrap_or_default()).into_owned();
        by_key.entry(found.key()).or_default().push(value);
    }
    by_key
}

fn program(folder: &Path, line: &str) {
    let mut command = crate::support::child::tied(env!("CARGO_BIN_EXE_streamrun"));
    let output = command.current_dir(folder).args(line.split_whitespace()).env("NO_COLOR", "1").output();
    let output = output.expect("the program starts");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {:?}\n{said}", output.status);
}
