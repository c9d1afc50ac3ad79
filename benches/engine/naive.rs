//! What one would write first: records as `serde_json::Value`, rules and grades in evalexpr over a context that is
//! made for the record, and each node a tokio task behind a channel.
//!
//! It is no straw man. Expressions are compiled once, params are written into them, the channels are bounded and
//! deep, all tasks share the thread, so that no hop wakes another core, and nobody waits for a commit to arrive. What
//! it does not do is in its favour, too: it has no undo log, so it could not take a commit back.

mod nodes;
mod sink;

use nodes::{Counts, Message, Reading};
pub use sink::Written;
use std::future::Future;
use streamrun::transport::Record;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

const ROOM: usize = 1_024;
const COMMIT_EVERY: usize = 10_000;
const LATE_BY: i64 = 5_000;

/// What a run has come to.
pub struct Outcome {
    pub enriched: Written,
    pub aggregates: Written,
    pub dead_letters: Written,
    pub counts: Counts,
}

/// Runs all records through, in two parts; `check` also takes down what is written, which costs time.
pub fn run(first: &[Record<'_>], second: &[Record<'_>], check: bool, between: &mut dyn FnMut()) -> Outcome {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (enriched_out, enriched_written) = node(|from| sink::run(from, check));
        let (aggregates_out, aggregates_written) = node(|from| sink::run(from, check));
        let (dead, dead_letters) = node(|from| sink::run(from, check));
        let (changes, _) = node(|from| sink::run(from, false));
        let (enriched, _) = node(|from| nodes::enriched(from, enriched_out));
        let (per_sensor, counts) = node(|from| nodes::per_sensor(from, changes.clone()));
        let (per_minute, _) = node(|from| nodes::per_minute(from, aggregates_out, changes));
        let (valid, _) = node(|from| nodes::valid(from, [enriched, per_sensor, per_minute], dead));
        let largest = source(first, i64::MIN, &valid).await;
        between();
        source(second, largest, &valid).await;
        drop(valid);
        Outcome {
            enriched: enriched_written.await.unwrap(),
            aggregates: aggregates_written.await.unwrap(),
            dead_letters: dead_letters.await.unwrap(),
            counts: counts.await.unwrap(),
        }
    })
}

/// A task, and the channel by which it is reached.
fn node<F>(work: impl FnOnce(Receiver<Message>) -> F) -> (Sender<Message>, JoinHandle<F::Output>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let (to, from) = channel(ROOM);
    (to, tokio::spawn(work(from)))
}

/// Decodes, checks that the key is the sensor, and knows how late it is: how late is the latest so far.
async fn source(records: &[Record<'_>], mut largest: i64, valid: &Sender<Message>) -> i64 {
    for (at, record) in records.iter().enumerate() {
        let value: serde_json::Value = serde_json::from_slice(record.value.unwrap()).unwrap();
        let key = value["sensor_id"].as_str().unwrap().to_owned();
        assert_eq!(Some(key.as_bytes()), record.key, "the readings are keyed by their sensor");
        let time: jiff::Timestamp = value["timestamp"].as_str().unwrap().parse().unwrap();
        let time = time.as_millisecond();
        largest = largest.max(time);
        let reading = Reading { key, value, time, clock: largest - LATE_BY };
        valid.send(Message::Reading(reading)).await.unwrap();
        if (at + 1) % COMMIT_EVERY == 0 || at + 1 == records.len() {
            valid.send(Message::Commit { clock: largest - LATE_BY }).await.unwrap();
        }
    }
    largest
}
