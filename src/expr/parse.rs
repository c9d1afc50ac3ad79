//! From text to syntax tree. The only module that names evalexpr.
//!
//! evalexpr decides what binds to what; it keeps no positions. Its tree, walked in order, meets the tokens in order, so
//! this walk reads both side by side and takes the spans from the tokens.

use super::lex::{Token, TokenKind, lex};
use super::order;
use super::tree::Constant;
use crate::diagnostic::{Code, Diagnostic, Passage};
use evalexpr::{Node, Operator, Value, build_operator_tree};
use std::ops::Range;

/// A node of the syntax tree; its range includes the parentheses around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ast {
    pub range: Range<usize>,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Constant(Constant),
    Name(String),
    Call { name: String, head: Range<usize>, arguments: Vec<Ast> },
    Negate(Box<Ast>),
    Not(Box<Ast>),
    Binary(Binary, Box<Ast>, Box<Ast>),
    Tuple(Vec<Ast>),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    And,
    Or,
}

impl Binary {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Sub => "-",
            Binary::Mul => "*",
            Binary::Div => "/",
            Binary::Rem => "%",
            Binary::Pow => "^",
            Binary::Eq => "==",
            Binary::Ne => "!=",
            Binary::Lt => "<",
            Binary::Gt => ">",
            Binary::Le => "<=",
            Binary::Ge => ">=",
            Binary::And => "&&",
            Binary::Or => "||",
        }
    }

    fn of(operator: &Operator) -> Option<Self> {
        Some(match operator {
            Operator::Add => Binary::Add,
            Operator::Sub => Binary::Sub,
            Operator::Mul => Binary::Mul,
            Operator::Div => Binary::Div,
            Operator::Mod => Binary::Rem,
            Operator::Exp => Binary::Pow,
            Operator::Eq => Binary::Eq,
            Operator::Neq => Binary::Ne,
            Operator::Lt => Binary::Lt,
            Operator::Gt => Binary::Gt,
            Operator::Leq => Binary::Le,
            Operator::Geq => Binary::Ge,
            Operator::And => Binary::And,
            Operator::Or => Binary::Or,
            _ => return None,
        })
    }
}

/// The syntax tree of an expression, or its faults.
pub(super) fn parse(passage: &Passage, faults: &mut Vec<Diagnostic>) -> Option<Ast> {
    let mut found = vec![];
    let tree = tokens(passage, &mut found).and_then(|tokens| tree(passage, &tokens, &mut found));
    faults.append(&mut found);
    tree
}

/// The tokens of an expression, in an order that makes one.
pub(super) fn tokens(passage: &Passage, faults: &mut Vec<Diagnostic>) -> Option<Vec<Token>> {
    let tokens = lex(passage, faults)?;
    match order::check(passage, &tokens) {
        Ok(()) => Some(tokens),
        Err(fault) => {
            faults.push(*fault);
            None
        }
    }
}

fn tree(passage: &Passage, tokens: &[Token], faults: &mut Vec<Diagnostic>) -> Option<Ast> {
    let parsed = build_operator_tree(&passage.text).map_err(|error| error.to_string());
    let walked = parsed.and_then(|node| {
        let mut walk = Walk { tokens, at: 0 };
        walk.element(&node).filter(|_| walk.at == tokens.len()).ok_or_else(|| "cannot be parsed".to_owned())
    });
    // `order` refuses what evalexpr would, so no error is expected here. The mutation tests stop at one that slips
    // through; for a user it is a fault of the file like any other.
    debug_assert!(walked.is_ok(), "`{}` slipped through: {walked:?}", passage.text);
    walked
        .map_err(|error| faults.push(Diagnostic::error(Code::ExpressionSyntax, error, passage.whole())))
        .ok()
}

