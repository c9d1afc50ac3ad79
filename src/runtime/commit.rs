//! The only place where anything becomes permanent, and what is done when it does not.
//!
//! The order is: outputs and changelogs out, then positions with their metadata, then the commit, and only then are
//! the undo logs cleared. Positions go last. At least once runs this same code without a transaction, and there a
//! crash behind the positions would skip records whose outputs were never acknowledged.

use super::mend::Owed;
use super::metadata::{self, Metadata};
use super::options::Broken;
use super::task::Task;
use super::worker::{Running, TaskId, TaskState, Worker, running};
use crate::transport::{Partition, Position, Transport, TransportError};

/// A worker with more records before it than these has a backlog.
const BACKLOG: i64 = 100_000;
/// While it is worked off commits are so many times as rare as at other times ...
const RARER: i64 = 5;
/// ... but not rarer than this because of it, in milliseconds.
const RAREST: i64 = 500;

impl<T: Transport> Worker<T> {
    /// Commits what has been done since the last time.
    pub(super) fn commit(&mut self) -> Result<(), TransportError> {
        let now = self.clock.now_ms();
        self.commit_in = commit_in(self.options.commit_every, self.waiting());
        self.commit_at = now.saturating_add(self.commit_in);
        if !self.is_dirty() {
            self.must_commit = false;
            return Ok(());
        }
        self.make_permanent()
    }

    /// The commit itself, whether or not anything has been done.
    pub(super) fn make_permanent(&mut self) -> Result<(), TransportError> {
        let now = self.clock.now_ms();
        self.pass_over();
        self.note_ends();
        if self.options.broken == Broken::EarlyPositions {
            let positions = self.positions(self.commits + 1);
            self.transport.commit(&positions)?;
        }
        self.send_changelogs()?;
        if self.options.broken == Broken::EarlyClear {
            running(&mut self.tasks).for_each(|(_, r)| r.task.committed());
        }
        let positions = self.positions(self.commits + 1);
        self.transport.commit(&positions)?;
        self.settled();
        self.watch.counters.commit_took(self.clock.now_ms().saturating_sub(now));
        Ok(())
    }

    /// How many records are known to wait.
    fn waiting(&mut self) -> i64 {
        let mut waiting = 0i64;
        for (id, running) in running(&mut self.tasks) {
            for input in &running.task.inputs {
                let partition = Partition { topic: input.topic, index: id.partition };
                let lag = self.transport.lag(partition, input.now.position);
                waiting = waiting.saturating_add(lag.unwrap_or(0));
            }
        }
        waiting
    }

    fn send_changelogs(&mut self) -> Result<(), TransportError> {
        let ids: Vec<_> = self.tasks.keys().copied().collect();
        for id in ids {
            if let Some(TaskState::Running(running)) = self.tasks.get_mut(&id) {
                self.out.own = id.partition;
                running.task.prepare(&mut self.out);
                if self.options.broken == Broken::LoseChangelog && self.commits.is_multiple_of(3) {
                    self.out.undo_last();
                }
            }
            self.flush()?;
        }
        self.tell_clocks()
    }

    /// The tasks that have to tell where they are, in the order in which they do: what the first one says must not
    /// have those behind go on past one that comes after it.
    pub(super) fn to_tell(&self) -> Vec<TaskId> {
        let tells = |(id, task): &(TaskId, &Task)| task.has_to_say() && !self.is_muted(*id);
        let mut tell: Vec<_> = self.running().filter(tells).map(|(id, task)| (task.to_say(), id)).collect();
        tell.sort_by_key(|(said, id)| (said.quiet, said.clock, *id));
        tell.into_iter().map(|(_, id)| id).collect()
    }

    fn tell_clocks(&mut self) -> Result<(), TransportError> {
        for id in self.to_tell() {
            if let Some(TaskState::Running(running)) = self.tasks.get_mut(&id) {
                self.out.own = id.partition;
                running.task.say(&mut self.out);
            }
        }
        self.flush()
    }

    /// Where all inputs stand, with what has to be known to go on from there.
    fn positions(&self, commit: u64) -> Vec<Position> {
        let mut positions = vec![];
        for (id, task) in self.running() {
            let tables = meanings(task);
            for input in &task.inputs {
                let metadata = Metadata {
                    clock: task.clock(),
                    largest: input.now.largest,
                    commit,
                    ticked: task.ticked(),
                    reset: task.reset,
                    tables: tables.clone(),
                    upstreams: input.upstreams(),
                };
                positions.push(Position {
                    partition: Partition { topic: input.topic, index: id.partition },
                    offset: input.now.position,
                    metadata: metadata.encode(),
                });
            }
        }
        positions
    }

