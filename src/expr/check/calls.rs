//! Calls: which function, whether it may stand here, how many arguments, of what kind.

use super::Checker;
use crate::diagnostic::Code;
use crate::expr::functions::{self, Body, Choice, Function, Run, Stands, Takes};
use crate::expr::parse::{Ast, Shape};
use crate::expr::tree::{Call, Node, Op};
use crate::expr::{FUNCTIONS, Setting};
use crate::types::{Kind, Type};
use std::ops::Range;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        ast: &Ast,
        name: &str,
        head: &Range<usize>,
        arguments: &[Ast],
    ) -> Option<Node> {
        let Some(function) = functions::named(name) else {
            return self.unknown_function(name, head, arguments);
        };
        let aggregate = match function.stands {
            Stands::Compute => true,
            Stands::Both => arguments.len() == 1 && !matches!(arguments[0].shape, Shape::Tuple(_)),
            Stands::Anywhere | Stands::Generate => false,
        };
        if aggregate {
            return self.aggregate(ast, function, head, arguments);
        }
        if !self.may_stand(function, head) || !self.counts(function, ast, arguments) {
            self.each(arguments);
            return None;
        }
        match &function.body {
            Body::Special(special) => self.special(ast, *special, function, arguments),
            Body::Values(choice) => self.values(ast, function, choice, arguments),
            Body::ByKind(choose) => self.by_kind(ast, function, *choose, &arguments[0]),
            Body::Dice { .. } => self.dice(ast, function, arguments),
        }
    }

    /// Checks arguments whose function is at fault already, for their own faults.
    fn each(&mut self, arguments: &[Ast]) {
        for argument in arguments {
            match &argument.shape {
                Shape::Tuple(list) => self.each(list),
                _ => drop(self.node(argument)),
            }
        }
    }

    fn unknown_function(&mut self, name: &str, head: &Range<usize>, arguments: &[Ast]) -> Option<Node> {
        let mut fault = self.fault(Code::UnknownFunction, head, format!("there is no function `{name}`"));
        let last = |function: &&Function| function.name.rsplit("::").next() == Some(name);
        let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
        if self.names().candidates().iter().any(|candidate| candidate == name) {
            fault = fault.help(format!("`{name}` is a field or a param: it takes no arguments"));
        }
        fault = match (alias, FUNCTIONS.iter().find(last)) {
            (Some((_, meant)), _) => fault.help(format!("`{meant}`")),
            (None, Some(function)) => fault.help(format!("`{}`", function.name)),
            (None, None) if !fault.help.is_empty() => fault,
            (None, None) => fault.suggest(name, FUNCTIONS.iter().map(|function| function.name)),
        };
        self.faults.push(fault);
        self.each(arguments);
        None
    }

    fn may_stand(&mut self, function: &Function, head: &Range<usize>) -> bool {
        if function.stands != Stands::Generate || matches!(self.setting, Setting::Generate(_)) {
            return true;
        }
        let message = format!("`{}` stands in `[generate]` only", function.name);
        let fault = self.fault(Code::GenerateOnly, head, message);
        let note = "everything else is a function of the record, so that a replay gives the same results";
        self.faults.push(fault.note(note));
        false
    }

    pub(super) fn counts(&mut self, function: &Function, ast: &Ast, arguments: &[Ast]) -> bool {
        let (least, most) = function.arity();
        if (least..=most).contains(&arguments.len()) {
            return true;
        }
        let takes = match (least, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (_, usize::MAX) => format!("at least {least} argument{}", if least == 1 { "" } else { "s" }),
            _ if least == most => format!("{least} arguments"),
            _ => format!("{least} to {most} arguments"),
        };
        let message = format!("`{}` takes {takes}, found {}", function.name, arguments.len());
        let fault = self.fault(Code::ArgumentCount, &ast.range, message);
        self.faults.push(fault.help(format!("`{}`", function.signature())));
        false
    }

    /// One argument, checked against its parameter and there.
    pub(super) fn argument(
        &mut self,
        ast: &Ast,
        function: &Function,
        takes: Takes,
        call: &Ast,
    ) -> Option<Node> {
        let node = self.node(ast)?;
        let node = self.accepted(node, function, takes)?;
        match takes {
            Takes::Maybe => Some(node),
            Takes::Number => self.required(node, &call.range).map(Node::widened),
            _ => self.required(node, &call.range),
        }
    }

    fn accepted(&mut self, node: Node, function: &Function, takes: Takes) -> Option<Node> {
        if takes.accepts(node.kind()) {
            return Some(node);
        }
        let _: Option<Node> = self.wrong(&node, takes.one(), &format!("`{}`", function.name));
        if let Some(fault) = self.faults.last_mut() {
            fault.notes.push(format!("`{}`", function.signature()));
        }
        None
    }

    /// All arguments against their parameters, so that each shows its fault.
    pub(super) fn arguments(
        &mut self,
        ast: &Ast,
        function: &Function,
        arguments: &[Ast],
    ) -> Option<Vec<Node>> {
        let checked: Vec<_> = arguments
            .iter()
            .enumerate()
            .map(|(at, argument)| self.argument(argument, function, function.parameter(at).takes, ast))
            .collect();
        checked.into_iter().collect()
    }

    fn values(&mut self, ast: &Ast, function: &Function, choice: &Choice, arguments: &[Ast]) -> Option<Node> {
        let arguments = self.arguments(ast, function, arguments)?;
        self.run(ast, choice.gives, Box::new(choice.run), choice.fails, arguments)
    }

    pub(super) fn run(
        &mut self,
        ast: &Ast,
        gives: Kind,
        run: Run,
        fails: Option<&'static str>,
        arguments: Vec<Node>,
    ) -> Option<Node> {
        let call = Call { run, fails, pure: true, arguments };
        self.made(Op::Call(call), Type::required(gives), &ast.range)
    }

    fn by_kind(
        &mut self,
        ast: &Ast,
        function: &Function,
        choose: fn(Kind) -> Option<Choice>,
        argument: &Ast,
    ) -> Option<Node> {
        let node = self.node(argument)?;
        let node = self.accepted(node, function, function.parameter(0).takes)?;
        let node = self.required(node, &ast.range)?;
        match choose(node.kind()) {
            Some(choice) => self.run(ast, choice.gives, Box::new(choice.run), choice.fails, vec![node]),
            None => {
                let message = format!("`{}` does not take {}", function.name, node.ty);
                let fault = self.fault(Code::TypeMismatch, &node.range, message).label(node.ty.to_string());
                self.faults.push(fault.note(format!("`{}`: {}", function.signature(), function.summary)));
                None
            }
        }
    }

    fn dice(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let arguments = self.arguments(ast, function, arguments)?;
        let (Body::Dice { gives, fails, run }, Setting::Generate(dice)) = (&function.body, &self.setting)
        else {
            return None;
        };
        let (dice, run) = (Arc::clone(dice), *run);
        let call = Call { run: Box::new(move |_, v| run(&dice, v)), fails: *fails, pure: false, arguments };
        Some(Node::new(Op::Call(call), Type::required(*gives), ast.range.clone()))
    }
}

/// What other languages call them.
const ALIASES: [(&str, &str); 18] = [
    ("abs", "math::abs"),
    ("lower", "str::to_lowercase"),
    ("upper", "str::to_uppercase"),
    ("strip", "str::trim"),
    ("substr", "str::substring"),
    ("length", "len"),
    ("size", "len"),
    ("mean", "avg"),
    ("average", "avg"),
    ("ifnull", "coalesce"),
    ("exists", "is_set"),
    ("string", "str"),
    ("concat", "a + b"),
    ("power", "x ^ y"),
    ("regex", "matches"),
    ("str::regex_matches", "matches"),
    ("regexp_like", "matches"),
    ("type", "typeof"),
];
