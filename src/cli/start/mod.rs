//! Engines on their way up: what they run on is opened, then the workers start, then somebody waits for the end.
//!
//! Opening asks the world and may wait for it; only then are there threads. [`local`] opens the embedded log,
//! [`kafka`] a cluster; from there on there is no difference.

mod kafka;
mod local;

use super::signals::Signals;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::engine::{Ended, Engine, Identity, Until};
use streamrun::plan::Plan;
use streamrun::runtime::{Options, Stopped};
use streamrun::transport::Transport;

/// What an engine runs on, opened: it has not started yet.
pub struct Opened<T> {
    transports: Vec<T>,
    /// Where the records are, for the log.
    place: String,
    /// Where snapshots are kept.
    snapshots: PathBuf,
    identity: Option<Identity>,
    overruns: Vec<Overrun>,
}

/// Says what a worker hangs in, if it does; where it is late, what it waits for.
type Overrun = Box<dyn Fn(bool) -> Option<String>>;

/// So long after a signal the cluster may still answer. Whoever has sent it sends a harder one some time after.
const LAST_COMMIT: Duration = Duration::from_secs(15);

impl<T: Transport + Send + 'static> Opened<T> {
    /// Starts the workers.
    pub fn start(self, plan: &Arc<Plan>, reset: &[String], until: Until) -> Result<Started, Stopped> {
        let options = Options {
            commit_every: plan.settings.commit_every,
            snapshots: Some(self.snapshots),
            reset: reset.to_vec(),
            ..Options::default()
        };
        let (pipeline, workers) = (&plan.settings.name, self.transports.len());
        match &self.identity {
            Some(Identity { name, .. }) => {
                tracing::info!(pipeline, workers, on = self.place, identity = name, "starting");
            }
            None => tracing::info!(pipeline, workers, on = self.place, "starting"),
        }
        let engine = Engine::start(plan, self.transports, &options, until)?;
        Ok(Started { engine, left: vec![], overruns: self.overruns, asked: None, _identity: self.identity })
    }
}

/// How many workers there are: one a core unless the file says, but none for which there is no partition.
fn workers(plan: &Plan, partitions: u32) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
    plan.settings.workers.unwrap_or(cores).clamp(1, partitions.max(1))
}

/// An engine that has been started.
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// What workers have left that have ended.
    pub left: Vec<Ended>,
    overruns: Vec<Overrun>,
    /// When a signal has asked for the end.
    asked: Option<Instant>,
    _identity: Option<Identity>,
}

impl Started {
    /// How it ended, if it has. A worker that hangs in a call that must end, ends the process; one that still waits for
    /// the cluster long after it was asked to end does, too.
    pub fn look(&mut self) -> Option<Result<(), Stopped>> {
        let is_late = self.asked.is_some_and(|at| at.elapsed() >= LAST_COMMIT);
        if let Some(what) = self.overruns.iter().find_map(|overrun| overrun(is_late)) {
            give_up(&what);
        }
        self.engine.ended(&mut self.left)
    }

    /// Waits for the end, or for a signal that asks for it.
    pub fn wait(&mut self, signals: Signals) -> Result<Result<(), Stopped>, ExitCode> {
        let started = std::cell::RefCell::new(self);
        signals.until(
            || started.borrow_mut().look(),
            || {
                tracing::info!("ending: what is at hand is finished and committed");
                let mut started = started.borrow_mut();
                started.asked = Some(Instant::now());
                started.engine.stop();
            },
        )
    }

    /// Ends it, whatever it is doing.
    pub fn end(&mut self) {
        self.engine.stop();
        while self.look().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A call into the Kafka client can hang for ever, and nothing ends it but the end of the process. Nothing is lost:
/// what was committed is safe, and the rest is done again by whoever comes next.
#[expect(clippy::exit, reason = "the thread that hangs would keep `main` from returning")]
fn give_up(what: &str) -> ! {
    super::output::note(&format!(
        "error: {what}\nhelp: what was committed is safe, and the rest is done again: start it again\n"
    ));
    std::process::exit(1)
}
