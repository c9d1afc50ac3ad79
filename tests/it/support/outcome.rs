//! What came of a scenario: everything that is permanent and can be seen from outside.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use streamrun::headers;
use streamrun::operator::NodeId;
use streamrun::plan::{NodePlan, Plan, Role};
use streamrun::rows::Row;
use streamrun::runtime::tally::Tallies;
use streamrun::runtime::{Task, dead};
use streamrun::store::{self, Store};
use streamrun::transport::sim::{Cluster, Entry};

/// A record as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub key: Option<String>,
    /// Value, headers and timestamp.
    pub rest: String,
}

/// How much of the order of records is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// All of it, within a partition.
    Partition,
    /// That of the records of one key within a partition.
    Key,
    /// None.
    None,
}

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The records of all topics that others read, by partition.
    pub topics: BTreeMap<String, Vec<Vec<Line>>>,
    /// The rows of all stores.
    pub tables: Vec<String>,
    /// The same, read back from the changelogs.
    pub restored: Vec<String>,
    pub tallies: Tallies,
    pub calls: u64,
}

impl Outcome {
    /// The first difference to what was expected.
    pub fn difference(&self, expected: &Outcome, how: Strictness) -> Option<String> {
        for (topic, partitions) in &expected.topics {
            // Dead letters of one key may come from several tasks: a record's key may be the wrong one.
            let how = if topic == "dead" && how == Strictness::Key { Strictness::None } else { how };
            let ours = self.topics.get(topic).cloned().unwrap_or_default();
            for (at, lines) in partitions.iter().enumerate() {
                let found = ours.get(at).cloned().unwrap_or_default();
                let (found, lines) = (sorted(found, how), sorted(lines.clone(), how));
                if let Some(difference) = first(&found, &lines) {
                    return Some(format!("in `{topic}`, partition {at}: {difference}"));
                }
            }
        }
        if let Some(difference) = first(&self.tables, &expected.tables) {
            return Some(format!("in the tables: {difference}"));
        }
        if let Some(difference) = first(&self.restored, &self.tables) {
            return Some(format!("in the tables read back from their changelogs: {difference}"));
        }
        None
    }

    /// The same for what was counted.
    pub fn miscounted(&self, expected: &Outcome) -> Option<String> {
        let (ours, theirs) = (&self.tallies, &expected.tallies);
        (ours != theirs).then(|| format!("counted {ours:#?}, expected {theirs:#?}"))
    }
}

fn sorted(mut lines: Vec<Line>, how: Strictness) -> Vec<Line> {
    match how {
        Strictness::Partition => {}
        Strictness::Key => lines.sort_by(|a, b| a.key.cmp(&b.key)),
        Strictness::None => lines.sort(),
    }
    lines
}

fn first<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T]) -> Option<String> {
    let most = found.len().max(expected.len());
    let at = (0..most).find(|at| found.get(*at) != expected.get(*at))?;
    Some(format!(
        "{} where {} were expected; the first to differ is number {at}:\n  found    {:?}\n  expected {:?}",
        found.len(),
        expected.len(),
        found.get(at),
        expected.get(at)
    ))
}

/// All records of the topics that others read.
pub fn topics(plan: &Plan, cluster: &Cluster) -> BTreeMap<String, Vec<Vec<Line>>> {
    let shown = plan.topics.all().iter().filter(|t| matches!(t.role, Role::Output | Role::DeadLetters));
    let lines = |name: &str| -> Vec<Vec<Line>> {
        let partitions = cluster.records(name).into_iter();
        partitions.map(|entries| entries.iter().map(|entry| line(entry)).collect()).collect()
    };
    shown.map(|topic| (topic.name.clone(), lines(&topic.name))).collect()
}

fn line(entry: &Entry) -> Line {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut rest = match &entry.value {
        Some(value) => text(value),
        None => "(none)".to_owned(),
    };
    for (name, value) in headers::iter(&entry.headers) {
        let _ = write!(rest, " {}={}", text(name), value.map(text).unwrap_or_default());
    }
    let _ = write!(rest, " @{}", entry.timestamp);
    Line { key: entry.key.as_deref().map(text), rest }
}

/// The committed rows of all stores of some tasks, in an order that does not depend on who has them.
pub fn tables<'t>(plan: &Arc<Plan>, tasks: impl Iterator<Item = &'t Task>) -> Vec<String> {
    let mut rows = vec![];
    for task in tasks {
        for (at, node) in plan.nodes.iter().enumerate().filter(|(_, node)| node.part == task.part) {
            for table in node.table.iter().chain(&node.marks) {
                let store = task.stores.iter().nth(table.store as usize).unwrap();
                let shown = node.table.is_some();
                store_rows(plan, (NodeId(at as u16), node, shown), task.partition, store, &mut rows);
            }
        }
    }
    rows.sort();
    rows
}

fn store_rows(
    plan: &Plan,
    (id, node, shown): (NodeId, &NodePlan, bool),
    partition: u32,
    store: &Store,
    rows: &mut Vec<String>,
) {
    let mut put = |end: Option<i64>, key: &[u8], stored: store::Row<'_>| {
        let mut json = vec![];
        if shown {
            let fields = node.table.as_ref().unwrap().rows.variants[0].layout.set.clone();
            let mut row = Row::blank();
            let _ = node.operator.show(&plan.constants, end, key, stored, &mut row);
            dead::write_row(&mut json, &row.frame(&plan.constants), &fields);
        }
        let (key, json) =
            (String::from_utf8_lossy(key).into_owned(), String::from_utf8_lossy(&json).into_owned());
        rows.push(format!("{} {} {partition} {end:?} {key:?} {json}", node.name, id.0));
    };
    match store {
        Store::Table(table) => {
            table.committed_range(None, usize::MAX).into_iter().for_each(|(key, row)| put(None, key, row));
        }
        Store::Windows(windows) => {
            let all = windows.committed_range(None, usize::MAX).into_iter();
            all.for_each(|(end, key, row)| put(Some(end), key, row));
        }
    }
}
