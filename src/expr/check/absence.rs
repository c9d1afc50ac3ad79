//! What may be absent, and what to do about it.

use super::Checker;
use crate::diagnostic::{Code, Diagnostic, Passage};
use crate::expr::tree::{Node, Op};
use crate::types::Kind;
use std::ops::Range;

impl Checker<'_> {
    /// A node whose value has to be there for `consumer`.
    pub(super) fn required(&mut self, node: Node, consumer: &Range<usize>) -> Option<Node> {
        if !node.ty.optional {
            return Some(node);
        }
        let around = self.comparison.clone();
        self.faults.push(may_be_absent(self.passage, &node, consumer, around));
        None
    }
}

/// The fault of a value that may be absent, with its ways out written for this very expression.
fn may_be_absent(
    passage: &Passage,
    node: &Node,
    consumer: &Range<usize>,
    comparison: Option<Range<usize>>,
) -> Diagnostic {
    let text = &passage.text[node.range.clone()];
    let place = passage.at(node.range.clone());
    let mut fault = Diagnostic::error(Code::MayBeAbsent, format!("`{text}` may be absent"), place);
    fault = fault.label("needs a value");
    if let Some(declared) = node.declared {
        fault = fault.also(declared, "declared optional here");
    }
    let is_field = matches!(node.op, Op::Field(_));
    let whole = comparison.clone().unwrap_or(consumer.clone());
    let tested = match comparison.is_some() || (node.kind() == Kind::Bool && *consumer == node.range) {
        true => format!("is_set({text}) && {}", &passage.text[whole.clone()]),
        false => format!("if(is_set({text}), {}, …)", &passage.text[whole.clone()]),
    };
    let coalesced = default(node.kind()).map(|default| {
        let (before, after) =
            (&passage.text[whole.start..node.range.start], &passage.text[node.range.end..whole.end]);
        format!("{before}coalesce({text}, {default}){after}")
    });
    match (is_field, coalesced) {
        (true, Some(coalesced)) => fault.help(format!("`{tested}`, or `{coalesced}`")),
        (false, Some(coalesced)) => fault.help(format!("`{coalesced}`")),
        (_, None) => fault.help(format!("`{tested}`")),
    }
}

/// A plain default of a kind.
fn default(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::String => Some("\"\""),
        Kind::Int => Some("0"),
        Kind::Float => Some("0.0"),
        Kind::Bool => Some("false"),
        Kind::Timestamp | Kind::Duration | Kind::Json | Kind::List(_) => None,
    }
}

/// The whole expression as a condition.
pub(in super::super) fn condition(
    passage: &Passage,
    node: Node,
    faults: &mut Vec<Diagnostic>,
) -> Option<Node> {
    if node.kind() != Kind::Bool {
        let message = format!("a condition is needed, and this is {}", node.ty);
        let fault = Diagnostic::error(Code::TypeMismatch, message, passage.at(node.range.clone()));
        faults.push(fault.help(match node.kind() {
            Kind::String => format!("`{} == \"…\"`", &passage.text),
            Kind::Int | Kind::Float => format!("`{} > 0`", &passage.text),
            _ => "compare it with something".to_owned(),
        }));
        return None;
    }
    if node.ty.optional {
        faults.push(may_be_absent(passage, &node, &node.range, None));
        return None;
    }
    Some(node)
}
