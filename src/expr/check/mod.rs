//! From syntax tree to checked tree: names become registers and constants, types and absence are settled, constants
//! are computed.
//!
//! `None` means that a fault has been recorded below. Siblings are checked all the same, so that one go shows all
//! faults; what depends on the missing node is not judged, so that none is shown twice.

mod absence;
mod aggregates;
mod calls;
mod lists;
mod mismatch;
mod names;
mod operators;
mod patterns;
mod special;

use super::aggregate::RowNames;
use super::fold::fold;
use super::parse::{Ast, Shape};
use super::tree::{Constant, Node, Op};
use super::{Field, Names, Setting};
use crate::diagnostic::{Code, Diagnostic, Passage};
use crate::types::Type;
use std::ops::Range;

pub(super) use absence::condition;

/// Whose fields an expression sees.
pub(super) enum Scope<'n> {
    /// One record's.
    Record(&'n mut dyn Names),
    /// A row's; the arguments of aggregates see the input's.
    Row { input: &'n mut dyn Names, row: &'n mut dyn RowNames },
}

pub(super) struct Checker<'n> {
    passage: &'n Passage,
    scope: Scope<'n>,
    setting: Setting,
    faults: &'n mut Vec<Diagnostic>,
    /// Registers known to be set at this point, a bit each.
    present: u64,
    /// Inside of what is never evaluated, constants may fail: `if(n == 0, 0, 10 / n)`.
    dead: bool,
    /// The innermost comparison around this point, for help.
    comparison: Option<Range<usize>>,
    /// The aggregates of this expression: equal calls are one cell.
    cells: Vec<(String, Field)>,
}

impl<'n> Checker<'n> {
    pub fn new(
        passage: &'n Passage,
        scope: Scope<'n>,
        setting: Setting,
        faults: &'n mut Vec<Diagnostic>,
    ) -> Self {
        Checker { passage, scope, setting, faults, present: 0, dead: false, comparison: None, cells: vec![] }
    }

    /// The whole expression.
    pub fn whole(&mut self, ast: &Ast) -> Option<Node> {
        match &ast.shape {
            // A bare word is most often a text that misses its quotes.
            Shape::Name(name) => self.name(name, &ast.range, true),
            _ => self.node(ast),
        }
    }

    fn node(&mut self, ast: &Ast) -> Option<Node> {
        match &ast.shape {
            Shape::Constant(constant) => Some(Node::constant(constant.clone(), ast.range.clone())),
            Shape::Name(name) => self.name(name, &ast.range, false),
            Shape::Call { name, head, arguments } => self.call(ast, name, head, arguments),
            Shape::Negate(operand) => self.negate(ast, operand),
            Shape::Not(operand) => self.not(ast, operand),
            Shape::Binary(..) => self.chain(ast),
            Shape::Tuple(_) => {
                let fault =
                    self.fault(Code::TypeMismatch, &ast.range, "a list stands where a value is needed");
                self.faults.push(fault.help("`contains((…), x)` and `contains_any` take lists"));
                None
            }
        }
    }

    fn fault(&self, code: Code, range: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message, self.passage.at(range.clone()))
    }

    fn text(&self, range: &Range<usize>) -> &str {
        &self.passage.text[range.clone()]
    }

    /// A node, computed if it is constant.
    fn made(&mut self, op: Op, ty: Type, range: &Range<usize>) -> Option<Node> {
        let node = Node::new(op, ty, range.clone());
        if !node.op.is_constant() || ty.optional {
            return Some(node);
        }
        let kind = node.kind();
        match fold(&self.passage.text, node) {
            Ok(constant) => Some(Node::constant(constant, range.clone())),
            Err(_) if self.dead => Some(Node::constant(Constant::zero(kind), range.clone())),
            Err(reason) => {
                self.faults.push(self.fault(
                    Code::ConstantFails,
                    range,
                    format!("this fails on every record: {reason}"),
                ));
                None
            }
        }
    }

    /// From here on more is known to be present, or nothing is ever reached; what held before is given back, for
    /// `restore`. (No closure: in a deep expression each frame counts.)
    fn given(&mut self, present: u64, dead: bool) -> (u64, bool) {
        let before = (self.present, self.dead);
        (self.present, self.dead) = (self.present | present, self.dead | dead);
        before
    }

    fn restore(&mut self, before: (u64, bool)) {
        (self.present, self.dead) = before;
    }
}
