//! Expressions: from a text in the file to closures over registers.
//!
//! `lex` cuts the text and bounds its size, `order` refuses what is no expression, `parse` lets evalexpr decide what
//! binds to what, `check` resolves names, types and absence and computes what is constant, `compile` makes closures.
//! What is left to fail on a record is short (see [`Expression::value`]); everything else is a [`Diagnostic`] with its
//! place.
//!
//! Nothing here knows where names come from: a node of the plan hands in [`Names`].

mod aggregate;
mod check;
mod code;
mod compile;
mod condition;
mod dice;
mod fold;
mod functions;
mod lex;
mod order;
mod parse;
mod time;
mod tree;

#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Passage, Place, Severity};
use crate::frame::{Frame, Register, Text, Value};
use crate::operator::{ReasonId, RecordError};
use crate::types::{Kind, Type};
use compile::{Compiler, Pool};
use std::fmt;
use std::ops::Range as Bytes;
use std::sync::Arc;

pub use aggregate::{Aggregate, AggregateCall, RowNames, compile_compute};
pub use code::Closure;
pub use condition::{Condition, IntRange, Range};
pub use dice::Dice;
pub use functions::{Count, FUNCTIONS, Function, Parameter, Stands, Takes};
pub use tree::Constant;

/// Where names come from.
pub trait Names {
    /// The field of a name, marked as read: it gets a register.
    fn field(&mut self, name: &str) -> Option<Field>;
    /// Where a field is declared, without reading it.
    fn has_field(&self, name: &str) -> Option<Place>;
    /// The param of a name, marked as used.
    fn param(&mut self, name: &str) -> Option<Param>;
    /// The fields and params that could stand here.
    fn candidates(&self) -> Vec<String>;
    /// What fields there are, as a note: "`valid` has sensor_id, temperature, humidity?".
    fn describe(&self) -> Option<String>;
    /// What has the fields: "`valid`".
    fn subject(&self) -> String;
    /// Keeps a text among the plan's constants.
    fn constant(&mut self, text: &str) -> Text;
    /// Keeps a reason for dead letters among the plan's.
    fn reason(&mut self, text: &str) -> ReasonId;
}

/// A field that an expression reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where its value stands.
    pub register: Register,
    /// What it is.
    pub ty: Type,
    /// Where it is declared, if it is.
    pub declared: Option<Place>,
}

/// A param that an expression uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its value.
    pub value: ParamValue,
    /// Where it is declared.
    pub declared: Place,
}

/// What a param can be.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
    /// A duration in milliseconds.
    Duration(i64),
}

impl From<ParamValue> for Constant {
    fn from(value: ParamValue) -> Self {
        match value {
            ParamValue::Bool(b) => Constant::Bool(b),
            ParamValue::Int(i) => Constant::Int(i),
            ParamValue::Float(x) => Constant::Float(x),
            ParamValue::Text(text) => Constant::Text(text),
            ParamValue::Duration(ms) => Constant::Duration(ms),
        }
    }
}

/// What an expression is for, where that decides which functions may stand in it.
#[derive(Clone, Debug)]
pub enum Setting {
    /// A record: everything is a function of it.
    Record,
    /// `[generate]`: dice and the time of day too.
    Generate(Arc<Dice>),
}

/// A checked, compiled expression.
pub struct Expression {
    /// What it gives.
    pub ty: Type,
    program: Program,
    fails: bool,
}

enum Program {
    Constant(Constant, Value),
    Field(Register, Kind),
    Condition(Condition),
    Value(Closure<Value>),
}

impl Expression {
    /// Its value for a record; absent only when its type is optional. An error is one of these, each with the part of
    /// the expression in which it happened: an integer overflow, an integer division by zero, a text or float that
    /// does not convert, a time beyond the years that can be written.
    #[inline]
    pub fn value(&self, frame: &mut Frame<'_>) -> Result<Value, RecordError> {
        match &self.program {
            Program::Constant(_, value) => Ok(*value),
            Program::Field(register, kind) => Ok(compile::field(*kind, *register, frame)),
            Program::Condition(condition) => condition.holds(frame).map(Value::Bool),
            Program::Value(value) => value(frame),
        }
    }

    /// The value, if it is the same whatever the record.
    pub fn constant(&self) -> Option<&Constant> {
        match &self.program {
            Program::Constant(constant, _) => Some(constant),
            _ => None,
        }
    }

    /// The same as a register holds it.
    pub fn always(&self) -> Option<Value> {
        match &self.program {
            Program::Constant(_, value) => Some(*value),
            _ => None,
        }
    }

    /// The register, if it is a field and nothing else.
    pub fn register(&self) -> Option<Register> {
        match self.program {
            Program::Field(register, _) => Some(register),
            _ => None,
        }
    }

    /// Whether `value` never returns an error.
    pub fn cannot_fail(&self) -> bool {
        !self.fails
    }

    /// As a condition; its type must be a bool that is always there.
    pub fn into_condition(self) -> Condition {
        debug_assert_eq!(self.ty, Type::required(Kind::Bool));
        match self.program {
            Program::Condition(condition) => condition,
            Program::Constant(Constant::Bool(always), _) => Condition::Always(always),
            Program::Field(register, _) => Condition::IsTrue(register),
            _ => Condition::Always(false),
        }
    }

