//! The engine under test: a worker on a cluster in memory, and a clock that only the test moves.
//!
//! Nothing is committed but by the test: the engine's own interval is switched off, so that a crash loses all that no
//! expectation, no wait and no `commit` has made permanent. What cannot wait (an alert's tick, more rows than a commit
//! may hold) is committed all the same, as ever.

use super::trace::Trace;
use crate::headers;
use crate::operator::NodeId;
use crate::outbox::TopicId;
use crate::partitioner;
use crate::plan::Plan;
use crate::plan::cases::{Sent, key_of};
use crate::runtime::tally::Tallies;
use crate::runtime::{Options, Stopped, Task, Turn, Worker};
use crate::time::{Clock, ManualClock};
use crate::transport::sim::{Cluster, Entry, Sim};
use crate::transport::{Limits, Record};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The engine under test.
#[derive(Debug)]
pub struct Driver {
    pub(super) plan: Arc<Plan>,
    pub(super) cluster: Cluster,
    clock: ManualClock,
    worker: Option<Worker<Sim>>,
    partitions: u32,
    batch: usize,
    /// Whether the test says where the clock starts, and so moves it by waiting alone.
    fixed: bool,
    started: bool,
    pub(super) looked: BTreeMap<String, usize>,
    pub(super) said: Vec<(NodeId, Vec<u8>)>,
    /// What was counted by workers that have crashed, as far as it was committed.
    counted: Tallies,
    next: BTreeMap<usize, u32>,
    /// What each node does with each record, if it is told.
    trace: Option<Trace>,
}

/// More turns than this without an end is a fault of ours.
const MOST_TURNS: usize = 1_000_000;

/// Longer than any test waits.
const NEVER: i64 = i64::MAX;

