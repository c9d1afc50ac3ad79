//! Functions with a rule of their own: what they give depends on what they get, or their arguments are not all
//! evaluated.

use super::Checker;
use crate::diagnostic::Code;
use crate::expr::Setting;
use crate::expr::functions::{self, Function, Run, Special, Takes};
use crate::expr::parse::{Ast, Shape};
use crate::expr::tree::{Constant, Facts, Node, Op};
use crate::types::{Kind, Type};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn special(
        &mut self,
        ast: &Ast,
        special: Special,
        function: &Function,
        arguments: &[Ast],
    ) -> Option<Node> {
        match special {
            Special::If => self.choose(ast, function, arguments),
            Special::IsSet => self.is_set(ast, &arguments[0]),
            Special::Coalesce => self.coalesce(ast, arguments),
            Special::TypeOf => self.type_of(ast, &arguments[0]),
            Special::Field => self.field_of(ast, function, &arguments[0]),
            Special::Min => self.extreme(ast, function, Box::new(functions::least), arguments),
            Special::Max => self.extreme(ast, function, Box::new(functions::largest), arguments),
            Special::Len => self.len(ast, function, &arguments[0]),
            Special::Contains => self.contains(ast, function, arguments),
            Special::ContainsAny => self.contains_any(ast, function, arguments),
            Special::Matches => self.matches(ast, function, arguments),
            Special::FormatTime => self.format_time(ast, function, arguments),
            Special::ParseTime => self.parse_time(ast, function, arguments),
            Special::Pick => self.pick(ast, function, arguments),
            Special::Aggregate => None,
        }
    }

    /// `if`: what the condition finds to be there is there in the arm.
    fn choose(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let around = self.comparison.take();
        let condition = self.argument(&arguments[0], function, Takes::Bool, &arguments[0]);
        self.comparison = around;
        let known = condition.as_ref().map_or(Facts { holds: u64::MAX, fails: u64::MAX }, |c| c.facts);
        let decided = |by: bool| condition.as_ref().and_then(Node::as_constant) == Some(&Constant::Bool(by));
        let (never_then, never_otherwise) = (decided(false), decided(true));
        let before = self.given(known.holds, never_then);
        let then = self.node(&arguments[1]);
        self.restore(before);
        let before = self.given(known.fails, never_otherwise);
        let otherwise = self.node(&arguments[2]);
        self.restore(before);
        let (condition, then, otherwise) = (condition?, then?, otherwise?);
        let (mut arms, ty) = self.one_kind(ast, vec![then, otherwise])?;
        let (otherwise, then) = (arms.pop()?, arms.pop()?);
        let facts = arm_facts(condition.facts, then.facts, otherwise.facts);
        let ty = Type { optional: then.ty.optional || otherwise.ty.optional, ..ty };
        let node = match condition.as_constant() {
            Some(Constant::Bool(true)) => then,
            Some(_) => otherwise,
            None => {
                let op = Op::If(Box::new(condition), Box::new(then), Box::new(otherwise));
                Node::new(op, ty, ast.range.clone())
            }
        };
        Some(Node { range: ast.range.clone(), facts, ..node })
    }

    /// Values that may each be the result: of one kind, ints beside floats as floats.
    pub(super) fn one_kind(&mut self, ast: &Ast, list: Vec<Node>) -> Option<(Vec<Node>, Type)> {
        let first = list.first()?.kind();
        let float = list.iter().any(|node| node.kind() == Kind::Float);
        let numbers = list.iter().all(|node| node.kind().is_number());
        if let Some(other) = list.iter().find(|node| node.kind() != first)
            && !numbers
        {
            let message = format!("one value of several kinds: {first} and {}", other.kind());
            let fault = self.fault(Code::TypeMismatch, &other.range, message).label(other.ty.to_string());
            let first = &list[0];
            let fault = fault.also(self.passage.at(first.range.clone()), first.ty.to_string());
            let note = format!("`{}` has one type, whatever the record", self.text(&ast.range));
            self.faults.push(fault.note(note));
            return None;
        }
        let kind = if numbers && float { Kind::Float } else { first };
        let list =
            list.into_iter().map(|node| if kind == Kind::Float { node.widened() } else { node }).collect();
        Some((list, Type::required(kind)))
    }

    fn is_set(&mut self, ast: &Ast, argument: &Ast) -> Option<Node> {
        let node = self.node(argument)?;
        let facts = match node.op {
            Op::Field(register) => Facts { holds: 1 << register.0, fails: 0 },
            _ => Facts::default(),
        };
        if !node.ty.optional && !node.fails {
            return Some(Node::constant(Constant::Bool(true), ast.range.clone()));
        }
        let node = Node::new(Op::IsSet(Box::new(node)), Type::required(Kind::Bool), ast.range.clone());
        Some(Node { facts, ..node })
    }

    /// The first that is there. What stands behind one that always is, is never reached.
    fn coalesce(&mut self, ast: &Ast, arguments: &[Ast]) -> Option<Node> {
        let around = self.comparison.take();
        let list: Vec<_> = arguments.iter().map(|argument| self.node(argument)).collect();
        self.comparison = around;
        let list: Option<Vec<_>> = list.into_iter().collect();
        let (mut list, ty) = self.one_kind(ast, list?)?;
        if let Some(always) = list.iter().position(|node| !node.ty.optional) {
            list.truncate(always + 1);
        }
        let optional = list.last()?.ty.optional;
        if list.len() == 1 {
            return list.pop().map(|node| Node { range: ast.range.clone(), ..node });
        }
        Some(Node::new(Op::Coalesce(list), Type { optional, ..ty }, ast.range.clone()))
    }

    fn type_of(&mut self, ast: &Ast, argument: &Ast) -> Option<Node> {
        if let Shape::Tuple(_) = argument.shape {
            return Some(Node::constant(Constant::Text("tuple".to_owned()), ast.range.clone()));
        }
        let name = match self.node(argument)?.kind() {
            // evalexpr's word for it.
            Kind::Bool => "boolean".to_owned(),
            kind => kind.to_string(),
        };
        Some(Node::constant(Constant::Text(name), ast.range.clone()))
    }

    fn field_of(&mut self, ast: &Ast, function: &Function, argument: &Ast) -> Option<Node> {
        let name = self.constant_text(argument, function)?;
        self.named_field(&name, &ast.range)
    }

    fn extreme(&mut self, ast: &Ast, function: &Function, run: Run, arguments: &[Ast]) -> Option<Node> {
        let list: Vec<_> = arguments
            .iter()
            .map(|argument| {
                let node = self.node(argument)?;
                if !node.kind().is_number() {
                    return self.wrong(&node, "a number", &format!("`{}`", function.name));
                }
                self.required(node, &ast.range)
            })
            .collect();
        let list: Option<Vec<_>> = list.into_iter().collect();
        let (list, ty) = self.one_kind(ast, list?)?;
        self.run(ast, ty.kind, run, None, list)
    }

    fn pick(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let list = self.arguments(ast, function, arguments)?;
        let (list, ty) = self.one_kind(ast, list)?;
        let Setting::Generate(dice) = &self.setting else { return None };
        Some(Node::new(Op::Pick(Arc::clone(dice), list), ty, ast.range.clone()))
    }
}

/// What a condition that is itself chosen says about presence.
fn arm_facts(condition: Facts, then: Facts, otherwise: Facts) -> Facts {
    Facts {
        holds: (condition.holds | then.holds) & (condition.fails | otherwise.holds),
        fails: (condition.holds | then.fails) & (condition.fails | otherwise.fails),
    }
}
