//! From what is committed to a task that runs: first where its inputs stand, then its tables, from a snapshot and the
//! changelog behind it.
//!
//! The positions are read first. They are stable, that is, no commit is pending that may still change them; the
//! changelog is then read up to its end, open transactions included, because what the positions stand for may not be
//! visible yet. The other way round a commit between the two reads would leave the tables behind the positions.

use super::input::Standing;
use super::meaning;
use super::metadata::{self, Metadata};
use super::options::{Broken, Options};
use super::snapshots;
use super::task::Task;
use super::worker::{Running, TaskId, TaskState, Worker, task_of};
use crate::operator::StreamTime;
use crate::plan::source::Start;
use crate::store::{StoreDecl, Stores};
use crate::transport::{Class, Partition, Position, Transport, TransportError};
use std::collections::BTreeSet;

/// How often the progress of a long restore is spoken of, in milliseconds.
const SAID_EVERY: i64 = 2_000;

/// A task whose tables are being filled.
#[derive(Debug)]
pub struct Restoring {
    task: Task,
    /// Where its inputs stand, each with what has been said before it.
    standings: Vec<(usize, Standing, Vec<u8>)>,
    clock: StreamTime,
    ticked: i64,
    /// The number of the commit it goes on from; 0: there is none.
    commit: u64,
    logs: Vec<Log>,
    /// When its progress was last spoken of.
    said: i64,
}

/// A changelog that is read.
#[derive(Clone, Debug)]
struct Log {
    store: usize,
    partition: Partition,
    next: i64,
    end: i64,
    /// Whether it has been found what its bytes mean. Every changelog says so from its table's first commit on, rows or
    /// not; one that does not is another one.
    told: bool,
    /// The table is started over: the rows that are there are only found, to be removed.
    forgets: Option<BTreeSet<Vec<u8>>>,
}

impl Restoring {
    /// How much has been read and how much there is.
    pub fn progress(&self) -> (i64, i64) {
        let left: i64 = self.logs.iter().map(|log| log.end - log.next).sum();
        let all: i64 = self.logs.iter().map(|log| log.end).sum();
        (all - left, all)
    }
}

impl<T: Transport> Worker<T> {
    /// Takes over the inputs that were assigned: each task is restored, or goes on if it was only parked. What fails
    /// is done again with the next turn.
    pub(super) fn open(&mut self) -> Result<(), TransportError> {
        while let Some(partition) = self.to_open.first() {
            let id = task_of(&self.plan, *partition);
            let state = self.open_task(id)?;
            self.let_go(id);
            self.tasks.insert(id, state);
            self.to_open.retain(|partition| task_of(&self.plan, *partition) != id);
        }
        Ok(())
    }

    fn open_task(&mut self, id: TaskId) -> Result<TaskState, TransportError> {
        let counts = self.counts(id.part)?;
        let alone = counts.iter().all(|count| *count == 1);
        let mut task = Task::new(self.plan.clone(), id.part, id.partition, alone);
        task.keep_inputs(&counts);
        self.measure(&mut task)?;
        self.expect(&mut task)?;
        let inputs: Vec<Partition> =
            task.inputs.iter().map(|i| Partition { topic: i.topic, index: id.partition }).collect();
        let committed = self.transport.committed(&inputs)?;
        let metadata = committed.iter().map(|p| p.as_ref().map_or(Ok(None), known));
        let metadata: Vec<Option<Metadata>> = metadata.collect::<Result<_, _>>()?;
        let newest = metadata.iter().flatten().max_by_key(|m| m.commit).cloned();
        self.commits = self.commits.max(newest.as_ref().map_or(0, |m| m.commit));
        let mut standings = vec![];
        for (at, (position, metadata)) in committed.iter().zip(&metadata).enumerate() {
            let standing = self.standing(&task, at, inputs[at], position.as_ref(), metadata.as_ref())?;
            let upstreams = metadata.as_ref().map(|m| m.upstreams.clone()).unwrap_or_default();
            standings.push((at, standing, upstreams));
            // Where it ends the next time is somewhere else, and what lies between would be passed over.
            let start = self.plan.sources[task.inputs[at].source].start;
            task.unmarked |= position.is_none() && start == Start::Latest;
        }
        let (clock, commit) = newest.as_ref().map_or((StreamTime::START, 0), |m| (m.clock, m.commit));
        let ticked = newest.as_ref().map_or(self.clock.now_ms(), |m| m.ticked);
        if let Some(parked) = self.unpark(id, commit, &standings, &inputs)? {
            return Ok(parked);
        }
        self.note_topic_ids(&task)?;
        task.reset = newest.as_ref().map_or(0, |metadata| metadata.reset);
        let logs = match newest {
            None => {
                task.untold = task.changelogs().iter().map(|(store, _)| *store).collect();
                self.leftovers(&task, id)?
            }
            Some(metadata) => self.logs(&mut task, id, &metadata)?,
        };
        // From now on it is as this run wants it, and stays so whoever of the run has it next.
        if !self.options.reset.is_empty() {
            task.reset = task.reset.max(self.options.started);
        }
        let said = self.clock.now_ms();
        Ok(TaskState::Restoring(Box::new(Restoring { task, standings, clock, ticked, commit, logs, said })))
    }

