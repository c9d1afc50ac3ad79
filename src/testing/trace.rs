//! What happened in a test, in order: each record with what every node did with it, waits, commits, crashes.
//!
//! The engine is not asked to tell: it works a record at a time, and what a node did shows in its counts before and
//! after. So a trace costs nothing where none is wanted, and cannot change what happens.

use super::look::written;
use super::short::{short, shown};
use crate::operator::NodeId;
use crate::outbox::TopicId;
use crate::plan::Plan;
use crate::runtime::Worker;
use crate::runtime::input::Unusable;
use crate::runtime::tally::{NodeTally, Tallies};
use crate::time;
use crate::transport::sim::{Cluster, Sim};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A record by where it lies.
type Spot = (TopicId, u32, i64);

/// How many lines are kept at the start and at the end.
const FIRST: usize = 80;
const LAST: usize = 120;

/// What is known of the engine at a moment: the counts of all tasks together, and where their inputs stand.
#[derive(Debug)]
pub struct Moment {
    tallies: Tallies,
    positions: BTreeMap<(TopicId, u32), i64>,
}

/// What happened, in order.
#[derive(Debug)]
pub struct Trace {
    plan: Arc<Plan>,
    partitions: u32,
    lines: Vec<String>,
    /// How many records each source was sent, and which of them lies where.
    counts: Vec<u64>,
    numbers: BTreeMap<Spot, u64>,
    read: BTreeSet<Spot>,
    /// How much of each topic's partitions was seen to be written.
    told: BTreeMap<(String, usize), usize>,
    width: usize,
    /// Whether what comes next belongs to a commit.
    committing: bool,
}

impl Trace {
    /// Nothing has happened yet.
    pub fn new(plan: Arc<Plan>, partitions: u32) -> Self {
        let width = plan.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0).max(12);
        Trace {
            partitions,
            lines: vec![],
            counts: vec![0; plan.sources.len()],
            numbers: BTreeMap::new(),
            read: BTreeSet::new(),
            told: BTreeMap::new(),
            width,
            committing: false,
            plan,
        }
    }

    /// All of it; of very much the start and the end.
    pub fn lines(&self) -> Vec<String> {
        let left_out = self.lines.len().saturating_sub(FIRST + LAST);
        if left_out == 0 {
            return self.lines.clone();
        }
        let (first, last) = (&self.lines[..FIRST], &self.lines[FIRST + left_out..]);
        [first, &[format!("… {left_out} lines left out …")], last].concat()
    }

    /// What is known of the engine now.
    pub fn seen(worker: &Worker<Sim>) -> Moment {
        let plan = &worker.plan;
        let mut tallies = Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len());
        let mut positions = BTreeMap::new();
        for (id, task) in worker.running() {
            tallies.add(&task.tallies);
            positions
                .extend(task.inputs.iter().map(|input| ((input.topic, id.partition), input.now.position)));
        }
        Moment { tallies, positions }
    }

    /// A record is sent.
    pub fn sent(&mut self, source: usize, topic: TopicId, partition: u32, offset: i64) {
        self.counts[source] += 1;
        self.numbers.insert((topic, partition, offset), self.counts[source]);
    }

    /// A turn of the engine: the records it read, and what every node did.
    pub fn turn(&mut self, before: &Moment, worker: &Worker<Sim>, cluster: &Cluster, now: i64) {
        let after = Self::seen(worker);
        let did = self.did(&before.tallies, &after.tallies);
        let mut records = 0;
        for ((topic, partition), to) in &after.positions {
            let Some(from) = before.positions.get(&(*topic, *partition)) else { continue };
            for offset in *from..*to {
                self.record((*topic, *partition, offset), cluster);
                records += 1;
            }
        }
        if records == 0 && !did.is_empty() {
            self.happens(format!("at {}", instant(now)));
        }
        self.lines.extend(did);
    }

    /// "readings #2  {"sensor_id":"a","temperature":999.0}"
    fn record(&mut self, spot: Spot, cluster: &Cluster) {
        let (topic, partition, offset) = spot;
        let source = self.plan.sources.iter().find(|source| source.topics.contains(&topic));
        let name = source.map_or("?", |source| source.name.as_str());
        let number = self.numbers.get(&spot).map(|number| format!(" #{number}")).unwrap_or_default();
        let place = if self.partitions > 1 { format!(" in partition {partition}") } else { String::new() };
        let again = if self.read.insert(spot) { "" } else { ", again" };
        let (found, _) = cluster.read(&self.plan.topics.get(topic).name, partition, offset, 1);
        let value = match found.first().map(|(_, entry)| entry) {
            Some(entry) => short(&shown(&written(entry, partition))),
            None => String::new(),
        };
        self.happens(format!("{name}{number}{place}{again}  {value}"));
    }

    /// A line for each node that did something, in the order in which records pass them.
    fn did(&self, before: &Tallies, after: &Tallies) -> Vec<String> {
        let mut lines = vec![];
        for (at, (old, new)) in before.unusable.iter().zip(&after.unusable).enumerate() {
            let classes =
                Unusable::CLASSES.iter().zip(old.iter().zip(new)).filter(|(_, (old, new))| new > old);
            for (class, _) in classes {
                let what = format!("dead letter: {}", unusable(class));
                lines.push(self.line(&self.plan.sources[at].name, &what));
            }
        }
        let reasons: Vec<&str> = (before.reasons.iter().zip(&after.reasons))
            .enumerate()
            .filter(|(_, (old, new))| new > old)
            .map(|(at, _)| self.plan.reasons.sentence(crate::operator::ReasonId(at as u16)))
            .collect();
        for (node, (old, new)) in self.plan.nodes.iter().zip(before.nodes.iter().zip(&after.nodes)) {
            let what = deeds(node.kind, old, new, &reasons.join("; "));
            if !what.is_empty() {
                lines.push(self.line(&node.name, &what));
            }
        }
        lines
    }

    /// Something begins, of which the lines that follow tell.
    fn happens(&mut self, what: String) {
        self.committing = false;
        self.lines.push(what);
    }

    fn line(&self, name: &str, what: &str) -> String {
        format!("  {name:<width$}  {what}", width = self.width)
    }

    /// What topics have got since this was last asked.
    pub fn written(&mut self, cluster: &Cluster) {
        let plan = self.plan.clone();
        let sinks = plan.nodes.iter().filter_map(|node| Some((node.name.as_str(), node.target.clone()?)));
        let dead = (crate::plan::names::DEAD_LETTERS, plan.topics.get(plan.dead_letters).name.clone());
        for (name, topic) in sinks.chain([dead]) {
            for (partition, entries) in cluster.records(&topic).into_iter().enumerate() {
                let told = self.told.entry((name.to_owned(), partition)).or_default();
                let fresh = entries[(*told).min(entries.len())..].iter();
                let fresh: Vec<_> =
                    fresh.map(|entry| short(&shown(&written(entry, partition as u32)))).collect();
                *told = entries.len();
                if !fresh.is_empty() && !self.committing {
                    // Of itself, for what could not wait; or at once, where there are no transactions.
                    self.happens(if plan.settings.exactly_once { "commit" } else { "written" }.to_owned());
                    self.committing = true;
                }
                for row in fresh {
                    let line = self.line(name, &format!("got {row}"));
                    self.lines.push(line);
                }
            }
        }
    }

    /// What alerts have said.
    pub fn said(&mut self, said: &[(NodeId, Vec<u8>)]) {
        for (node, json) in said {
            let row = short(&String::from_utf8_lossy(json));
            let line = self.line(&self.plan.nodes[node.0 as usize].name, &format!("said {row}"));
            self.lines.push(line);
        }
    }

    /// The test waits.
    pub fn wait(&mut self, ms: i64) {
        self.happens(format!("wait {}", time::format_duration(ms)));
    }

    /// Work was committed.
    pub fn commit(&mut self) {
        self.happens("commit".to_owned());
        self.committing = true;
    }

    /// What was not committed is lost.
    pub fn crash(&mut self) {
        self.happens("crash".to_owned());
    }
}

