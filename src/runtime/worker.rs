//! A worker: one member of the group, one producer, and the tasks of its partitions. Its loop, a turn at a time.
//!
//! A turn polls, does what there is to do, and commits when it is time to. Everything between poll and commit is
//! synchronous. What is not committed may be rolled back at any turn and done again.

use super::control::Watch;
use super::ends::InputEnds;
use super::idle;
use super::intake::take_in;
use super::large::Sizes;
use super::mend::Owed;
use super::merge::Merge;
use super::options::Options;
use super::restore::Restoring;
use super::snapshots::Ends;
use super::tally::Tallies;
use super::task::Task;
use crate::operator::{NodeId, StreamTime};
use crate::outbox::{Outbox, TopicId};
use crate::plan::Plan;
use crate::time::Clock;
use crate::transport::{Event, Partition, Transport, TransportError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which task: its part of the plan, and its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The part.
    pub part: usize,
    /// The partition.
    pub partition: u32,
}

/// A task on its way to running, or running. Nothing can be processed while it is restored.
#[derive(Debug)]
pub enum TaskState {
    /// Its tables are being filled.
    Restoring(Box<Restoring>),
    /// It processes.
    Running(Box<Running>),
}

impl TaskState {
    /// The task, if it runs.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            TaskState::Running(running) => Some(running),
            TaskState::Restoring(_) => None,
        }
    }
}

/// A task that runs.
#[derive(Debug)]
pub struct Running {
    /// The task.
    pub task: Task,
    /// Its queues, if it has several inputs.
    pub merge: Option<Merge>,
    /// Since when its inputs have been quiet.
    pub quiet: idle::Quiet,
    /// The number of the commit that left it as it is committed; 0: there has been none.
    pub(super) commit: u64,
    /// Where the changelogs ended of which everything is in what that commit left, if that is known.
    pub(super) stands_for: Option<Ends>,
    /// Where they ended before the commit that is being made.
    pub(super) ends: Option<Ends>,
}

/// What a turn has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something: there may be more to do at once.
    Busy,
    /// Nothing: wait before the next one.
    Idle,
    /// Something failed that may work the next time: wait so long before it.
    Again {
        /// In milliseconds.
        after_ms: u64,
    },
}

/// What a worker is to the others that share its inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Membership {
    /// It has not joined, or was given up.
    #[default]
    Out,
    /// It has joined, and which inputs are its is yet to be said.
    Waiting,
    /// It has been said; it may be none.
    Assigned,
}

/// For so long a worker that ends tries to commit, in milliseconds.
const LAST_COMMIT: i64 = 10_000;

/// A worker.
#[derive(Debug)]
pub struct Worker<T> {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Where records come from and go to.
    pub transport: T,
    pub(super) clock: Arc<dyn Clock + Send + Sync>,
    pub(super) options: Options,
    /// The tasks.
    pub tasks: BTreeMap<TaskId, TaskState>,
    /// Tasks that were let go of, in case they come back.
    pub(super) parked: BTreeMap<TaskId, Box<Running>>,
    pub(super) out: Outbox,
    /// The number of the last commit that is known to have happened.
    pub(super) commits: u64,
    pub(super) commit_at: i64,
    /// How long the next commit was put off by the last one, in milliseconds.
    pub(super) commit_in: i64,
    pub(super) must_commit: bool,
    pub(super) sent: bool,
    pub(super) snapshot_at: i64,
    pub(super) purge_at: i64,
    /// How many partitions topics had when they were first looked at.
    pub(super) widths: BTreeMap<TopicId, u32>,
    /// By what the changelogs can be told from ones that are made again, since tables were restored from them.
    pub(super) topic_ids: BTreeMap<TopicId, Option<String>>,
    /// The ends that inputs had when it first joined, if they are to be known.
    pub(super) input_ends: Option<InputEnds>,
    /// Up to which level of repartitions nothing is expected to come any more.
    pub(super) resting: Option<usize>,
    /// The level of repartitions whose clocks are not told for the time being.
    pub(super) muted: Option<usize>,
    /// Inputs that were assigned and are not opened yet.
    pub(super) to_open: Vec<Partition>,
    /// Inputs that were revoked and not let go of yet.
    pub(super) to_release: Vec<Partition>,
    /// What has to be put right before anything else.
    pub(super) owed: Owed,
    /// Turns in a row that failed.
    pub(super) failures: u32,
    /// How often work was undone since the last commit.
    pub(super) undone: u32,
    /// Whether it is a poll that is being made.
    pub(super) polling: bool,
    pub(super) membership: Membership,
    /// How large records may be.
    pub(super) sizes: Sizes,
    /// Whether a record has been refused since the last commit.
    pub(super) refused: bool,
    /// What tasks have counted that are gone.
    pub(super) counted: Tallies,
    pub(super) watch: Watch,
    /// What alerts have said, once it is committed.
    pub said: Vec<(NodeId, Vec<u8>)>,
}

