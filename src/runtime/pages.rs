//! Pages of tables, as the last commit left them, over all tasks of a worker.
//!
//! Rows come in the order of their keys' bytes, those of windows by end first. First the keys of a page are chosen,
//! then only its rows are shown: a page costs what it holds, and a look at the keys of the table.

use super::dead;
use super::worker::{TaskState, Worker};
use crate::codec::SetField;
use crate::codec::json::quote;
use crate::operator::NodeId;
use crate::plan::{NodePlan, Plan, TablePlan};
use crate::rows;
use crate::store::{self, Store, key};

/// Which rows of a table are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The table's node.
    pub table: NodeId,
    /// Only what comes behind this [`Shown::order`].
    pub after: Option<Vec<u8>>,
    /// At most so many rows.
    pub most: usize,
    /// What is shown of a row.
    pub part: Part,
}

/// What is shown of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole row, an object.
    Row,
    /// What was computed: the value if that is one field, else an object.
    Computed,
}

/// A part of a table.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows, in their order.
    pub rows: Vec<Shown>,
    /// Whether there are more behind them.
    pub more: bool,
    /// The partitions whose rows were looked at.
    pub partitions: Vec<u32>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Bytes that come in the order of the rows: the key, that of a window behind its end.
    pub order: Vec<u8>,
    /// The key as text.
    pub key: String,
    /// What is shown, as JSON.
    pub json: Vec<u8>,
}

/// A page ends behind so many bytes, however few its rows are.
pub const MOST_BYTES: usize = 1 << 20;

/// A row that may be shown: its order, its window's end, its key.
type Candidate<'t> = (Vec<u8>, Option<i64>, &'t [u8], store::Row<'t>);

impl<T> Worker<T> {
    /// A page of a table.
    pub(super) fn page(&self, wanted: &Wanted) -> Page {
        let mut page = Page::default();
        let Some((node, table)) = table_of(&self.plan, wanted.table) else { return page };
        // One more than is wanted tells whether there are more.
        let most = wanted.most.saturating_add(1);
        let mut found: Vec<Candidate<'_>> = vec![];
        for (partition, store) in self.stores_of(node, table) {
            page.partitions.push(partition);
            candidates(store, wanted.after.as_deref(), most, &mut found);
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let (count, show, mut bytes) = (found.len(), Show::new(&self.plan, node, table), 0);
        for candidate in found.into_iter().take(wanted.most) {
            if bytes > MOST_BYTES {
                break;
            }
            let shown = show.row(candidate, wanted.part);
            bytes += shown.json.len() + shown.key.len() + shown.order.len();
            page.rows.push(shown);
        }
        page.more = page.rows.len() < count;
        page
    }

    /// The row of a key; of a table of windows, one a window, at most so many.
    pub(super) fn row(&self, table: NodeId, key: &[u8], most: usize) -> Page {
        let mut page = Page::default();
        let Some((node, table)) = table_of(&self.plan, table) else { return page };
        let show = Show::new(&self.plan, node, table);
        for (partition, store) in self.stores_of(node, table) {
            page.partitions.push(partition);
            let mut add = |end: Option<i64>, row: store::Row<'_>| {
                page.rows.push(show.row((order(end, key), end, key, row), Part::Row));
            };
            match store {
                Store::Table(rows) => rows.committed(key).into_iter().for_each(|row| add(None, row)),
                Store::Windows(rows) => {
                    rows.committed_of(key).take(most).for_each(|(end, row)| add(Some(end), row));
                }
            }
        }
        page.rows.sort_unstable_by(|a, b| a.order.cmp(&b.order));
        page.more = page.rows.len() > most;
        page.rows.truncate(most);
        page
    }

    /// The stores of a table, of those tasks that run: what is still being restored is nothing to look at.
    fn stores_of(&self, node: &NodePlan, table: &TablePlan) -> impl Iterator<Item = (u32, &Store)> {
        let (part, store) = (node.part, table.store as usize);
        self.tasks.iter().filter(move |(id, _)| id.part == part).filter_map(move |(id, state)| match state {
            TaskState::Running(running) => Some((id.partition, running.task.stores.iter().nth(store)?)),
            TaskState::Restoring(_) => None,
        })
    }
}

fn table_of(plan: &Plan, id: NodeId) -> Option<(&NodePlan, &TablePlan)> {
    let node = plan.nodes.get(id.0 as usize)?;
    Some((node, node.table.as_ref()?))
}

fn candidates<'t>(store: &'t Store, after: Option<&[u8]>, most: usize, found: &mut Vec<Candidate<'t>>) {
    match store {
        Store::Table(rows) => {
            let rows = rows.committed_range(after, most).into_iter();
            found.extend(rows.map(|(key, row)| (order(None, key), None, key, row)));
        }
        Store::Windows(rows) => {
            let after = after.and_then(<[u8]>::split_first_chunk);
            let after = after.map(|(end, key)| (key::unordered_int(*end), key));
            let rows = rows.committed_range(after, most).into_iter();
            found.extend(rows.map(|(end, key, row)| (order(Some(end), key), Some(end), key, row)));
        }
    }
}

fn order(end: Option<i64>, key: &[u8]) -> Vec<u8> {
    let mut order = end.map(|end| key::ordered_int(end).to_vec()).unwrap_or_default();
    order.extend_from_slice(key);
    order
}

/// How a table's rows are shown.
#[derive(Debug)]
struct Show<'p> {
    plan: &'p Plan,
    node: &'p NodePlan,
    table: &'p TablePlan,
    fields: Vec<SetField>,
    computed: Vec<SetField>,
}

impl<'p> Show<'p> {
    fn new(plan: &'p Plan, node: &'p NodePlan, table: &'p TablePlan) -> Self {
        let fields = table.rows.variants.first().map(|v| v.layout.set.clone()).unwrap_or_default();
        let named = |field: &SetField| table.columns.contains(&field.path.join("."));
        let computed = fields.iter().filter(|field| named(field)).cloned().collect();
        Show { plan, node, table, fields, computed }
    }

    fn row(&self, (order, end, key, stored): Candidate<'_>, part: Part) -> Shown {
        let kinds: Vec<_> = self.table.key.iter().map(|(_, kind)| *kind).collect();
        let mut text = vec![];
        key::write_text(&kinds, key, &mut text);
        let mut row = rows::Row::blank();
        let mut json = vec![];
        match self.node.operator.show(&self.plan.constants, end, key, stored, &mut row) {
            Ok(()) => self.write(&mut json, &mut row, part),
            Err(error) => {
                // What cannot be computed of a window that is open may yet be by the time it closes.
                let reason = self.plan.reasons.sentence(error.reason);
                json.extend_from_slice(b"{\"error\":");
                quote(&mut json, reason.as_bytes());
                json.push(b'}');
            }
        }
        Shown { order, key: String::from_utf8_lossy(&text).into_owned(), json }
    }

    fn write(&self, json: &mut Vec<u8>, row: &mut rows::Row, part: Part) {
        let frame = row.frame(&self.plan.constants);
        match (part, &self.computed[..]) {
            (Part::Row, _) => dead::write_row(json, &frame, &self.fields),
            (Part::Computed, [one]) if !frame.is_set(one.register) => json.extend_from_slice(b"null"),
            (Part::Computed, [one]) => {
                if crate::codec::write_value(json, &frame, one.register, one.kind, one.time).is_err() {
                    json.clear();
                    json.extend_from_slice(b"null");
                }
            }
            (Part::Computed, several) => dead::write_row(json, &frame, several),
        }
    }
}
