//! Functions with a rule of their own: what they give depends on what they get, or their arguments are not all
//! evaluated.

use super::Checker;
use crate::diagnostic::Code;
use crate::expr::functions::{self, Function, Run, Special, Takes};
use crate::expr::parse::{Ast, Shape};
use crate::expr::tree::{Constant, Facts, Node, Op};
use crate::expr::{Setting, time};
use crate::types::{Element, Kind, Type};
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
    fn one_kind(&mut self, ast: &Ast, list: Vec<Node>) -> Option<(Vec<Node>, Type)> {
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

    fn len(&mut self, ast: &Ast, function: &Function, argument: &Ast) -> Option<Node> {
        if let Shape::Tuple(list) = &argument.shape {
            let list = self.elements(argument, list)?;
            return Some(Node::constant(Constant::Int(list.len() as i64), ast.range.clone()));
        }
        let node = self.argument(argument, function, Takes::Any, ast)?;
        match node.kind() {
            Kind::String => self.run(ast, Kind::Int, Box::new(functions::text_length), None, vec![node]),
            Kind::List(_) => self.run(ast, Kind::Int, Box::new(functions::list_length), None, vec![node]),
            _ => self.wrong(&node, "a string or a list", "`len`"),
        }
    }

    /// The elements of a list in parentheses: there, and of one kind.
    fn elements(&mut self, ast: &Ast, list: &[Ast]) -> Option<Vec<Node>> {
        let list: Vec<_> = list
            .iter()
            .map(|element| {
                let node = self.node(element)?;
                self.required(node, &element.range)
            })
            .collect();
        let list: Option<Vec<_>> = list.into_iter().collect();
        Some(self.one_kind(ast, list?)?.0)
    }

    fn contains(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let value = self.argument(&arguments[1], function, Takes::Any, ast);
        if let Shape::Tuple(list) = &arguments[0].shape {
            let list = self.elements(&arguments[0], list);
            return self.common(ast, list?, vec![value?]);
        }
        let list = self.list(ast, function, &arguments[0]);
        let (list, value) = (list?, value?);
        self.in_list(ast, list, value)
    }

    fn contains_any(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        match (&arguments[0].shape, &arguments[1].shape) {
            (Shape::Tuple(a), Shape::Tuple(b)) => {
                let (a, b) = (self.elements(&arguments[0], a), self.elements(&arguments[1], b));
                self.common(ast, a?, b?)
            }
            (Shape::Tuple(list), _) => self.any_in_list(ast, function, &arguments[1], list),
            (_, Shape::Tuple(list)) => self.any_in_list(ast, function, &arguments[0], list),
            _ => {
                let lists = self.arguments(ast, function, arguments)?;
                self.comparable(&lists[0], &lists[1], lists[0].kind() == lists[1].kind())?;
                self.run(ast, Kind::Bool, Box::new(functions::lists_share), None, lists)
            }
        }
    }

    /// Whether a value of `b` is in `a`. All are evaluated, as evalexpr does.
    fn common(&mut self, ast: &Ast, a: Vec<Node>, b: Vec<Node>) -> Option<Node> {
        let numbers = a[0].kind().is_number() && b[0].kind().is_number();
        self.comparable(&a[0], &b[0], numbers || a[0].kind() == b[0].kind())?;
        let float = a[0].kind() != b[0].kind();
        let widen = |list: Vec<Node>| -> Vec<Node> {
            list.into_iter().map(|node| if float { node.widened() } else { node }).collect()
        };
        self.made(Op::Common(widen(a), widen(b)), Type::required(Kind::Bool), &ast.range)
    }

    fn comparable(&mut self, a: &Node, b: &Node, fits: bool) -> Option<()> {
        if fits {
            return Some(());
        }
        let (inside, sought) = (single(a.kind()), single(b.kind()));
        let message = format!("a list of {inside} never contains {sought}");
        let fault = self.fault(Code::TypeMismatch, &b.range, message).label(b.ty.to_string());
        let fault = fault.also(self.passage.at(a.range.clone()), a.ty.to_string());
        self.faults.push(fault);
        None
    }

    /// A list field.
    fn list(&mut self, ast: &Ast, function: &Function, argument: &Ast) -> Option<Node> {
        let node = self.node(argument)?;
        if let Kind::List(_) = node.kind() {
            return self.required(node, &ast.range);
        }
        let message = format!("`{}` needs a list, found {}", function.name, node.ty);
        let fault = self.fault(Code::TypeMismatch, &argument.range, message).label(node.ty.to_string());
        self.faults.push(match node.kind() {
            Kind::String => {
                fault.help(format!("`matches({}, \"…\")` looks into a text", self.text(&argument.range)))
            }
            _ => fault.help("`contains((\"a\", \"b\"), x)`"),
        });
        None
    }

    fn in_list(&mut self, ast: &Ast, list: Node, value: Node) -> Option<Node> {
        let Kind::List(element) = list.kind() else { return None };
        let kind = element_kind(element);
        let fits = kind == value.kind() || (kind.is_number() && value.kind().is_number());
        self.comparable(&list, &value, fits)?;
        // An int is looked for in floats as a float; a float in ints finds those that are written like it.
        let value = if kind == Kind::Float { value.widened() } else { value };
        self.run(ast, Kind::Bool, Box::new(functions::list_contains), None, vec![list, value])
    }

    fn any_in_list(&mut self, ast: &Ast, function: &Function, list: &Ast, values: &[Ast]) -> Option<Node> {
        let mut any: Option<Node> = None;
        for value in values {
            let list = self.list(ast, function, list)?;
            let value = self.argument(value, function, Takes::Any, ast)?;
            let one = self.in_list(ast, list, value)?;
            any = Some(match any {
                None => one,
                Some(any) => {
                    let op = Op::Or(Box::new(any), Box::new(one));
                    Node::new(op, Type::required(Kind::Bool), ast.range.clone())
                }
            });
        }
        any
    }

    /// An argument that must be known at check time.
    fn constant_text(&mut self, argument: &Ast, function: &Function) -> Option<String> {
        let node = self.argument(argument, function, Takes::Constant, argument)?;
        match node.as_constant() {
            Some(Constant::Text(text)) => Some(text.clone()),
            _ => {
                let message = format!("`{}` needs a text that is known before any record is", function.name);
                let fault = self.fault(Code::NeedsConstant, &argument.range, message);
                self.faults.push(fault.help("a text in quotes, or a param"));
                None
            }
        }
    }

    fn bad_pattern(&mut self, argument: &Ast, message: String) -> Option<Node> {
        self.faults.push(self.fault(Code::BadPattern, &argument.range, message));
        None
    }

    fn matches(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let text = self.argument(&arguments[0], function, Takes::Text, ast);
        let pattern = self.constant_text(&arguments[1], function)?;
        match regex::Regex::new(&pattern) {
            Ok(regex) => self.run(ast, Kind::Bool, functions::matches(regex), None, vec![text?]),
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.bad_pattern(&arguments[1], format!("this is no regular expression: {reason}"))
            }
        }
    }

    fn format_time(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let when = self.argument(&arguments[0], function, Takes::Timestamp, ast);
        let format = self.constant_text(&arguments[1], function)?;
        match time::check_format(&format) {
            Ok(()) => self.run(ast, Kind::String, functions::format_time(format), Some(BEYOND), vec![when?]),
            Err(error) => self.bad_pattern(&arguments[1], format!("this is no time format: {error}")),
        }
    }

    fn parse_time(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let text = self.argument(&arguments[0], function, Takes::Text, ast);
        let format = match arguments.get(1) {
            Some(argument) => Some((argument, self.constant_text(argument, function)?)),
            None => None,
        };
        if let Some((argument, format)) = &format
            && let Err(error) = time::check_parse_format(format)
        {
            return self.bad_pattern(argument, format!("no time can be read in this format: {error}"));
        }
        let run = functions::parse_time(format.map(|(_, format)| format));
        self.run(ast, Kind::Timestamp, run, Some("text that is no time"), vec![text?])
    }

    fn pick(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let list = self.arguments(ast, function, arguments)?;
        let (list, ty) = self.one_kind(ast, list)?;
        let Setting::Generate(dice) = &self.setting else { return None };
        Some(Node::new(Op::Pick(Arc::clone(dice), list), ty, ast.range.clone()))
    }
}

const BEYOND: &str = "time beyond the year 9999";

/// What a condition that is itself chosen says about presence.
fn arm_facts(condition: Facts, then: Facts, otherwise: Facts) -> Facts {
    Facts {
        holds: (condition.holds | then.holds) & (condition.fails | otherwise.holds),
        fails: (condition.holds | then.fails) & (condition.fails | otherwise.fails),
    }
}

/// The kind of a list's elements; of anything else the kind itself.
fn single(kind: Kind) -> Kind {
    match kind {
        Kind::List(element) => element_kind(element),
        kind => kind,
    }
}

fn element_kind(element: Element) -> Kind {
    match element {
        Element::String => Kind::String,
        Element::Int => Kind::Int,
        Element::Float => Kind::Float,
        Element::Bool => Kind::Bool,
    }
}