    /// Notes what the changelogs can be told by, before anything is read of them: a snapshot that is written later
    /// stands for these and no others.
    fn note_topic_ids(&mut self, task: &Task) -> Result<(), TransportError> {
        if self.options.snapshots.is_none() {
            return Ok(());
        }
        for (_, topic) in task.changelogs() {
            if !self.topic_ids.contains_key(topic) {
                let id = self.transport.topic_id(*topic)?;
                self.topic_ids.insert(*topic, id);
            }
        }
        Ok(())
    }

    /// Has a task know how wide the repartitions behind it are.
    fn measure(&mut self, task: &mut Task) -> Result<(), TransportError> {
        if task.outlets.is_empty() {
            return Ok(());
        }
        let (mut widths, mut of) = (vec![], 0);
        for topic in task.outlets.topics() {
            widths.push(self.transport.partitions(topic)?.unwrap_or(0));
        }
        for input in &task.inputs {
            of = of.max(self.transport.partitions(input.topic)?.unwrap_or(0));
        }
        task.outlets.measure(&widths, of);
        Ok(())
    }

    /// Has a task know how many tasks write the repartitions that it reads.
    fn expect(&mut self, task: &mut Task) -> Result<(), TransportError> {
        let plan = self.plan.clone();
        for input in &mut task.inputs {
            let from = plan.sources[input.source].cut.iter().flat_map(|cut| &cut.from);
            for part in from.map(|from| plan.runs[*from].part) {
                let tasks = self.counts(part)?.into_iter().max().unwrap_or(0);
                input.expect(plan.part_name(part), tasks);
            }
        }
        Ok(())
    }

    /// A parked task goes on if nobody has committed since it was let go of.
    fn unpark(
        &mut self,
        id: TaskId,
        commit: u64,
        standings: &[(usize, Standing, Vec<u8>)],
        inputs: &[Partition],
    ) -> Result<Option<TaskState>, TransportError> {
        let Some(running) = self.parked.get(&id) else { return Ok(None) };
        // The number says more than the positions: an alert or a silence changes tables and moves no input.
        let stands =
            |(at, standing, _): &(usize, Standing, Vec<u8>)| running.task.inputs[*at].committed == *standing;
        if running.commit != commit || running.task.is_dirty() || !standings.iter().all(stands) {
            return Ok(None);
        }
        for ((_, standing, _), partition) in standings.iter().zip(inputs) {
            self.transport.begin(*partition, standing.position)?;
        }
        let Some(mut running) = self.parked.remove(&id) else { return Ok(None) };
        if let Some(merge) = &mut running.merge {
            merge.clear();
        }
        running.task.inputs.iter_mut().for_each(|input| input.paused = false);
        running.task.outlets.repeat();
        if let Err(error) = self.measure(&mut running.task) {
            self.parked.insert(id, running);
            return Err(error);
        }
        running.quiet = super::idle::Quiet::new(inputs.len(), running.task.clock(), self.clock.now_ms());
        Ok(Some(TaskState::Running(running)))
    }

