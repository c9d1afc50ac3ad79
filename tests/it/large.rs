//! Records that are larger than their topic takes: none of them stops a pipeline but the row of a table.

use crate::support::Scenario;
use crate::support::scenario::START;
use crate::support::world::{cluster, settle, worker};
use std::collections::BTreeMap;
use streamrun::headers;
use streamrun::runtime::{Stopped, Worker};
use streamrun::transport::Class;
use streamrun::transport::sim::{Cluster, Entry, Learns, Sim};

const PIPELINE: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "int"

[source.in]
topic = "in"
schema = "reading"
key = "k"

[sink.out]
from = "in"
topic = "out"

[count.seen]
from = "in"
by = "k"

[source.anything]
topic = "anything"
schema = "reading"

[sink.unkeyed]
from = "anything"
topic = "unkeyed"
"#;

/// What each record comes with.
const TRACE: &str = "0123456789012345678901234567890123456789";

/// 100 bytes more than it has to have.
fn reading(k: &str, x: &str) -> String {
    format!(r#"{{"k":"{k}","x":{x},"more":"{}"}}"#, "m".repeat(100))
}

/// A cluster with some records, and a worker on it.
fn world(limits: &[(&str, usize)], values: &[String], learns: Learns) -> (Cluster, Worker<Sim>) {
    let scenario = Scenario::new("large", PIPELINE);
    let cluster = cluster(&scenario);
    limits.iter().for_each(|(topic, most)| cluster.limit(topic, *most));
    for value in values {
        let mut run = vec![];
        headers::push(&mut run, b"trace", Some(TRACE.as_bytes()));
        let value = Some(value.as_bytes().to_vec());
        let entry = Entry { timestamp: START, key: Some(b"a".to_vec()), value, headers: run };
        cluster.write("in", 0, entry);
    }
    let mut worker = worker(&scenario, &cluster);
    worker.transport.learns = learns;
    (cluster, worker)
}

/// Works everything off; whoever fails is asked again, as its loop does.
fn run(worker: &mut Worker<Sim>) -> Result<(), Stopped> {
    settle(worker)?;
    worker.commit_now()?;
    settle(worker)
}

/// The records of a topic.
fn records(cluster: &Cluster, topic: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let entries = cluster.records(topic).concat();
    let headers = |entry: &Entry| {
        headers::iter(&entry.headers).map(|(name, value)| (text(name), text(value.unwrap()))).collect()
    };
    entries.iter().map(|entry| (text(entry.value.as_ref().unwrap()), headers(entry))).collect()
}

fn pass_as_dead_letter(learns: Learns) {
    let values = [r#"{"k":"a","x":1}"#.to_owned(), reading("a", "2"), r#"{"k":"a","x":3}"#.to_owned()];
    let (cluster, mut worker) = world(&[("out", 100), ("dead", 263)], &values, learns);
    run(&mut worker).unwrap();
    let out: Vec<String> = records(&cluster, "out").into_iter().map(|(value, _)| value).collect();
    assert_eq!(out, [values[0].as_str(), &values[2]], "the others go on");
    let [(value, headers)] = records(&cluster, "dead").try_into().unwrap();
    let hash = "1e1f24d74988e74f588c54a6585f8f4abd3e991996824ddb038d378344771dd0";
    let expected = [
        ("streamrun-node", "out"),
        ("streamrun-reason", "output is too large for `out`: 177 bytes, 100 allowed"),
        ("streamrun-sha256", hash),
        ("streamrun-size", "125"),
        ("trace", TRACE),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, BTreeMap::from(expected));
    assert!(values[1].starts_with(&value) && value.len() < 20, "as much as there is room for: {value}");
    let tallies = worker.tallies();
    let sink = tallies.nodes.iter().find(|node| node.failed > 0).unwrap();
    assert_eq!((sink.passed, sink.failed, tallies.too_large), (2, 1, 1));
    assert!(tallies.adds_up() && tallies.dead_letters() == 1, "{tallies:#?}");
}

#[test]
fn an_output_that_is_too_large_becomes_a_dead_letter() {
    pass_as_dead_letter(Learns::AtOnce);
}

#[test]
fn an_output_that_is_refused_becomes_a_dead_letter_when_it_is_done_again() {
    pass_as_dead_letter(Learns::Refused);
}

/// What teaches nobody anything would be refused for ever.
#[test]
fn what_is_refused_twice_stops_the_worker() {
    let (cluster, mut worker) = world(&[("out", 100)], &[reading("a", "2")], Learns::Never);
    let stopped = run(&mut worker).unwrap_err();
    assert_eq!(
        (stopped.class, &*stopped.message),
        (Class::Fatal, "a record of 177 bytes is too large for out")
    );
    assert_eq!(worker.report().counters.rollbacks, 1, "it was done again once");
    assert!(records(&cluster, "out").is_empty());
}

/// A compacted topic refuses what has no key, and the batch that it is in.
fn pass_without_a_key(learns: Learns) {
    let (cluster, mut worker) = world(&[], &[], learns);
    cluster.compact("unkeyed");
    for (key, x) in [(Some("a"), 1), (None, 2), (Some("a"), 3)] {
        let value = Some(format!(r#"{{"k":"a","x":{x}}}"#).into_bytes());
        let key = key.map(|key| key.as_bytes().to_vec());
        cluster.write("anything", 0, Entry { timestamp: START, key, value, headers: vec![] });
    }
    run(&mut worker).unwrap();
    let out: Vec<String> = records(&cluster, "unkeyed").into_iter().map(|(value, _)| value).collect();
    assert_eq!(out, [r#"{"k":"a","x":1}"#, r#"{"k":"a","x":3}"#], "the others go on");
    let [(value, headers)] = records(&cluster, "dead").try_into().unwrap();
    let reason = "output has no key, and `unkeyed` is compacted";
    assert_eq!((&*value, &*headers["streamrun-reason"]), (r#"{"k":"a","x":2}"#, reason));
    assert!(worker.tallies().adds_up() && worker.tallies().dead_letters() == 1);
}

#[test]
fn an_output_without_a_key_for_a_compacted_topic_becomes_a_dead_letter() {
    pass_without_a_key(Learns::AtOnce);
    pass_without_a_key(Learns::Refused);
}

#[test]
fn a_dead_letter_that_is_too_large_keeps_what_is_said_of_it() {
    let value = reading("a", &format!("\"{}\"", "n".repeat(300)));
    let (cluster, mut worker) = world(&[("dead", 330)], std::slice::from_ref(&value), Learns::AtOnce);
    run(&mut worker).unwrap();
    let [(cut, headers)] = records(&cluster, "dead").try_into().unwrap();
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let expected = ["node", "offset", "partition", "reason", "sha256", "size", "topic"]
        .map(|n| format!("streamrun-{n}"));
    assert_eq!(names, expected, "not those it came with");
    assert!(value.starts_with(&cut) && cut.len() > 10, "{cut}");
    assert!(worker.tallies().adds_up() && worker.tallies().dead_letters() == 1);
}

#[test]
fn a_row_that_is_too_large_stops_the_worker_and_says_which() {
    let key = "k".repeat(100);
    let (_, mut worker) =
        world(&[("p-seen-changelog", 80)], &[format!(r#"{{"k":"{key}","x":1}}"#)], Learns::AtOnce);
    let stopped = run(&mut worker).unwrap_err();
    assert_eq!(stopped.class, Class::Fatal);
    let said = stopped.to_string();
    for part in ["table of `seen`", "`p-seen-changelog`", "80 allowed", &key, "max.message.bytes"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}