    /// It is permanent.
    pub(super) fn settled(&mut self) {
        self.commits += 1;
        tracing::debug!(number = self.commits, "committed");
        (self.sent, self.must_commit, self.undone) = (false, false, 0);
        self.refused = false;
        for (_, running) in running(&mut self.tasks) {
            running.commit = self.commits;
            running.stands_for = running.ends.take();
            self.watch.counters.count(&running.task);
            running.task.committed();
            self.said.append(&mut running.task.said);
        }
        if running(&mut self.tasks).any(|(_, running)| running.stands_for.is_some()) {
            self.snapshot();
        }
        self.purge();
    }

    /// It never happened: stores, clocks and inputs go back to the last commit.
    pub(super) fn roll_back(&mut self) -> Result<(), TransportError> {
        self.transport.abort()?;
        self.watch.counters.rollbacks += 1;
        self.out.clear();
        (self.sent, self.must_commit) = (false, false);
        let now = self.clock.now_ms();
        let mut begin = vec![];
        for (id, running) in running(&mut self.tasks) {
            // A silence that nothing of this commit has broken goes on: not every position that moves has met a record.
            if running.task.has_read() {
                let inputs = running.task.inputs.len();
                running.quiet = super::idle::Quiet::new(inputs, running.task.committed_clock(), now);
            }
            running.ends = None;
            if self.options.broken != Broken::SkipUndo {
                running.task.abort();
            }
            if let Some(merge) = &mut running.merge {
                merge.clear();
            }
            let inputs = running.task.inputs.iter_mut().map(|input| {
                input.paused = false;
                (Partition { topic: input.topic, index: id.partition }, input.committed.position)
            });
            begin.extend(inputs);
        }
        if self.options.broken == Broken::SkipRewind {
            return Ok(());
        }
        begin.into_iter().try_for_each(|(partition, offset)| self.transport.begin(partition, offset))
    }

    /// A commit of which nobody knows whether it happened: what is committed decides.
    pub(super) fn decide(&mut self) -> Result<Decided, TransportError> {
        self.transport.recover()?;
        let attempted = self.positions(self.commits + 1);
        let inputs: Vec<Partition> = attempted.iter().map(|p| p.partition).collect();
        let committed = self.transport.committed(&inputs)?;
        let happened = attempted.iter().zip(&committed).all(|(ours, found)| Some(ours) == found.as_ref());
        let before: Vec<u64> =
            self.tasks.values().filter_map(TaskState::running).flat_map(Running::commits).collect();
        let number = |p: &Option<Position>| p.as_ref().map_or(0, commit_of);
        let decided = if happened {
            Decided::Happened
        } else if committed.iter().map(number).eq(before) {
            Decided::NeverHappened
        } else {
            Decided::Overtaken
        };
        tracing::debug!(?decided, number = self.commits + 1, "a commit was in doubt");
        Ok(decided)
    }

    /// The positions of a commit that may have happened or not.
    pub fn in_doubt(&self) -> Vec<Position> {
        if self.owed == Owed::Decision { self.positions(self.commits + 1) } else { vec![] }
    }

    /// Keeps tasks whose inputs are handed over, in case they come back and nobody has touched them.
    pub(super) fn park(&mut self, partitions: &[Partition]) {
        let gone: Vec<TaskId> = partitions.iter().map(|p| super::worker::task_of(&self.plan, *p)).collect();
        for id in gone {
            if let Some(TaskState::Running(running)) = self.tasks.remove(&id) {
                self.parked.insert(id, running);
            }
        }
    }
}

/// After how many milliseconds the next commit is due. A commit costs the cluster for every partition that is written,
/// and a row is written once a commit, however often it has changed; behind a backlog records are late by more than
/// this adds.
fn commit_in(every: i64, waiting: i64) -> i64 {
    if waiting <= BACKLOG { every } else { every.max(every.saturating_mul(RARER).min(RAREST)) }
}

/// How a commit ended of which nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    /// It is permanent.
    Happened,
    /// It is as if it had not been tried.
    NeverHappened,
    /// Neither: someone else has gone on from there.
    Overtaken,
}

/// The number of the commit that left a position; 0: none of ours.
fn commit_of(position: &Position) -> u64 {
    Metadata::decode(&position.metadata).ok().flatten().map_or(0, |metadata| metadata.commit)
}

/// What the bytes of a task's tables mean, for the metadata.
pub(super) fn meanings(task: &Task) -> Vec<(u32, u32)> {
    let plan = task.plan();
    let stores = task.changelogs().iter().map(|(store, _)| &plan.stores[*store]);
    stores.map(|store| (metadata::hash(&store.name), metadata::hash(&store.fingerprint))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_rarer_while_there_is_a_backlog() {
        assert_eq!(commit_in(100, 0), 100);
        assert_eq!(commit_in(100, BACKLOG), 100);
        assert_eq!(commit_in(100, BACKLOG + 1), 500);
        assert_eq!(commit_in(20, i64::MAX), 100);
        assert_eq!(commit_in(300, i64::MAX), 500);
        // What is rarer anyway stays so.
        assert_eq!(commit_in(2_000, i64::MAX), 2_000);
        assert_eq!(commit_in(i64::MAX, i64::MAX), i64::MAX);
    }
}
