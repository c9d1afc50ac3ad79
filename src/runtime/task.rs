//! One partition of one part of a plan: its inputs, its stores, its clock. Records in, outputs out.
//!
//! Everything here is synchronous, and a function of the records in their order, the clock and the wall time that is
//! handed in. Nothing becomes permanent here: [`Task::prepare`] writes the changelog, [`Task::committed`] and
//! [`Task::abort`] are told how it ended.

use super::batch;
use super::beats::Beats;
use super::input::{Input, Standing};
use super::meaning;
use super::outlets::Outlets;
use super::tally::Tallies;
use super::walk::{self, Walk};
use crate::frame::{self, Frame, Registers, Value};
use crate::lanes::LANES;
use crate::operator::{Context, NodeId, StreamTime};
use crate::outbox::{Outbox, Target, TopicId};
use crate::plan::Plan;
use crate::rows::Rows;
use crate::store::Stores;
use crate::transport::Record;
use std::sync::Arc;

/// The most rows that one commit may hold: closing a window of more goes over several.
pub const ROWS_A_COMMIT: usize = 10_000;

/// How far a batch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many of its records have been processed.
    pub records: usize,
    /// Whether a commit is needed before the rest can be.
    pub full: bool,
}

/// A task.
#[derive(Debug)]
pub struct Task {
    pub(super) plan: Arc<Plan>,
    /// Which part of the plan it runs.
    pub part: usize,
    /// Its partition.
    pub partition: u32,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// Its tables and windows.
    pub stores: Stores,
    /// The stores that are its own, each with its changelog.
    changelogs: Vec<(usize, TopicId)>,
    pub(super) timers: Vec<NodeId>,
    tickers: Vec<(NodeId, i64)>,
    /// Where its clock is told.
    pub(super) outlets: Outlets,
    /// Whether nothing is expected to come any more.
    pub(super) rests: bool,
    pub(super) clock: StreamTime,
    committed_clock: StreamTime,
    pub(super) due: StreamTime,
    /// Up to which wall time its nodes have been called.
    ticked: i64,
    committed_ticked: i64,
    /// What became of records, those of this commit included.
    pub tallies: Tallies,
    committed_tallies: Tallies,
    /// What alerts have said since this was last emptied.
    pub said: Vec<(NodeId, Vec<u8>)>,
    /// Whether the clock moves once a batch: only for the tests that prove that this is noticed.
    pub(super) jumps: bool,
    rows: Rows,
    /// Of which nodes the rows can go side by side.
    abreast: Vec<bool>,
    emitted: usize,
    /// The stores of which the changelog does not say yet what its bytes mean.
    pub(super) untold: Vec<usize>,
    /// Whether it begins somewhere that is not the same the next time, and nobody has committed it yet.
    pub(super) unmarked: bool,
    /// When the last run was started that has started its tables over; 0: none has.
    pub(super) reset: i64,
    /// Rows of a table that is started over: their keys have to go.
    pub(super) forgotten: Vec<(TopicId, Vec<u8>)>,
    /// The files of records that go side by side, and the texts that are made for each.
    pub(super) files: Vec<File>,
    /// When windows of its own end.
    pub(super) beats: Beats,
    scratch: Vec<u8>,
    values: Vec<Value>,
    routes: Vec<[u32; LANES]>,
}

/// What a record in a lane is worked on in.
pub(super) type File = (Registers, Vec<u8>);

