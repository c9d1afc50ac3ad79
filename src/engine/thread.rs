//! What a worker's thread does: turns, until it is told to stop or there is nothing left to do.

use super::Until;
use super::memory::Memory;
use crate::operator::StreamTime;
use crate::plan::Plan;
use crate::runtime::tally::Tallies;
use crate::runtime::{Stopped, Task, TaskId, Turn, Worker};
use crate::store::Store;
use crate::transport::{Partition, Transport};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that a worker waits for something to do before it looks around.
const LOOK: Duration = Duration::from_millis(50);
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
    until: Until,
    mut memory: Memory,
) -> Result<Ended, Stopped> {
    let mut ends: BTreeMap<Partition, i64> = BTreeMap::new();
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
        if let Until::End { close_windows } = until
            && at_ends(&mut worker, &mut ends)?
        {
            let closed = close_windows && close(&mut worker)?;
            if !closed && !worker.is_dirty() {
                break;
            }
            // A commit that fails takes back what was read. So it is the end only when nothing is left to commit.
            worker.commit_soon();
            continue;
        }
        if turn == Turn::Idle {
            let now = worker.now_ms();
            let wakes = worker.wakes_at().map_or(LOOK, |at| Duration::from_millis((at - now).max(0) as u64));
            worker.transport.wait(wakes.min(LOOK));
        }
    }
    let open = open_windows(&worker);
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

/// Whether every input has been read to the end that it had when it was first looked at.
fn at_ends<T: Transport>(
    worker: &mut Worker<T>,
    ends: &mut BTreeMap<Partition, i64>,
) -> Result<bool, Stopped> {
    if !worker.is_ready() {
        return Ok(false);
    }
    let mut standing = vec![];
    for (id, task) in worker.running() {
        let inputs = task.inputs.iter();
        standing.extend(inputs.map(|i| (Partition { topic: i.topic, index: id.partition }, i.now.position)));
    }
    for (partition, position) in standing {
        let end = match ends.get(&partition) {
            Some(end) => *end,
            None => {
                let (_, end) = worker.transport.bounds(partition)?;
                *ends.entry(partition).or_insert(end)
            }
        };
        if position < end {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Closes windows as if their time had come, as many as one commit can hold; whether there were any.
fn close<T: Transport>(worker: &mut Worker<T>) -> Result<bool, Stopped> {
    let last = |task: &Task| {
        let ends = task.stores.iter().filter_map(|store| match store {
            Store::Windows(windows) => windows.ends().map(|(end, _)| end).max(),
            Store::Table(_) => None,
        });
        ends.max()
    };
    let due: Vec<(TaskId, i64)> = worker.running().filter_map(|(id, task)| Some((id, last(task)?))).collect();
    for (id, end) in &due {
        worker.advance_to(*id, StreamTime(*end))?;
    }
    Ok(!due.is_empty())
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
    found
}
