//! A look at what the next records will need.
//!
//! Where a table is larger than a processor's caches a record waits for memory two or three times, for the index, for
//! the row and for what lies behind it, and a whole record's work lies between two rows: more than a processor looks
//! ahead by itself. So the place in the index is asked for when the record is twice [`ROWS`] away, and the row, which
//! that place tells, when it is half as far. When a record's turn comes its rows are near; only the first of a batch
//! wait.
//!
//! It is a hint and nothing more. The key that a record came with is taken for the one that its rows have, which is so
//! where a source says what it is keyed by, and behind a repartition; all else goes without.

use crate::lanes::LANES;
use crate::plan::Plan;
use crate::store::{KeyHash, Stores};
use crate::transport::Record;
use crate::types::Kind;

/// So many records ahead of one its rows are asked for: those that run side by side are behind it by then.
const ROWS: usize = LANES;
/// And where they are.
const PLACES: usize = 2 * ROWS;

/// The stores whose rows have the keys of an input's records.
#[derive(Debug)]
pub struct Ahead {
    stores: Vec<usize>,
    /// Of the keys of the next records, by the last digits of their place in the batch.
    hashes: [Option<KeyHash>; PLACES],
}

impl Ahead {
    /// Those of a source.
    pub fn of(plan: &Plan, source: usize) -> Self {
        let Some(name) = keyed_by(plan, source) else { return Self::with(vec![]) };
        let nodes = plan.runs[source].steps.iter().map(|step| &plan.nodes[step.node.0 as usize]);
        let tables = nodes.filter_map(|node| node.table.as_ref());
        let same = tables.filter(|table| matches!(&table.key[..], [(by, Kind::String)] if by == name));
        let mut stores: Vec<usize> = same.map(|table| table.store as usize).collect();
        stores.dedup();
        Self::with(stores)
    }

    fn with(stores: Vec<usize>) -> Self {
        Ahead { stores, hashes: [None; PLACES] }
    }

    /// Looks ahead to the first records of a batch, if there is something to gain: with few records there is nothing
    /// to see, and small tables are in the caches anyway.
    pub fn begin(&mut self, stores: &Stores, records: &[Record<'_>]) -> bool {
        if records.len() <= ROWS || !stores.are_far(&self.stores) {
            return false;
        }
        (0..PLACES).for_each(|at| self.ask_for_place(stores, records, at));
        (0..ROWS).for_each(|at| self.ask_for_rows(stores, at));
        true
    }

    /// Looks ahead from the record of a batch that is at a place in it.
    #[inline]
    pub fn look(&mut self, stores: &Stores, records: &[Record<'_>], at: usize) {
        self.ask_for_rows(stores, at + ROWS);
        self.ask_for_place(stores, records, at + PLACES);
    }

    #[inline(always)]
    fn ask_for_place(&mut self, stores: &Stores, records: &[Record<'_>], at: usize) {
        let hash = records.get(at).and_then(|record| record.key).map(KeyHash::of_key);
        self.hashes[at % PLACES] = hash;
        if let Some(hash) = hash {
            stores.near(&self.stores, hash);
        }
    }

    #[inline(always)]
    fn ask_for_rows(&self, stores: &Stores, at: usize) {
        if let Some(hash) = self.hashes[at % PLACES] {
            stores.approach(&self.stores, hash);
        }
    }
}

/// The field whose text is the key of a source's records, as it is.
fn keyed_by(plan: &Plan, source: usize) -> Option<&str> {
    let source = &plan.sources[source];
    match (&source.key, &source.cut) {
        (Some(key), _) if key.kind == Kind::String && !key.json => Some(&key.name),
        (None, Some(cut)) if cut.by.len() == 1 => Some(&cut.by[0]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the stores that are looked into for each source of a pipeline.
    fn looked_into(key: &str) -> Vec<Vec<String>> {
        let text = format!(
            r#"
            name = "p"
            [schema.s]
            id = "string"
            n = "int"
            [source.in]
            topic = "in"
            schema = "s"
            {key}
            [count.by_id]
            from = "in"
            by = "id"
            [tumble.by_id_too]
            from = "by_id"
            by = "id"
            every = "1m"
            compute.n = 'count()'
            [count.by_n]
            from = "in"
            by = "n"
            "#
        );
        let plan = crate::plan::check(&text, &[]).plan.expect("it is sound");
        let names =
            |Ahead { stores, .. }| stores.iter().map(|at: &usize| plan.stores[*at].name.clone()).collect();
        (0..plan.sources.len()).map(|source| names(Ahead::of(&plan, source))).collect()
    }

    #[test]
    fn tables_are_looked_into_whose_rows_have_the_keys_of_records() {
        let by_id = vec!["by_id".to_owned(), "by_id_too".to_owned()];
        // The second source is the repartition before `by_n`: its keys are spelt, and rows have them as numbers.
        assert_eq!(looked_into("key = \"id\""), [by_id.clone(), vec![]]);
        assert_eq!(looked_into("key = \"id\"\nkey_format = \"json\""), [vec![""; 0], vec![]]);
        // By `n` those in front need a repartition, and behind that the keys are their own.
        let mut behind = looked_into("key = \"n\"");
        behind.sort();
        assert_eq!(behind.concat(), by_id);
    }
}
