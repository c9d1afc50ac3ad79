//! Whoever sends records, all the time, as many as were asked for.

use super::record;
use crate::support::Random;
use crate::support::producer::Producer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(5);

/// What the thread and its owner share.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    sent: AtomicI64,
}

/// A thread that sends until it is stopped.
pub struct Feed {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    pub fn start(bootstrap: &str, topic: &str, seed: u64, rate: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let (theirs, bootstrap, topic) = (shared.clone(), bootstrap.to_owned(), topic.to_owned());
        let send =
            move || feed(&Producer::new(&bootstrap), &topic, &mut Random::new(seed ^ 77), rate, &theirs);
        Feed { shared, thread: Some(std::thread::spawn(send)) }
    }

    /// How many were sent so far.
    pub fn sent(&self) -> i64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Ends it, once all that was sent is acknowledged.
    pub fn stop(mut self) -> i64 {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it is stopped once").join().expect("it sends");
        self.sent()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Whoever panics does not wait for acknowledgements that may never come.
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn feed(producer: &Producer, topic: &str, dice: &mut Random, rate: u64, shared: &Shared) {
    let since = Instant::now();
    let mut id = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        // What is due by now, whether or not the last pause was as long as it should have been.
        let due = (since.elapsed().as_millis() as i64) * rate as i64 / 1_000;
        while id < due && !shared.stop.load(Ordering::Relaxed) {
            producer.send(topic, &record(id, dice));
            id += 1;
        }
        shared.sent.store(id, Ordering::Relaxed);
        std::thread::sleep(TICK);
    }
    producer.flush();
}
