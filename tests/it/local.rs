//! `produce` and `inspect` on the embedded log, as those see them who type them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

const PIPELINE: &str = r#"
name = "p"

[schema.reading]
id = "string"
n = "int"

[source.readings]
topic = "readings"
schema = "reading"
key = "id"
partitions = 3

[sink.out]
from = "readings"
topic = "out"

[generate.readings]
set.id = '"s-" + str(random_int(1, 5))'
set.n = 'random_int(1, 1000000)'
bad = ['not json', '{"id": "s-1", "n": "many"}']
"#;

/// A directory with a pipeline in it, where a log is made.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place::with(PIPELINE)
    }

    fn with(pipeline: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("p.toml"), pipeline).expect("written");
        Place(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn spawn(&self, line: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamrun"));
        command.current_dir(self.path()).args(line.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary")
    }

    /// Runs the program to its end.
    fn run(&self, line: &str) -> Done {
        self.run_on(line, b"")
    }

    fn run_on(&self, line: &str, input: &[u8]) -> Done {
        let mut child = self.spawn(line);
        let mut stdin = child.stdin.take().expect("piped");
        // Who does not read it may be gone already.
        let _ = stdin.write_all(input);
        drop(stdin);
        Done(child.wait_with_output().expect("it ends"))
    }

    /// All records of a topic, as `inspect --format json` has them.
    fn records(&self, topic: &str) -> Vec<Value> {
        self.run(&format!("inspect {topic} --local --limit all --format json")).fine().json()
    }
}

struct Done(Output);

impl Done {
    fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("UTF-8")
    }

    fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("UTF-8")
    }

    fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    fn fine(self) -> Self {
        assert_eq!(self.code(), Some(0), "{}", self.stderr());
        self
    }

    fn json(&self) -> Vec<Value> {
        let parsed =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        self.stdout().lines().map(parsed).collect()
    }
}

/// What is the same whenever it is made.
fn timeless(records: &[Value]) -> Vec<(Value, Value, Value, Value)> {
    let of = |r: &Value| (r["partition"].clone(), r["offset"].clone(), r["key"].clone(), r["value"].clone());
    let mut all: Vec<_> = records.iter().map(of).collect();
    all.sort_by_key(|(partition, offset, _, _)| (partition.as_i64(), offset.as_i64()));
    all
}

#[test]
fn what_is_produced_is_inspected() {
    let place = Place::new();
    let said = place.run("produce p.toml --local --interval 0s --seed 4").fine();
    assert_eq!(
        (said.stdout(), said.stderr()),
        (String::new(), "sent 30 records to `readings` (seed 4)\n".into())
    );
    assert!(place.path().join(".streamrun").is_dir());
    let records = place.records("readings");
    assert_eq!(records.len(), 30);
    let mut homes: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in &records {
        let names: Vec<_> = record.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, ["topic", "partition", "offset", "timestamp", "key", "value", "headers"]);
        assert_eq!((&record["topic"], &record["key"]), (&"readings".into(), &record["value"]["id"]));
        assert_eq!(record["headers"], serde_json::json!({}));
        let key = record["key"].as_str().expect("a text");
        assert_eq!(
            homes.entry(key).or_insert(&record["partition"]),
            &&record["partition"],
            "a key has one home"
        );
        assert!(record["partition"].as_i64().is_some_and(|partition| partition < 3));
    }
    let text = place.run("inspect readings --local").fine();
    assert_eq!(text.stdout().lines().count(), 21, "titles and 20 records");
    assert_eq!(text.stderr(), "10 more; `--limit all` prints them too\n");
}

#[test]
fn a_seed_makes_the_same_records_and_another_one_others() {
    let made = |seed: u32| {
        let place = Place::new();
        place
            .run(&format!("produce p.toml readings --local --count 2000 --include-bad --seed {seed}"))
            .fine();
        timeless(&place.records("readings"))
    };
    let first = made(1);
    assert_eq!(first.len(), 2000);
    assert_eq!(first, made(1));
    assert_ne!(first, made(2));
}

#[test]
fn one_of_ten_is_bad_on_demand() {
    let place = Place::new();
    let said = place.run("produce p.toml --local --interval 0s --include-bad --seed 1").fine();
    assert_eq!(said.stderr(), "sent 30 records to `readings`, 3 of them bad (seed 1)\n");
    let records = place.records("readings");
    let bad: Vec<_> = records.iter().filter(|r| !r["value"]["n"].is_i64()).collect();
    assert_eq!(bad.len(), 3);
    for record in bad {
        let keyed = record["value"].is_object();
        assert_eq!(record["key"], if keyed { "s-1".into() } else { Value::Null }, "{record}");
    }
}

#[test]
fn many_records_go_as_fast_as_they_can_and_say_how_fast_that_was() {
    let place = Place::new();
    let said = place.run("produce p.toml --local --count 25000 --seed 1").fine().stderr();
    assert!(said.starts_with("sent 25,000 records to `readings` in "), "{said}");
    assert!(said.ends_with(" a second (seed 1)\n"), "{said}");
    assert_eq!(place.records("readings").len(), 25_000);
}