    /// Where an input begins: where it was committed, or where its source says.
    fn standing(
        &mut self,
        task: &Task,
        input: usize,
        partition: Partition,
        position: Option<&Position>,
        metadata: Option<&Metadata>,
    ) -> Result<Standing, TransportError> {
        if let Some(position) = position {
            let largest = metadata.map_or(i64::MIN, |m| m.largest);
            return Ok(Standing { position: position.offset, largest });
        }
        let source = &self.plan.sources[task.inputs[input].source];
        let (start, name) = (source.start, source.name.clone());
        let (first, end) = self.transport.bounds(partition)?;
        // Of a partition that was not there when we came everything is new.
        let is_new = self.widths.get(&partition.topic).is_some_and(|had| partition.index >= *had);
        let position = match start {
            Start::Earliest => first,
            Start::Latest | Start::Error if is_new => first,
            Start::Latest => end,
            Start::Error => {
                return Err(TransportError::fatal(format!(
                    "nothing is committed for `{name}`, which has `start = \"error\"`"
                ))
                .hint("set `start` to \"earliest\" or \"latest\" for the first run"));
            }
        };
        Ok(Standing { position, largest: i64::MIN })
    }

    /// Nothing is committed for the task, but its changelogs may hold rows of a run whose positions are gone.
    fn leftovers(&mut self, task: &Task, id: TaskId) -> Result<Vec<Log>, TransportError> {
        let mut logs = vec![];
        for (store, topic) in task.changelogs() {
            logs.extend(self.leftover(*store, Partition { topic: *topic, index: id.partition })?);
        }
        Ok(logs)
    }

    /// Nothing is known of a table, but its changelog may hold rows: of a run whose positions are gone, or from before
    /// its node was taken out of the file for a while. They have to go, or they would come back at the next start.
    fn leftover(&mut self, store: usize, partition: Partition) -> Result<Option<Log>, TransportError> {
        let (next, end) = self.transport.bounds(partition)?;
        let forgets = Some(BTreeSet::new());
        Ok((next < end).then_some(Log { store, partition, next, end, told: true, forgets }))
    }

    /// The changelogs to read for a task that has run before.
    fn logs(&mut self, task: &mut Task, id: TaskId, metadata: &Metadata) -> Result<Vec<Log>, TransportError> {
        let plan = self.plan.clone();
        let resets = self.resets(metadata);
        let snapshot = self.snapshot_of(task, id, metadata, resets);
        let mut logs = vec![];
        for (store, changelog) in task.changelogs().to_vec() {
            let declared = &plan.stores[store];
            let known = metadata.tables.iter().find(|(name, _)| *name == metadata::hash(&declared.name));
            let Some((_, meaning)) = known else {
                tracing::info!(table = declared.name, "is new to this pipeline and starts at the present");
                task.untold.push(store);
                logs.extend(self.leftover(store, Partition { topic: changelog, index: id.partition })?);
                continue;
            };
            let is_other = *meaning != metadata::hash(&declared.fingerprint);
            let forgets = resets && self.options.reset.contains(&declared.name);
            if forgets || is_other {
                task.untold.push(store);
            }
            let partition = Partition { topic: changelog, index: id.partition };
            let (first, end) = self.transport.bounds(partition)?;
            let name = &plan.topics.get(changelog).name;
            let tail = snapshot.iter().flat_map(|meta| &meta.logs).find(|(topic, _)| topic == name);
            // A copy of an older state folder may end before the changelog begins.
            if tail.map_or(0, |(_, offset)| *offset) < first && !self.options.reset.contains(&declared.name) {
                let table = &declared.name;
                let message =
                    format!("the table of `{table}` cannot be restored: `{name}` begins at {first}");
                return Err(TransportError::fatal(message).hint(format!(
                    "what came before is kept in a snapshot that is not there, or not for this file; bring the state \
                     folder back and undo the edit, or start the table over with `--reset {}`",
                    declared.name
                )));
            }
            let next = tail.map_or(first, |(_, offset)| (*offset).max(first).min(end));
            let told = forgets || tail.is_some();
            let forgets = forgets.then(BTreeSet::new);
            logs.push(Log { store, partition, next, end, told, forgets });
        }
        Ok(logs)
    }

