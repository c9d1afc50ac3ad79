//! Operators: what they take, what they give.

use super::Checker;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::parse::{Ast, Binary, Shape};
use crate::expr::tree::{Constant, Facts, Node, Op};
use crate::types::{Kind, Type};
use std::ops::Range;

impl Checker<'_> {
    pub(super) fn negate(&mut self, ast: &Ast, operand: &Ast) -> Option<Node> {
        let node = self.node(operand)?;
        let kind = node.kind();
        if !kind.is_number() && kind != Kind::Duration {
            return self.wrong(&node, "a number", "`-`");
        }
        let node = self.required(node, &ast.range)?;
        self.made(Op::Negate(Box::new(node)), Type::required(kind), &ast.range)
    }

    pub(super) fn not(&mut self, ast: &Ast, operand: &Ast) -> Option<Node> {
        let node = self.node(operand)?;
        if node.kind() != Kind::Bool {
            return self.wrong(&node, "a bool", "`!`");
        }
        let around = self.comparison.replace(ast.range.clone());
        let node = self.required(node, &ast.range);
        self.comparison = around;
        let node = node?;
        let facts = Facts { holds: node.facts.fails, fails: node.facts.holds };
        let node = self.made(Op::Not(Box::new(node)), Type::required(Kind::Bool), &ast.range)?;
        Some(Node { facts, ..node })
    }

    /// `a + b + c` leans to the left; its operands are checked in a loop, from the left, as they are evaluated.
    pub(super) fn chain(&mut self, ast: &Ast) -> Option<Node> {
        let mut links = vec![];
        let mut first = ast;
        while let Shape::Binary(operator, left, right) = &first.shape {
            links.push((first, *operator, right));
            first = left;
        }
        let arounds = arounds(&links);
        let before = self.enter(arounds.last().cloned().flatten());
        let mut chain = self.node(first);
        self.comparison = before;
        for ((ast, operator, right), around) in links.into_iter().zip(arounds).rev() {
            let before = self.enter(around);
            let (present, dead) = behind(operator, chain.as_ref());
            let known = self.given(present, dead);
            let right = self.node(right);
            self.restore(known);
            chain = self.link(ast, operator, chain, right);
            self.comparison = before;
        }
        chain
    }

    /// Goes into a comparison, so that help can be written for that; what was around before is given back.
    fn enter(&mut self, around: Option<Around>) -> Option<Range<usize>> {
        let before = self.comparison.clone();
        match around {
            Some(Around::Comparison(range)) => self.comparison = Some(range),
            Some(Around::Logic) => self.comparison = None,
            None => {}
        }
        before
    }

    fn link(&mut self, ast: &Ast, operator: Binary, left: Option<Node>, right: Option<Node>) -> Option<Node> {
        let (left, right) = (left?, right?);
        match operator {
            Binary::And | Binary::Or => self.logic(ast, operator, left, right),
            _ if is_comparison(operator) => self.comparison(ast, operator, left, right),
            _ => self.arithmetic(ast, operator, left, right),
        }
    }

    fn logic(&mut self, ast: &Ast, operator: Binary, left: Node, right: Node) -> Option<Node> {
        let name = format!("`{}`", operator.symbol());
        let mut operand = |node: Node| match node.kind() {
            Kind::Bool => {
                let range = node.range.clone();
                self.required(node, &range)
            }
            _ => self.wrong(&node, "a bool", &name),
        };
        let (left, right) = (operand(left), operand(right));
        let (left, right) = (left?, right?);
        let (a, b) = (left.facts, right.facts);
        let and = operator == Binary::And;
        let facts = match and {
            true => Facts { holds: a.holds | b.holds, fails: a.fails & (a.holds | b.fails) },
            false => Facts { holds: a.holds & (a.fails | b.holds), fails: a.fails | b.fails },
        };
        // A side that is constant decides, or says nothing.
        let node = match (left.as_constant(), right.as_constant()) {
            (Some(Constant::Bool(decides)), _) if *decides != and => left,
            (Some(_), _) => right,
            (None, Some(Constant::Bool(neutral))) if *neutral == and => left,
            _ => {
                let (left, right) = (Box::new(left), Box::new(right));
                let op = if and { Op::And(left, right) } else { Op::Or(left, right) };
                Node::new(op, Type::required(Kind::Bool), ast.range.clone())
            }
        };
        Some(Node { facts, range: ast.range.clone(), ..node })
    }

    fn comparison(&mut self, ast: &Ast, operator: Binary, left: Node, right: Node) -> Option<Node> {
        let equality = matches!(operator, Binary::Eq | Binary::Ne);
        let (a, b) = (left.kind(), right.kind());
        let fits = match (a, b) {
            _ if a.is_number() && b.is_number() => true,
            (Kind::Bool, Kind::Bool) => equality,
            (Kind::Json | Kind::List(_), _) => false,
            _ => a == b,
        };
        if !fits {
            return self.not_comparable(operator, &left, &right);
        }
        let (left, right) = (self.required(left, &ast.range), self.required(right, &ast.range));
        let (left, right) = alike(left?, right?);
        let op = Op::Compare(operator, Box::new(left), Box::new(right));
        self.made(op, Type::required(Kind::Bool), &ast.range)
    }

    fn arithmetic(&mut self, ast: &Ast, operator: Binary, left: Node, right: Node) -> Option<Node> {
        let Some(kind) = gives(operator, left.kind(), right.kind()) else {
            return self.no_arithmetic(operator, &left, &right);
        };
        let (left, right) = (self.required(left, &ast.range), self.required(right, &ast.range));
        let (mut left, mut right) = (left?, right?);
        if kind == Kind::Float {
            (left, right) = (left.widened(), right.widened());
        }
        if kind == Kind::Int && operator == Binary::Div {
            self.integer_division(ast, &left, &right);
        }
        self.made(Op::Arithmetic(operator, Box::new(left), Box::new(right)), Type::required(kind), &ast.range)
    }

    fn integer_division(&mut self, ast: &Ast, left: &Node, right: &Node) {
        if let (Some(Constant::Int(a)), Some(Constant::Int(b))) = (left.as_constant(), right.as_constant())
            && (*b == 0 || a % b == 0)
        {
            return;
        }
        let (a, b) = (self.text(&left.range), self.text(&right.range));
        let help = match right.as_constant() {
            Some(Constant::Int(number)) if number.to_string() == b => {
                format!("`{a} / {number}.0`, or `float({a}) / {b}`")
            }
            _ => format!("`float({a}) / {b}`"),
        };
        let place = self.passage.at(ast.range.clone());
        let message = "dividing integers drops the fraction";
        self.faults.push(Diagnostic::warning(Code::IntegerDivision, message, place).help(help));
    }
}

