//! Conditions: intervals where a number field meets a constant, closures for the rest.

use super::Compiler;
use crate::expr::code::{Closure, Code};
use crate::expr::condition::{Condition, IntRange, Range};
use crate::expr::functions::equals;
use crate::expr::parse::Binary;
use crate::expr::tree::{Constant, Node, Op};
use crate::types::Kind;
use std::cmp::Ordering;

impl Compiler<'_> {
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
        let (operator, a, b) = constant_last(operator, self.float(a), self.float(b));
        match (a, b) {
            (Code::Field(field), Code::Constant(k)) => {
                unless_ne(operator, |compare| Condition::Within(Range::new(field, compare, k)))
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
        let (operator, a, b) = constant_last(operator, self.int(a), self.int(b));
        match (a, b) {
            (Code::Field(field), Code::Constant(k)) => {
                unless_ne(operator, |compare| Condition::WithinInts(IntRange::new(field, compare, k)))
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

/// The comparison, turned round if it is of a constant with a field.
fn constant_last<T>(operator: Binary, a: Code<T>, b: Code<T>) -> (Binary, Code<T>, Code<T>) {
    match (a, b) {
        (a @ Code::Constant(_), b @ Code::Field(_)) => (flip(operator), b, a),
        (a, b) => (operator, a, b),
    }
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
