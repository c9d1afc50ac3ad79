//! Who may come in, and do what: a broker that asks for passwords and shows certificates, with rules for its users.
//!
//! Who is kept out is told so in one line, with the address and a hint, by every verb, and in less time than is waited
//! for a broker that is only late: no waiting heals it.

use crate::support::engine::DEADLINE;
use crate::support::producer::{Producer, Raw};
use crate::support::secured::{self, Door, PASSWORD};
use crate::support::{Engine, Place, Secured};
use std::time::{Duration, Instant};

pub mod certificates;
pub mod passwords;
pub mod permissions;
pub mod secrets;

/// Less than a start waits for a cluster that does not answer.
const SOON: Duration = Duration::from_secs(9);
/// More than that.
const LATE: Duration = Duration::from_secs(25);

const PIPELINE: &str = r#"
name = "NAME"
dead_letters = "NAME-dead"

[run]
workers = 1

[schema.reading]
id = "string"

[source.readings]
topic = "NAME-in"
schema = "reading"
key = "id"

[count.per_id]
from = "readings"
by = "id"

[sink.out]
from = "per_id"
topic = "NAME-out"

[generate.readings]
set.id = '"k-" + str(random_int(1, 9))'
"#;

/// A place with a pipeline, topics and a few records; whoever comes has to come by a door.
fn place(test: &str, door: impl FnOnce(&Secured) -> Door) -> Place {
    let secured = secured::shared();
    let place = Place::on(secured.cluster.clone(), test).by(door(&secured));
    place.pipeline(PIPELINE);
    ["in", "out"].iter().for_each(|topic| place.create(topic, 2, &[]));
    send(&place);
    place
}

/// Sends a few records to the pipeline, by the plain door.
fn send(place: &Place) {
    let producer = Producer::new(place.cluster.bootstrap());
    for id in 0..20 {
        let (key, value) = (format!("k-{id}"), format!(r#"{{"id":"k-{id}"}}"#));
        let raw = Raw { key: Some(key.into()), value: Some(value.into()), ..Raw::default() };
        producer.send(&place.topic("in"), &raw);
    }
    producer.flush();
}

const RUN: &str = "run p.toml --kafka ADDRESS --status off --state-dir state --until-end";
const CHECK: &str = "check p.toml --kafka=ADDRESS";
const OTHERS: [&str; 3] = [
    "produce p.toml --count 1 --kafka ADDRESS",
    "inspect NAME-in --file p.toml --kafka ADDRESS",
    "lag p.toml --kafka ADDRESS",
];

/// A verb that runs.
fn verb(place: &Place, line: &str) -> Engine {
    let line = line.replace("NAME", &place.name).replace("ADDRESS", place.address());
    Engine::spawn(place, &line, "verb")
}

fn fine(place: &Place, line: &str) -> String {
    verb(place, line).ended(DEADLINE).with(0)
}

/// It ends with one error, in one line, in which these words stand, and a hint with those.
fn refused(place: &Place, line: &str, words: &str, hint: &str) -> String {
    ends_refused(place, verb(place, line), words, hint)
}

fn ends_refused(place: &Place, verb: Engine, words: &str, hint: &str) -> String {
    let said = verb.ended(LATE).with(1);
    let filled = |text: &str| text.replace("NAME", &place.name).replace("ADDRESS", place.address());
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error")).collect();
    let words = filled(words);
    assert!(
        errors.len() == 1 && errors[0].contains(&words),
        "expected {words:?} in the one error of\n{said}"
    );
    let hints = said.lines().filter(|line| line.trim_start().trim_start_matches("= ").starts_with("help: "));
    let hint = filled(hint);
    assert!(hints.into_iter().any(|line| line.contains(&hint)), "expected the hint {hint:?} in\n{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

/// The same of every verb, within a time.
fn refused_by_all(place: &Place, most: Duration, words: &str, hint: &str) {
    let since = Instant::now();
    let verbs: Vec<Engine> = [RUN, CHECK].iter().chain(&OTHERS).map(|line| verb(place, line)).collect();
    for verb in verbs {
        ends_refused(place, verb, words, hint);
    }
    assert!(since.elapsed() < most, "{:?}", since.elapsed());
    assert!(!place.path().join("state").exists(), "who is kept out leaves nothing");
}
