//! Whoever sends records, all the time, and remembers what was sent.

use crate::support::Random;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use streamrun::transport::local::Client;

/// The event time of the first record: 2025-01-01.
const START: i64 = 1_735_689_600_000;
/// Event time runs on by so much a record, in milliseconds, and is up to so much behind: less than `late_by`.
const STEP: i64 = 20;
const JITTER: i64 = 4_000;
const SENSORS: u64 = 9;

/// A record as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: i64,
    pub sensor: String,
    pub time: i64,
    pub value: String,
    /// None: it cannot be used.
    pub temperature: Option<f64>,
}

/// A thread that sends until it is stopped.
pub struct Feeder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Sent>>>,
}

impl Feeder {
    pub fn start(log: &Path, seed: u64) -> Self {
        let mut client = Client::open(log).expect("the log opens");
        client.ensure_topic("readings", 4).expect("a topic");
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        let thread = std::thread::spawn(move || feed(&mut client, &mut Random::new(seed ^ 77), &flag));
        Feeder { stop, thread: Some(thread) }
    }

    /// Ends it; all that was sent.
    pub fn stop(mut self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it is stopped once").join().expect("it sends")
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn feed(client: &mut Client, dice: &mut Random, stop: &AtomicBool) -> Vec<Sent> {
    let mut all = vec![];
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..=dice.below(30) {
            let (key, sent) = made(all.len() as i64, dice);
            client
                .send("readings", sent.time, Some(key.as_bytes()), Some(sent.value.as_bytes()))
                .expect("sent");
            all.push(sent);
        }
        client.flush().expect("written");
        std::thread::sleep(Duration::from_millis(dice.below(20)));
    }
    all
}

/// A record and its key; about one in twelve cannot be used.
fn made(id: i64, dice: &mut Random) -> (String, Sent) {
    let sensor = format!("s-{}", dice.below(SENSORS));
    let time = START + id * STEP - dice.within(0, JITTER);
    // Halves add up exactly, in whatever order.
    let temperature = dice.within(0, 200) as f64 / 2.0;
    let text = |temperature: &str| {
        format!(r#"{{"id":{id},"sensor_id":"{sensor}","temperature":{temperature},"timestamp":{time}}}"#)
    };
    let (mut key, mut value, mut good) = (sensor.clone(), text(&format!("{temperature:?}")), None);
    match dice.below(60) {
        0 => value = format!("not json {id}"),
        1 => value = text("\"hot\""),
        2 => value = text("-1.5"),
        3 => value = format!(r#"{{"id":{id},"temperature":21.5,"timestamp":{time}}}"#),
        4 => key = "somebody else".to_owned(),
        _ => good = Some(temperature),
    }
    (key, Sent { id, sensor, time, value, temperature: good })
}
