//! Rows as they are expected, beside rows as they are.

use super::correct::{self, Correction};
use super::look::Written;
use super::name_of;
use super::pair::{before, field, fits, pair, same};
use super::short::{described, short};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::plan::cases::{Expected, Target};

/// What differs at one target, and how the file would have to be written for nothing to differ.
pub type Difference = (Vec<Diagnostic>, Option<Correction>);

/// Compares what is at a target with what is expected: exactly these, in this order per key, each by the fields it
/// names.
pub fn compare(actual: &[Written], target: &Target, rows: &[Expected], place: Place) -> Difference {
    let pairs = pair(rows, actual);
    let mut unmatched: Vec<usize> = (0..actual.len()).filter(|a| !pairs.contains(&Some(*a))).collect();
    let (mut faults, mut meant) = (vec![], pairs.clone());
    for (at, expected) in rows.iter().enumerate().filter(|(at, _)| pairs[*at].is_none()) {
        meant[at] = closest(expected, actual, &unmatched, rows.len() == actual.len());
        faults.push(match meant[at] {
            Some(close) => {
                unmatched.retain(|a| *a != close);
                differs(target, expected, actual, close, &pairs)
            }
            None => missing(target, expected),
        });
    }
    if !unmatched.is_empty() {
        faults.push(unexpected(target, unmatched.iter().map(|a| &actual[*a]), place));
    }
    let wrong = !faults.is_empty();
    // What nothing comes close to may still be what was meant: the fields that its author wanted to see are known.
    meant.iter_mut().filter(|meant| meant.is_none()).zip(unmatched).for_each(|(meant, at)| *meant = Some(at));
    (faults, wrong.then(|| Correction::Rows { place, rows: correct::rows(target, rows, actual, &meant) }))
}

/// The row that comes closest is the one that was likely meant.
fn closest(expected: &Expected, actual: &[Written], unmatched: &[usize], as_many: bool) -> Option<usize> {
    let fit = |at: &usize| fits(expected, &actual[*at]);
    let closest = unmatched.iter().copied().max_by_key(|at| (fit(at), std::cmp::Reverse(*at)));
    closest.filter(|at| fit(at) > 0 || as_many)
}

fn differs(
    target: &Target,
    expected: &Expected,
    actual: &[Written],
    close: usize,
    pairs: &[Option<usize>],
) -> Diagnostic {
    let row = &actual[close];
    let message = format!("a row of `{}` is not as expected", name_of(target));
    let mut fault = Diagnostic::error(Code::TestFailed, message, expected.place).label("expected this");
    for (name, value) in &expected.fields {
        match field(row, name, value) {
            Some(found) if same(&found, value) => {}
            Some(found) => fault = fault.note(format!("{name}: expected {value}, found {found}")),
            None => fault = fault.note(format!("{name}: expected {value}, found nothing")),
        }
    }
    if fault.notes.is_empty() {
        fault = fault.note("every field is as expected, but another row of its key comes first");
        fault = match first_of_key(actual, close, pairs) {
            Some(first) => fault.note(format!("that row is {}", short(&described(&actual[first])))),
            None => fault,
        };
    }
    fault.note(format!("the row is {}", described(row)))
}

/// The first row of a row's key that nobody has taken, if it comes before it.
fn first_of_key(actual: &[Written], row: usize, pairs: &[Option<usize>]) -> Option<usize> {
    let before = before(actual);
    let earlier = std::iter::successors(before[row], |at| before[*at]);
    let (mut free, mut any) = (None, None);
    for at in earlier {
        any = Some(at);
        if !pairs.contains(&Some(at)) {
            free = Some(at);
        }
    }
    free.or(any)
}

fn missing(target: &Target, expected: &Expected) -> Diagnostic {
    Diagnostic::error(Code::TestFailed, format!("`{}` has no such row", name_of(target)), expected.place)
        .label("expected this")
}

/// How many rows that nobody expected are shown.
const MOST_SHOWN: usize = 5;

fn unexpected<'w>(target: &Target, rows: impl Iterator<Item = &'w Written>, place: Place) -> Diagnostic {
    let rows: Vec<_> = rows.collect();
    let plural = if rows.len() == 1 { "a row" } else { "rows" };
    let message = format!("`{}` has {plural} that nobody expected", name_of(target));
    let fault = Diagnostic::error(Code::TestFailed, message, place).label(format!("{} more", rows.len()));
    let shown = rows.iter().take(MOST_SHOWN).fold(fault, |fault, row| fault.note(described(row)));
    match rows.len().saturating_sub(MOST_SHOWN) {
        0 => shown,
        others => shown.note(format!("and {others} others")),
    }
}
