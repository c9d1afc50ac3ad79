//! Records made up: most can be used, some cannot.

use super::random::Random;
use super::scenario::{START, Sent};

const KEYS: &[&str] = &["a", "b", "c", "d", "a key that is longer than others"];

/// Records for a topic, with event times that go up and down.
pub fn records(dice: &mut Random, topic: &str, partitions: u32) -> Vec<Sent> {
    let mut at = dice.within(0, 5_000);
    let count = dice.within(5, 40);
    let mut all = vec![];
    for _ in 0..count {
        at += match dice.below(12) {
            0 => dice.within(-20_000, 0),
            1 => dice.within(0, 3_600_000),
            2 | 3 => 0,
            4 => dice.within(0, 60_000),
            _ => dice.within(0, 4_000),
        };
        let key = *dice.pick(KEYS);
        let partition = streamrun::partitioner::partition_of(key.as_bytes(), partitions);
        let timestamp = START + dice.within(0, 1_000);
        let value = value(dice, key, START + at);
        all.push(Sent { topic: topic.to_owned(), partition, key: Some(key.to_owned()), value, timestamp });
    }
    all
}

fn value(dice: &mut Random, key: &str, at: i64) -> Option<String> {
    let x = dice.within(-4, 24) as f64 / 2.0;
    let n = match dice.below(5) {
        0 => String::new(),
        1 => ",\"n\":null".to_owned(),
        2 => format!(",\"n\":{}", i64::MAX - dice.within(0, 3)),
        _ => format!(",\"n\":{}", dice.within(-3, 5)),
    };
    match dice.below(24) {
        0 => None,
        1 => Some("{\"k\":".to_owned()),
        2 => Some(format!("{{\"k\":\"{key}\",\"at\":{at}}}")),
        3 => Some(format!("{{\"k\":\"{key}\",\"x\":\"hot\",\"at\":{at}}}")),
        4 => Some(format!("{{\"k\":\"other\",\"x\":1,\"at\":{at}}}")),
        5 => Some(format!("{{\"x\":{x},\"deep\":7,\"at\":{at},\"k\":\"{key}\"}}")),
        6 => Some(format!("{{\"x\":{x},\"deep\":{{\"z\":1}},\"at\":{at},\"k\":\"{key}\"}}")),
        _ => Some(format!("{{\"k\":\"{key}\",\"x\":{x}{n},\"at\":{at}}}")),
    }
}