    /// A text that is the same for every record.
    pub fn text(text: Text, said: &str) -> Self {
        Expression::fixed(Kind::String, Constant::Text(said.to_owned()), Value::Text(text))
    }

    /// An integer that is the same for every record.
    pub fn int(int: i64) -> Self {
        Expression::fixed(Kind::Int, Constant::Int(int), Value::Int(int))
    }

    /// A float that is the same for every record.
    pub fn float(float: f64) -> Self {
        Expression::fixed(Kind::Float, Constant::Float(float), Value::Float(float))
    }

    /// A boolean that is the same for every record.
    pub fn bool(bool: bool) -> Self {
        Expression::fixed(Kind::Bool, Constant::Bool(bool), Value::Bool(bool))
    }

    fn fixed(kind: Kind, constant: Constant, value: Value) -> Self {
        Expression { ty: Type::required(kind), program: Program::Constant(constant, value), fails: false }
    }

    /// The same value as `kind`, which is its own or, for an integer, a float.
    pub fn widened(self, kind: Kind) -> Self {
        if self.ty.kind == kind || kind != Kind::Float {
            return self;
        }
        let ty = Type { kind, optional: self.ty.optional };
        if let Program::Constant(Constant::Int(int), _) = self.program {
            return Expression::float(int as f64);
        }
        let fails = self.fails;
        let widen = move |frame: &mut Frame<'_>| {
            Ok(match self.value(frame)? {
                Value::Int(int) => Value::Float(int as f64),
                other => other,
            })
        };
        Expression { ty, program: Program::Value(Box::new(widen)), fails }
    }

    fn new(node: tree::Node, text: &str, pool: &mut dyn Pool) -> Self {
        let (ty, fails) = (node.ty, node.fails);
        let mut compiler = Compiler { text, pool };
        let program = match node.op {
            tree::Op::Constant(constant) => {
                let value = compiler.constant(&constant);
                Program::Constant(constant, value)
            }
            tree::Op::Field(register) => Program::Field(register, ty.kind),
            op if ty == Type::required(Kind::Bool) => {
                Program::Condition(compiler.condition(tree::Node { op, ..node }))
            }
            op => Program::Value(compiler.value(tree::Node { op, ..node })),
        };
        Expression { ty, program, fails }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.ty)?;
        match &self.program {
            Program::Constant(constant, _) => write!(f, "{constant}"),
            Program::Field(register, _) => write!(f, "{register:?}"),
            Program::Condition(condition) => write!(f, "{condition:?}"),
            Program::Value(_) => f.write_str("closure"),
        }
    }
}

/// The plan's constants and reasons, by way of the names.
struct ByNames<'n>(&'n mut dyn Names);

impl Pool for ByNames<'_> {
    fn constant(&mut self, text: &str) -> Text {
        self.0.constant(text)
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.0.reason(text)
    }
}

/// Checks and compiles an expression over one record. All its faults and warnings go to `faults`; with a fault there is
/// no expression.
pub fn compile(
    passage: &Passage,
    names: &mut dyn Names,
    setting: Setting,
    faults: &mut Vec<Diagnostic>,
) -> Option<Expression> {
    let node = checked(passage, names, setting, faults)?;
    Some(Expression::new(node, &passage.text, &mut ByNames(names)))
}

/// Checks and compiles an expression that has to be true or false for every record.
pub fn compile_condition(
    passage: &Passage,
    names: &mut dyn Names,
    faults: &mut Vec<Diagnostic>,
) -> Option<Condition> {
    let node = checked(passage, names, Setting::Record, faults)?;
    let node = check::condition(passage, node, faults)?;
    Some(Expression::new(node, &passage.text, &mut ByNames(names)).into_condition())
}

fn checked(
    passage: &Passage,
    names: &mut dyn Names,
    setting: Setting,
    faults: &mut Vec<Diagnostic>,
) -> Option<tree::Node> {
    let ast = parse::parse(passage, faults)?;
    let mut found = vec![];
    let node = check::Checker::new(passage, check::Scope::Record(names), setting, &mut found).whole(&ast);
    let sound = found.iter().all(|fault| fault.severity != Severity::Error);
    debug_assert!(sound == node.is_some(), "a fault and no expression go together: {found:?}");
    faults.append(&mut found);
    node.filter(|_| sound)
}

/// The names that a text mentions if it reads as an expression, and where: of `temperature > 80` the first eleven
/// bytes, of `too hot` nothing.
pub fn names_in(text: &str) -> Vec<Bytes<usize>> {
    let passage = Passage::plain(text, 0);
    let tokens = parse::tokens(&passage, &mut vec![]).unwrap_or_default();
    let called = |at: usize| tokens.get(at + 1).is_some_and(|next| next.kind == lex::TokenKind::Open);
    let name = |at: usize| matches!(tokens[at].kind, lex::TokenKind::Name(_)) && !called(at);
    (0..tokens.len()).filter(|at| name(*at)).map(|at| tokens[at].range.clone()).collect()
}
