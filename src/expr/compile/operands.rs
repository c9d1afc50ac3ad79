//! Arithmetic: floats, integers and milliseconds, texts.

use super::{Compiler, OVERFLOW};
use crate::expr::code::Code;
use crate::expr::parse::Binary;
use crate::expr::tree::{Constant, Node, Op};
use crate::frame::Text;

impl Compiler<'_> {
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

    pub(super) fn bool(&mut self, node: Node) -> Code<bool> {
        match node.op {
            Op::Constant(Constant::Bool(always)) => Code::Constant(always),
            Op::Field(register) => Code::Field(register),
            op => {
                let condition = self.condition(Node { op, ..node });
                Code::run(move |frame| condition.holds(frame))
            }
        }
    }
}
