//! Silence: inputs at their end stop holding others back, and a task all of whose inputs are quiet goes on by the
//! wall clock, if its sources say so.
//!
//! That nothing comes from where an input ended is silence only if it still ends there: where a broker is not reached
//! nothing comes either. So before a silence has an effect it is asked whether it is one. That is a question a window
//! that closes, not one a turn.

use super::task::Task;
use super::worker::{Running, TaskId};
use crate::operator::StreamTime;
use crate::outbox::Outbox;
use crate::transport::{Partition, Transport, TransportError};

/// After how long an input that is at its end stops holding others back, in milliseconds.
const HOLDS_BACK: i64 = 10_000;
/// How often a quiet task says so to those behind it, in milliseconds: one that was restored takes nobody for quiet.
const REPEATS: i64 = 30_000;

/// Since when a task has heard nothing.
#[derive(Clone, Debug)]
pub struct Quiet {
    /// The wall time of the last record of each input.
    heard: Vec<i64>,
    /// The wall time of the last record of all.
    last: i64,
    /// Where the clock stood behind it.
    clock: StreamTime,
    /// When it says the next time that it is quiet.
    repeats: i64,
}

/// Whether an idle clock has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It has not.
    Not,
    /// It has.
    On,
    /// It has, and cannot go on before a commit.
    Full,
    /// It has not: what seemed a silence may be none.
    Doubtful,
}

impl Quiet {
    /// Nothing heard before now.
    pub fn new(inputs: usize, clock: StreamTime, now: i64) -> Self {
        Quiet { heard: vec![now; inputs], last: now, clock, repeats: now.saturating_add(REPEATS) }
    }

    /// Records of an input have come.
    pub fn heard(&mut self, input: usize, now: i64) {
        self.heard[input] = now;
        self.last = self.last.max(now);
    }

    /// Nothing was heard in a future that a wall clock has come back from.
    pub fn set_back(&mut self, now: i64) {
        self.heard.iter_mut().for_each(|heard| *heard = now.min(*heard));
        self.last = self.last.min(now);
        self.repeats = self.repeats.min(now.saturating_add(REPEATS));
    }

    /// The records that came have been processed: this is where the clock stands at the last one.
    pub fn stands(&mut self, clock: StreamTime, now: i64) {
        (self.clock, self.last) = (clock, now);
    }
}

/// For how long an input of a task may be quiet before the clock goes on without it.
fn idle_after(task: &Task) -> Option<Vec<i64>> {
    task.inputs.iter().map(|input| task.plan().sources[input.source].idle_after).collect()
}

/// Where the clock of a quiet task stands by the wall clock; none while it is not quiet, or has nothing to go on from.
fn idle_clock(running: &Running, now: i64) -> Option<StreamTime> {
    let Quiet { heard, last, clock, .. } = &running.quiet;
    let after = idle_after(&running.task)?;
    let quiet = heard.iter().zip(&after).all(|(heard, after)| now - heard >= *after);
    (quiet && *clock != StreamTime::START).then(|| StreamTime(clock.0.saturating_add(now - last)))
}

/// Before records end a silence the clock is brought to where the silence has taken it; `false`: not before a commit.
pub fn catch_up(running: &mut Running, now: i64, out: &mut Outbox) -> bool {
    match idle_clock(running, now) {
        Some(clock) if clock > running.task.clock() => running.task.advance_to(clock, out),
        _ => true,
    }
}

/// The wall time at which silence will have something to do for a task, if it lasts.
pub fn wakes_at(running: &Running) -> Option<i64> {
    let Quiet { heard, last, clock, .. } = &running.quiet;
    let held = heard.iter().map(|heard| heard + HOLDS_BACK).max().filter(|_| is_waited_for(&running.task));
    let holds = running.task.inputs.iter().any(|input| !input.idle && !input.is_told());
    let due = running.task.due_in_silence();
    let idle = idle_after(&running.task).filter(|_| *clock != StreamTime::START && due != StreamTime::NEVER);
    let idle = idle.map(|after| {
        let quiet = heard.iter().zip(&after).map(|(heard, after)| heard + after).max().unwrap_or(*last);
        quiet.max(last.saturating_add(due.0.saturating_sub(clock.0)))
    });
    [held.filter(|_| holds), idle].into_iter().flatten().min()
}

