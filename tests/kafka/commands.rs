//! The verbs beside `run` on a real cluster: what they print, refuse and leave behind.

use crate::support::engine::DEADLINE;
use crate::support::producer::{Producer, Raw, send_and_abort};
use crate::support::{Engine, Place, until};
use serde_json::Value;
use std::collections::BTreeMap;

const PIPELINE: &str = r#"
name = "NAME"
dead_letters = "NAME-dead"

[schema.reading]
id = "string"
n = "int"
at = "timestamp"

[source.readings]
topic = "NAME-in"
schema = "reading"
key = "id"
event_time = "at"
partitions = 3

[count.per_id]
from = "readings"
by = "id"

[tumble.daily]
from = "readings"
by = "id"
every = "1d"
compute.total = 'sum(n)'
compute.mean = 'avg(n)'

[sink.out]
from = "per_id"
topic = "NAME-out"

[sink.days]
from = "daily"
topic = "NAME-days"

[generate.readings]
set.id = '"s-" + str(random_int(1, 9))'
set.n = 'random_int(1, 100)'
set.at = 'now()'
"#;

/// With topics that are made.
fn creating() -> String {
    format!("{PIPELINE}\n[kafka]\ncreate_topics = true\n")
}

fn place(test: &str, pipeline: &str) -> Place {
    let place = Place::shared(test);
    place.pipeline(pipeline);
    place
}

/// What a verb says, with its exit code.
fn verb(place: &Place, line: &str) -> (Option<i32>, String) {
    let line = line.replace("NAME", &place.name);
    let named = if line.starts_with("check") { "" } else { " --kafka " };
    let brokers = if line.starts_with("check") { "" } else { place.cluster.bootstrap() };
    let ended = Engine::spawn(place, &format!("{line}{named}{brokers}"), "verb").ended(DEADLINE);
    (ended.code, ended.said)
}

fn fine(place: &Place, line: &str) -> String {
    let (code, said) = verb(place, line);
    assert_eq!(code, Some(0), "{line}\n{said}");
    said
}

fn refused(place: &Place, line: &str, words: &[&str]) {
    let (code, said) = verb(place, line);
    assert_eq!(code, Some(1), "{line}\n{said}");
    for words in words {
        let words = words.replace("NAME", &place.name);
        assert!(said.contains(&words), "expected {words:?} in\n{said}");
    }
}

fn lines(said: &str) -> Vec<Value> {
    let lines = said.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn run_to_end(place: &Place) -> String {
    fine(place, "run p.toml --status off --state-dir state --until-end")
}

pub fn what_is_produced_is_inspected() {
    let place = place("inspect", &creating());
    let said = fine(&place, "produce p.toml --count 900 --interval 0s --seed 4");
    assert!(said.contains("sent 900 records to") && said.contains("(seed 4)"), "{said}");
    let all = lines(&fine(&place, "inspect NAME-in --limit all --format json"));
    assert_eq!(all.len(), 900);
    let mut homes: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in &all {
        assert_eq!(record["key"], record["value"]["id"]);
        let key = record["key"].as_str().expect("a text");
        assert_eq!(homes.entry(key).or_insert(&record["partition"]), &&record["partition"], "one home");
    }
    // By times over all partitions, and by offsets within each.
    assert!(all.is_sorted_by_key(|record| record["timestamp"].as_str().map(str::to_owned)));
    for partition in 0..3 {
        let of = all.iter().filter(|record| record["partition"] == partition);
        assert!(of.map(|record| record["offset"].as_i64()).enumerate().all(|(n, at)| at == Some(n as i64)));
    }
    let last = lines(&fine(&place, "inspect NAME-in --from end --limit 5 --format json"));
    assert_eq!(last, all[895..]);
    let text = fine(&place, "inspect NAME-in");
    assert!(text.contains("more; `--limit all` prints them too"), "{text}");
    refused(&place, "inspect NAME-on", &["there is no topic `NAME-on` at ", "help: did you mean `NAME-in`?"]);
    refused(&place, "inspect NAME-in --partition 3", &["has no partition 3", "the last one is 2"]);
}

pub fn bytes_of_any_kind_are_shown_and_what_was_taken_back_is_not() {
    let place = place("bytes", PIPELINE);
    place.create("in", 1, &[]);
    let topic = place.topic("in");
    let producer = Producer::new(place.cluster.bootstrap());
    let headers = vec![("h".to_owned(), Some(b"\xff".to_vec())), ("h".to_owned(), None)];
    let odd =
        Raw { key: Some(b"\xff\x00".to_vec()), value: Some(b"\xfe".to_vec()), headers, ..Raw::default() };
    producer.send(&topic, &odd);
    producer.flush();
    let taken_back = Raw { value: Some(b"taken back".to_vec()), ..Raw::default() };
    send_and_abort(place.cluster.bootstrap(), &topic, &[taken_back.clone(), taken_back]);
    producer.send(&topic, &Raw { key: Some(b"k".to_vec()), value: None, ..Raw::default() });
    producer.flush();
    let all = lines(&fine(&place, "inspect NAME-in --limit all --format json"));
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0]["key"]["base64"], "/wA=");
    assert_eq!(all[0]["value"]["base64"], "/g==");
    assert_eq!(all[0]["headers"]["h"], serde_json::json!([{ "base64": "/w==" }, null]));
    assert_eq!((&all[1]["key"], &all[1]["value"]), (&"k".into(), &Value::Null));
    // The marks of transactions and what was taken back lie before the end, and count for nothing.
    let last = lines(&fine(&place, "inspect NAME-in --from end --limit 2 --format json"));
    assert_eq!(last, all);
}