    /// Whether this run has yet to start over tables of a task: only what is committed can say so, for a task that was
    /// started over here may have moved on, or come from where that was done. One that another file has made since is
    /// not what this run wanted.
    fn resets(&self, metadata: &Metadata) -> bool {
        let Options { reset, started, .. } = &self.options;
        let is_other = |declared: &StoreDecl| {
            let known = metadata.tables.iter().find(|(name, _)| *name == metadata::hash(&declared.name));
            known.is_some_and(|(_, meaning)| *meaning != metadata::hash(&declared.fingerprint))
        };
        let wanted = || self.plan.stores.iter().filter(|declared| reset.contains(&declared.name));
        if metadata.reset < *started || wanted().any(is_other) {
            return !reset.is_empty();
        }
        if metadata.reset > *started && !reset.is_empty() {
            tracing::info!(tables = reset.join(", "), "have been started over by a later run");
        }
        false
    }

    /// Fills a task from its snapshot, if there is one that can be believed.
    fn snapshot_of(
        &mut self,
        task: &mut Task,
        id: TaskId,
        metadata: &Metadata,
        resets: bool,
    ) -> Option<snapshots::Meta> {
        let folder = self.options.snapshots.clone()?;
        let since = match self.transport.forgets_removals() {
            true => self.clock.now_ms().saturating_sub(snapshots::OLDEST),
            false => i64::MIN,
        };
        // What this run has started over is a table like any other. One that the positions do not know may be from
        // before its node was taken out of the file for a while.
        let starts_over = |declared: &&StoreDecl| {
            let is_known = metadata.tables.iter().any(|(name, _)| *name == metadata::hash(&declared.name));
            !is_known || resets && self.options.reset.contains(&declared.name)
        };
        let fresh: Vec<String> =
            self.plan.stores.iter().filter(starts_over).map(|declared| declared.name.clone()).collect();
        let wanted = snapshots::Wanted { committed: metadata.commit, since, fresh: &fresh };
        let read = snapshots::read(&folder, id, task, wanted);
        // One that stands for more than a changelog holds, or for one with another id, is of another log.
        let ahead = |meta: &snapshots::Meta, worker: &mut Self| {
            let plan = worker.plan.clone();
            task.changelogs().iter().any(|(_, topic)| {
                let name = &plan.topics.get(*topic).name;
                let stands_for =
                    meta.logs.iter().find(|(log, _)| log == name).map_or(0, |(_, offset)| *offset);
                let theirs = meta.ids.iter().find(|(log, _)| log == name).map(|(_, id)| id);
                let ours = worker.topic_ids.get(topic).and_then(Option::as_ref);
                if theirs.zip(ours).is_some_and(|(theirs, ours)| theirs != ours) {
                    return true;
                }
                let bounds = worker.transport.bounds(Partition { topic: *topic, index: id.partition });
                bounds.map_or(true, |(_, end)| stands_for > end)
            })
        };
        match read {
            Some(meta) if ahead(&meta, self) => {
                tracing::warn!(partition = id.partition, "a snapshot of another log is passed over");
                task.stores = Stores::new(&self.plan.stores);
                None
            }
            read => read,
        }
    }

    /// Reads on in the changelogs of tasks that are being restored, a chunk each; whether there was anything to do.
    pub(super) fn restore(&mut self) -> Result<bool, TransportError> {
        let (mut busy, now) = (false, self.clock.now_ms());
        let ids: Vec<_> = self.tasks.keys().copied().collect();
        for id in ids {
            let Some(TaskState::Restoring(restoring)) = self.tasks.get_mut(&id) else { continue };
            let Some(log) = restoring.logs.iter_mut().find(|log| log.next < log.end) else {
                self.start(id)?;
                busy = true;
                continue;
            };
            let chunk = self.transport.changelog(log.partition, log.next, log.end)?;
            let store =
                restoring.task.stores.iter_mut().nth(log.store).expect("a task has all stores of its plan");
            log.told |= chunk.records.iter().any(|(key, _)| *key == meaning::KEY);
            for (key, value) in chunk.records.iter().filter(|(key, _)| *key != meaning::KEY) {
                if let Some(keys) = &mut log.forgets {
                    match value {
                        Some(_) => keys.insert(key.to_vec()),
                        None => keys.remove(*key),
                    };
                    continue;
                }
                store.restore_record(key, *value).map_err(|corrupt| {
                    TransportError::new(Class::Fatal, format!("a changelog cannot be read: {corrupt}"))
                })?;
            }
            // Where somebody's transaction is still open there is nothing to read for a while.
            busy |= chunk.next > log.next;
            log.next = chunk.next;
            if now.saturating_sub(restoring.said) >= SAID_EVERY {
                restoring.said = now;
                let (done, all) = restoring.progress();
                tracing::info!(part = id.part, partition = id.partition, done, all, "restoring tables");
            }
        }
        Ok(busy)
    }

