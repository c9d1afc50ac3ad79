//! Whoever looks at what the group has committed, again and again, without being one of it.

use super::PARTITIONS;
use crate::support::reader;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(100);

/// Where each input stood at an instant; none: nothing was committed yet.
pub type Sample = Vec<Option<i64>>;

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    samples: Mutex<Vec<Sample>>,
}

/// A thread that samples until it is stopped.
pub struct Sampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    pub fn start(bootstrap: &str, group: &str, topic: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let (consumer, topic) =
            (reader::consumer(bootstrap, "read_committed", Some(group)), topic.to_owned());
        let thread = std::thread::spawn(move || {
            while !theirs.stop.load(Ordering::Relaxed) {
                let sample = reader::committed(&consumer, &topic, PARTITIONS);
                theirs.samples.lock().expect("nobody panics with it").extend(sample);
                std::thread::sleep(PAUSE);
            }
        });
        Sampler { shared, thread: Some(thread) }
    }

    /// The last sample.
    pub fn last(&self) -> Option<Sample> {
        self.shared.samples.lock().expect("nobody panics with it").last().cloned()
    }

    /// Ends it; all samples in their order.
    pub fn stop(mut self) -> Vec<Sample> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it is stopped once").join().expect("it samples");
        std::mem::take(&mut self.shared.samples.lock().expect("nobody panics with it"))
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}