impl Task {
    /// A task that has seen nothing. `alone` if the topics have one partition.
    pub fn new(plan: Arc<Plan>, part: usize, partition: u32, alone: bool) -> Self {
        let mut inputs = vec![];
        for (at, source) in plan.sources.iter().enumerate().filter(|(at, _)| plan.runs[*at].part == part) {
            inputs.extend(source.topics.iter().map(|topic| Input::new(&plan, at, *topic, alone)));
        }
        let own = || plan.nodes.iter().enumerate().filter(|(_, node)| node.part == part);
        let tables = own().flat_map(|(_, node)| node.table.iter().chain(&node.marks));
        let changelogs = tables.map(|table| (table.store as usize, table.changelog)).collect();
        let windowed = |node: &crate::plan::NodePlan| node.table.as_ref().is_some_and(|t| t.windowed);
        let tallies = Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len());
        Task {
            part,
            partition,
            inputs,
            stores: Stores::new(&plan.stores),
            changelogs,
            timers: own().filter(|(_, n)| windowed(n)).map(|(at, _)| NodeId(at as u16)).collect(),
            tickers: own().filter_map(|(at, n)| Some((NodeId(at as u16), n.tick_ms?))).collect(),
            outlets: Outlets::new(&plan, part, partition),
            rests: false,
            clock: StreamTime::START,
            committed_clock: StreamTime::START,
            due: StreamTime::NEVER,
            ticked: i64::MAX,
            committed_ticked: i64::MAX,
            committed_tallies: tallies.clone(),
            tallies,
            said: vec![],
            jumps: false,
            rows: Rows::default(),
            abreast: plan.nodes.iter().map(|node| batch::are_reached_once(&plan, &node.steps)).collect(),
            emitted: 0,
            untold: vec![],
            unmarked: false,
            reset: 0,
            forgotten: vec![],
            files: vec![(frame::EMPTY, vec![]); LANES],
            beats: Beats::of(&plan, part),
            scratch: vec![],
            values: vec![],
            routes: vec![[0; LANES]; plan.slots],
            plan,
        }
    }

    /// The plan it runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Its clock.
    pub fn clock(&self) -> StreamTime {
        self.clock
    }

    /// Moves the clock as idle inputs allow; `false`: a commit is needed before the rest can be done.
    pub fn advance(&mut self, out: &mut Outbox) -> bool {
        let to = clock_of(&self.inputs);
        self.advance_to(to, out)
    }

    /// Moves the clock to a time, whatever the inputs say.
    pub fn advance_to(&mut self, to: StreamTime, out: &mut Outbox) -> bool {
        if to <= self.clock && self.due > self.clock {
            return true;
        }
        let plan = self.plan.clone();
        let timers = std::mem::take(&mut self.timers);
        let mut walk = self.walk(&plan, out);
        let to = to.max(walk.cx.clock);
        let done = walk.step(&timers, to, ROWS_A_COMMIT);
        let (clock, due) = (walk.cx.clock, walk.cx.due);
        (self.clock, self.due, self.timers) = (clock, due, timers);
        done
    }

    /// Calls the nodes that asked for a wall-clock interval of which a multiple has come since the last time. Right
    /// behind a commit. That it was done is part of what the next commit makes permanent.
    pub fn tick(&mut self, now: i64, out: &mut Outbox) {
        let before = std::mem::replace(&mut self.ticked, now);
        let plan = self.plan.clone();
        let tickers = std::mem::take(&mut self.tickers);
        let mut walk = self.walk(&plan, out);
        for (id, every) in &tickers {
            let multiple = now.div_euclid(*every);
            if multiple > before.div_euclid(*every) {
                walk.cx.node = *id;
                plan.nodes[id.0 as usize].operator.tick(multiple * every, &mut walk.cx);
                walk.drain();
            }
        }
        // What stands behind an alert may have opened a window.
        self.due = walk.cx.due;
        self.tickers = tickers;
    }

    /// After a wall clock was set back by more than an interval, nodes are called by the time that it shows now. By
    /// less, and a multiple would be called a second time.
    pub fn set_back(&mut self, now: i64) {
        let shortest = self.tickers.iter().map(|(_, every)| *every).min();
        if shortest.is_some_and(|every| self.ticked.saturating_sub(now) > every) {
            self.ticked = now;
        }
    }

    /// When the next timer is due.
    pub fn due(&self) -> StreamTime {
        self.due
    }

    /// When a silence has something to do: when a timer is due, or a window somewhere behind ends.
    pub fn due_in_silence(&self) -> StreamTime {
        self.due.min(self.outlets.next_beat(self.clock))
    }

    /// The time of a record of an input: its event time, or its timestamp if it cannot be read. A marker has none, and
    /// nothing waits for it.
    pub fn time_of(&mut self, input: usize, record: &Record<'_>) -> i64 {
        if self.inputs[input].marker(record).is_some() {
            return i64::MIN;
        }
        let plan = self.plan.clone();
        let (registers, arena) = &mut self.files[0];
        let mut frame = Frame::new(registers, arena, &plan.constants);
        match self.inputs[input].decode(record, self.partition, &mut frame, i64::MAX) {
            Ok(()) => frame.timestamp,
            Err(_) => record.timestamp,
        }
    }

    /// The next multiple of an interval that some node asked for.
    pub fn next_tick(&self) -> Option<i64> {
        self.tickers
            .iter()
            .map(|(_, every)| (self.ticked.div_euclid(*every).saturating_add(1)).saturating_mul(*every))
            .min()
    }

    /// Up to which wall time its nodes have been called.
    pub fn ticked(&self) -> i64 {
        self.ticked
    }

    pub(super) fn walk<'w>(&'w mut self, plan: &'w Plan, out: &'w mut Outbox) -> Walk<'w> {
        Walk {
            plan,
            cx: Context {
                stores: &mut self.stores,
                rows: &mut self.rows,
                out,
                scratch: &mut self.scratch,
                values: &mut self.values,
                constants: &plan.constants,
                node: NodeId(0),
                clock: self.clock,
                due: self.due,
            },
            routes: &mut self.routes,
            tallies: &mut self.tallies,
            said: &mut self.said,
            abreast: &self.abreast,
            emitted: &mut self.emitted,
        }
    }

    /// Whether anything has happened since the last commit. What it has to tell of its clock is another matter.
    pub fn is_dirty(&self) -> bool {
        let moved = self.clock != self.committed_clock || self.ticked != self.committed_ticked;
        // Rows that reached no topic have closed their windows all the same.
        let closed = self.emitted > 0;
        let read = self.inputs.iter().any(|i| i.now != i.committed);
        moved || closed || self.unmarked || !self.forgotten.is_empty() || read
    }

    /// Whether records have been processed since the last commit.
    pub(super) fn has_read(&self) -> bool {
        self.tallies.sources != self.committed_tallies.sources
    }

    /// The first half of a commit: the changelog of what has changed.
    pub fn prepare(&mut self, out: &mut Outbox) {
        let timestamp = self.clock.0.max(0);
        for (topic, key) in &self.forgotten {
            let key = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(key);
                true
            };
            out.record(*topic, Target::Own, timestamp, key, |_| false, &[]);
        }
        for store in &self.untold {
            let told = self.changelogs.iter().find(|(s, _)| s == store);
            let Some((_, topic)) = told else { continue };
            let write = |text: &[u8], bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(text);
                true
            };
            let meaning = self.plan.stores[*store].fingerprint.as_bytes();
            out.record(
                *topic,
                Target::Own,
                timestamp,
                |b| write(meaning::KEY, b),
                |b| write(meaning, b),
                &[],
            );
        }
        for (store, changelog) in &self.changelogs {
            if let Some(store) = self.stores.iter_mut().nth(*store) {
                store.commit(*changelog, timestamp, out);
            }
        }
    }

    /// The second half: it is permanent.
    pub fn committed(&mut self) {
        self.stores.iter_mut().for_each(crate::store::Store::committed);
        self.untold.clear();
        self.forgotten.clear();
        self.unmarked = false;
        self.inputs.iter_mut().for_each(Input::committed);
        self.outlets.committed();
        (self.committed_clock, self.committed_ticked, self.emitted) = (self.clock, self.ticked, 0);
        self.committed_tallies.copy_from(&self.tallies);
    }

    /// It never happened: everything is as the last commit left it.
    pub fn abort(&mut self) {
        self.stores.iter_mut().for_each(crate::store::Store::abort);
        self.inputs.iter_mut().for_each(Input::abort);
        self.outlets.abort();
        (self.clock, self.ticked, self.emitted) = (self.committed_clock, self.committed_ticked, 0);
        self.due = walk::smallest_due(&self.plan, &self.timers, &self.stores);
        self.tallies.copy_from(&self.committed_tallies);
        self.said.clear();
    }

    /// Leaves out inputs that are not there: of topics with fewer partitions. `counts` says how many each has.
    pub fn keep_inputs(&mut self, counts: &[u32]) {
        let mut counts = counts.iter();
        self.inputs.retain(|_| counts.next().is_some_and(|count| *count > self.partition));
    }

    /// Takes over what a commit left: where the inputs stand, where the clock does, and up to when nodes were called.
    pub fn resume(&mut self, standings: &[(usize, Standing, Vec<u8>)], clock: StreamTime, ticked: i64) {
        for (input, standing, upstreams) in standings {
            self.inputs[*input].resume(*standing, upstreams);
        }
        (self.clock, self.committed_clock) = (clock, clock);
        (self.ticked, self.committed_ticked) = (ticked, ticked);
        self.due = walk::smallest_due(&self.plan, &self.timers, &self.stores);
    }

    /// The stores of this task by name, each with its changelog.
    pub fn changelogs(&self) -> &[(usize, TopicId)] {
        &self.changelogs
    }

    /// Where its clock stood at the last commit.
    pub fn committed_clock(&self) -> StreamTime {
        self.committed_clock
    }

    /// A record that it may have written to a topic is too large for it; whether it has.
    pub(super) fn take_back(&mut self, topic: &str) -> bool {
        let plan = self.plan.clone();
        self.tallies.take_back(&self.committed_tallies, |at| plan.nodes[at].target.as_deref() == Some(topic))
    }

    /// What has been counted and committed.
    pub fn committed_tallies(&self) -> &Tallies {
        &self.committed_tallies
    }
}

/// The smallest clock of the inputs that others have to wait for. Where all are idle the largest counts: nothing is
/// waited for any more.
pub(super) fn clock_of(inputs: &[Input]) -> StreamTime {
    let waited_for = inputs.iter().filter(|input| !input.idle).map(Input::clock).min();
    waited_for.unwrap_or_else(|| inputs.iter().map(Input::clock).max().unwrap_or(StreamTime::START))
}
