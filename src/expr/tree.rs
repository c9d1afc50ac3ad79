//! The checked expression: every name a register, every operand of the right kind, everything constant computed.

use super::functions::Run;
use super::parse::Binary;
use crate::diagnostic::Place;
use crate::frame::Register;
use crate::types::{Kind, Type};
use std::fmt;
use std::ops::Range;

/// A value that is known before any record is.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
    /// A point in time, in milliseconds since 1970.
    Timestamp(i64),
    /// A span of time, in milliseconds.
    Duration(i64),
}

impl Constant {
    /// What kind of value it is.
    pub fn kind(&self) -> Kind {
        match self {
            Constant::Bool(_) => Kind::Bool,
            Constant::Int(_) => Kind::Int,
            Constant::Float(_) => Kind::Float,
            Constant::Text(_) => Kind::String,
            Constant::Timestamp(_) => Kind::Timestamp,
            Constant::Duration(_) => Kind::Duration,
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constant::Bool(b) => write!(f, "{b}"),
            Constant::Int(i) => write!(f, "{i}"),
            Constant::Float(x) => write!(f, "{x:?}"),
            Constant::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Constant::Timestamp(ms) => match super::time::rfc3339(*ms) {
                Some(time) => write!(f, "{time}"),
                None => write!(f, "{ms} ms"),
            },
            Constant::Duration(ms) => write!(f, "{}", super::time::Span(*ms)),
        }
    }
}

/// A checked node.
#[derive(Debug)]
pub(super) struct Node {
    pub ty: Type,
    pub range: Range<usize>,
    pub op: Op,
    /// Whether evaluating it can fail on a record.
    pub fails: bool,
    /// What is known to be present once this condition has been decided.
    pub facts: Facts,
    /// Where a field that this node reads is declared.
    pub declared: Option<Place>,
}

/// Registers known to be present when a condition holds, and when it does not: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub holds: u64,
    pub fails: u64,
}

#[derive(Debug)]
pub(super) enum Op {
    Constant(Constant),
    Field(Register),
    /// An int as a float.
    Widen(Box<Node>),
    Negate(Box<Node>),
    Not(Box<Node>),
    /// Both operands are of the node's kind, but for timestamps and durations, where all are milliseconds.
    Arithmetic(Binary, Box<Node>, Box<Node>),
    /// Both operands are of one kind.
    Compare(Binary, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    IsSet(Box<Node>),
    /// The first that is set; all but the last may be absent.
    Coalesce(Vec<Node>),
    Call(Call),
    /// Whether the two lists, all of one kind, have a value in common.
    Common(Vec<Node>, Vec<Node>),
    /// One of these, drawn anew for each record.
    Pick(std::sync::Arc<super::Dice>, Vec<Node>),
}

/// A function with its arguments.
pub(super) struct Call {
    pub run: Run,
    /// Why it can fail, as the reason says it.
    pub fails: Option<&'static str>,
    /// Whether the same arguments always give the same result.
    pub pure: bool,
    pub arguments: Vec<Node>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.arguments).finish()
    }
}

impl Node {
    pub fn new(op: Op, ty: Type, range: Range<usize>) -> Self {
        let fails = op.fails(ty);
        Node { ty, range, op, fails, facts: Facts::default(), declared: None }
    }

    pub fn constant(constant: Constant, range: Range<usize>) -> Self {
        let ty = Type::required(constant.kind());
        Node::new(Op::Constant(constant), ty, range)
    }

    pub fn kind(&self) -> Kind {
        self.ty.kind
    }

    pub fn as_constant(&self) -> Option<&Constant> {
        match &self.op {
            Op::Constant(constant) => Some(constant),
            _ => None,
        }
    }

    /// The int as a float; anything else as it is.
    pub fn widened(self) -> Self {
        if self.kind() != Kind::Int {
            return self;
        }
        let (range, ty) = (self.range.clone(), Type { kind: Kind::Float, optional: self.ty.optional });
        match self.op {
            Op::Constant(Constant::Int(i)) => Node::constant(Constant::Float(i as f64), range),
            _ => Node::new(Op::Widen(Box::new(self)), ty, range),
        }
    }
}

impl Op {
    /// Whether it can fail on a record; integers overflow, and so do milliseconds.
    fn fails(&self, ty: Type) -> bool {
        match self {
            Op::Constant(_) | Op::Field(_) => false,
            Op::Widen(a) | Op::Not(a) | Op::IsSet(a) => a.fails,
            Op::Negate(a) => a.fails || ty.kind != Kind::Float,
            Op::Arithmetic(_, a, b) => a.fails || b.fails || !matches!(ty.kind, Kind::Float | Kind::String),
            Op::Compare(_, a, b) | Op::And(a, b) | Op::Or(a, b) => a.fails || b.fails,
            Op::If(a, b, c) => a.fails || b.fails || c.fails,
            Op::Coalesce(list) | Op::Pick(_, list) => list.iter().any(|node| node.fails),
            Op::Common(a, b) => a.iter().chain(b).any(|node| node.fails),
            Op::Call(call) => call.fails.is_some() || call.arguments.iter().any(|node| node.fails),
        }
    }

    /// Whether it can be computed at check time: nothing below depends on a record or on dice.
    pub fn is_constant(&self) -> bool {
        let constant = |node: &Node| matches!(node.op, Op::Constant(_));
        match self {
            Op::Constant(_) | Op::Field(_) | Op::Pick(..) => false,
            Op::Widen(a) | Op::Not(a) | Op::IsSet(a) | Op::Negate(a) => constant(a),
            Op::Arithmetic(_, a, b) | Op::Compare(_, a, b) | Op::And(a, b) | Op::Or(a, b) => {
                constant(a) && constant(b)
            }
            Op::If(a, b, c) => constant(a) && constant(b) && constant(c),
            Op::Coalesce(list) => list.iter().all(constant),
            Op::Common(a, b) => a.iter().chain(b).all(constant),
            Op::Call(call) => call.pure && call.arguments.iter().all(constant),
        }
    }
}