pub fn who_follows_sees_what_comes() {
    let place = place("follow", &creating());
    fine(&place, "produce p.toml --count 3 --interval 0s");
    let brokers = place.cluster.bootstrap();
    let line = format!("inspect {} --follow --from end --format json --kafka {brokers}", place.topic("in"));
    let follower = Engine::spawn(&place, &line, "follower");
    // It says nothing before there is something, so what comes is sent until it is seen.
    let seen = until("records that are followed", DEADLINE, || {
        fine(&place, "produce p.toml --count 2 --interval 0s");
        Some(lines(&follower.said())).filter(|seen| seen.len() >= 4)
    });
    assert!(seen.iter().all(|record| record["value"]["n"].is_i64()), "{seen:?}");
}

pub fn changelogs_are_shown_as_rows() {
    let place = place("rows", &creating());
    fine(&place, "produce p.toml --count 500 --interval 0s --seed 1");
    run_to_end(&place);
    let rows = lines(&fine(&place, "inspect NAME-per_id-changelog --limit all --format json"));
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in &rows {
        if let Some(count) = row["value"]["count"].as_i64() {
            counts.insert(row["key"].as_str().expect("a text").to_owned(), count);
        }
    }
    assert_eq!(counts.values().sum::<i64>(), 500, "{rows:?}");
    assert!(counts.keys().all(|key| key.starts_with("s-")), "{counts:?}");
    let days = lines(&fine(&place, "inspect NAME-daily-changelog --limit all --format json"));
    let shown = days.iter().filter(|row| row["value"]["sum(n)"].is_i64() && row["value"]["avg(n)"].is_f64());
    assert!(shown.clone().count() >= 9, "{days:?}");
    assert!(shown.clone().all(|row| row["key"].as_str().is_some_and(|key| key.contains(" until 20"))));
}

pub fn lag_names_what_is_left_and_who_is_at_it() {
    let place = place("lag", &creating());
    fine(&place, "produce p.toml --count 30 --interval 0s");
    let lag = |place: &Place| -> Vec<Value> {
        let said = fine(place, "lag p.toml --format json");
        serde_json::from_str::<Value>(&said).expect("JSON").as_array().expect("an array").clone()
    };
    let before = lag(&place);
    assert_eq!(before.len(), 3);
    assert!(before.iter().all(|p| p["committed"].is_null() && p["owner"].is_null()), "{before:?}");
    assert_eq!(before.iter().filter_map(|p| p["lag_records"].as_i64()).sum::<i64>(), 30);
    for partition in &before {
        let (records, seconds) =
            (partition["lag_records"].as_i64(), partition["lag_seconds"].as_f64().unwrap());
        assert!((records > Some(0)) == (seconds > 0.0) && seconds < 600.0, "{partition}");
    }
    let engine = Engine::start(&place, "a");
    until("all of it read", DEADLINE, || {
        let now = lag(&place);
        // Where nothing ever was, nothing is committed.
        let read = |p: &Value| p["committed"] == p["end"] || (p["end"] == 0 && p["committed"].is_null());
        let done = now.iter().all(|p| p["lag_records"] == 0 && p["lag_seconds"] == 0.0 && read(p));
        let owned = now.iter().all(|p| p["owner"].as_str().is_some_and(|o| o.starts_with(&place.name)));
        (done && owned).then_some(())
    });
    engine.terminated().with(0);
    let text = fine(&place, "lag p.toml");
    assert!(text.starts_with("TOPIC") && text.ends_with("0 behind in all\n"), "{text}");
}

