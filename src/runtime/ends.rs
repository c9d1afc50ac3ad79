//! How far inputs have been read, and whether that is to their ends.
//!
//! An offset need not be that of a record: behind the last one there may be ends of transactions, and records that were
//! taken back. No poll will ever bring anything from there, so a position alone never comes to such an end; what the
//! transport has reached does.
//!
//! What stands behind a repartition comes to its end only when what is written to it has. So inputs are read to their
//! ends level by level. Those of the file's own sources are noted before anything is joined, those of a repartition
//! once everything before it is committed.

use super::worker::Stopped;
use super::worker::{Running, TaskId, Turn, Worker, running, task_of};
use crate::plan::source::SourcePlan;
use crate::transport::{Partition, Transport, TransportError};
use std::collections::BTreeMap;

/// How often it is looked at how far others have come, in milliseconds.
const LOOK_EVERY: i64 = 100;

/// The ends that inputs had.
#[derive(Debug)]
pub(super) struct InputEnds {
    /// Those that are not known to be read.
    unread: BTreeMap<Partition, i64>,
    looked: i64,
    /// The same of those of the file's own sources that are not at the level yet.
    later: BTreeMap<Partition, i64>,
    /// How many repartitions stand before them.
    level: usize,
}

impl<T: Transport> Worker<T> {
    /// Notes the ends that all inputs have before it joins, if it is to read to them: those of others, too. A member
    /// that has gone may still hold inputs for a while, and they come to this worker when the group gives it up.
    pub(super) fn note_input_ends(&mut self) -> Result<(), TransportError> {
        if !self.options.to_ends || self.input_ends.is_some() {
            return Ok(());
        }
        let later = self.ends_of(|source, _| source.cut.is_none())?;
        self.note_level(0, later)
    }

    fn note_level(
        &mut self,
        level: usize,
        mut later: BTreeMap<Partition, i64>,
    ) -> Result<(), TransportError> {
        let levels = self.plan.levels();
        let mut unread = self.ends_of(|source, part| source.cut.is_some() && levels[part] == level)?;
        unread.extend(
            later.extract_if(.., |partition, _| levels[task_of(&self.plan, *partition).part] == level),
        );
        self.input_ends = Some(InputEnds { unread, later, looked: i64::MIN, level });
        Ok(())
    }

    /// Where the topics of some sources end now; each is known with its part.
    fn ends_of(
        &mut self,
        of: impl Fn(&SourcePlan, usize) -> bool,
    ) -> Result<BTreeMap<Partition, i64>, TransportError> {
        let (plan, mut ends) = (self.plan.clone(), BTreeMap::new());
        let sources = plan.sources.iter().zip(&plan.runs).filter(|(source, run)| of(source, run.part));
        for topic in sources.flat_map(|(source, _)| &source.topics) {
            for index in 0..self.transport.partitions(*topic)?.unwrap_or(0) {
                let partition = Partition { topic: *topic, index };
                ends.insert(partition, self.transport.bounds(partition)?.1);
            }
        }
        Ok(ends)
    }

    /// Everything of a level has been read and is committed: what stands behind its repartitions is read to its end.
    pub fn next_level(&mut self) -> Result<(), Stopped> {
        let Some(ends) = &self.input_ends else { return Ok(()) };
        let (level, later) = (ends.level + 1, ends.later.clone());
        loop {
            match self.note_level(level, later.clone()) {
                Ok(()) => return Ok(()),
                Err(error) => self.failed(error).map(drop)?,
            }
        }
    }

    /// Inputs of a level that are at their ends are waited for no longer: nothing is expected to come.
    pub fn rest(&mut self, level: usize) {
        self.resting = Some(level);
    }

    /// The clocks of a level's tasks are not told until they are closed: those behind must not go on with the first
    /// one that is.
    pub fn mute(&mut self, level: Option<usize>) {
        self.muted = level;
    }

    pub(super) fn is_muted(&self, id: TaskId) -> bool {
        self.muted.is_some_and(|level| self.level_of(id) == level)
    }

    /// The level of a task's part.
    pub fn level_of(&self, id: TaskId) -> usize {
        self.plan.levels()[id.part]
    }

    /// Whether every input of the level has been read to the end that was noted: by this worker, or, as what is
    /// committed says, by others. One that was not there then has nothing that would have to be read.
    pub fn is_at_ends(&mut self) -> bool {
        if !self.is_ready() {
            return false;
        }
        let Worker { tasks, transport, input_ends, .. } = self;
        let Some(ends) = input_ends else { return true };
        let mut others = ends.unread.clone();
        for (id, running) in running(tasks) {
            for (at, input) in running.task.inputs.iter().enumerate() {
                let partition = Partition { topic: input.topic, index: id.partition };
                let Some(end) = others.remove(&partition) else { continue };
                if running.behind(id, at, transport) < end {
                    return false;
                }
            }
        }
        others.is_empty() || self.have_others_read(&others)
    }

    /// Whether others have committed that they have read their inputs. What has been read once stays so.
    fn have_others_read(&mut self, others: &BTreeMap<Partition, i64>) -> bool {
        let now = self.clock.now_ms();
        let Some(ends) = &mut self.input_ends else { return true };
        if now.saturating_sub(ends.looked) < LOOK_EVERY {
            return false;
        }
        ends.looked = now;
        let wanted: Vec<Partition> = others.keys().copied().collect();
        let committed = match self.transport.committed(&wanted) {
            Ok(committed) => committed,
            Err(error) => {
                tracing::debug!(%error, "how far others have come is not known");
                return false;
            }
        };
        for (partition, position) in wanted.iter().zip(committed) {
            if position.map_or(0, |position| position.offset) >= others[partition] {
                ends.unread.remove(partition);
            }
        }
        others.keys().all(|partition| !ends.unread.contains_key(partition))
    }

    /// Has what is no record passed over even where nothing else is to be committed, once nothing comes any more.
    pub(super) fn pass_over_at_rest(&mut self, turn: Turn, now: i64) {
        let rests = turn == Turn::Idle && now >= self.commit_at && self.is_ready() && !self.is_dirty();
        if rests {
            self.pass_over();
            // There is nothing left that could be undone again and again.
            self.undone = 0;
        }
    }

    /// Has the commit that is about to be made pass over what is no record and stands behind all that has been
    /// processed: other tools compare positions with ends, and would call it unread.
    pub(super) fn pass_over(&mut self) {
        let Worker { tasks, transport, .. } = self;
        for (id, running) in running(tasks) {
            for at in 0..running.task.inputs.len() {
                running.task.inputs[at].now.position = running.behind(id, at, transport);
            }
        }
    }
}

impl Running {
    /// The offset behind all of an input that has been processed. What a transport has reached counts only where
    /// nothing waits: it has been handed out and is not done. (What of a batch could not be done is begun at again
    /// before anyone can ask.)
    fn behind<T: Transport>(&self, id: TaskId, at: usize, transport: &mut T) -> i64 {
        let input = &self.task.inputs[at];
        if self.merge.as_ref().is_some_and(|merge| !merge.is_empty(at)) {
            return input.now.position;
        }
        let reached = transport.reached(Partition { topic: input.topic, index: id.partition });
        reached.map_or(input.now.position, |reached| reached.max(input.now.position))
    }
}
