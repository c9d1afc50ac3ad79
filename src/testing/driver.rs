//! The engine under test: a worker on a cluster in memory, and a clock.

use super::trace;
use crate::headers;
use crate::operator::NodeId;
use crate::plan::Plan;
use crate::plan::cases::{Sent, Target};
use crate::rows::Row;
use crate::runtime::{Options, Stopped, Task, Turn, Worker};
use crate::store::{self, Store};
use crate::time::{Clock, ManualClock};
use crate::transport::sim::{Cluster, Entry, Sim};
use crate::transport::{Limits, Record};
use crate::{partitioner, runtime};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A record that was written, or a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Its key as text.
    pub key: Option<String>,
    /// Its value: JSON if it is, text otherwise; none is a tombstone.
    pub value: Option<Json>,
    /// The value as text.
    pub text: String,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its partition.
    pub partition: u32,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

/// The engine under test.
#[derive(Debug)]
pub struct Driver {
    plan: Arc<Plan>,
    cluster: Cluster,
    clock: ManualClock,
    worker: Option<Worker<Sim>>,
    partitions: u32,
    batch: usize,
    /// Whether the test says where the clock starts, and so moves it by waiting alone.
    fixed: bool,
    started: bool,
    looked: BTreeMap<String, usize>,
    said: Vec<(NodeId, Vec<u8>)>,
    /// What was counted by workers that have crashed, as far as it was committed.
    counted: runtime::tally::Tallies,
    next: BTreeMap<usize, u32>,
    /// What each node did with each record.
    pub trace: Vec<String>,
}

/// More turns than this without an end is a fault of ours.
const MOST_TURNS: usize = 1_000_000;

