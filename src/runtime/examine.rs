//! Before anything is read or joined: whether the tables of earlier runs are those of this file. Others stop the
//! worker, with the ways out.

use super::meaning::{self, Edit};
use super::metadata::{self, Metadata};
use super::restore::known;
use super::worker::Worker;
use crate::plan::{Plan, TablePlan};
use crate::transport::{Partition, Transport, TransportError};
use std::collections::BTreeMap;

impl<T: Transport> Worker<T> {
    /// Holds the tables of earlier runs against the file, before anything is read or joined.
    pub(super) fn examine(&mut self) -> Result<(), TransportError> {
        let (plan, mut added) = (self.plan.clone(), BTreeMap::new());
        not_too_many(&plan)?;
        for (at, source) in plan.sources.iter().enumerate() {
            let Some(topic) = source.topics.first() else { continue };
            let count = self.transport.partitions(*topic)?.unwrap_or(0);
            let inputs: Vec<_> = (0..count).map(|index| Partition { topic: *topic, index }).collect();
            for position in self.transport.committed(&inputs)?.iter().flatten() {
                let Some(metadata) = known(position)? else { continue };
                self.examine_moved(plan.runs[at].part, &metadata)?;
                for node in plan.nodes.iter().filter(|n| n.part == plan.runs[at].part) {
                    for table in node.table.iter().chain(&node.marks) {
                        let lines =
                            self.examine_table(&node.name, table, &metadata, position.partition.index)?;
                        added.entry(node.name.as_str()).or_insert(lines);
                    }
                }
            }
        }
        for (table, added) in added.iter().filter(|(_, added)| self.options.speaks && !added.is_empty()) {
            tracing::info!(table, added = added.join(", "), "computes more from now on");
        }
        Ok(())
    }

    /// A table that was kept where it is not any more, because a repartition has come or gone before it: its rows lie
    /// by other keys, and its records are read from elsewhere.
    fn examine_moved(&self, part: usize, metadata: &Metadata) -> Result<(), TransportError> {
        let knows = |name: &String| metadata.tables.iter().any(|(known, _)| *known == metadata::hash(name));
        for node in self.plan.nodes.iter().filter(|node| node.part != part) {
            for table in node.table.iter().chain(&node.marks) {
                let name = &self.plan.stores[table.store as usize].name;
                if knows(name) && !self.options.reset.contains(name) {
                    return Err(TransportError::fatal(format!(
                        "the table of `{name}` was made of what is keyed otherwise: a repartition has come or gone \
                         before it"
                    ))
                    .hint(format!(
                        "undo the edit; or give the node another name; or start the table over with `--reset {name}`"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What a table computes besides; another one stops the worker.
    fn examine_table(
        &mut self,
        node: &str,
        table: &TablePlan,
        metadata: &Metadata,
        index: u32,
    ) -> Result<Vec<String>, TransportError> {
        let plan = self.plan.clone();
        let declared = &plan.stores[table.store as usize];
        let known = metadata.tables.iter().find(|(name, _)| *name == metadata::hash(&declared.name));
        let changed = known.is_some_and(|(_, meaning)| *meaning != metadata::hash(&declared.fingerprint));
        if !changed || self.options.reset.contains(&declared.name) {
            return Ok(vec![]);
        }
        let old = self.meaning_of(Partition { topic: table.changelog, index })?;
        match old.as_deref().map_or(Edit::Other, |old| meaning::compare(old, &declared.fingerprint)) {
            Edit::Same => Ok(vec![]),
            Edit::Added(lines) => Ok(lines),
            Edit::Other => Err(meaning::mismatch(node, old.as_deref(), &declared.fingerprint)),
        }
    }

    /// What a changelog says of itself, the last time it does.
    fn meaning_of(&mut self, partition: Partition) -> Result<Option<String>, TransportError> {
        let (mut next, end) = self.transport.bounds(partition)?;
        let mut found = None;
        while next < end {
            let chunk = self.transport.changelog(partition, next, end)?;
            for (_, value) in chunk.records.iter().filter(|(key, _)| *key == meaning::KEY) {
                found = value.map(|text| String::from_utf8_lossy(text).into_owned());
            }
            next = chunk.next;
        }
        Ok(found)
    }
}

/// More tables than the metadata of a position can name would be forgotten.
fn not_too_many(plan: &Plan) -> Result<(), TransportError> {
    for part in 0..plan.parts {
        let own = plan.nodes.iter().filter(|node| node.part == part);
        let tables = own.flat_map(|node| node.table.iter().chain(&node.marks)).count();
        if tables > metadata::MOST_TABLES {
            let most = metadata::MOST_TABLES;
            return Err(TransportError::fatal(format!(
                "{tables} tables hang together, and no more than {most} can"
            ))
            .hint("put some of them into a pipeline of their own"));
        }
    }
    Ok(())
}
