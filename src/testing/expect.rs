//! Rows as they are expected, beside rows as they are.

use super::driver::{Driver, Written};
use super::name_of;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::plan::cases::{Expected, Target};
use crate::time;
use serde_json::Value as Json;

/// Compares what is at a target with what is expected: exactly these, in this order per key, each by the fields it
/// names.
pub fn compare(driver: &mut Driver, target: &Target, rows: &[Expected], place: Place) -> Vec<Diagnostic> {
    let actual = driver.look(target);
    let pairs = pair(rows, &actual);
    let mut unmatched: Vec<usize> = (0..actual.len()).filter(|a| !pairs.contains(&Some(*a))).collect();
    let mut faults = vec![];
    for (expected, _) in rows.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()) {
        // The row that comes closest is the one that was likely meant.
        let closest =
            unmatched.iter().copied().max_by_key(|a| (fits(expected, &actual[*a]), std::cmp::Reverse(*a)));
        let closest = closest.filter(|a| fits(expected, &actual[*a]) > 0 || rows.len() == actual.len());
        faults.push(match closest {
            Some(at) => {
                unmatched.retain(|a| *a != at);
                differs(target, expected, &actual[at])
            }
            None => missing(target, expected),
        });
    }
    if !unmatched.is_empty() {
        faults.push(unexpected(target, unmatched.iter().map(|a| &actual[*a]), place));
    }
    faults
}

/// Pairs each expected row with an actual one. Within a key the order has to be kept; between keys it is free.
fn pair(rows: &[Expected], actual: &[Written]) -> Vec<Option<usize>> {
    let mut taken = vec![false; actual.len()];
    let mut pairs = vec![];
    for row in rows {
        let free = |at: &usize| {
            let earlier =
                |b: &usize| !taken[*b] && actual[*b].key == actual[*at].key && actual[*at].key.is_some();
            !taken[*at] && !(0..*at).any(|b| earlier(&b)) && fits(row, &actual[*at]) == row.fields.len()
        };
        let found = (0..actual.len()).find(free);
        if let Some(at) = found {
            taken[at] = true;
        }
        pairs.push(found);
    }
    pairs
}

/// How many of the fields that are named are as they should be.
fn fits(expected: &Expected, actual: &Written) -> usize {
    expected
        .fields
        .iter()
        .filter(|(name, value)| field(actual, name).is_some_and(|found| same(&found, value)))
        .count()
}

/// What a row has under a name.
fn field(actual: &Written, name: &str) -> Option<Json> {
    let header =
        |name: &str| actual.headers.iter().find(|(n, _)| n == name).map(|(_, v)| Json::String(v.clone()));
    match name {
        "_key" => Some(actual.key.clone().map_or(Json::Bool(false), Json::String)),
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
        name => {
            name.split('.').try_fold(actual.value.as_ref()?, |value, part| value.get(part)).cloned().or_else(
                || {
                    // A name with dots may also be a member's own.
                    actual.value.as_ref()?.get(name).cloned()
                },
            )
        }
    }
}

/// Numbers as numbers; of a table the members that are named; headers, too, only those that are named.
fn same(found: &Json, expected: &Json) -> bool {
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

fn differs(target: &Target, expected: &Expected, actual: &Written) -> Diagnostic {
    let message = format!("a row of `{}` is not as expected", name_of(target));
    let mut fault = Diagnostic::error(Code::TestFailed, message, expected.place).label("expected this");
    for (name, value) in &expected.fields {
        match field(actual, name) {
            Some(found) if same(&found, value) => {}
            Some(found) => fault = fault.note(format!("{name}: expected {value}, found {found}")),
            None => fault = fault.note(format!("{name}: expected {value}, found nothing")),
        }
    }
    if fault.notes.is_empty() {
        fault = fault.note("every field is as expected, but another row of its key comes first");
    }
    fault.note(format!("the row is {}", describe(actual)))
}

fn missing(target: &Target, expected: &Expected) -> Diagnostic {
    Diagnostic::error(Code::TestFailed, format!("`{}` has no such row", name_of(target)), expected.place)
        .label("expected this")
}

fn unexpected<'w>(target: &Target, rows: impl Iterator<Item = &'w Written>, place: Place) -> Diagnostic {
    let rows: Vec<_> = rows.collect();
    let plural = if rows.len() == 1 { "a row" } else { "rows" };
    let message = format!("`{}` has {plural} that nobody expected", name_of(target));
    let fault = Diagnostic::error(Code::TestFailed, message, place).label(format!("{} more", rows.len()));
    rows.iter().take(5).fold(fault, |fault, row| fault.note(describe(row)))
}

fn describe(row: &Written) -> String {
    let value = if row.value.is_none() { "a tombstone" } else { row.text.as_str() };
    let reason = row.headers.iter().find(|(name, _)| name == "streamrun-reason").map(|(_, reason)| reason);
    let value = match reason {
        Some(reason) => format!("{value} ({reason})"),
        None => value.to_owned(),
    };
    match &row.key {
        Some(key) => format!("{key}: {value}"),
        None => value,
    }
}