impl Driver {
    /// An engine that has read nothing yet.
    pub fn new(plan: Arc<Plan>, partitions: u32, at: Option<i64>, batch: usize) -> Self {
        let cluster = Cluster::default();
        for topic in plan.topics.all() {
            cluster.create(&topic.name, partitions);
        }
        let counted = runtime::tally::Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len());
        Driver {
            cluster,
            clock: ManualClock::at(at.unwrap_or(0)),
            worker: None,
            partitions,
            batch,
            fixed: at.is_some(),
            started: at.is_some(),
            looked: BTreeMap::new(),
            said: vec![],
            counted,
            next: BTreeMap::new(),
            trace: vec![],
            plan,
        }
    }

    /// The worker, started if there is none.
    fn worker(&mut self) -> &mut Worker<Sim> {
        let (plan, cluster, clock, batch) = (&self.plan, &self.cluster, &self.clock, self.batch);
        self.worker.get_or_insert_with(|| {
            let names = plan.topics.all().iter().map(|t| t.name.clone()).collect();
            let options = Options {
                limits: Limits { records: batch, bytes: usize::MAX },
                commit_every: plan.settings.commit_every,
                ..Options::default()
            };
            Worker::new(plan.clone(), Sim::new(cluster.clone(), names), Arc::new(clock.clone()), options)
        })
    }

    /// Lets the engine work until there is nothing left to do.
    fn settle(&mut self) -> Result<(), Stopped> {
        let told = self.batch == 1;
        for _ in 0..MOST_TURNS {
            let before = told.then(|| trace::seen(self.worker()));
            let turn = self.worker().turn()?;
            if let Some(before) = before {
                let line = trace::line(&before, self.worker());
                self.trace.extend(line);
            }
            let said = std::mem::take(&mut self.worker().said);
            self.said.extend(said);
            if turn == Turn::Idle {
                return Ok(());
            }
        }
        Err(Stopped::fatal("the engine does not come to rest"))
    }

    /// Sends records to a source's first topic.
    pub fn send(&mut self, source: usize, records: &[Sent]) -> Result<(), Stopped> {
        let plan = self.plan.clone();
        let mut task = Task::new(plan.clone(), plan.runs[source].part, 0, true);
        let input = task.inputs.iter().position(|i| i.source == source).unwrap_or(0);
        let times: Vec<Option<i64>> = records
            .iter()
            .map(|sent| {
                let record = Record {
                    offset: 0,
                    timestamp: sent.timestamp.unwrap_or(i64::MIN),
                    key: None,
                    value: sent.value.as_deref(),
                    headers: &[],
                };
                Some(task.time_of(input, &record)).filter(|time| *time != i64::MIN)
            })
            .collect();
        self.move_to(&times);
        let topic = &plan.topics.get(plan.sources[source].topics[0]).name;
        for sent in records {
            let key = sent.key.clone().unwrap_or_else(|| self.default_key(source, sent));
            let partition = sent.partition.unwrap_or_else(|| self.partition(source, key.as_deref()));
            let mut run = vec![];
            sent.headers
                .iter()
                .for_each(|(name, value)| headers::push(&mut run, name.as_bytes(), Some(value.as_bytes())));
            let timestamp = sent.timestamp.unwrap_or_else(|| self.clock.now_ms());
            let entry = Entry { timestamp, key, value: sent.value.clone(), headers: run };
            let partition = partition.min(self.partitions - 1);
            self.cluster.write(topic, partition, entry);
        }
        self.settle()
    }

    /// Without a start of its own the clock begins at the first event time, and no record lies in its future.
    fn move_to(&mut self, times: &[Option<i64>]) {
        let mut times = times.iter().flatten().copied();
        if self.fixed {
            return;
        }
        if !self.started
            && let Some(first) = times.clone().next()
        {
            self.clock.set(first);
            self.started = true;
        }
        if let Some(largest) = times.by_ref().max().filter(|largest| *largest > self.clock.now_ms()) {
            self.clock.set(largest);
        }
    }

    /// The key that a producer would give the record: the source's key field.
    fn default_key(&self, source: usize, sent: &Sent) -> Option<Vec<u8>> {
        let key = self.plan.sources[source].key.as_ref()?;
        let value: Json = serde_json::from_slice(sent.value.as_deref()?).ok()?;
        let field = key.name.split('.').try_fold(&value, |value, part| value.get(part))?;
        match field {
            Json::String(text) if !key.json => Some(text.clone().into_bytes()),
            Json::Null => None,
            other => Some(other.to_string().into_bytes()),
        }
    }

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

    /// Moves the clock on, stopping wherever there is something to do.
    pub fn wait(&mut self, ms: i64) -> Result<(), Stopped> {
        self.settle()?;
        let until = self.clock.now_ms().saturating_add(ms);
        while self.clock.now_ms() < until {
            let now = self.clock.now_ms();
            let wakes = self.worker().wakes_at().filter(|at| *at > now);
            self.clock.set(wakes.map_or(until, |at| at.min(until)));
            self.settle()?;
        }
        self.commit()
    }

    /// Commits what there is.
    pub fn commit(&mut self) -> Result<(), Stopped> {
        self.settle()?;
        self.worker().commit_now()?;
        let said = std::mem::take(&mut self.worker().said);
        self.said.extend(said);
        Ok(())
    }

    /// Loses what is not committed, and starts again.
    pub fn crash(&mut self) -> Result<(), Stopped> {
        if let Some(worker) = self.worker.take() {
            worker.running().for_each(|(_, task)| self.counted.add(task.committed_tallies()));
            worker.transport.crash();
            if self.batch == 1 {
                self.trace.push("crash".to_owned());
            }
        }
        self.settle()
    }

    /// How many records were late at a node.
    pub fn late(&mut self, node: &str) -> u64 {
        let Some((id, _)) = self.plan.clone().node(node) else { return 0 };
        let counted = self.counted.nodes[id.0 as usize].late;
        let now: u64 = self.worker().running().map(|(_, task)| task.tallies.nodes[id.0 as usize].late).sum();
        counted + now
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

    /// What is at a target since it was last looked at; a table's rows now.
    pub fn look(&mut self, target: &Target) -> Vec<Written> {
        let plan = self.plan.clone();
        match target {
            Target::Table(name) => self.rows(name),
            Target::Alert(name) => {
                let Some((id, _)) = plan.node(name) else { return vec![] };
                let (ours, others) =
                    std::mem::take(&mut self.said).into_iter().partition(|(node, _)| *node == id);
                self.said = others;
                let ours: Vec<(NodeId, Vec<u8>)> = ours;
                ours.into_iter().map(|(_, json)| row_of(&json, None)).collect()
            }
            Target::DeadLetters => self.topic(&plan.topics.get(plan.dead_letters).name, "dead_letters"),
            Target::Sink(name) => {
                let topic = plan.node(name).and_then(|(_, node)| node.target.clone()).unwrap_or_default();
                self.topic(&topic, name)
            }
        }
    }

    /// What a topic has got since it was last looked at under this name.
    fn topic(&mut self, topic: &str, name: &str) -> Vec<Written> {
        let mut found = vec![];
        for (partition, entries) in self.cluster.records(topic).into_iter().enumerate() {
            let looked = self.looked.entry(format!("{name} {partition}")).or_default();
            found.extend(entries[*looked..].iter().map(|entry| written(entry, partition as u32)));
            *looked = entries.len();
        }
        found
    }

    /// The rows of a table, over all tasks, in the order of their keys.
    fn rows(&mut self, name: &str) -> Vec<Written> {
        let plan = self.plan.clone();
        let Some((_, node)) = plan.node(name) else { return vec![] };
        let Some(table) = &node.table else { return vec![] };
        let fields = table.rows.variants.first().map(|v| v.layout.set.clone()).unwrap_or_default();
        let mut found = vec![];
        for (_, task) in self.worker().running() {
            let mut show = |end: Option<i64>, key: &[u8], stored: store::Row<'_>| {
                let mut row = Row::with_width(plan.width);
                let shown = node.operator.show(&plan.constants, end, key, stored, &mut row);
                let mut json = vec![];
                runtime::dead::write_row(&mut json, &row.frame(&plan.constants), &fields);
                if shown.is_ok() {
                    found.push(row_of(&json, None));
                }
            };
            match task.stores.iter().nth(table.store as usize) {
                Some(Store::Table(rows)) => {
                    rows.committed_range(None, usize::MAX)
                        .into_iter()
                        .for_each(|(key, row)| show(None, key, row));
                }
                Some(Store::Windows(rows)) => {
                    let rows = rows.committed_range(None, usize::MAX).into_iter();
                    rows.for_each(|(end, key, row)| show(Some(end), key, row));
                }
                None => {}
            }
        }
        found
    }
}

fn row_of(json: &[u8], key: Option<String>) -> Written {
    Written {
        key,
        value: serde_json::from_slice(json).ok(),
        text: String::from_utf8_lossy(json).into_owned(),
        timestamp: 0,
        partition: 0,
        headers: vec![],
    }
}

fn written(entry: &Entry, partition: u32) -> Written {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = headers::iter(&entry.headers);
    Written {
        key: entry.key.as_deref().map(text),
        value: entry
            .value
            .as_deref()
            .map(|v| serde_json::from_slice(v).unwrap_or_else(|_| Json::String(text(v)))),
        text: entry.value.as_deref().map(text).unwrap_or_default(),
        timestamp: entry.timestamp,
        partition,
        headers: headers.map(|(name, value)| (text(name), value.map(text).unwrap_or_default())).collect(),
    }
}
