//! What a worker's thread does: turns, until it is told to stop or there is nothing left to do.

use super::ending::ToEnd;
use super::memory::Memory;
use crate::plan::Plan;
use crate::runtime::tally::{TOO_LARGE, Tallies};
use crate::runtime::{Stopped, Turn, Worker};
use crate::store::Store;
use crate::transport::Transport;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that a worker waits for something to do before it looks around.
const LOOK: Duration = Duration::from_millis(50);
/// The same where others may end any moment.
const NEAR: Duration = Duration::from_millis(2);
/// How often dead letters are spoken of in the log.
const SPEAK: Duration = Duration::from_secs(10);

/// What a worker leaves behind.
#[derive(Debug)]
pub struct Ended {
    /// What it has counted.
    pub tallies: Tallies,
    /// Windows that are still open, by node: how many, and the earliest end.
    pub open: BTreeMap<String, (usize, i64)>,
}

/// Runs a worker to its end.
pub fn run<T: Transport>(
    mut worker: Worker<T>,
    stop: &AtomicBool,
    mut to_end: Option<ToEnd>,
    mut memory: Memory,
) -> Result<Ended, Stopped> {
    let mut open = None;
    let mut spoken = Spoken::new(&worker);
    loop {
        let turn = worker.turn()?;
        worker.answer();
        speak(&mut worker);
        spoken.dead_letters(&worker);
        memory.check(&worker)?;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if let Turn::Again { after_ms } = turn {
            pause(&mut worker, Duration::from_millis(after_ms), stop);
            continue;
        }
        if let Some(to_end) = &mut to_end {
            if to_end.go_on(&mut worker)? {
                break;
            }
            // Before others leave, and their inputs come here.
            open = to_end.is_done().then(|| open.unwrap_or_else(|| open_windows(&worker)));
        }
        if turn == Turn::Idle {
            let look = if to_end.as_ref().is_some_and(ToEnd::waits) { NEAR } else { LOOK };
            let now = worker.now_ms();
            let wakes = worker.wakes_at().map_or(look, |at| Duration::from_millis((at - now).max(0) as u64));
            worker.transport.wait(wakes.min(look));
        }
    }
    let open = open.unwrap_or_else(|| open_windows(&worker));
    worker.finish()?;
    speak(&mut worker);
    Ok(Ended { tallies: worker.tallies_so_far(), open })
}

/// Waits before what failed is tried again; whoever asks meanwhile is answered.
fn pause<T: Transport>(worker: &mut Worker<T>, most: Duration, stop: &AtomicBool) {
    let since = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let left = most.saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(LOOK));
        worker.answer();
    }
}

fn open_windows<T: Transport>(worker: &Worker<T>) -> BTreeMap<String, (usize, i64)> {
    let mut open: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (_, task) in worker.running() {
        for (_, node, table) in task.plan().tables().filter(|(_, _, t)| t.windowed) {
            let Some(Store::Windows(windows)) = task.stores.iter().nth(table.store as usize) else {
                continue;
            };
            for (end, rows) in windows.ends() {
                let entry = open.entry(node.name.clone()).or_insert((0, end));
                *entry = (entry.0 + rows, entry.1.min(end));
            }
        }
    }
    open
}

/// Logs what alerts have said.
fn speak<T: Transport>(worker: &mut Worker<T>) {
    let plan = worker.plan.clone();
    for (node, json) in worker.said.drain(..) {
        let row: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
        let message = row.get("message").and_then(|m| m.as_str()).unwrap_or_default();
        tracing::info!(alert = plan.nodes[node.0 as usize].name, "{message}");
    }
}

/// Dead letters are spoken of now and then, by reason, not one by one.
struct Spoken {
    at: Instant,
    counted: Tallies,
}

impl Spoken {
    fn new<T: Transport>(worker: &Worker<T>) -> Self {
        Spoken { at: Instant::now(), counted: worker.tallies_so_far() }
    }

    fn dead_letters<T: Transport>(&mut self, worker: &Worker<T>) {
        if self.at.elapsed() < SPEAK {
            return;
        }
        let now = worker.tallies_so_far();
        for (reason, count) in dead_since(&worker.plan, &now, &self.counted) {
            tracing::warn!(count, reason, "dead letters");
        }
        (self.at, self.counted) = (Instant::now(), now);
    }
}

/// Dead letters by reason that have come since.
pub fn dead_since(plan: &Plan, now: &Tallies, before: &Tallies) -> Vec<(String, u64)> {
    use crate::runtime::input::Unusable;
    let mut found = vec![];
    for (at, (now, before)) in now.reasons.iter().zip(&before.reasons).enumerate() {
        if now > before {
            let sentence = plan.reasons.sentence(crate::operator::ReasonId(at as u16));
            found.push((sentence.to_owned(), now - before));
        }
    }
    for (now, before) in now.unusable.iter().zip(&before.unusable) {
        for (class, (now, before)) in Unusable::CLASSES.iter().zip(now.iter().zip(before)) {
            if now > before {
                found.push(((*class).to_owned(), now - before));
            }
        }
    }
    if now.too_large > before.too_large {
        found.push((TOO_LARGE.to_owned(), now.too_large - before.too_large));
    }
    found
}
