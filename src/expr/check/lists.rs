//! Functions on lists: values in parentheses, of one kind, and list fields.

use super::Checker;
use crate::diagnostic::Code;
use crate::expr::functions::{self, Function, Takes};
use crate::expr::parse::{Ast, Shape};
use crate::expr::tree::{Constant, Node, Op};
use crate::types::{Element, Kind, Type};

impl Checker<'_> {
    pub(super) fn len(&mut self, ast: &Ast, function: &Function, argument: &Ast) -> Option<Node> {
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

    pub(super) fn contains(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let value = self.argument(&arguments[1], function, Takes::Any, ast);
        if let Shape::Tuple(list) = &arguments[0].shape {
            let list = self.elements(&arguments[0], list);
            return self.common(ast, list?, vec![value?]);
        }
        let list = self.list(ast, function, &arguments[0]);
        let (list, value) = (list?, value?);
        self.in_list(ast, list, value)
    }

    pub(super) fn contains_any(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
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