impl Driver {
    /// An engine that has read nothing yet.
    pub fn new(plan: Arc<Plan>, partitions: u32, at: Option<i64>) -> Self {
        let cluster = Cluster::default();
        for topic in plan.topics.all() {
            cluster.create(&topic.name, partitions);
        }
        Driver {
            cluster,
            clock: ManualClock::at(at.unwrap_or(0)),
            worker: None,
            partitions,
            batch: 1000,
            fixed: at.is_some(),
            started: at.is_some(),
            looked: BTreeMap::new(),
            said: vec![],
            counted: Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len()),
            next: BTreeMap::new(),
            trace: None,
            plan,
        }
    }

    /// The same, record by record, telling what each node does with each.
    pub fn told(plan: Arc<Plan>, partitions: u32, at: Option<i64>) -> Self {
        let trace = Trace::new(plan.clone(), partitions);
        Driver { batch: 1, trace: Some(trace), ..Self::new(plan, partitions, at) }
    }

    /// What each node did with each record.
    pub fn trace(&self) -> Vec<String> {
        self.trace.as_ref().map(Trace::lines).unwrap_or_default()
    }

    /// The worker, started if there is none.
    pub(super) fn worker(&mut self) -> &mut Worker<Sim> {
        let (plan, cluster, clock, batch) = (&self.plan, &self.cluster, &self.clock, self.batch);
        self.worker.get_or_insert_with(|| {
            let names = plan.topics.all().iter().map(|t| t.name.clone()).collect();
            let options = Options {
                limits: Limits { records: batch, bytes: usize::MAX },
                commit_every: NEVER,
                ..Options::default()
            };
            Worker::new(plan.clone(), Sim::new(cluster.clone(), names), Arc::new(clock.clone()), options)
        })
    }

    /// Lets the engine work until there is nothing left to do.
    fn settle(&mut self) -> Result<(), Stopped> {
        for _ in 0..MOST_TURNS {
            let before = self.trace.is_some().then(|| Trace::seen(self.worker()));
            let turn = self.worker().turn()?;
            if let (Some(before), Some(trace), Some(worker)) = (before, &mut self.trace, &self.worker) {
                trace.turn(&before, worker, &self.cluster, self.clock.now_ms());
            }
            self.heed();
            if turn == Turn::Idle {
                return Ok(());
            }
        }
        Err(Stopped::fatal("the engine does not come to rest"))
    }

    /// Hears what has been said and sees what has been written.
    fn heed(&mut self) {
        let said = std::mem::take(&mut self.worker().said);
        if let Some(trace) = &mut self.trace {
            trace.written(&self.cluster);
            trace.said(&said);
        }
        self.said.extend(said);
    }

    /// Sends records to a source's first topic.
    pub fn send(&mut self, source: usize, records: &[Sent]) -> Result<(), Stopped> {
        self.move_to(&self.times(source, records));
        let topic = self.plan.sources[source].topics[0];
        for sent in records {
            let key = sent.key.clone().unwrap_or_else(|| self.default_key(source, sent));
            let partition = sent.partition.unwrap_or_else(|| self.partition(source, key.as_deref()));
            let mut run = vec![];
            for (name, value) in &sent.headers {
                headers::push(&mut run, name.as_bytes(), Some(value.as_bytes()));
            }
            let timestamp = sent.timestamp.unwrap_or_else(|| self.clock.now_ms());
            let entry = Entry { timestamp, key, value: sent.value.clone(), headers: run };
            self.write(source, topic, partition.min(self.partitions - 1), entry);
        }
        self.settle()
    }

    fn write(&mut self, source: usize, topic: TopicId, partition: u32, entry: Entry) {
        let offset = self.cluster.write(&self.plan.topics.get(topic).name, partition, entry);
        if let (Some(trace), Some(offset)) = (&mut self.trace, offset) {
            trace.sent(source, topic, partition, offset);
        }
    }

    /// The event times of records, where they have one.
    fn times(&self, source: usize, records: &[Sent]) -> Vec<i64> {
        let plan = self.plan.clone();
        let mut task = Task::new(plan.clone(), plan.runs[source].part, 0, true);
        let input = task.inputs.iter().position(|i| i.source == source).unwrap_or(0);
        let mut time_of = |sent: &Sent| {
            let timestamp = sent.timestamp.unwrap_or(i64::MIN);
            let value = sent.value.as_deref();
            task.time_of(input, &Record { offset: 0, timestamp, key: None, value, headers: &[] })
        };
        records.iter().map(&mut time_of).filter(|time| *time != i64::MIN).collect()
    }

    /// Without a start of its own the clock begins at the first event time, and no record lies in its future.
    fn move_to(&mut self, times: &[i64]) {
        if self.fixed {
            return;
        }
        if let Some(first) = times.first().filter(|_| !self.started) {
            self.clock.set(*first);
            self.started = true;
        }
        if let Some(largest) = times.iter().max().filter(|largest| **largest > self.clock.now_ms()) {
            self.clock.set(*largest);
        }
    }

    /// The key that a producer would give the record.
    fn default_key(&self, source: usize, sent: &Sent) -> Option<Vec<u8>> {
        let value = serde_json::from_slice(sent.value.as_deref()?).ok()?;
        key_of(&self.plan.sources[source], &value)
    }

    /// The partition of a key; records without one go round.
    fn partition(&mut self, source: usize, key: Option<&[u8]>) -> u32 {
        match key {
            Some(key) => partitioner::partition_of(key, self.partitions),
            None => {
                let next = self.next.entry(source).or_default();
                *next = (*next + 1) % self.partitions;
                (*next + self.partitions - 1) % self.partitions
            }
        }
    }

    /// Moves the clock on, stopping wherever there is something to do. What is done there is committed there.
    pub fn wait(&mut self, ms: i64) -> Result<(), Stopped> {
        self.commit()?;
        let until = self.clock.now_ms().saturating_add(ms);
        if let Some(trace) = &mut self.trace {
            trace.wait(ms);
        }
        while self.clock.now_ms() < until {
            let now = self.clock.now_ms();
            let wakes = self.worker().wakes_at().filter(|at| *at > now);
            self.clock.set(wakes.map_or(until, |at| at.min(until)));
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what there is, until there is nothing left: what is committed may be somebody's input.
    pub fn commit(&mut self) -> Result<(), Stopped> {
        for _ in 0..MOST_TURNS {
            self.settle()?;
            if !self.worker().is_dirty() {
                return Ok(());
            }
            self.worker().commit_now()?;
            if let Some(trace) = &mut self.trace {
                trace.commit();
            }
            self.heed();
        }
        Err(Stopped::fatal("the engine does not come to rest"))
    }

    /// Loses what is not committed, and starts again.
    pub fn crash(&mut self) -> Result<(), Stopped> {
        if let Some(worker) = self.worker.take() {
            self.counted.add(&worker.tallies());
            worker.transport.crash();
        }
        if let Some(trace) = &mut self.trace {
            trace.crash();
        }
        self.settle()
    }

    /// How many records were late at a node, over all of the test.
    pub fn late(&mut self, node: &str) -> u64 {
        let Some((id, _)) = self.plan.clone().node(node) else { return 0 };
        let at = id.0 as usize;
        self.counted.nodes[at].late + self.worker().tallies_so_far().nodes[at].late
    }

    /// Whether every record is accounted for.
    pub fn adds_up(&mut self) -> Result<(), String> {
        for (_, task) in self.worker().running() {
            if !task.tallies.adds_up() {
                return Err(format!("the counts do not add up: {:?}", task.tallies));
            }
        }
        Ok(())
    }
}
