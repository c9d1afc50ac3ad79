//! Aggregates: what `compute` asks of all records of a window, and the expression over their results.

use super::check::{Checker, Scope};
use super::{ByNames, Expression, Field, Names, Setting, parse};
use crate::diagnostic::{Diagnostic, Passage, Place, Severity};
use crate::types::{Kind, Type};

/// The row that `compute` sees: the `by` fields, the window's bounds and one cell an aggregate.
pub trait RowNames: Names {
    /// A cell for an aggregate, or the one that it already has: equal calls have equal texts. (Within an expression
    /// each is asked for once; between the expressions of a node it is for the row to find them equal.)
    fn aggregate(&mut self, call: AggregateCall) -> Field;
}

/// A summary of many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many there are, or how many have a field.
    Count,
    /// The sum.
    Sum,
    /// The least.
    Min,
    /// The largest.
    Max,
    /// The mean.
    Avg,
    /// What came first.
    First,
    /// What came last.
    Last,
}

/// An aggregate in an expression.
#[derive(Debug)]
pub struct AggregateCall {
    /// Which one.
    pub function: Aggregate,
    /// Of what; `count()` has none. Records for which it is absent are skipped.
    pub argument: Option<Expression>,
    /// What it gives.
    pub ty: Type,
    /// As it is written, white space aside: the same for equal calls.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl AggregateCall {
    /// What the bytes mean that it gathers: how it is written and what it is of, `min(temperature) float`.
    pub fn meaning(&self) -> String {
        match &self.argument {
            Some(argument) => format!("{} {}", self.text, argument.ty.kind),
            None => self.text.clone(),
        }
    }
}

impl Aggregate {
    /// The aggregate of a function's name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Aggregate::Count,
            "sum" => Aggregate::Sum,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "avg" => Aggregate::Avg,
            "first" => Aggregate::First,
            "last" => Aggregate::Last,
            _ => return None,
        })
    }

    /// What it gives for an argument; the kinds it takes in words where it does not take this one.
    pub(super) fn gives(self, argument: Type) -> Result<Type, &'static str> {
        let kind = argument.kind;
        let ordered = kind.is_number() || matches!(kind, Kind::Timestamp | Kind::Duration);
        match self {
            Aggregate::Count => Ok(Type::required(Kind::Int)),
            Aggregate::Sum if kind.is_number() => Ok(Type::required(kind)),
            Aggregate::Avg if kind.is_number() => Ok(Type { kind: Kind::Float, ..argument }),
            Aggregate::Min | Aggregate::Max if ordered => Ok(argument),
            Aggregate::First | Aggregate::Last => Ok(argument),
            Aggregate::Sum | Aggregate::Avg => Err("a number"),
            Aggregate::Min | Aggregate::Max => Err("a number or a timestamp"),
        }
    }
}

/// Checks and compiles an expression of `compute`: arguments of aggregates over `input`'s fields, the rest over the
/// row.
pub fn compile_compute(
    passage: &Passage,
    input: &mut dyn Names,
    row: &mut dyn RowNames,
    faults: &mut Vec<Diagnostic>,
) -> Option<Expression> {
    let ast = parse::parse(passage, faults)?;
    let mut found = vec![];
    let scope = Scope::Row { input, row };
    let node = Checker::new(passage, scope, Setting::Record, &mut found).whole(&ast);
    let sound = found.iter().all(|fault| fault.severity != Severity::Error);
    faults.append(&mut found);
    let node = node.filter(|_| sound)?;
    Some(Expression::new(node, &passage.text, &mut ByNames(row)))
}
