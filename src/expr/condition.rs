//! Conditions: the shapes people write are enum arms that cost a compare or two, the rest is closures.
//!
//! A comparison of a number field with a constant is one closed interval: no dispatch on the operator at run time, and
//! no branch. NaN lies in no interval, as it should be; `!=` is the negation of one, which NaN passes.

use super::code::Closure;
use super::parse::Binary;
use crate::frame::{Frame, Register};
use crate::operator::RecordError;
use std::fmt;

/// A float field that lies in a closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The field; it must be set.
    pub field: Register,
    /// The least value.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Range {
    /// `field symbol constant` as an interval, but for `!=`. Bounds of an empty one lie the wrong way round.
    pub(super) fn new(field: Register, compare: Binary, k: f64) -> Self {
        let (low, high) = match compare {
            // The neighbour of an infinity is itself, and nothing lies beyond it.
            Binary::Gt if k == f64::INFINITY => (f64::INFINITY, f64::NEG_INFINITY),
            Binary::Lt if k == f64::NEG_INFINITY => (f64::INFINITY, f64::NEG_INFINITY),
            Binary::Lt => (f64::NEG_INFINITY, k.next_down()),
            Binary::Le => (f64::NEG_INFINITY, k),
            Binary::Gt => (k.next_up(), f64::INFINITY),
            Binary::Ge => (k, f64::INFINITY),
            _ => (k, k),
        };
        Range { field, low, high }
    }

    /// Whether the field lies in it.
    #[inline(always)]
    pub fn holds(self, frame: &Frame<'_>) -> bool {
        let x = frame.float(self.field);
        (x >= self.low) & (x <= self.high)
    }

    /// What lies in both.
    fn and(self, other: Self) -> Self {
        // A bound that is NaN makes the interval empty and must stay: `max` would drop it.
        let nan = self.low.is_nan() || self.high.is_nan() || other.low.is_nan() || other.high.is_nan();
        match nan {
            true => Range { low: f64::INFINITY, high: f64::NEG_INFINITY, ..self },
            false => Range { low: self.low.max(other.low), high: self.high.min(other.high), ..self },
        }
    }
}

/// An int, timestamp or duration field that lies in a closed interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRange {
    /// The field; it must be set.
    pub field: Register,
    /// The least value.
    pub low: i64,
    /// The largest.
    pub high: i64,
}

impl IntRange {
    /// `field symbol constant` as an interval, but for `!=`.
    pub(super) fn new(field: Register, compare: Binary, k: i64) -> Self {
        const EMPTY: (i64, i64) = (i64::MAX, i64::MIN);
        let (low, high) = match compare {
            Binary::Lt => k.checked_sub(1).map_or(EMPTY, |high| (i64::MIN, high)),
            Binary::Gt => k.checked_add(1).map_or(EMPTY, |low| (low, i64::MAX)),
            Binary::Le => (i64::MIN, k),
            Binary::Ge => (k, i64::MAX),
            _ => (k, k),
        };
        IntRange { field, low, high }
    }

    /// Whether the field lies in it.
    #[inline(always)]
    pub fn holds(self, frame: &Frame<'_>) -> bool {
        let x = frame.int(self.field);
        (x >= self.low) & (x <= self.high)
    }
}

/// Something that holds for a record, or does not.
pub enum Condition {
    /// Whatever the record.
    Always(bool),
    /// A float field lies in an interval.
    Within(Range),
    /// An int, timestamp or duration field lies in an interval.
    WithinInts(IntRange),
    /// A text field is empty.
    IsEmpty(Register),
    /// A field is there.
    IsSet(Register),
    /// A boolean field is true.
    IsTrue(Register),
    /// The opposite.
    Not(Box<Condition>),
    /// All of them, tried in this order.
    All(Vec<Condition>),
    /// At least one of them, tried in this order.
    Any(Vec<Condition>),
    /// Anything else.
    Closure {
        /// Whether it holds.
        holds: Closure<bool>,
        /// Whether that can fail on a record.
        fails: bool,
    },
}

impl Condition {
    /// Whether it holds for a record.
    #[inline(always)]
    pub fn holds(&self, frame: &mut Frame<'_>) -> Result<bool, RecordError> {
        match self {
            Condition::Within(range) => Ok(range.holds(frame)),
            Condition::IsEmpty(field) => Ok(frame.text(*field).is_empty()),
            _ => self.decide(frame),
        }
    }

    /// Whether it holds, for one that cannot fail.
    #[inline(always)]
    pub fn test(&self, frame: &mut Frame<'_>) -> bool {
        debug_assert!(self.cannot_fail());
        self.holds(frame).unwrap_or(false)
    }

