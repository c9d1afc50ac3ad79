//! Constants are computed once, at check time, by the code that would run on a record: there is no second evaluator.

use super::compile::{Compiler, Pool};
use super::tree::{Constant, Node};
use crate::frame::{EMPTY, Frame, Text, Value};
use crate::operator::ReasonId;
use crate::types::Kind;

/// Computes a node whose operands are constants: the value, or why there is none.
pub(super) fn fold(text: &str, node: Node) -> Result<Constant, String> {
    let kind = node.kind();
    let mut pool = Scratch::default();
    let run = Compiler { text, pool: &mut pool }.value(node);
    let (mut registers, mut arena) = (EMPTY, vec![]);
    let mut frame = Frame::new(&mut registers, &mut arena, &pool.constants);
    match run(&mut frame) {
        Ok(value) => Ok(constant(kind, value, &frame)),
        Err(error) => Err(pool.reasons.swap_remove(error.reason.0 as usize)),
    }
}

/// A value with its kind, its text taken out of the frame.
pub(super) fn constant(kind: Kind, value: Value, frame: &Frame<'_>) -> Constant {
    match value {
        Value::Bool(b) => Constant::Bool(b),
        Value::Float(x) => Constant::Float(x),
        Value::Int(ms) if kind == Kind::Timestamp => Constant::Timestamp(ms),
        Value::Int(ms) if kind == Kind::Duration => Constant::Duration(ms),
        Value::Int(i) => Constant::Int(i),
        Value::Text(text) => Constant::Text(frame.str_of(text).to_owned()),
        Value::Absent => Constant::zero(kind),
    }
}

/// The texts of one computation.
#[derive(Default)]
struct Scratch {
    constants: Vec<u8>,
    reasons: Vec<String>,
}

impl Pool for Scratch {
    fn constant(&mut self, text: &str) -> Text {
        let start = self.constants.len();
        self.constants.extend_from_slice(text.as_bytes());
        Text::constant(start, self.constants.len())
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.reasons.push(text.to_owned());
        ReasonId((self.reasons.len() - 1) as u16)
    }
}

impl Constant {
    /// Something of a kind, for code that is never reached.
    pub(super) fn zero(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Constant::Bool(false),
            Kind::Int => Constant::Int(0),
            Kind::Float => Constant::Float(0.0),
            Kind::Timestamp => Constant::Timestamp(0),
            Kind::Duration => Constant::Duration(0),
            Kind::String | Kind::Json | Kind::List(_) => Constant::Text(String::new()),
        }
    }
}
