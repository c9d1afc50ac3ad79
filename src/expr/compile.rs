//! From checked nodes to closures over registers. What can be decided here is not decided on a record.

use super::code::{Cell, Closure, Code};
use super::condition::{Condition, IntRange, Range};
use super::functions::equals;
use super::parse::Binary;
use super::tree::{Call, Constant, Node, Op};
use crate::frame::{Frame, Register, Text, Value};
use crate::operator::{ReasonId, RecordError};
use crate::types::Kind;
use std::cmp::Ordering;

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

    pub fn float(&mut self, node: Node) -> Code<f64> {
        match node.op {
            Op::Constant(Constant::Float(x)) => Code::Constant(x),
            Op::Widen(inner) if !inner.ty.optional => self.int(*inner).map(|_, i| Ok(i as f64)),
            Op::Negate(inner) => self.float(*inner).map(|_, x| Ok(-x)),
            Op::Arithmetic(operator, a, b) => {
                let (a, b) = (self.float(*a), self.float(*b));
                match operator {
                    Binary::Add => a.join(b, |_, a, b| Ok(a + b)),
                    Binary::Sub => a.join(b, |_, a, b| Ok(a - b)),
                    Binary::Mul => a.join(b, |_, a, b| Ok(a * b)),
                    Binary::Div => a.join(b, |_, a, b| Ok(a / b)),
                    Binary::Rem => a.join(b, |_, a, b| Ok(a % b)),
                    _ => a.join(b, |_, a, b| Ok(a.powf(b))),
                }
            }
            op => self.shared(Node { op, ..node }, Self::float),
        }
    }

    pub fn int(&mut self, node: Node) -> Code<i64> {
        match node.op {
            Op::Constant(Constant::Int(i) | Constant::Timestamp(i) | Constant::Duration(i)) => {
                Code::Constant(i)
            }
            Op::Negate(inner) => {
                let overflow = self.error(OVERFLOW, &node.range);
                self.int(*inner).map(move |_, i| i.checked_neg().ok_or(overflow))
            }
            Op::Arithmetic(operator, a, b) => {
                let overflow = self.error(OVERFLOW, &node.range);
                let zero = match operator {
                    Binary::Div | Binary::Rem => self.error("division by zero", &node.range),
                    _ => overflow,
                };
                let (a, b) = (self.int(*a), self.int(*b));
                match operator {
                    Binary::Add => a.join(b, move |_, a, b| a.checked_add(b).ok_or(overflow)),
                    Binary::Sub => a.join(b, move |_, a, b| a.checked_sub(b).ok_or(overflow)),
                    Binary::Mul => a.join(b, move |_, a, b| a.checked_mul(b).ok_or(overflow)),
                    Binary::Div => {
                        a.join(b, move |_, a, b| a.checked_div(b).ok_or(if b == 0 { zero } else { overflow }))
                    }
                    _ => {
                        a.join(b, move |_, a, b| a.checked_rem(b).ok_or(if b == 0 { zero } else { overflow }))
                    }
                }
            }
            op => self.shared(Node { op, ..node }, Self::int),
        }
    }

    pub fn text(&mut self, node: Node) -> Code<Text> {
        match node.op {
            Op::Constant(Constant::Text(text)) => Code::Constant(self.pool.constant(&text)),
            Op::Arithmetic(_, a, b) => {
                let (a, b) = (self.text(*a), self.text(*b));
                a.join(b, |frame, a, b| {
                    let start = frame.arena.len();
                    frame.append(a);
                    frame.append(b);
                    Ok(Text::arena(start, frame.arena.len()))
                })
            }
            op => self.shared(Node { op, ..node }, Self::text),
        }
    }

    fn bool(&mut self, node: Node) -> Code<bool> {
        match node.op {
            Op::Constant(Constant::Bool(always)) => Code::Constant(always),
            Op::Field(register) => Code::Field(register),
            op => {
                let condition = self.condition(Node { op, ..node });
                Code::run(move |frame| condition.holds(frame))
            }
        }
    }

    pub fn condition(&mut self, node: Node) -> Condition {
        let fails = node.fails;
        match node.op {
            Op::Constant(Constant::Bool(always)) => Condition::Always(always),
            Op::Field(register) => Condition::IsTrue(register),
            Op::Not(inner) => self.condition(*inner).negated(),
            op @ (Op::And(..) | Op::Or(..)) => self.logic(Node { op, ..node }),
            Op::IsSet(inner) => self.is_set(*inner, fails),
            Op::Compare(operator, a, b) => self.compare(operator, *a, *b, fails),
            Op::Common(a, b) => self.common(a, b, fails),
            op => {
                let code = self.shared(Node { op, ..node }, Self::bool);
                Condition::Closure { holds: code.closure(), fails }
            }
        }
    }

    /// `a && b && c` leans to the left as deep as it is long; it is compiled in a loop.
    fn logic(&mut self, node: Node) -> Condition {
        let mut rights = vec![];
        let mut first = node;
        loop {
            let and = matches!(first.op, Op::And(..));
            match first.op {
                Op::And(left, right) | Op::Or(left, right) => {
                    rights.push((and, right));
                    first = *left;
                }
                op => {
                    first = Node { op, ..first };
                    break;
                }
            }
        }
        let mut condition = self.condition(first);
        for (and, right) in rights.into_iter().rev() {
            let right = self.condition(*right);
            condition = if and { condition.and(right) } else { condition.or(right) };
        }
        condition
    }

    /// Lists are short and written out: each of one is compared with each of the other.
    fn common(&mut self, a: Vec<Node>, b: Vec<Node>, fails: bool) -> Condition {
        let (a, b) = (self.values(a), self.values(b));
        let holds: Closure<bool> = Box::new(move |frame| {
            let mut found = false;
            for b in &b {
                let b = b(frame)?;
                for a in &a {
                    let a = a(frame)?;
                    found |= equals(frame, a, b);
                }
            }
            Ok(found)
        });
        Condition::Closure { holds, fails }
    }

    fn is_set(&mut self, node: Node, fails: bool) -> Condition {
        if let Op::Field(register) = node.op {
            return Condition::IsSet(register);
        }
        let value = self.value(node);
        Condition::Closure { holds: Box::new(move |frame| Ok(value(frame)?.is_set())), fails }
    }

    fn compare(&mut self, operator: Binary, a: Node, b: Node, fails: bool) -> Condition {
        let closure = |holds: Code<bool>| Condition::Closure { holds: holds.closure(), fails };
        match a.ty.kind {
            Kind::Float => match (exact_ints(operator, &a, &b), exact_ints(flip(operator), &b, &a)) {
                (Some(condition), _) | (None, Some(condition)) => condition,
                (None, None) => self.compare_floats(operator, a, b, closure),
            },
            Kind::Int | Kind::Timestamp | Kind::Duration => self.compare_ints(operator, a, b, closure),
            Kind::Bool => {
                let (a, b) = (self.bool(a), self.bool(b));
                let equal = operator == Binary::Eq;
                closure(a.join(b, move |_, a, b| Ok((a == b) == equal)))
            }
            _ => self.compare_texts(operator, a, b, closure),
        }
    }

    fn compare_floats(
        &mut self,
        operator: Binary,
        a: Node,
        b: Node,
        closure: impl Fn(Code<bool>) -> Condition,
    ) -> Condition {
        match (self.float(a), self.float(b)) {
            (Code::Field(field), Code::Constant(k)) => {
                unless_ne(operator, |compare| Condition::Within(Range::new(field, compare, k)))
            }
            (Code::Constant(k), Code::Field(field)) => {
                unless_ne(flip(operator), |compare| Condition::Within(Range::new(field, compare, k)))
            }
            (a, b) => closure(match operator {
                Binary::Lt => a.join(b, |_, a, b| Ok(a < b)),
                Binary::Le => a.join(b, |_, a, b| Ok(a <= b)),
                Binary::Gt => a.join(b, |_, a, b| Ok(a > b)),
                Binary::Ge => a.join(b, |_, a, b| Ok(a >= b)),
                Binary::Ne => a.join(b, |_, a, b| Ok(a != b)),
                _ => a.join(b, |_, a, b| Ok(a == b)),
            }),
        }
    }

    fn compare_ints(
        &mut self,
        operator: Binary,
        a: Node,
        b: Node,
        closure: impl Fn(Code<bool>) -> Condition,
    ) -> Condition {
        match (self.int(a), self.int(b)) {
            (Code::Field(field), Code::Constant(k)) => {
                unless_ne(operator, |compare| Condition::WithinInts(IntRange::new(field, compare, k)))
            }
            (Code::Constant(k), Code::Field(field)) => {
                unless_ne(flip(operator), |compare| Condition::WithinInts(IntRange::new(field, compare, k)))
            }
            (a, b) => {
                let accept = accepts(operator);
                closure(a.join(b, move |_, a, b| Ok(accept[(a.cmp(&b) as i8 + 1) as usize])))
            }
        }
    }

    fn compare_texts(
        &mut self,
        operator: Binary,
        a: Node,
        b: Node,
        closure: impl Fn(Code<bool>) -> Condition,
    ) -> Condition {
        let equality = matches!(operator, Binary::Eq | Binary::Ne);
        match (self.text(a), self.text(b)) {
            (Code::Field(field), Code::Constant(k)) | (Code::Constant(k), Code::Field(field))
                if equality && k.is_empty() =>
            {
                unless_ne(operator, |_| Condition::IsEmpty(field))
            }
            (a, b) if equality => {
                let equal = operator == Binary::Eq;
                closure(a.join(b, move |frame, a, b| Ok((frame.bytes_of(a) == frame.bytes_of(b)) == equal)))
            }
            (a, b) => {
                let accept = accepts(operator);
                closure(a.join(b, move |frame, a, b| {
                    let order = frame.bytes_of(a).cmp(frame.bytes_of(b));
                    Ok(accept[(order as i8 + 1) as usize])
                }))
            }
        }
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

/// `!=` is the opposite of `==`, everything else is itself.
fn unless_ne(operator: Binary, condition: impl Fn(Binary) -> Condition) -> Condition {
    match operator {
        Binary::Ne => condition(Binary::Eq).negated(),
        _ => condition(operator),
    }
}

/// The operator for the same operands the other way round.
fn flip(operator: Binary) -> Binary {
    match operator {
        Binary::Lt => Binary::Gt,
        Binary::Gt => Binary::Lt,
        Binary::Le => Binary::Ge,
        Binary::Ge => Binary::Le,
        other => other,
    }
}

/// Whether an operator accepts less, equal, greater.
fn accepts(operator: Binary) -> [bool; 3] {
    let accepts = |order: Ordering| match operator {
        Binary::Lt => order.is_lt(),
        Binary::Le => order.is_le(),
        Binary::Gt => order.is_gt(),
        Binary::Ge => order.is_ge(),
        Binary::Ne => order.is_ne(),
        _ => order.is_eq(),
    };
    [accepts(Ordering::Less), accepts(Ordering::Equal), accepts(Ordering::Greater)]
}

/// An int field compared with a float constant, as an interval of integers. Beyond 2^52 a float stands for several
/// integers, and the comparison is left to floats, as written.
fn exact_ints(operator: Binary, a: &Node, b: &Node) -> Option<Condition> {
    const EXACT: f64 = (1u64 << 52) as f64;
    let (Op::Widen(inner), Op::Constant(Constant::Float(k))) = (&a.op, &b.op) else { return None };
    let Op::Field(field) = inner.op else { return None };
    let whole = k.fract() == 0.0;
    if inner.ty.optional || k.is_nan() || k.abs() > EXACT {
        return None;
    }
    let (compare, k) = match operator {
        Binary::Eq | Binary::Ne if !whole => return Some(Condition::Always(operator == Binary::Ne)),
        Binary::Eq | Binary::Ne => (operator, *k),
        Binary::Lt | Binary::Ge => (operator, k.ceil()),
        _ => (operator, k.floor()),
    };
    Some(unless_ne(compare, |compare| Condition::WithinInts(IntRange::new(field, compare, k as i64))))
}