/// Why a worker stops.
pub type Stopped = TransportError;

impl<T: Transport> Worker<T> {
    /// A worker that has not joined yet.
    pub fn new(plan: Arc<Plan>, transport: T, clock: Arc<dyn Clock + Send + Sync>, options: Options) -> Self {
        let now = clock.now_ms();
        let started = if options.started == 0 { now } else { options.started };
        let options = Options { started, ..options };
        Worker {
            watch: Watch::new(&plan),
            counted: Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len()),
            plan,
            transport,
            clock,
            commit_at: now.saturating_add(options.commit_every),
            commit_in: options.commit_every,
            options,
            tasks: BTreeMap::new(),
            parked: BTreeMap::new(),
            out: Outbox::default(),
            commits: 0,
            must_commit: false,
            sent: false,
            snapshot_at: now.saturating_add(super::snapshots::EVERY),
            purge_at: now.saturating_add(super::purge::EVERY),
            widths: BTreeMap::new(),
            topic_ids: BTreeMap::new(),
            input_ends: None,
            resting: None,
            muted: None,
            to_open: vec![],
            to_release: vec![],
            owed: Owed::Nothing,
            failures: 0,
            undone: 0,
            polling: false,
            membership: Membership::Out,
            sizes: Sizes::default(),
            refused: false,
            said: vec![],
        }
    }

    /// One turn. An error is the end: everything that could be done about it has been.
    pub fn turn(&mut self) -> Result<Turn, Stopped> {
        match self.mend().and_then(|()| self.try_turn()) {
            Ok(turn) => {
                self.failures = 0;
                Ok(turn)
            }
            Err(error) => self.failed(error),
        }
    }

    fn try_turn(&mut self) -> Result<Turn, TransportError> {
        if self.membership == Membership::Out {
            self.join()?;
        }
        self.set_back();
        self.hand_over()?;
        self.open()?;
        let mut turn = self.poll()?;
        // All of them, every time: under load a silence would otherwise never be noticed.
        let busy = [self.restore()?, self.work_queues()?, self.advance_idle()?];
        if busy.contains(&true) {
            turn = Turn::Busy;
        }
        let now = self.clock.now_ms();
        let due = self.next_tick().is_some_and(|tick| tick <= now);
        self.pass_over_at_rest(turn, now);
        if self.must_commit || due || (now >= self.commit_at && self.is_dirty()) {
            self.commit()?;
            turn = Turn::Busy;
        }
        if due {
            self.tick(now)?;
        }
        Ok(turn)
    }

    /// A wall clock that was set back by an hour must not put anything off by an hour.
    fn set_back(&mut self) {
        let now = self.clock.now_ms();
        self.commit_at = self.commit_at.min(now.saturating_add(self.commit_in));
        self.snapshot_at = self.snapshot_at.min(now.saturating_add(super::snapshots::EVERY));
        self.purge_at = self.purge_at.min(now.saturating_add(super::purge::EVERY));
        for (_, running) in running(&mut self.tasks) {
            running.task.set_back(now);
            running.quiet.set_back(now);
        }
    }

    fn join(&mut self) -> Result<(), TransportError> {
        self.examine()?;
        self.ask_sizes();
        self.note_input_ends()?;
        let inputs: Vec<TopicId> = self.plan.sources.iter().flat_map(|s| s.topics.clone()).collect();
        self.transport.join(&inputs)?;
        self.membership = Membership::Waiting;
        Ok(())
    }

    fn poll(&mut self) -> Result<Turn, TransportError> {
        let now = self.clock.now_ms();
        self.polling = true;
        let event = self.transport.poll(self.options.limits)?;
        self.polling = false;
        match event {
            Event::Idle => Ok(Turn::Idle),
            Event::Records(runs) => {
                let mut rest = vec![];
                let full = take_in(&self.plan, &mut self.tasks, runs, now, &mut self.out, &mut rest);
                self.must_commit |= full;
                // What could not be done before the next commit is read again behind it.
                for (partition, offset) in rest {
                    self.transport.begin(partition, offset)?;
                }
                self.flush()?;
                self.pause_full()?;
                Ok(Turn::Busy)
            }
            Event::Assigned(partitions) => {
                if !partitions.is_empty() {
                    tracing::info!(inputs = partitions.len(), "assigned");
                }
                self.membership = Membership::Assigned;
                // Written down first: what fails on the way is done again, and nobody says it twice.
                self.to_open.extend(partitions);
                self.open()?;
                // Someone else may have begun to read what is behind, and takes nobody for quiet.
                running(&mut self.tasks).for_each(|(_, running)| running.task.outlets.repeat());
                // What did not come back now is someone else's.
                let gone: Vec<TaskId> = self.parked.keys().copied().collect();
                gone.into_iter().for_each(|id| self.let_go(id));
                Ok(Turn::Busy)
            }
            Event::Revoked(partitions) => {
                self.to_release.extend(partitions);
                self.hand_over().map(|()| Turn::Busy)
            }
            Event::Lost(partitions) => {
                // They are someone else's already: what was not committed is not ours to commit.
                tracing::warn!(count = partitions.len(), "inputs were lost to another member");
                self.membership = Membership::Waiting;
                self.owed = Owed::Discard;
                self.mend().map(|()| Turn::Busy)
            }
        }
    }

    /// Lets go of inputs that were revoked. They are ours until then, so what was done with them is committed first.
    fn hand_over(&mut self) -> Result<(), TransportError> {
        if self.to_release.is_empty() {
            return Ok(());
        }
        self.commit()?;
        let partitions = std::mem::take(&mut self.to_release);
        self.park(&partitions);
        self.to_open.retain(|partition| !partitions.contains(partition));
        // All are shared out anew, and that we get none of them is still to be said.
        if self.tasks.is_empty() && self.to_open.is_empty() {
            self.membership = Membership::Waiting;
        }
        let released = self.transport.release(&partitions);
        if released.is_err() {
            self.to_release = partitions;
        }
        released
    }

    /// Sends what is in the outbox.
    pub(super) fn flush(&mut self) -> Result<(), TransportError> {
        if self.out.is_empty() {
            return Ok(());
        }
        if self.out.largest() > self.sizes.least || self.lacks_a_key() {
            self.cut()?;
        }
        self.sent = true;
        self.transport.send(&self.out)?;
        self.out.clear();
        Ok(())
    }

    fn advance_idle(&mut self) -> Result<bool, TransportError> {
        let now = self.clock.now_ms();
        let mut busy = false;
        let ids: Vec<_> = self.tasks.keys().copied().collect();
        let levels = self.resting.map(|level| (level, self.plan.levels()));
        for id in ids {
            if self.must_commit {
                break;
            }
            let rests = levels.as_ref().is_some_and(|(level, of)| of[id.part] <= *level);
            let Some(TaskState::Running(running)) = self.tasks.get_mut(&id) else { continue };
            self.out.own = id.partition;
            let moved = idle::advance(id, running, &mut self.transport, (now, rests), &mut self.out)?;
            if moved == idle::Moved::Doubtful {
                // The answer may have taken a while.
                running.doubt_silence(self.clock.now_ms());
            }
            busy |= matches!(moved, idle::Moved::On | idle::Moved::Full);
            self.must_commit |= moved == idle::Moved::Full;
            self.flush()?;
        }
        Ok(busy)
    }

    fn next_tick(&self) -> Option<i64> {
        let running = self.tasks.values().filter_map(|state| match state {
            TaskState::Running(running) => running.task.next_tick(),
            TaskState::Restoring(_) => None,
        });
        running.min()
    }

    fn tick(&mut self, now: i64) -> Result<(), TransportError> {
        for (id, running) in running(&mut self.tasks) {
            if running.task.next_tick().is_some_and(|tick| tick <= now) {
                self.out.own = id.partition;
                running.task.tick(now, &mut self.out);
                // At once, so that nobody who takes over looks at later rows for the same tick.
                self.must_commit = true;
            }
        }
        self.flush()
    }

    /// The wall time at which there will be something to do if no record comes.
    pub fn wakes_at(&self) -> Option<i64> {
        let idle = self.tasks.values().filter_map(|state| match state {
            TaskState::Running(running) => idle::wakes_at(running),
            TaskState::Restoring(_) => None,
        });
        let next = if self.must_commit { self.clock.now_ms() } else { self.commit_at };
        let commit = self.is_dirty().then_some(next);
        idle.chain(self.next_tick()).chain(commit).min()
    }

    /// Whether there is anything to commit.
    pub fn is_dirty(&self) -> bool {
        let dirty = |state: &TaskState| matches!(state, TaskState::Running(r) if r.task.is_dirty());
        self.sent || self.tasks.values().any(dirty) || !self.to_tell().is_empty()
    }

    /// The wall time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Moves the clock of a task, as if its inputs had said so; as far as one commit can hold.
    pub fn advance_to(&mut self, id: TaskId, to: StreamTime) -> Result<(), Stopped> {
        if let Some(TaskState::Running(running)) = self.tasks.get_mut(&id) {
            self.out.own = id.partition;
            running.task.advance_to(to, &mut self.out);
        }
        match self.flush() {
            Ok(()) => Ok(()),
            Err(error) => self.failed(error).map(drop),
        }
    }

    /// Commits what there is, whenever the next commit would be.
    pub fn commit_now(&mut self) -> Result<(), Stopped> {
        while let Err(error) = self.mend().and_then(|()| self.commit()) {
            self.failed(error)?;
        }
        Ok(())
    }

    /// Has the next turn commit, however much time is left.
    pub fn commit_soon(&mut self) {
        self.must_commit = true;
    }

    /// Commits what there is and leaves in peace. What cannot be committed soon is left for the next start.
    pub fn finish(&mut self) -> Result<(), Stopped> {
        self.snapshot_at = i64::MIN;
        let until = self.clock.now_ms().saturating_add(LAST_COMMIT);
        while let Err(error) = self.mend().and_then(|()| self.commit()) {
            let message = error.message.clone();
            self.failed(error)?;
            if self.clock.now_ms() >= until {
                return Err(Stopped::fatal(message)
                    .hint("what was committed is safe, and the rest is done again: start it again"));
            }
        }
        self.leave_snapshots();
        self.transport.leave();
        Ok(())
    }
}