/// What Kafka's own tool says of the group is what `lag` says; and a group that is deleted, as one is that expires, is
/// spoken of.
pub fn the_group_is_one_for_kafkas_own_tools() {
    let place = place("groups", &creating());
    fine(&place, "produce p.toml --count 60 --interval 0s");
    assert!(!run_to_end(&place).contains("starts over"), "there is nothing to start over at first");
    fine(&place, "produce p.toml --count 30 --interval 0s");
    let ours: Value = serde_json::from_str(&fine(&place, "lag p.toml --format json")).expect("JSON");
    let said = place.cluster.tool(&format!("groups --describe --group {}", place.name));
    let topic = place.topic("in");
    let mut theirs: BTreeMap<i64, [String; 3]> = BTreeMap::new();
    for line in said.lines().filter(|line| line.contains(&topic)) {
        let words: Vec<&str> = line.split_whitespace().skip_while(|word| *word != topic).collect();
        let number = |word: &str| words[header(&said, word) - header(&said, "TOPIC")].to_owned();
        theirs.insert(
            number("PARTITION").parse().expect("a number"),
            ["CURRENT-OFFSET", "LOG-END-OFFSET", "LAG"].map(number),
        );
    }
    assert_eq!(theirs.len(), 3, "{said}");
    for partition in ours.as_array().expect("an array") {
        let number = |name: &str| partition[name].as_i64().map_or("-".to_owned(), |n| n.to_string());
        let of = &theirs[&partition["partition"].as_i64().expect("a number")];
        // Where nothing is committed theirs has no lag, and ours all that is there.
        let lag = if partition["committed"].is_null() { "-".to_owned() } else { number("lag_records") };
        assert_eq!(of, &[number("committed"), number("end"), lag], "{said}");
    }
    // The place of a process that has ended is free when its session is over.
    until("a group without members", DEADLINE, || {
        let said = place.cluster.tool(&format!("groups --delete --group {}", place.name));
        said.contains("was successful").then_some(())
    });
    let said = run_to_end(&place);
    assert!(said.contains("starts over: nothing is committed for its inputs"), "{said}");
    let rows = lines(&fine(&place, "inspect NAME-per_id-changelog --limit all --format json"));
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["value"]["count"].is_i64()) {
        counts.insert(row["key"].to_string(), row["value"]["count"].as_i64().expect("a number"));
    }
    assert_eq!(counts.values().sum::<i64>(), 90, "counted once, from the beginning");
}

