//! How expectations would have to be written for a test to pass: what `streamrun test --update` writes.
//!
//! Only what has to change is changed: a row that is right stays, one that stands for another keeps the fields its
//! author named, and their order. The rows that come out pair with what is there; that is looked at before they are
//! handed on.

use super::look::Written;
use super::pair::{before, field, fits, pair};
use crate::diagnostic::Place;
use crate::plan::cases::{Expected, Target};
use serde_json::Value as Json;

/// A change of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Correction {
    /// A list of expected rows.
    Rows {
        /// Where the list's key stands.
        place: Place,
        /// The rows as they should be.
        rows: Vec<Corrected>,
    },
    /// A number of late records.
    Late {
        /// Where the number stands.
        place: Place,
        /// What it should be.
        count: u64,
    },
}

/// The fields that a row names.
pub type Fields = Vec<(String, Json)>;

/// A row as it should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Corrected {
    /// The row that stands at this index, as it is.
    Kept(usize),
    /// The row that stands at this index, with other values.
    Changed(usize, Fields),
    /// A row that is not there yet.
    New(Fields),
}

/// A row of the list to be: the expected row it comes from, if there is one, and the actual one it is for.
#[derive(Clone, Copy)]
struct Slot {
    from: Option<usize>,
    to: usize,
}

/// The rows as they should be, where `meant` says which actual row each expected one stands for.
pub fn rows(
    target: &Target,
    rows: &[Expected],
    actual: &[Written],
    meant: &[Option<usize>],
) -> Vec<Corrected> {
    let mut slots: Vec<Slot> = meant
        .iter()
        .enumerate()
        .filter_map(|(from, to)| Some(Slot { from: Some(from), to: (*to)? }))
        .collect();
    in_order_per_key(&mut slots, actual);
    let before = before(actual);
    let missing = (0..actual.len()).filter(|to| !meant.contains(&Some(*to)));
    for to in missing {
        let at = slots.iter().position(|slot| Some(slot.to) == before[to]).map(|at| at + 1);
        let behind =
            |slot: &Slot| std::iter::successors(before[slot.to], |at| before[*at]).any(|at| at == to);
        let at = at.or_else(|| slots.iter().position(behind)).unwrap_or(slots.len());
        slots.insert(at, Slot { from: None, to });
    }
    let corrected: Vec<_> = slots.iter().map(|slot| corrected(target, rows, actual, *slot)).collect();
    match pairs_up(rows, &corrected, actual) {
        true => corrected,
        // Rows that name too little to be told apart: all of each, one after the other.
        false => actual.iter().map(|row| Corrected::New(all_fields(target, row))).collect(),
    }
}

/// Rows of one key change places until they stand in the order in which they come.
fn in_order_per_key(slots: &mut [Slot], actual: &[Written]) {
    let mut by_key = std::collections::BTreeMap::<&str, Vec<usize>>::new();
    for (at, slot) in slots.iter().enumerate() {
        if let Some(key) = &actual[slot.to].key {
            by_key.entry(key).or_default().push(at);
        }
    }
    for places in by_key.values() {
        let mut rows: Vec<usize> = places.iter().map(|at| slots[*at].to).collect();
        rows.sort_unstable();
        places.iter().zip(rows).for_each(|(at, to)| slots[*at].to = to);
    }
}

fn corrected(target: &Target, rows: &[Expected], actual: &[Written], slot: Slot) -> Corrected {
    let row = &actual[slot.to];
    let Some(from) = slot.from else { return Corrected::New(all_fields(target, row)) };
    let expected = &rows[from];
    if fits(expected, row) == expected.fields.len() {
        return Corrected::Kept(from);
    }
    let value = |name: &String, value: &Json| Some((name.clone(), named(&field(row, name, value)?, value)?));
    let fields: Fields = expected.fields.iter().filter_map(|(name, v)| value(name, v)).collect();
    match fields.is_empty() {
        true => Corrected::Changed(from, all_fields(target, row)),
        false => Corrected::Changed(from, fields),
    }
}

/// Of an object what was named of it; a null is as good as nothing.
fn named(found: &Json, expected: &Json) -> Option<Json> {
    match (found, expected) {
        (Json::Object(a), Json::Object(b)) => {
            let members = b.iter().filter_map(|(name, b)| Some((name.clone(), named(a.get(name)?, b)?)));
            Some(Json::Object(members.collect()))
        }
        (found, _) => plain(found),
    }
}

/// What TOML can say of a value: it has no null.
fn plain(value: &Json) -> Option<Json> {
    match value {
        Json::Null => None,
        Json::Array(values) => values.iter().map(plain).collect::<Option<_>>().map(Json::Array),
        Json::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
            Some(Json::Object(members.collect()))
        }
        other => Some(other.clone()),
    }
}

/// All that can be said of a row: of a dead letter its reason and its value.
fn all_fields(target: &Target, row: &Written) -> Fields {
    let beside = |name: &str| field(row, name, &Json::Null).map(|value| (name.to_owned(), value));
    let value = if row.value.is_none() { "_tombstone" } else { "_value" };
    if *target == Target::DeadLetters {
        return ["_reason", value].into_iter().filter_map(beside).collect();
    }
    let Some(Json::Object(members)) = &row.value else {
        return ["_key", value]
            .into_iter()
            .skip(usize::from(row.value.is_some()))
            .filter_map(beside)
            .collect();
    };
    let sayable = members.iter().filter(|(name, _)| !name.starts_with('_'));
    let fields: Fields = sayable.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect();
    if fields.is_empty() { beside(value).into_iter().collect() } else { fields }
}

/// Whether the rows, written like this, would be what is there.
fn pairs_up(rows: &[Expected], corrected: &[Corrected], actual: &[Written]) -> bool {
    let written: Vec<Expected> = corrected
        .iter()
        .map(|row| match row {
            Corrected::Kept(from) => rows[*from].clone(),
            Corrected::Changed(_, fields) | Corrected::New(fields) => {
                Expected { fields: fields.clone(), place: Place::default() }
            }
        })
        .collect();
    pair(&written, actual).iter().all(Option::is_some)
}
