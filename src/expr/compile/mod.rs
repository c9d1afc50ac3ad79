//! From checked nodes to closures over registers. What can be decided here is not decided on a record.

mod conditions;
mod operands;

use crate::expr::code::{Cell, Closure, Code};
use crate::expr::condition::{Condition, Range};
use crate::expr::tree::{Call, Constant, Node, Op};
use crate::frame::{Frame, Register, Text, Value};
use crate::operator::{ReasonId, RecordError};
use crate::types::Kind;

/// Where constant texts and reasons are kept.
pub(super) trait Pool {
    fn constant(&mut self, text: &str) -> Text;
    fn reason(&mut self, text: &str) -> ReasonId;
}

/// Compiles the nodes of one expression.
pub(super) struct Compiler<'a> {
    /// What the author wrote: reasons quote it.
    pub text: &'a str,
    pub pool: &'a mut dyn Pool,
}

impl Compiler<'_> {
    /// The error of a node: what went wrong, and in which part of the expression.
    fn error(&mut self, what: &str, range: &std::ops::Range<usize>) -> RecordError {
        let sentence = format!("{what} in `{}`", &self.text[range.clone()]);
        RecordError::new(self.pool.reason(&sentence))
    }

    /// A constant as a register holds it.
    pub fn constant(&mut self, constant: &Constant) -> Value {
        match constant {
            Constant::Bool(b) => Value::Bool(*b),
            Constant::Int(i) | Constant::Timestamp(i) | Constant::Duration(i) => Value::Int(*i),
            Constant::Float(x) => Value::Float(*x),
            Constant::Text(text) => Value::Text(self.pool.constant(text)),
        }
    }

    /// Any node, as a value that may be absent.
    pub fn value(&mut self, node: Node) -> Closure<Value> {
        match node.op {
            Op::Field(register) if node.ty.optional => field_or_absent(node.ty.kind, register),
            Op::If(condition, a, b) if node.ty.optional => {
                let condition = self.condition(*condition);
                let (a, b) = (self.value(*a), self.value(*b));
                Box::new(move |frame| if condition.holds(frame)? { a(frame) } else { b(frame) })
            }
            Op::Coalesce(list) => self.coalesce(list),
            Op::Widen(inner) if inner.ty.optional => {
                let inner = self.value(*inner);
                Box::new(move |frame| {
                    Ok(match inner(frame)? {
                        Value::Int(i) => Value::Float(i as f64),
                        other => other,
                    })
                })
            }
            _ => match node.ty.kind {
                Kind::Float => boxed(self.float(node)),
                Kind::Int | Kind::Timestamp | Kind::Duration => boxed(self.int(node)),
                Kind::Bool => {
                    let condition = self.condition(node);
                    Box::new(move |frame| condition.holds(frame).map(Value::Bool))
                }
                Kind::String | Kind::Json | Kind::List(_) => boxed(self.text(node)),
            },
        }
    }

    fn values(&mut self, list: Vec<Node>) -> Vec<Closure<Value>> {
        list.into_iter().map(|node| self.value(node)).collect()
    }

    fn coalesce(&mut self, list: Vec<Node>) -> Closure<Value> {
        let list = self.values(list);
        Box::new(move |frame| {
            for item in &list {
                let value = item(frame)?;
                if value.is_set() {
                    return Ok(value);
                }
            }
            Ok(Value::Absent)
        })
    }

    /// What all kinds share: constants aside, a register, a choice, a call.
    fn shared<T: Cell>(&mut self, node: Node, part: fn(&mut Self, Node) -> Code<T>) -> Code<T> {
        match node.op {
            Op::Field(register) => Code::Field(register),
            Op::If(condition, a, b) => self.choice(*condition, *a, *b, part),
            Op::Call(call) => self.call(call, &node.range).of(),
            Op::Coalesce(mut list)
                if matches!(list[0].op, Op::Field(_)) && list.len() == 2 && !node.ty.optional =>
            {
                let (default, field) = (part(self, list.remove(1)), list.remove(0));
                let Op::Field(field) = field.op else { return default };
                Code::run(move |frame| match frame.is_set(field) {
                    true => Ok(T::read(frame, field)),
                    false => default.get(frame),
                })
            }
            Op::Pick(dice, list) => {
                let list = self.values(list);
                Code::run(move |frame| {
                    let at = dice.int(0, list.len() as i64 - 1).unwrap_or_default();
                    list[at as usize](frame).map(T::of)
                })
            }
            op => {
                let value = self.value(Node { op, ..node });
                Code::run(move |frame| value(frame).map(T::of))
            }
        }
    }

    /// `if` in `if` in the last place is one list of cases. When all of them are intervals with constants, nothing can
    /// fail and every comparison is made: cheaper than a branch that data decides.
    fn choice<T: Cell>(
        &mut self,
        condition: Node,
        then: Node,
        otherwise: Node,
        part: fn(&mut Self, Node) -> Code<T>,
    ) -> Code<T> {
        let mut cases = vec![(self.condition(condition), part(self, then))];
        let mut last = otherwise;
        while let Op::If(condition, then, otherwise) = last.op {
            cases.push((self.condition(*condition), part(self, *then)));
            last = *otherwise;
        }
        let last = part(self, last);
        if let (Some(table), Code::Constant(otherwise)) = (constant_cases(&cases), &last) {
            let otherwise = *otherwise;
            return Code::run(move |frame| {
                let select = |chosen, (range, then): &(Range, T)| {
                    std::hint::select_unpredictable(range.holds(frame), *then, chosen)
                };
                Ok(table.iter().rev().fold(otherwise, select))
            });
        }
        Code::run(move |frame| {
            for (condition, then) in &cases {
                if condition.holds(frame)? {
                    return then.get(frame);
                }
            }
            last.get(frame)
        })
    }

    /// A function on values. Arguments are evaluated from the left.
    fn call(&mut self, call: Call, range: &std::ops::Range<usize>) -> CallCode {
        let error = call.fails.map(|what| self.error(what, range));
        let error = error.unwrap_or(RecordError::new(ReasonId(0)));
        let run = call.run;
        let mut arguments = self.values(call.arguments);
        if arguments.len() > MAX_ARGUMENTS {
            return CallCode(Box::new(move |frame| {
                // Only functions of any number of arguments come here; they fold them pairwise.
                let mut value = arguments[0](frame)?;
                for next in &arguments[1..] {
                    let pair = [value, next(frame)?];
                    value = run(frame, &pair).ok_or(error)?;
                }
                Ok(value)
            }));
        }
        if arguments.len() == 1 {
            let argument = arguments.pop().expect("there is one");
            return CallCode(Box::new(move |frame| {
                let value = argument(frame)?;
                run(frame, &[value]).ok_or(error)
            }));
        }
        CallCode(Box::new(move |frame| {
            let mut values = [Value::Absent; MAX_ARGUMENTS];
            for (value, argument) in values.iter_mut().zip(&arguments) {
                *value = argument(frame)?;
            }
            run(frame, &values[..arguments.len()]).ok_or(error)
        }))
    }
}