#[test]
fn lines_are_sent_as_they_are() {
    let place = Place::new();
    let lines = "{\"id\": \"a\", \"n\": 1}\r\n\nnot json\n{\"n\": 2}\n";
    fs::write(place.path().join("lines.txt"), lines).expect("written");
    let said = place.run("produce p.toml --local --input lines.txt").fine();
    assert_eq!(said.stderr(), "sent 3 records to `readings`\n");
    place.run_on("produce p.toml --local --input - --count 1", lines.as_bytes()).fine();
    let mut found: Vec<_> = place.records("readings");
    found.sort_by_key(|r| r["value"].to_string());
    let found: Vec<_> = found.iter().map(|r| (r["key"].to_string(), r["value"].to_string())).collect();
    let expected = [
        ("null", "\"not json\""),
        ("\"a\"", r#"{"id":"a","n":1}"#),
        ("\"a\"", r#"{"id":"a","n":1}"#),
        ("null", r#"{"n":2}"#),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let missing = place.run("produce p.toml --local --input nothing.txt");
    assert_eq!(missing.code(), Some(2));
    assert!(missing.stderr().starts_with("error: `nothing.txt` cannot be read: "), "{}", missing.stderr());
}

#[test]
fn bytes_that_are_no_text_are_base64() {
    let place = Place::with(
        "name = \"p\"\n[source.s]\ntopic = \"raw\"\nformat = \"bytes\"\n[sink.o]\nfrom = \"s\"\ntopic = \"o\"\n",
    );
    place.run_on("produce p.toml --local --input -", b"\xff\xfe\n").fine();
    assert_eq!(place.records("raw")[0]["value"], serde_json::json!({ "base64": "//4=" }));
    let text = place.run("inspect raw --local").fine().stdout();
    assert!(text.ends_with("base64://4=\n"), "{text}");
}

#[test]
fn who_follows_sees_all_that_several_write_at_once() {
    const EACH: usize = 1500;
    let place = Place::new();
    place.run("produce p.toml --local --count 1").fine();
    let all = 1 + 3 * EACH;
    let follower = place.spawn(&format!("inspect readings --local --follow --limit {all} --format json"));
    let writers: Vec<_> =
        (0..3).map(|_| place.spawn(&format!("produce p.toml --local --count {EACH}"))).collect();
    for writer in writers {
        Done(writer.wait_with_output().expect("it ends")).fine();
    }
    let seen = Done(follower.wait_with_output().expect("it ends")).fine().json();
    assert_eq!(seen.len(), all);
    let mut next: BTreeMap<i64, i64> = BTreeMap::new();
    for record in &seen {
        let partition = record["partition"].as_i64().expect("a number");
        let next = next.entry(partition).or_default();
        assert_eq!(record["offset"].as_i64(), Some(*next));
        *next += 1;
    }
    assert_eq!(timeless(&seen), timeless(&place.records("readings")));
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let place = Place::new();
    place.run("produce p.toml --local --interval 0s --count 40 --seed 9").fine();
    let all = place.records("readings");
    let read =
        |line: &str| place.run(&format!("inspect readings --local --format json {line}")).fine().json();
    assert_eq!(read("--limit 5"), all[..5]);
    assert_eq!(read("--from end --limit 5"), all[35..]);
    assert_eq!(read("--limit 0"), [Value::Null; 0]);
    for record in read("--from 3 --partition 1 --limit all") {
        assert!(record["partition"] == 1 && record["offset"].as_i64() >= Some(3));
    }
    assert!(read("--from 1000 --limit all").is_empty());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    place.run("produce p.toml --local --count 20000").fine();
    for format in ["text", "json"] {
        let mut child = place.spawn(&format!("inspect readings --local --limit all --format {format}"));
        drop(child.stdout.take());
        let done = Done(child.wait_with_output().expect("it ends"));
        assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
    }
}

#[test]
fn what_is_not_there_is_said_with_what_could_be_meant() {
    let place = Place::new();
    let said = |line: &str| {
        let done = place.run(line);
        (done.code().unwrap_or(-1), done.stderr())
    };
    let (code, text) = said("inspect readings --local");
    assert_eq!(code, 1);
    assert!(text.starts_with("error: there is no log in `.streamrun`\nhelp: "), "{text}");
    assert!(!place.path().join(".streamrun").exists(), "who only looks makes nothing");
    place.run("produce p.toml --local --count 1").fine();
    let error = |topic: &str, help: &str| {
        (1, format!("error: there is no topic `{topic}` in `.streamrun`\nhelp: {help}\n"))
    };
    assert_eq!(said("inspect reading --local"), error("reading", "did you mean `readings`?"));
    assert_eq!(said("inspect orders --local"), error("orders", "there are readings"));
    assert_eq!(said("inspect readings --local --partition 3").0, 1);
    assert_eq!(said("inspect readings --local --kafka localhost:1").0, 2);
    let (code, text) = said("produce p.toml reading --local");
    assert_eq!(
        (code, text.as_str()),
        (2, "error: p.toml has no source `reading`\nhelp: did you mean `readings`?\n")
    );
}

#[test]
fn a_source_without_a_generator_takes_lines_only() {
    let place = Place::with(PIPELINE.split("[generate").next().expect("the part before"));
    let done = place.run("produce p.toml --local");
    assert_eq!(done.code(), Some(1));
    let said = "error: p.toml does not say how records are made up\n\
                help: write `[generate.readings]`, or send lines: `--input FILE`\n";
    assert_eq!(done.stderr(), said);
    place.run_on("produce p.toml --local --input -", b"{}").fine();
    assert_eq!(place.records("readings").len(), 1);
}