/// What stands around an operand, for help.
#[derive(Clone)]
enum Around {
    Comparison(Range<usize>),
    Logic,
}

/// For each link of a chain, outermost first, the nearest comparison or logic around its operands.
fn arounds<T>(links: &[(&Ast, Binary, T)]) -> Vec<Option<Around>> {
    let mut around = None;
    let mut all = vec![];
    for (ast, operator, _) in links {
        match operator {
            Binary::And | Binary::Or => around = Some(Around::Logic),
            _ if is_comparison(*operator) => around = Some(Around::Comparison(ast.range.clone())),
            _ => {}
        }
        all.push(around.clone());
    }
    all
}

fn is_comparison(operator: Binary) -> bool {
    use Binary::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(operator, Eq | Ne | Lt | Gt | Le | Ge)
}

/// What is known on the right side of `&&` and `||`, and whether it is never reached. When the left side has a fault,
/// everything counts as known: what it would have tested is unknown, and a second fault would be noise.
fn behind(operator: Binary, left: Option<&Node>) -> (u64, bool) {
    let decided = |by: bool| left.and_then(Node::as_constant) == Some(&Constant::Bool(by));
    match (operator, left) {
        (Binary::And | Binary::Or, None) => (u64::MAX, false),
        (Binary::And, Some(left)) => (left.facts.holds, decided(false)),
        (Binary::Or, Some(left)) => (left.facts.fails, decided(true)),
        _ => (0, false),
    }
}

/// What arithmetic gives; nothing for operands it does not take.
fn gives(operator: Binary, a: Kind, b: Kind) -> Option<Kind> {
    use Binary::{Add, Mul, Pow, Sub};
    Some(match (operator, a, b) {
        (Pow, a, b) if a.is_number() && b.is_number() => Kind::Float,
        (_, Kind::Int, Kind::Int) => Kind::Int,
        (_, a, b) if a.is_number() && b.is_number() => Kind::Float,
        (Add, Kind::String, Kind::String) => Kind::String,
        (Add | Sub, Kind::Timestamp, Kind::Duration) => Kind::Timestamp,
        (Add, Kind::Duration, Kind::Timestamp) => Kind::Timestamp,
        (Sub, Kind::Timestamp, Kind::Timestamp) => Kind::Duration,
        (Add | Sub, Kind::Duration, Kind::Duration) => Kind::Duration,
        (Mul, Kind::Duration, Kind::Int) | (Mul, Kind::Int, Kind::Duration) => Kind::Duration,
        _ => return None,
    })
}

/// Two numbers as one kind.
pub(super) fn alike(a: Node, b: Node) -> (Node, Node) {
    match a.kind() == b.kind() {
        true => (a, b),
        false => (a.widened(), b.widened()),
    }
}
