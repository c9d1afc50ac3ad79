//! What a kind of node is: one file declares one, with its keys, its example, its check and its operator.

use super::context::CheckContext;
use super::form::Key;
use super::shape::{FileId, Shape};
use super::table::TablePlan;
use crate::diagnostic::{Passage, Place};
use crate::operator::Operator;
use crate::spec::{Entry, Table, Value};
use std::sync::Arc;

/// A kind of node.
#[derive(Debug)]
pub struct OperatorKind {
    /// The word in `[kind.name]`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it means in detail, for `help`.
    pub details: &'static str,
    /// A pipeline that shows it; a test runs its `[[test]]`s.
    pub example: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Whether other nodes may name it in `from`.
    pub has_output: bool,
    /// What it has to do with rows of its own.
    pub rows: Rows,
    /// From what was written to what runs.
    pub check: fn(&NodeTable<'_>, &mut CheckContext<'_>) -> Built,
}

/// What a kind has to do with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// It hands on the records it gets.
    None,
    /// It hands on the records it gets and keeps a table beside.
    Keeps,
    /// It makes rows, of a table or not, and hands those on.
    Makes,
    /// It hands on rows of another node's table.
    Reads,
}

/// A node as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct NodeTable<'s> {
    /// Its kind.
    pub kind: &'static OperatorKind,
    /// Its name.
    pub name: &'s str,
    /// Where its name stands.
    pub place: Place,
    /// Its keys and values.
    pub table: &'s Table,
}

impl<'s> NodeTable<'s> {
    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&'s Entry> {
        self.table.get(key)
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&'s Value> {
        self.table.get(key).map(|e| &e.value)
    }

    /// The name by which the node's table is known where it is permanent: its own, or that of the node it takes over
    /// from.
    pub fn kept_as(&self) -> &'s str {
        self.text("was").map_or(self.name, |was| was.text.as_str())
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&'s Passage> {
        self.value(key)?.as_text()
    }

    /// The tables of a key that is a list of them.
    pub fn tables(&self, key: &str) -> Vec<&'s Table> {
        let values = self.value(key).and_then(Value::as_array).unwrap_or_default();
        values.iter().filter_map(Value::as_table).collect()
    }

    /// The entries of a key that is a table, flattened: `set.a.b = …` is the field `a.b`.
    pub fn settings(&self, key: &str) -> Vec<(String, &'s Entry)> {
        let mut flat = vec![];
        if let Some(table) = self.value(key).and_then(Value::as_table) {
            flatten("", table, &mut flat);
        }
        flat
    }
}

fn flatten<'s>(prefix: &str, table: &'s Table, flat: &mut Vec<(String, &'s Entry)>) {
    for entry in &table.entries {
        let name = format!("{prefix}{}", entry.key);
        match entry.value.as_table() {
            Some(inner) => flatten(&format!("{name}."), inner, flat),
            None => flat.push((name, entry)),
        }
    }
}

/// What became of a node. With faults there is no operator, but the shapes stand, so that what comes behind it is
/// checked all the same.
#[derive(Debug, Default)]
pub struct Built {
    /// What runs.
    pub operator: Option<Arc<dyn Operator>>,
    /// What `from` sees: the node's own output, then its named ones.
    pub outputs: Vec<(Option<String>, Shape)>,
    /// The node's table.
    pub table: Option<TablePlan>,
    /// What was understood, for the summary of `check`.
    pub what: String,
    /// Where its records go, for the same summary.
    pub target: Option<String>,
    /// The wall-clock interval in milliseconds at which it wants to be called.
    pub tick_ms: Option<i64>,
    /// The node whose table it looks through.
    pub reads: Option<String>,
    /// The register file of the rows it emits, if it emits any.
    pub rows_in: Option<FileId>,
    /// A table of its own that is not shown: what it has spoken of.
    pub marks: Option<TablePlan>,
    /// When something of it ends: every so many milliseconds, shifted by so many.
    pub beat: Option<(i64, i64)>,
}

impl Built {
    /// A node that hands on what it gets, in this shape.
    pub fn new(output: Shape, what: impl Into<String>) -> Self {
        Built { outputs: vec![(None, output)], what: what.into(), ..Built::default() }
    }

    /// With this operator, if nothing was wrong.
    pub fn running(mut self, operator: Option<impl Operator + 'static>) -> Self {
        self.operator = operator.map(|o| Arc::new(o) as Arc<dyn Operator>);
        self
    }
}