/// The tasks that run.
pub(super) fn running(
    tasks: &mut BTreeMap<TaskId, TaskState>,
) -> impl Iterator<Item = (TaskId, &mut Running)> {
    tasks.iter_mut().filter_map(|(id, state)| match state {
        TaskState::Running(running) => Some((*id, &mut **running)),
        TaskState::Restoring(_) => None,
    })
}

/// The task that an input belongs to.
pub(super) fn task_of(plan: &Plan, partition: Partition) -> TaskId {
    let source = plan.sources.iter().position(|s| s.topics.contains(&partition.topic));
    TaskId { part: source.map_or(0, |at| plan.runs[at].part), partition: partition.index }
}

impl Running {
    /// A task whose state is complete, at a wall time.
    pub fn new(task: Task, most_bytes: usize, now: i64) -> Self {
        let inputs = task.inputs.len();
        let merge = (inputs > 1).then(|| Merge::new(inputs, most_bytes));
        let quiet = idle::Quiet::new(inputs, task.clock(), now);
        Running { task, merge, quiet, commit: 0, stands_for: None, ends: None }
    }

    /// The number of the commit that left each of its inputs where it stands.
    pub(super) fn commits(&self) -> impl Iterator<Item = u64> {
        std::iter::repeat_n(self.commit, self.task.inputs.len())
    }
}
