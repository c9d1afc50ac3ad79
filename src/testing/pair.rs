//! Which row that is there is which one that was expected.

use super::look::{Written, member};
use crate::plan::cases::Expected;
use crate::time;
use serde_json::Value as Json;

/// More rows than these are paired as they come, without looking back.
const MOST_SEARCHED: usize = 100;

/// More steps than these are a puzzle, not an expectation.
const MOST_STEPS: usize = 20_000;

/// Rows on their way to being paired. Of a key only the first row that is left can be taken: so order is kept.
struct Pairing<'p> {
    rows: &'p [Expected],
    actual: &'p [Written],
    /// The row before each of the same key.
    before: Vec<Option<usize>>,
    taken: Vec<bool>,
    steps: usize,
}

/// Pairs each expected row with an actual one. Within a key the order has to be kept; between keys it is free. A row
/// that names little fits many: where taking the first that fits leads nowhere, others are tried.
pub fn pair(rows: &[Expected], actual: &[Written]) -> Vec<Option<usize>> {
    let mut pairing =
        Pairing { rows, actual, before: before(actual), taken: vec![false; actual.len()], steps: 0 };
    let first = pairing.first_that_fits();
    if first.iter().all(Option::is_some) || rows.len() != actual.len() || rows.len() > MOST_SEARCHED {
        return first;
    }
    pairing.taken.fill(false);
    let mut found = vec![];
    match pairing.search(&mut found) {
        true => found.into_iter().map(Some).collect(),
        false => first,
    }
}

/// The row before each that has the same key.
pub fn before(actual: &[Written]) -> Vec<Option<usize>> {
    let mut last = std::collections::HashMap::new();
    let of = |(at, row): (usize, &Written)| last.insert(row.key.clone()?, at);
    actual.iter().enumerate().map(of).collect()
}

impl Pairing<'_> {
    fn is_free(&self, at: usize) -> bool {
        !self.taken[at] && self.before[at].is_none_or(|before| self.taken[before])
    }

    fn may_be(&self, row: usize, at: usize) -> bool {
        let row = &self.rows[row];
        self.is_free(at) && fits(row, &self.actual[at]) == row.fields.len()
    }

    fn first_that_fits(&mut self) -> Vec<Option<usize>> {
        let mut pairs = vec![];
        for row in 0..self.rows.len() {
            let found = (0..self.actual.len()).find(|at| self.may_be(row, *at));
            if let Some(at) = found {
                self.taken[at] = true;
            }
            pairs.push(found);
        }
        pairs
    }

    /// Tries all ways, the first that fits first.
    fn search(&mut self, found: &mut Vec<usize>) -> bool {
        let row = found.len();
        if row == self.rows.len() {
            return true;
        }
        for at in 0..self.actual.len() {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return false;
            }
            if !self.may_be(row, at) {
                continue;
            }
            self.taken[at] = true;
            found.push(at);
            if self.search(found) {
                return true;
            }
            found.pop();
            self.taken[at] = false;
        }
        false
    }
}

/// How many of the fields that are named are as they should be.
pub fn fits(expected: &Expected, actual: &Written) -> usize {
    let fields = expected.fields.iter();
    fields.filter(|(name, value)| field(actual, name, value).is_some_and(|found| same(&found, value))).count()
}

/// What a row has under a name, in the form in which it is expected.
pub fn field(actual: &Written, name: &str, expected: &Json) -> Option<Json> {
    let header =
        |name: &str| actual.headers.iter().find(|(n, _)| n == name).map(|(_, v)| Json::String(v.clone()));
    match name {
        "_key" => Some(actual.key.clone().map_or(Json::Bool(false), Json::String)),
        "_timestamp" if expected.is_number() => Some(Json::from(actual.timestamp)),
        "_timestamp" => {
            let mut text = vec![];
            time::write_timestamp(&mut text, actual.timestamp)?;
            String::from_utf8(text).ok().map(Json::String)
        }
        "_partition" => Some(Json::from(actual.partition)),
        "_headers" => {
            let headers =
                actual.headers.iter().map(|(name, value)| (name.clone(), Json::String(value.clone())));
            Some(Json::Object(headers.collect()))
        }
        "_reason" => header("streamrun-reason"),
        "_node" => header("streamrun-node"),
        "_value" => Some(Json::String(actual.text.clone())),
        "_tombstone" => Some(Json::Bool(actual.value.is_none())),
        name => member(actual.value.as_ref()?, name).cloned(),
    }
}

/// Numbers as numbers; of a table the members that are named; headers, too, only those that are named.
pub fn same(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Number(a), Json::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b || (a - b).abs() <= 1e-9 * b.abs()),
        },
        (Json::Object(a), Json::Object(b)) => {
            b.iter().all(|(name, b)| a.get(name).is_some_and(|a| same(a, b)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::String(a), Json::String(b)) => a == b || same_time(a, b),
        (a, b) => a == b,
    }
}

/// Two ways of writing one point in time.
fn same_time(a: &str, b: &str) -> bool {
    let time = |text: &str| time::parse_timestamp(text.as_bytes());
    time(a).is_some_and(|a| time(b) == Some(a))
}
