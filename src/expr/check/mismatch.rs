//! Values of the wrong kind: what was found, and what was likely meant.

use super::Checker;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::parse::Binary;
use crate::expr::tree::{Constant, Node};
use crate::types::Kind;

impl Checker<'_> {
    /// A value of the wrong kind for what stands around it.
    pub(super) fn wrong(&mut self, node: &Node, needs: &str, what: &str) -> Option<Node> {
        let message = format!("{what} needs {needs}, found {}", node.ty);
        let fault = self.fault(Code::TypeMismatch, &node.range, message).label(node.ty.to_string());
        let fault = self.conversion(fault, node, needs);
        self.faults.push(fault);
        None
    }

    fn conversion(&self, fault: Diagnostic, node: &Node, needs: &str) -> Diagnostic {
        let text = self.text(&node.range);
        match (node.kind(), needs) {
            (Kind::String, "a number") => fault.help(format!("`float({text})`, or `int({text})`")),
            (Kind::String, "an int") => fault.help(format!("`int({text})`")),
            (Kind::Float, "an int") => fault.help(format!("`int({text})`")),
            (Kind::String, "a timestamp") => fault.help(format!("`parse_time({text})`")),
            (Kind::Duration, "a number") => fault.help(format!("`seconds({text})`")),
            (_, "a string") => fault.help(format!("`str({text})`")),
            (Kind::Int | Kind::Float, "a bool") => fault.help(format!("`{text} != 0`")),
            (Kind::String, "a bool") => fault.help(format!("`{text} != \"\"`")),
            _ => fault,
        }
    }

    pub(super) fn not_comparable(&mut self, operator: Binary, left: &Node, right: &Node) -> Option<Node> {
        let (a, b) = (left.kind(), right.kind());
        let message = match a == b {
            true => format!("`{}` does not compare values of type {a}", operator.symbol()),
            false => format!("`{}` compares {a} with {b}", operator.symbol()),
        };
        let fault = self.fault(Code::TypeMismatch, &right.range, message).label(right.ty.to_string());
        let fault = fault.also(self.passage.at(left.range.clone()), left.ty.to_string());
        let fault = match self.comparable_help(operator, left, right) {
            Some(help) => fault.help(help),
            None => fault,
        };
        self.faults.push(fault);
        None
    }

    /// What was likely meant, when one side is a text and the other is not.
    fn comparable_help(&self, operator: Binary, left: &Node, right: &Node) -> Option<String> {
        if matches!(left.kind(), Kind::List(_)) && !matches!(right.kind(), Kind::List(_)) {
            return Some(format!("`contains({}, {})`", self.text(&left.range), self.text(&right.range)));
        }
        if left.kind() == Kind::Duration && right.kind().is_number() {
            let (a, b) = (self.text(&left.range), self.text(&right.range));
            return Some(format!("`seconds({a}) {} {b}`", operator.symbol()));
        }
        let (string, other) = match (left.kind(), right.kind()) {
            (Kind::String, _) => (left, right),
            (_, Kind::String) => (right, left),
            _ => return None,
        };
        let text = self.text(&string.range);
        let converted = match (other.kind(), string.as_constant()) {
            (Kind::Timestamp, _) => format!("parse_time({text})"),
            (Kind::Int | Kind::Float, Some(Constant::Text(inside))) => {
                inside.parse::<f64>().ok().map(|_| inside.clone())?
            }
            (Kind::Bool, Some(Constant::Text(inside))) if matches!(inside.as_str(), "true" | "false") => {
                inside.clone()
            }
            (Kind::Int, None) => format!("int({text})"),
            (Kind::Float, None) => format!("float({text})"),
            (Kind::Duration, _) => {
                return Some(format!(
                    "`seconds({}) {} 5.0`, or a param",
                    self.text(&other.range),
                    operator.symbol()
                ));
            }
            _ => return None,
        };
        Some(match string.range == left.range {
            true => format!("`{converted} {} {}`", operator.symbol(), self.text(&right.range)),
            false => format!("`{} {} {converted}`", self.text(&left.range), operator.symbol()),
        })
    }

    pub(super) fn no_arithmetic(&mut self, operator: Binary, left: &Node, right: &Node) -> Option<Node> {
        let symbol = operator.symbol();
        let needs = match operator {
            Binary::Add => "two numbers or two strings",
            _ => "two numbers",
        };
        let message = format!("`{symbol}` takes {needs}, found {} and {}", left.ty, right.ty);
        let fault = self.fault(Code::TypeMismatch, &right.range, message).label(right.ty.to_string());
        let fault = fault.also(self.passage.at(left.range.clone()), left.ty.to_string());
        let (a, b) = (self.text(&left.range), self.text(&right.range));
        self.faults.push(match (operator, left.kind(), right.kind()) {
            (Binary::Add, Kind::String, _) => fault.help(format!("`{a} + str({b})`")),
            (Binary::Add, _, Kind::String) => fault.help(format!("`str({a}) + {b}`")),
            (_, Kind::String, kind) if kind.is_number() => fault.help(format!("`float({a}) {symbol} {b}`")),
            (_, kind, Kind::String) if kind.is_number() => fault.help(format!("`{a} {symbol} float({b})`")),
            (_, Kind::Timestamp, kind) if kind.is_number() => {
                fault.help("a param with a duration such as `\"5s\"` can be added and taken away")
            }
            _ => fault,
        });
        None
    }
}
