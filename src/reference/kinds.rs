//! Kinds of nodes: summary, keys, what they mean, an example.

use super::layout::{columns, example, keys, wrapped};
use crate::operators::KINDS;
use crate::plan::OperatorKind;

/// The names of all kinds, sources apart: those are a section with a reference of its own.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// All there is to say of a kind.
pub fn text(name: &str) -> Option<String> {
    let kind = KINDS.iter().find(|kind| kind.name == name)?;
    Some([heading(kind), wrapped(kind.details, 2), keys(kind.keys), example(kind.example)].join("\n"))
}

fn heading(kind: &OperatorKind) -> String {
    wrapped(&format!("[{}.NAME]: {}", kind.name, kind.summary), 0)
}

/// A line a kind.
pub fn list() -> String {
    let source = ("source", "reads a topic: its schema, its key, its clock");
    columns(std::iter::once(source).chain(KINDS.iter().map(|kind| (kind.name, kind.summary))), 2)
}