    /// The tables are complete: the task runs, and its inputs are read from where they stand.
    fn start(&mut self, id: TaskId) -> Result<(), TransportError> {
        let Some(TaskState::Restoring(restoring)) = self.tasks.get(&id) else { return Ok(()) };
        if let Some(log) = restoring.logs.iter().find(|log| !log.told) {
            return Err(self.made_anew(log));
        }
        let inputs = restoring.task.inputs.iter();
        let partitions: Vec<_> = inputs.map(|i| Partition { topic: i.topic, index: id.partition }).collect();
        let standings = restoring.standings.clone();
        for ((_, standing, _), partition) in standings.iter().zip(partitions) {
            let (topic, offset) = (&self.plan.topics.get(partition.topic).name, standing.position);
            tracing::debug!(topic, partition = partition.index, offset, "begins");
            self.transport.begin(partition, standing.position)?;
        }
        let Some(TaskState::Restoring(restoring)) = self.tasks.remove(&id) else { return Ok(()) };
        let Restoring { mut task, standings, clock, ticked, commit, logs, .. } = *restoring;
        if !logs.is_empty() {
            let rows: usize = task.stores.iter().map(crate::store::Store::len).sum();
            tracing::info!(part = id.part, partition = id.partition, rows, "tables restored");
        }
        // Everything that stood there has been read; where nothing stood nothing has been looked at.
        let whole = logs.len() == task.changelogs().len();
        let stands_for = whole.then(|| logs.iter().map(|log| (log.partition.topic, log.end)).collect());
        for log in logs {
            let rows = log.forgets.as_ref().map_or(0, BTreeSet::len);
            if commit == 0 && rows > 0 {
                // The group has expired, or somebody has deleted its offsets.
                let (table, partition) = (&self.plan.stores[log.store].name, id.partition);
                tracing::warn!(table, partition, rows, "starts over: nothing is committed for its inputs");
            }
            let keys = log.forgets.into_iter().flatten();
            task.forgotten.extend(keys.map(|key| (log.partition.topic, key)));
        }
        task.resume(&standings, clock, ticked);
        task.jumps = self.options.broken == Broken::AdvancePerBatch;
        if self.options.broken == Broken::DeafToMarkers {
            task.inputs.iter_mut().for_each(super::input::Input::deafen);
        }
        let most = self.plan.settings.merge_buffer as usize;
        let mut running = Running::new(task, most, self.clock.now_ms());
        running.commit = commit;
        running.stands_for = stands_for;
        self.tasks.insert(id, TaskState::Running(Box::new(running)));
        Ok(())
    }

    /// Positions say that a table has been written, and its changelog holds nothing of it.
    fn made_anew(&self, log: &Log) -> TransportError {
        let (table, topic) =
            (&self.plan.stores[log.store].name, &self.plan.topics.get(log.partition.topic).name);
        TransportError::fatal(format!(
            "the table of `{table}` cannot be restored: `{topic}` holds nothing of it in partition {}",
            log.partition.index
        ))
        .hint(format!(
            "was the topic deleted? the inputs stand where the table has long been written; start it over with \
             `--reset {table}`"
        ))
    }
}

/// What is known of a committed position; nothing if it was not committed by a worker.
pub(super) fn known(position: &Position) -> Result<Option<Metadata>, TransportError> {
    Metadata::decode(&position.metadata).map_err(|metadata::Newer| {
        TransportError::fatal("what is committed was committed by a later version of streamrun")
            .hint("run that version: this one cannot know what the tables hold")
    })
}
