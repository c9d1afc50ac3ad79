//! The only place where anything becomes permanent, and what is done when it does not.
//!
//! The order is: outputs and changelogs out, then positions with their metadata, then the commit, and only then are
//! the undo logs cleared. Positions go last. At least once runs this same code without a transaction, and there a
//! crash behind the positions would skip records whose outputs were never acknowledged.

use super::metadata::{self, Metadata};
use super::restore;
use super::snapshots;
use super::task::Task;
use super::worker::{Broken, Running, TaskId, TaskState, Worker, running};
use crate::transport::{Class, Partition, Position, Transport, TransportError};

impl<T: Transport> Worker<T> {
    /// Commits what has been done since the last time.
    pub(super) fn commit(&mut self) -> Result<(), TransportError> {
        let now = self.clock.now_ms();
        self.commit_at = now.saturating_add(self.options.commit_every);
        if !self.is_dirty() {
            self.must_commit = false;
            return Ok(());
        }
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
        Ok(())
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
        Ok(())
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
                    tables: tables.clone(),
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
    fn settled(&mut self) {
        self.commits += 1;
        self.committed_tick = self.ticked;
        (self.sent, self.must_commit) = (false, false);
        for (_, running) in running(&mut self.tasks) {
            running.task.committed();
            self.said.append(&mut running.task.said);
        }
        if self.clock.now_ms() >= self.snapshot_at {
            self.snapshot();
        }
    }

    /// Writes a snapshot of each task that has tables. One that cannot be written is no reason to stop: the changelogs
    /// have everything.
    pub(super) fn snapshot(&mut self) {
        let now = self.clock.now_ms();
        self.snapshot_at = now.saturating_add(snapshots::EVERY);
        let Some(folder) = self.options.snapshots.clone() else { return };
        let plan = self.plan.clone();
        let Worker { tasks, transport, commits, .. } = self;
        for (id, running) in running(tasks).filter(|(_, r)| !r.task.changelogs().is_empty()) {
            let mut meta = snapshots::Meta { written: now, commit: *commits, logs: vec![] };
            for (_, topic) in running.task.changelogs() {
                match transport.bounds(Partition { topic: *topic, index: id.partition }) {
                    Ok((_, end)) => meta.logs.push((plan.topics.get(*topic).name.clone(), end)),
                    Err(error) => return tracing::warn!(%error, "no snapshot was written"),
                }
            }
            if let Err(error) = snapshots::write(&folder, id, &running.task, &meta) {
                tracing::warn!(%error, folder = %folder.display(), "no snapshot was written");
            }
        }
    }

    /// It never happened: stores, clocks and inputs go back to the last commit.
    pub(super) fn roll_back(&mut self) -> Result<(), TransportError> {
        self.transport.abort()?;
        self.out.clear();
        self.ticked = self.committed_tick;
        (self.sent, self.must_commit) = (false, false);
        let now = self.clock.now_ms();
        let mut begin = vec![];
        for (id, running) in running(&mut self.tasks) {
            if self.options.broken != Broken::SkipUndo {
                running.task.abort();
            }
            if let Some(merge) = &mut running.merge {
                merge.clear();
            }
            running.quiet = super::idle::Quiet::new(running.task.inputs.len(), running.task.clock(), now);
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

    /// A commit of which nobody knows whether it happened: the number that is committed decides.
    pub(super) fn decide(&mut self) -> Result<(), TransportError> {
        self.transport.recover()?;
        let inputs: Vec<Partition> = self.positions(0).into_iter().map(|p| p.partition).collect();
        let committed = self.transport.committed(&inputs)?;
        let number = |p: &Option<Position>| Metadata::decode(&p.as_ref()?.metadata).map(|m| m.commit);
        let numbers: Vec<_> = committed.iter().map(number).collect();
        let all = |expected: u64| numbers.iter().all(|n| *n == Some(expected));
        let none_yet = self.commits == 0 || numbers.iter().all(|n| n.is_none_or(|n| n <= self.commits));
        if all(self.commits + 1) {
            self.settled();
            Ok(())
        } else if none_yet {
            self.roll_back()
        } else {
            // Neither: someone else has gone on from there.
            self.discard();
            self.rejoin();
            Ok(())
        }
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

/// What the bytes of a task's tables mean, for the metadata.
pub(super) fn meanings(task: &Task) -> Vec<(u64, u64)> {
    let plan = task.plan();
    let stores = task.changelogs().iter().map(|(store, _)| &plan.stores[*store]);
    stores
        .map(|store| (metadata::hash(restore::name_of(store)), metadata::hash(&store.fingerprint)))
        .collect()
}

/// The end of patience.
pub(super) fn gave_up() -> TransportError {
    TransportError::new(Class::Fatal, "the last commit failed again and again")
}

/// A task that was parked, as it runs on.
pub(super) fn unparked(running: Box<Running>) -> TaskState {
    TaskState::Running(running)
}