/// What a node did, in words.
fn deeds(kind: &str, old: &NodeTally, new: &NodeTally, reasons: &str) -> String {
    let passed = match kind {
        "sink" => "written",
        "count" => "counted",
        "tumble" => "kept in its window",
        _ => "passed",
    };
    // A crash takes counts back: what is less than before is nothing that was done.
    let more = |count: fn(&NodeTally) -> u64| count(new).saturating_sub(count(old));
    let rows = more(|n| n.emitted);
    let emitted = if rows > 0 {
        format!("emitted {rows} {}", if rows == 1 { "row" } else { "rows" })
    } else {
        String::new()
    };
    let because =
        |word: &str| if reasons.is_empty() { word.to_owned() } else { format!("{word}: {reasons}") };
    let what = [
        (u64::from(rows > 0), emitted),
        (more(|n| n.passed), passed.to_owned()),
        (more(|n| n.filtered), "filtered".to_owned()),
        (more(|n| n.rejected), because("rejected")),
        (more(|n| n.failed), because("failed")),
        (more(|n| n.late), "late".to_owned()),
    ];
    let words = what.into_iter().filter(|(count, _)| *count > 0);
    let words = words.map(|(count, word)| if count == 1 { word } else { format!("{word} ({count} times)") });
    words.collect::<Vec<_>>().join(", ")
}

/// Why a record is of no use, in words. The whole reason stands with the dead letter.
fn unusable(class: &str) -> &str {
    match class {
        "not-json" => "not JSON",
        "wrong-type" => "a field of the wrong type",
        "missing" => "a field is missing",
        "not-text" => "not text",
        "no-value" => "no value",
        "wrong-key" => "another key than promised",
        "future" => "too far ahead of the clock",
        other => other,
    }
}

/// A wall time as people write it.
fn instant(ms: i64) -> String {
    let mut text = vec![];
    match time::write_timestamp(&mut text, ms) {
        Some(()) => String::from_utf8_lossy(&text).into_owned(),
        None => format!("{ms} ms"),
    }
}