/// SIGTERM in the middle of a long restore: it ends in peace, and whoever comes next has its place and all rows.
pub fn a_long_restore_is_ended_and_begun_again() {
    const KEYS: usize = 200_000;
    let place = place("long", &creating().replace("partitions = 3", "partitions = 1"));
    fine(&place, "produce p.toml --count 1 --interval 0s");
    let producer = Producer::new(place.cluster.bootstrap());
    let value = |id: &str| format!(r#"{{"id":"{id}","n":1,"at":"2026-01-01T00:00:00Z"}}"#).into_bytes();
    let send = |id: String| {
        let value = Some(value(&id));
        producer.send(&place.topic("in"), &Raw { key: Some(id.into_bytes()), value, ..Raw::default() });
    };
    (0..KEYS).for_each(|n| send(format!("k-{n}")));
    producer.flush();
    let run = "run p.toml --status off --state-dir state";
    let first = identity(&run_to_end(&place));
    let snapshots = place.path().join("state").join(&place.name).join("identity-1.snapshots");
    std::fs::remove_dir_all(snapshots).expect("removed");
    let line = format!("{run} --kafka {}", place.cluster.bootstrap());
    let engine = Engine::spawn(&place, &line, "restoring");
    until("an assignment", DEADLINE, || engine.said().contains("assigned inputs=1").then_some(()));
    let said = engine.terminated().with(0);
    assert!(!said.contains("tables restored"), "it was not in the middle");
    send("k-7".to_owned());
    producer.flush();
    let last = run_to_end(&place);
    assert_eq!((identity(&said), identity(&last)), (first.clone(), first));
    let counted = place.reader().read(&place.topic("out"));
    assert_eq!(counted.last().expect("an output").json()["count"], 2);
    assert_eq!(counted.len(), KEYS + 2);
}

/// Who a process says that it is.
fn identity(said: &str) -> Option<String> {
    said.split("identity=").nth(1).and_then(|rest| rest.split('"').nth(1).map(str::to_owned))
}

/// Which word of a line a title stands over.
fn header(said: &str, title: &str) -> usize {
    let line = said.lines().find(|line| line.contains("CURRENT-OFFSET")).expect("a line of titles");
    line.split_whitespace().position(|word| word == title).expect("a title")
}

pub fn a_cluster_is_held_against_the_file() {
    let place = place("survey", PIPELINE);
    let check = format!("check p.toml --kafka={}", place.cluster.bootstrap());
    place.create("inn", 3, &[]);
    let missing = ["error[missing-topic]: there is no topic `NAME-in`", "did you mean `NAME-inn`?"];
    refused(&place, &check, &missing);
    let run = "run p.toml --status off --state-dir state --until-end";
    refused(&place, run, &["there are no topics `NAME-in`, `NAME-out`, `NAME-days`", "create_topics = true"]);
    assert_eq!(
        place.reader().partitions(&place.topic("dead")),
        0,
        "who is told of a mistake has made nothing"
    );

    place.pipeline(&creating());
    let said = fine(&place, &check);
    assert!(
        said.contains("transactions begin") && said.contains("will be created with 3 partitions"),
        "{said}"
    );
    fine(&place, "produce p.toml --count 100 --interval 0s");
    let unkeyed = Raw {
        value: Some(b"{\"id\":\"a\",\"n\":1,\"at\":\"2026-01-01T00:00:00Z\"}".to_vec()),
        ..Raw::default()
    };
    let producer = Producer::new(place.cluster.bootstrap());
    let keyed = Raw { key: Some(b"a".to_vec()), ..unkeyed.clone() };
    producer.send(&place.topic("in"), &unkeyed);
    (0..3)
        .for_each(|home| producer.send(&place.topic("in"), &Raw { partition: Some(home), ..keyed.clone() }));
    producer.flush();
    let said = fine(&place, &check);
    for words in [
        "warning[wrong-key]: 1 of the newest 104 records of `readings` are not keyed by `id`",
        "warning[wrong-partition]: 2 of the newest 104 records of `readings` lie in another partition",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let (code, _) = verb(&place, &format!("{check} --deny-warnings"));
    assert_eq!(code, Some(1));
    let (code, said) = verb(&place, &format!("{check} --format json"));
    let found: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, found.as_array().map(Vec::len)), (Some(0), Some(2)), "{said}");

    place.create("per_id-changelog", 2, &[("cleanup.policy", "delete")]);
    let bad = ["error[bad-changelog]", "has 2 partitions, but its inputs have 3", "`cleanup.policy=delete`"];
    refused(&place, &check, &bad);
    refused(&place, run, &["the changelog `NAME-per_id-changelog` has 2 partitions, but its inputs have 3"]);
}

pub fn a_changelog_that_forgets_stops_the_start() {
    let place = place("forgets", &creating());
    place.create("per_id-changelog", 3, &[("cleanup.policy", "compact,delete")]);
    let run = "run p.toml --status off --state-dir state --until-end";
    let mend = "kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic NAME-per_id-changelog";
    refused(&place, run, &["`cleanup.policy=compact,delete`", mend]);
}

pub fn a_place_is_taken_by_one_process_and_found_again() {
    let place = place("identity", &creating());
    fine(&place, "produce p.toml --count 10 --interval 0s");
    let brokers = place.cluster.bootstrap();
    let line = format!("run p.toml --status off --state-dir state --instance pod-0 --kafka {brokers}");
    let mut first = Engine::spawn(&place, &line, "first");
    until("the first", DEADLINE, || first.said().contains("starting").then_some(()));
    let again = "run p.toml --status off --state-dir state --instance pod-0";
    refused(&place, again, &["another process on this host runs as the instance `pod-0`", "`--instance`"]);
    first.is_alive("when a second one is refused");
    first.terminated().with(0);
    let one = identity(&run_to_end(&place)).expect("an identity");
    assert_eq!(identity(&run_to_end(&place)), Some(one), "the old place is found again");
}