/// As many arguments as a function takes whose number of arguments is bounded, and a few more.
const MAX_ARGUMENTS: usize = 4;

/// What goes wrong with integers, in the words of the dead letter.
pub(super) const OVERFLOW: &str = "integer overflow";

/// A call before its result has a type.
struct CallCode(Closure<Value>);

impl CallCode {
    fn of<T: Cell>(self) -> Code<T> {
        let run = self.0;
        Code::run(move |frame| run(frame).map(T::of))
    }
}

fn boxed<T: Cell>(code: Code<T>) -> Closure<Value> {
    match code {
        Code::Constant(constant) => Box::new(move |_| Ok(constant.value())),
        Code::Field(register) => Box::new(move |frame| Ok(T::read(frame, register).value())),
        Code::Run(run) => Box::new(move |frame| run(frame).map(T::value)),
    }
}

/// A register of a kind as a value.
pub(super) fn field(kind: Kind, register: Register, frame: &Frame<'_>) -> Value {
    if !frame.is_set(register) {
        return Value::Absent;
    }
    match kind {
        Kind::Float => Value::Float(frame.float(register)),
        Kind::Int | Kind::Timestamp | Kind::Duration => Value::Int(frame.int(register)),
        Kind::Bool => Value::Bool(frame.bool(register)),
        Kind::String | Kind::Json | Kind::List(_) => Value::Text(frame.text(register)),
    }
}

fn field_or_absent(kind: Kind, register: Register) -> Closure<Value> {
    Box::new(move |frame| Ok(field(kind, register, frame)))
}

/// Cases that are all an interval and a constant.
fn constant_cases<T: Cell>(cases: &[(Condition, Code<T>)]) -> Option<Vec<(Range, T)>> {
    let case = |(condition, then): &(Condition, Code<T>)| match (condition, then) {
        (Condition::Within(range), Code::Constant(then)) => Some((*range, *then)),
        _ => None,
    };
    cases.iter().map(case).collect()
}
