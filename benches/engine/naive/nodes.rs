//! The nodes of the naive design: each a loop over what its channel brings, with what it knows in a `HashMap`.

use evalexpr::{ContextWithMutableVariables, HashMapContext, Node, build_operator_tree};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::mpsc::{Receiver, Sender};

const MINUTE: i64 = 60_000;

#[derive(Clone)]
pub struct Reading {
    pub key: String,
    pub value: Value,
    pub time: i64,
    /// The source's clock as it was read.
    pub clock: i64,
}

pub enum Message {
    Reading(Reading),
    Commit { clock: i64 },
}

/// Readings by sensor.
pub type Counts = HashMap<String, Counted>;

#[derive(Default)]
pub struct Counted {
    pub count: u64,
    changed: bool,
}

struct Summary {
    readings: u64,
    min: f64,
    max: f64,
    sum: f64,
    changed: bool,
}

fn tree(text: &str) -> Node {
    build_operator_tree(text).unwrap()
}

/// All fields that an expression could name.
fn context(value: &Value) -> HashMapContext {
    let mut context = HashMapContext::new();
    for (name, value) in value.as_object().unwrap() {
        let value = match value {
            Value::Number(number) => evalexpr::Value::Float(number.as_f64().unwrap()),
            Value::String(text) => evalexpr::Value::String(text.clone()),
            Value::Bool(bool) => evalexpr::Value::Boolean(*bool),
            _ => continue,
        };
        context.set_value(name.clone(), value).unwrap();
    }
    context
}

async fn send(to: &Sender<Message>, key: String, value: Value, time: i64) {
    to.send(Message::Reading(Reading { key, value, time, clock: 0 })).await.unwrap();
}

/// Rejects what is malformed; the rest goes to three nodes.
pub async fn valid(mut from: Receiver<Message>, to: [Sender<Message>; 3], dead: Sender<Message>) {
    let rules = [
        (tree(r#"sensor_id == """#), "sensor_id is empty"),
        (tree("temperature < 0.0"), "temperature below sensor range"),
        (tree("temperature > 150.0"), "temperature above sensor range"),
    ];
    while let Some(message) = from.recv().await {
        let mut reading = match message {
            Message::Reading(reading) => reading,
            Message::Commit { clock } => {
                for to in to.iter().chain([&dead]) {
                    to.send(Message::Commit { clock }).await.unwrap();
                }
                continue;
            }
        };
        let context = context(&reading.value);
        if let Some((_, reason)) =
            rules.iter().find(|(rule, _)| rule.eval_boolean_with_context(&context).unwrap())
        {
            reading.value["_reason"] = json!(reason);
            dead.send(Message::Reading(reading)).await.unwrap();
            continue;
        }
        to[0].send(Message::Reading(reading.clone())).await.unwrap();
        to[1].send(Message::Reading(reading.clone())).await.unwrap();
        to[2].send(Message::Reading(reading)).await.unwrap();
    }
}

/// Adds `status`.
pub async fn enriched(mut from: Receiver<Message>, to: Sender<Message>) {
    let status = tree(r#"if(temperature >= 80.0, "critical", if(temperature >= 60.0, "warning", "normal"))"#);
    while let Some(mut message) = from.recv().await {
        if let Message::Reading(reading) = &mut message {
            let context = context(&reading.value);
            reading.value["status"] = json!(status.eval_string_with_context(&context).unwrap());
        }
        to.send(message).await.unwrap();
    }
}

/// Counts; a commit writes the counts that have changed.
pub async fn per_sensor(mut from: Receiver<Message>, changes: Sender<Message>) -> Counts {
    let (mut counts, mut changed) = (Counts::new(), vec![]);
    while let Some(message) = from.recv().await {
        match message {
            Message::Reading(reading) => {
                let counted = counts.entry(reading.key.clone()).or_default();
                counted.count += 1;
                if !std::mem::replace(&mut counted.changed, true) {
                    changed.push(reading.key);
                }
            }
            Message::Commit { clock } => {
                for key in changed.drain(..) {
                    let counted = counts.get_mut(&key).unwrap();
                    counted.changed = false;
                    send(&changes, key, json!({ "count": counted.count }), clock).await;
                }
                changes.send(Message::Commit { clock }).await.unwrap();
            }
        }
    }
    counts
}

/// Summarises by the minute; a commit writes the rows that have changed, and that those of closed windows are gone.
pub async fn per_minute(mut from: Receiver<Message>, to: Sender<Message>, changes: Sender<Message>) {
    let mut windows: BTreeMap<i64, HashMap<String, Summary>> = BTreeMap::new();
    let (mut changed, mut closed) = (vec![], vec![]);
    while let Some(message) = from.recv().await {
        let (Message::Reading(Reading { clock, .. }) | Message::Commit { clock }) = message;
        while let Some(window) = windows.first_entry().filter(|window| *window.key() <= clock) {
            let (end, rows) = window.remove_entry();
            for (key, row) in rows {
                send(&to, key.clone(), row.to_json(&key, end), end - 1).await;
                closed.push((end, key));
            }
        }
        match message {
            Message::Reading(reading) => {
                let end = (reading.time.div_euclid(MINUTE) + 1) * MINUTE;
                if end <= clock {
                    continue;
                }
                let rows = windows.entry(end).or_default();
                let row = rows.entry(reading.key.clone()).or_insert(Summary::EMPTY);
                row.gather(reading.value["temperature"].as_f64().unwrap());
                if !std::mem::replace(&mut row.changed, true) {
                    changed.push((end, reading.key));
                }
            }
            Message::Commit { clock } => {
                for (end, key) in changed.drain(..) {
                    let Some(row) = windows.get_mut(&end).and_then(|rows| rows.get_mut(&key)) else {
                        continue;
                    };
                    row.changed = false;
                    let value = row.to_json(&key, end);
                    send(&changes, format!("{end}/{key}"), value, clock).await;
                }
                for (end, key) in closed.drain(..) {
                    send(&changes, format!("{end}/{key}"), Value::Null, clock).await;
                }
                to.send(Message::Commit { clock }).await.unwrap();
                changes.send(Message::Commit { clock }).await.unwrap();
            }
        }
    }
}

impl Summary {
    const EMPTY: Summary =
        Summary { readings: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0, changed: false };

    fn gather(&mut self, temperature: f64) {
        self.readings += 1;
        self.min = self.min.min(temperature);
        self.max = self.max.max(temperature);
        self.sum += temperature;
    }

    fn to_json(&self, key: &str, end: i64) -> Value {
        json!({
            "sensor_id": key,
            "window_start": Timestamp::from_millisecond(end - MINUTE).unwrap().to_string(),
            "window_end": Timestamp::from_millisecond(end).unwrap().to_string(),
            "readings": self.readings,
            "min_temp": self.min,
            "max_temp": self.max,
            "avg_temp": self.sum / self.readings as f64,
        })
    }
}
