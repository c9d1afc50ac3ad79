//! The function table: what a function is called, takes and gives, with a summary and an example that a test runs.
//! Checking, `help FUNCTION` and the docs all come out of it.

mod lists;
mod numbers;
mod table;
mod texts;
mod times;

use super::Dice;
use crate::frame::{Frame, Value};
use crate::types::Kind;

pub(super) use lists::{
    contains as list_contains, contains_any as lists_share, equals, length as list_length,
};
pub(super) use numbers::{largest, least};
pub use table::FUNCTIONS;
pub(super) use texts::length as text_length;
pub(super) use times::{format_time, matches, parse_time};

/// A function on evaluated arguments; nothing when it fails.
pub(super) type Run = Box<dyn Fn(&mut Frame<'_>, &[Value]) -> Option<Value> + Send + Sync>;
type RunFn = fn(&mut Frame<'_>, &[Value]) -> Option<Value>;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// As it is called.
    pub name: &'static str,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What it gives, as its signature says it.
    pub gives: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// An expression with it.
    pub example: &'static str,
    /// What the example comes to, or what it means where that depends on many records or on dice.
    pub result: &'static str,
    /// Where it may stand.
    pub stands: Stands,
    pub(super) body: Body,
}

/// An argument of a function.
#[derive(Debug)]
pub struct Parameter {
    /// What it is called in the signature.
    pub name: &'static str,
    /// What fits it.
    pub takes: Takes,
    /// How many of them there are.
    pub count: Count,
}

/// What fits a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any value; it may be absent.
    Maybe,
    /// Any value.
    Any,
    /// A text.
    Text,
    /// A text that is known at check time.
    Constant,
    /// An integer.
    Int,
    /// An int or a float, taken as a float.
    Number,
    /// A condition.
    Bool,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// A list field, or values in parentheses.
    List,
}

/// How many arguments a parameter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// One or none.
    Optional,
    /// One or more.
    Many,
}

/// Where a function may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// In every expression.
    Anywhere,
    /// In `[generate]` only.
    Generate,
    /// In `compute` only: it summarises many records.
    Compute,
    /// In every expression, and with one argument it is an aggregate of `compute`.
    Both,
}

/// How a function is typed and run.
#[derive(Debug)]
pub(super) enum Body {
    /// Its parameters say what it takes.
    Values(Choice),
    /// What it does depends on the kind of its only argument.
    ByKind(fn(Kind) -> Option<Choice>),
    /// It asks the dice.
    Dice { gives: Kind, fails: Option<&'static str>, run: fn(&Dice, &[Value]) -> Option<Value> },
    /// Checked by a rule of its own.
    Special(Special),
}

/// What a function gives and does.
#[derive(Debug)]
pub(super) struct Choice {
    pub gives: Kind,
    pub fails: Option<&'static str>,
    pub run: RunFn,
}

/// Functions with a rule of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    If,
    IsSet,
    Coalesce,
    TypeOf,
    Field,
    Min,
    Max,
    Len,
    Contains,
    ContainsAny,
    Matches,
    FormatTime,
    ParseTime,
    Pick,
    Aggregate,
}

impl Function {
    /// How it is called: `str::substring(text: string, start: int, end?: int) -> string`.
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(Parameter::text).collect();
        format!("{}({}) -> {}", self.name, parameters.join(", "), self.gives)
    }

    /// The least and the largest number of arguments.
    pub fn arity(&self) -> (usize, usize) {
        let least = self.parameters.iter().filter(|p| p.count != Count::Optional).count();
        let many = self.parameters.iter().any(|p| p.count == Count::Many);
        (least, if many { usize::MAX } else { self.parameters.len() })
    }

    /// The parameter that an argument belongs to.
    pub(super) fn parameter(&self, at: usize) -> &Parameter {
        &self.parameters[at.min(self.parameters.len() - 1)]
    }
}

impl Parameter {
    fn text(&self) -> String {
        match self.count {
            Count::One => format!("{}: {}", self.name, self.takes.text()),
            Count::Optional => format!("{}?: {}", self.name, self.takes.text()),
            Count::Many => format!("{}: {}, …", self.name, self.takes.text()),
        }
    }
}

impl Takes {
    /// As a signature says it.
    pub fn text(self) -> &'static str {
        match self {
            Takes::Maybe => "any?",
            Takes::Any => "any",
            Takes::Text => "string",
            Takes::Constant => "constant string",
            Takes::Int => "int",
            Takes::Number => "number",
            Takes::Bool => "bool",
            Takes::Timestamp => "timestamp",
            Takes::Duration => "duration",
            Takes::List => "list",
        }
    }

    /// With an article, for messages.
    pub(super) fn one(self) -> &'static str {
        match self {
            Takes::Maybe | Takes::Any => "a value",
            Takes::Text => "a string",
            Takes::Constant => "a constant string",
            Takes::Int => "an int",
            Takes::Number => "a number",
            Takes::Bool => "a bool",
            Takes::Timestamp => "a timestamp",
            Takes::Duration => "a duration",
            Takes::List => "a list",
        }
    }

    /// Whether a kind fits.
    pub(super) fn accepts(self, kind: Kind) -> bool {
        match self {
            Takes::Maybe | Takes::Any => true,
            Takes::Text | Takes::Constant => kind == Kind::String,
            Takes::Int => kind == Kind::Int,
            Takes::Number => kind.is_number(),
            Takes::Bool => kind == Kind::Bool,
            Takes::Timestamp => kind == Kind::Timestamp,
            Takes::Duration => kind == Kind::Duration,
            Takes::List => matches!(kind, Kind::List(_)),
        }
    }
}

/// The function of a name.
pub(super) fn named(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn float(values: &[Value], at: usize) -> f64 {
    match values.get(at) {
        Some(Value::Float(x)) => *x,
        _ => 0.0,
    }
}

fn int(values: &[Value], at: usize) -> i64 {
    match values.get(at) {
        Some(Value::Int(i)) => *i,
        _ => 0,
    }
}

fn text(values: &[Value], at: usize) -> crate::frame::Text {
    match values.get(at) {
        Some(Value::Text(text)) => *text,
        _ => crate::frame::Text::EMPTY,
    }
}