/// Whether anyone waits for an input of a task: another input, or those behind a repartition.
fn is_waited_for(task: &Task) -> bool {
    task.inputs.len() > 1 || !task.outlets.is_empty()
}

/// Moves the clock of a task whose inputs are quiet. One that `rests` expects no more: its inputs are not waited for.
pub fn advance<T: Transport>(
    id: TaskId,
    running: &mut Running,
    transport: &mut T,
    (now, rests): (i64, bool),
    out: &mut Outbox,
) -> Result<Moved, TransportError> {
    running.task.rests = rests;
    if running.quiet.repeats <= now {
        running.quiet.repeats = now.saturating_add(REPEATS);
        if running.task.outlets.are_quiet() {
            running.task.outlets.repeat();
        }
    }
    let mut all_at_end = true;
    let holds_back = if rests { 0 } else { HOLDS_BACK };
    let waited_for = is_waited_for(&running.task);
    for (at, input) in running.task.inputs.iter_mut().enumerate() {
        let partition = Partition { topic: input.topic, index: id.partition };
        let waiting = running.merge.as_ref().is_some_and(|m| !m.is_empty(at));
        let mut at_end = !waiting && transport.at_end(partition)?;
        let stops = waited_for && !input.is_told() && at_end && now - running.quiet.heard[at] >= holds_back;
        at_end &= !stops || input.idle || is_end(transport, partition, input.now.position);
        if !at_end {
            running.quiet.heard[at] = now;
        }
        all_at_end &= at_end;
        if !input.is_told() {
            input.idle = stops && at_end;
        }
    }
    if !all_at_end {
        running.speaks(now);
        return Ok(Moved::Not);
    }
    let before = running.task.clock();
    let idle = idle_clock(running, now).filter(|clock| *clock > before);
    // What has been begun goes on: it was one when the clock was moved.
    let due = running.task.due_in_silence();
    let begins = |clock: &StreamTime| due > before && due <= *clock;
    if idle.as_ref().is_some_and(begins) && !is_silent(id, running, transport) {
        return Ok(Moved::Doubtful);
    }
    // The clock is moved only where something is due: a clock that creeps on with every turn would be committed with
    // every interval, for nothing. Where it stands is known whenever it matters.
    let done = match idle {
        Some(clock) if running.task.due_in_silence() <= clock => running.task.advance_to(clock, out),
        _ => {
            let done = running.task.advance(out);
            // An input that was waited for is not any more: what it held back is where the silence goes on from.
            if running.task.clock() > before {
                running.quiet.clock = running.task.clock();
            }
            done
        }
    };
    Ok(match (done, running.task.clock() > before) {
        (false, _) => Moved::Full,
        (true, true) => Moved::On,
        (true, false) => Moved::Not,
    })
}

impl Running {
    /// What seemed a silence may be none: if it is one it begins now.
    pub fn doubt_silence(&mut self, now: i64) {
        self.quiet.heard.fill(now);
        self.speaks(now);
    }

    /// It is not quiet: a silence would begin here.
    fn speaks(&mut self, now: i64) {
        (self.quiet.last, self.quiet.clock) = (now, self.task.clock());
    }
}

/// Whether all inputs still end where they were read to.
fn is_silent<T: Transport>(id: TaskId, running: &Running, transport: &mut T) -> bool {
    running.task.inputs.iter().all(|input| {
        let partition = Partition { topic: input.topic, index: id.partition };
        is_end(transport, partition, input.now.position)
    })
}

/// Whether an input still ends where it was read to. Where that cannot be said it is not known to.
fn is_end<T: Transport>(transport: &mut T, partition: Partition, position: i64) -> bool {
    let reached = transport.reached(partition).unwrap_or(position);
    match transport.bounds(partition) {
        Ok((_, end)) => end <= reached,
        Err(error) => {
            tracing::debug!(%error, "a silence may be none");
            false
        }
    }
}
