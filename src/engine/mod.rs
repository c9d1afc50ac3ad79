//! The engine as a process runs it: a thread a worker, until told to stop.
//!
//! Everything that decides lives in [`crate::runtime`]; here are threads, the flag that ends them, and what is said in
//! the log on the way.

mod catalog;
mod ending;
mod identity;
mod memory;
mod thread;
mod topics;

pub use catalog::{Catalog, Starting, TopicConfig};
pub use identity::Identity;
pub use thread::{Ended, dead_since};
pub use topics::{KEEPS_REMOVALS, LEAST_KEPT, MAX_FUTURE, choosy, forgetful, hasty, prepare, repartitioned};

use crate::plan::Plan;
use crate::runtime::{ControlHandle, Options, Stopped, Worker};
use crate::time::{Clock, SystemClock};
use crate::transport::Transport;
use ending::{Ending, ToEnd};
use memory::Memory;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

/// When the engine ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Never.
    Stopped,
    /// When the topics have been read to the ends they had when it started.
    End {
        /// Whether windows that are still open are closed then.
        close_windows: bool,
    },
}

impl Until {
    /// What is to be done about it by one of the workers.
    fn at(self, ending: Ending, levels: usize) -> Option<ToEnd> {
        match self {
            Until::Stopped => None,
            Until::End { close_windows } => Some(ToEnd::new(ending, close_windows, levels)),
        }
    }
}

/// An engine that runs.
#[derive(Debug)]
pub struct Engine {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    ended: Receiver<Result<Ended, Stopped>>,
    left: usize,
    failed: Option<Stopped>,
    /// By which its workers are asked.
    pub controls: Vec<ControlHandle>,
}

impl Engine {
    /// Starts a worker on each transport.
    pub fn start<T: Transport + Send + 'static>(
        plan: &Arc<Plan>,
        transports: Vec<T>,
        options: &Options,
        until: Until,
    ) -> Result<Self, Stopped> {
        let (stop, (say, ended)) = (Arc::new(AtomicBool::new(false)), channel());
        let (mut threads, mut controls) = (vec![], vec![]);
        let clock: Arc<dyn Clock + Send + Sync> = Arc::new(SystemClock);
        let started = clock.now_ms();
        let (to_ends, ending) = (until != Until::Stopped, Ending::new(transports.len()));
        let levels = plan.levels().into_iter().max().map_or(1, |most| most + 1);
        let memory = Memory::new(plan.settings.memory);
        for (at, transport) in transports.into_iter().enumerate() {
            let options = Options { speaks: at == 0, started, to_ends, ..options.clone() };
            let mut worker = Worker::new(plan.clone(), transport, clock.clone(), options);
            controls.push(worker.control());
            let (stop, say, memory) = (stop.clone(), say.clone(), memory.clone());
            let to_end = until.at(ending.of(at), levels);
            let run = move || {
                let ended = catch_unwind(AssertUnwindSafe(|| thread::run(worker, &stop, to_end, memory)));
                // Whoever started the engine may be gone.
                let _ = say.send(ended.unwrap_or_else(|_| Err(died(at))));
            };
            let thread = std::thread::Builder::new().name(format!("worker-{at}")).spawn(run);
            threads.push(thread.map_err(|e| Stopped::fatal(format!("no thread can be started: {e}")))?);
        }
        let left = threads.len();
        Ok(Engine { stop, threads, ended, left, failed: None, controls })
    }

    /// Asks the workers to commit and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How it ended, once all workers have; nothing while some still run. One that fails ends the others, and what
    /// it said is what counts.
    pub fn ended(&mut self, so_far: &mut Vec<Ended>) -> Option<Result<(), Stopped>> {
        while let Ok(ended) = self.ended.try_recv() {
            self.left -= 1;
            match ended {
                Ok(ended) => so_far.push(ended),
                Err(stopped) => {
                    self.stop();
                    self.failed.get_or_insert(stopped);
                }
            }
        }
        // Nobody is waited for who has not said that he is done: a call into a client may hang.
        if self.left > 0 {
            return None;
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        Some(self.failed.take().map_or(Ok(()), Err))
    }
}

/// A worker that panics ends the engine: without it nobody would read its partitions.
fn died(worker: usize) -> Stopped {
    Stopped::fatal(format!("worker {worker} has died of a fault of streamrun's own, which is said above"))
        .hint("what was committed is safe; run it again, and please report what it said")
}