    /// The shapes that are not worth inlining.
    fn decide(&self, frame: &mut Frame<'_>) -> Result<bool, RecordError> {
        Ok(match self {
            Condition::Always(always) => *always,
            Condition::Within(range) => range.holds(frame),
            Condition::WithinInts(range) => range.holds(frame),
            Condition::IsEmpty(field) => frame.text(*field).is_empty(),
            Condition::IsSet(field) => frame.is_set(*field),
            Condition::IsTrue(field) => frame.bool(*field),
            Condition::Not(condition) => !condition.holds(frame)?,
            Condition::All(list) => return until(list, false, frame),
            Condition::Any(list) => return until(list, true, frame),
            Condition::Closure { holds, .. } => return holds(frame),
        })
    }

    /// Whether `holds` never returns an error.
    pub fn cannot_fail(&self) -> bool {
        match self {
            Condition::Not(condition) => condition.cannot_fail(),
            Condition::All(list) | Condition::Any(list) => list.iter().all(Condition::cannot_fail),
            Condition::Closure { fails, .. } => !fails,
            _ => true,
        }
    }

    /// The opposite.
    pub(super) fn negated(self) -> Self {
        match self {
            Condition::Always(always) => Condition::Always(!always),
            Condition::Not(condition) => *condition,
            other => Condition::Not(Box::new(other)),
        }
    }

    /// Both. Two intervals of one field become one, and chains become flat.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Condition::Within(a), Condition::Within(b)) if a.field == b.field => Condition::Within(a.and(b)),
            (Condition::All(mut list), other) => {
                list.push(other);
                Condition::All(list)
            }
            (a, b) => Condition::All(vec![a, b]),
        }
    }

    /// At least one.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Condition::Any(mut list), other) => {
                list.push(other);
                Condition::Any(list)
            }
            (a, b) => Condition::Any(vec![a, b]),
        }
    }
}

/// Tries conditions in order until one comes out as `decides`.
fn until(list: &[Condition], decides: bool, frame: &mut Frame<'_>) -> Result<bool, RecordError> {
    for condition in list {
        if condition.holds(frame)? == decides {
            return Ok(decides);
        }
    }
    Ok(!decides)
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Always(always) => write!(f, "Always({always})"),
            Condition::Within(range) => write!(f, "{:?} in {:?}..={:?}", range.field, range.low, range.high),
            Condition::WithinInts(range) => write!(f, "{:?} in {}..={}", range.field, range.low, range.high),
            Condition::IsEmpty(field) => write!(f, "IsEmpty({field:?})"),
            Condition::IsSet(field) => write!(f, "IsSet({field:?})"),
            Condition::IsTrue(field) => write!(f, "IsTrue({field:?})"),
            Condition::Not(condition) => write!(f, "Not({condition:?})"),
            Condition::All(list) => write!(f, "All({list:?})"),
            Condition::Any(list) => write!(f, "Any({list:?})"),
            Condition::Closure { fails, .. } => write!(f, "Closure {{ fails: {fails} }}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{EMPTY, Value};

    const FIELD: Register = Register(0);
    type Oracle = fn(f64, f64) -> bool;
    const COMPARES: [(Binary, Oracle); 5] = [
        (Binary::Lt, |a, b| a < b),
        (Binary::Le, |a, b| a <= b),
        (Binary::Gt, |a, b| a > b),
        (Binary::Ge, |a, b| a >= b),
        (Binary::Eq, |a, b| a == b),
    ];

    #[test]
    fn a_closed_interval_is_the_comparison() {
        let infinity = f64::INFINITY;
        let values = [-0.0, 0.0, 1.0, -1.0, 5e-324, f64::MAX, -f64::MAX, infinity, -infinity, f64::NAN];
        for (compare, oracle) in COMPARES {
            for k in values {
                let range = Range::new(FIELD, compare, k);
                for x in values {
                    let (mut registers, mut arena) = (EMPTY, vec![]);
                    let mut frame = Frame::new(&mut registers, &mut arena, &[]);
                    frame.set(FIELD, Value::Float(x));
                    assert_eq!(range.holds(&frame), oracle(x, k), "{x} {compare:?} {k}");
                    let both = range.and(Range::new(FIELD, Binary::Ge, 0.5));
                    assert_eq!(
                        both.holds(&frame),
                        oracle(x, k) && x >= 0.5,
                        "{x} {compare:?} {k} and >= 0.5"
                    );
                }
            }
        }
    }

    #[test]
    fn integer_intervals_are_exact_at_the_borders() {
        let values = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 53, (1 << 53) + 1, i64::MAX - 1, i64::MAX];
        for k in values {
            for x in values {
                let (mut registers, mut arena) = (EMPTY, vec![]);
                let mut frame = Frame::new(&mut registers, &mut arena, &[]);
                frame.set(FIELD, Value::Int(x));
                let holds = |compare| IntRange::new(FIELD, compare, k).holds(&frame);
                assert_eq!(holds(Binary::Lt), x < k, "{x} < {k}");
                assert_eq!(holds(Binary::Le), x <= k, "{x} <= {k}");
                assert_eq!(holds(Binary::Gt), x > k, "{x} > {k}");
                assert_eq!(holds(Binary::Ge), x >= k, "{x} >= {k}");
                assert_eq!(holds(Binary::Eq), x == k, "{x} == {k}");
            }
        }
    }
}