/// evalexpr's tree and our tokens, side by side. `None` when they part.
struct Walk<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Walk<'_> {
    fn take(&mut self) -> Option<&Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn expect(&mut self, kind: &TokenKind) -> Option<Range<usize>> {
        self.take().filter(|token| token.kind == *kind).map(|token| token.range.clone())
    }

    /// The whole, or an element of a tuple: a root node without parentheses of its own.
    fn element(&mut self, root: &Node) -> Option<Ast> {
        match (root.operator(), root.children()) {
            (Operator::RootNode, [child]) => self.node(child),
            _ => None,
        }
    }

    fn node(&mut self, node: &Node) -> Option<Ast> {
        match (node.operator(), node.children()) {
            (Operator::RootNode, [child]) => self.parentheses(child),
            (Operator::Tuple, elements) => self.tuple(elements),
            (Operator::Const { value }, []) => self.constant(value),
            (Operator::VariableIdentifierRead { identifier }, []) => {
                let range = self.expect(&TokenKind::Name(identifier.clone()))?;
                Some(Ast { range, shape: Shape::Name(identifier.clone()) })
            }
            (Operator::FunctionIdentifier { identifier }, [argument]) => self.call(identifier, argument),
            (Operator::Neg, [operand]) => self.prefix("-", operand, Shape::Negate),
            (Operator::Not, [operand]) => self.prefix("!", operand, Shape::Not),
            (operator, [_, _]) => Binary::of(operator).and_then(|_| self.chain(node)),
            _ => None,
        }
    }

    fn parentheses(&mut self, child: &Node) -> Option<Ast> {
        let open = self.expect(&TokenKind::Open)?;
        let inner = self.node(child)?;
        let close = self.expect(&TokenKind::Close)?;
        Some(Ast { range: open.start..close.end, shape: inner.shape })
    }

    fn tuple(&mut self, elements: &[Node]) -> Option<Ast> {
        let mut list: Vec<Ast> = vec![];
        for element in elements {
            if !list.is_empty() {
                self.expect(&TokenKind::Comma)?;
            }
            list.push(self.element(element)?);
        }
        let range = list.first()?.range.start..list.last()?.range.end;
        Some(Ast { range, shape: Shape::Tuple(list) })
    }

    fn constant(&mut self, value: &Value) -> Option<Ast> {
        let token = self.take()?;
        let constant = match (&token.kind, value) {
            (TokenKind::Int(a), Value::Int(b)) if a == b => Constant::Int(*a),
            (TokenKind::Float(a), Value::Float(b)) if a.to_bits() == b.to_bits() => Constant::Float(*a),
            (TokenKind::Bool(a), Value::Boolean(b)) if a == b => Constant::Bool(*a),
            (TokenKind::Text(a), Value::String(b)) if a == b => Constant::Text(a.clone()),
            _ => return None,
        };
        Some(Ast { range: token.range.clone(), shape: Shape::Constant(constant) })
    }

    fn call(&mut self, name: &str, argument: &Node) -> Option<Ast> {
        let head = self.expect(&TokenKind::Name(name.to_owned()))?;
        self.expect(&TokenKind::Open)?;
        let arguments = match argument.children() {
            [] => vec![],
            [list] if *list.operator() == Operator::Tuple => match self.tuple(list.children())?.shape {
                Shape::Tuple(arguments) => arguments,
                _ => return None,
            },
            [one] => vec![self.node(one)?],
            _ => return None,
        };
        let close = self.expect(&TokenKind::Close)?;
        let range = head.start..close.end;
        Some(Ast { range, shape: Shape::Call { name: name.to_owned(), head, arguments } })
    }

    fn prefix(&mut self, symbol: &'static str, operand: &Node, shape: fn(Box<Ast>) -> Shape) -> Option<Ast> {
        let start = self.expect(&TokenKind::Operator(symbol))?.start;
        let operand = self.node(operand)?;
        Some(Ast { range: start..operand.range.end, shape: shape(Box::new(operand)) })
    }

    /// A chain like `a + b + c` leans to the left as deep as it is long; it is walked in a loop, so that only what
    /// `order` bounds recurses.
    fn chain(&mut self, node: &Node) -> Option<Ast> {
        let mut rights = vec![];
        let mut first = node;
        while let (Some(binary), [left, right]) = (Binary::of(first.operator()), first.children()) {
            rights.push((binary, right));
            first = left;
        }
        let mut chain = self.node(first)?;
        for (binary, right) in rights.into_iter().rev() {
            self.expect(&TokenKind::Operator(binary.symbol()))?;
            let right = self.node(right)?;
            let range = chain.range.start..right.range.end;
            chain = Ast { range, shape: Shape::Binary(binary, Box::new(chain), Box::new(right)) };
        }
        Some(chain)
    }
}
