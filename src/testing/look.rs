//! What a test looks at: what topics have got, what tables hold, what alerts have said.

use super::driver::Driver;
use crate::headers;
use crate::operator::NodeId;
use crate::plan::cases::Target;
use crate::plan::names::DEAD_LETTERS;
use crate::plan::{NodePlan, TablePlan};
use crate::rows::Row;
use crate::runtime;
use crate::store::{self, Store};
use crate::transport::sim::Entry;
use serde_json::Value as Json;

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

impl Driver {
    /// What is at a target since it was last looked at; a table's rows now.
    pub fn look(&mut self, target: &Target) -> Vec<Written> {
        let plan = self.plan.clone();
        match target {
            Target::Table(name) => self.rows(name),
            Target::Alert(name) => {
                plan.node(name).map(|(id, node)| self.alerts(id, node)).unwrap_or_default()
            }
            Target::DeadLetters => self.topic(&plan.topics.get(plan.dead_letters).name, DEAD_LETTERS),
            Target::Sink(name) => {
                let topic = plan.node(name).and_then(|(_, node)| node.target.clone()).unwrap_or_default();
                self.topic(&topic, name)
            }
        }
    }

    /// What an alert has said since it was last looked at, keyed by the fields that its table is keyed by.
    fn alerts(&mut self, id: NodeId, alert: &NodePlan) -> Vec<Written> {
        let plan = self.plan.clone();
        let table = alert.reads.as_ref().and_then(|name| plan.node(name)).and_then(|(_, n)| n.table.as_ref());
        let (ours, others) = std::mem::take(&mut self.said).into_iter().partition(|(node, _)| *node == id);
        self.said = others;
        let ours: Vec<(NodeId, Vec<u8>)> = ours;
        ours.into_iter().map(|(_, json)| row_of(&json, table)).collect()
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
                let mut row = Row::blank();
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

/// A row of a table, keyed as a record of its would be: one field as text, several as a list.
fn row_of(json: &[u8], table: Option<&TablePlan>) -> Written {
    let value: Option<Json> = serde_json::from_slice(json).ok();
    let fields = table.iter().flat_map(|table| &table.key);
    let key: Vec<&Json> = fields.filter_map(|(name, _)| member(value.as_ref()?, name)).collect();
    let key = match key.as_slice() {
        [] => None,
        [Json::String(text)] => Some(text.clone()),
        [one] => Some(one.to_string()),
        several => serde_json::to_string(several).ok(),
    };
    let text = String::from_utf8_lossy(json).into_owned();
    Written { key, value, text, timestamp: 0, partition: 0, headers: vec![] }
}

/// A member by a name that may reach into objects, or be the member's own.
pub(super) fn member<'v>(value: &'v Json, name: &str) -> Option<&'v Json> {
    let inside = name.split('.').try_fold(value, |value, part| value.get(part));
    inside.or_else(|| value.get(name))
}

/// A record of a topic as it is looked at.
pub(super) fn written(entry: &Entry, partition: u32) -> Written {
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
