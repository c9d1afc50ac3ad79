//! Names: fields, params, and what to say when there is neither.

use super::{Checker, Scope};
use crate::diagnostic::Code;
use crate::expr::functions;
use crate::expr::tree::{Facts, Node, Op};
use crate::expr::{Field, Names};
use crate::types::Type;
use std::ops::Range;

impl Checker<'_> {
    /// The names that stand here.
    pub(super) fn names(&mut self) -> &mut dyn Names {
        match &mut self.scope {
            Scope::Record(names) => *names,
            Scope::Row { row, .. } => *row,
        }
    }

    /// A bare name; `alone` when it is the whole expression.
    pub(super) fn name(&mut self, name: &str, range: &Range<usize>, alone: bool) -> Option<Node> {
        let Some(param) = self.names().param(name) else {
            return match self.names().field(name) {
                Some(field) => Some(self.field_node(field, range)),
                None => self.unknown(name, range, alone),
            };
        };
        if let Some(place) = self.names().has_field(name) {
            let fault =
                self.fault(Code::AmbiguousName, range, format!("`{name}` is both a field and a param"));
            let fault = fault.also(place, "the field").also(param.declared, "the param");
            self.faults.push(fault.help("rename the param"));
            return None;
        }
        Some(Node::constant(param.value.into(), range.clone()))
    }

    /// `field("user-id")`: a field and never a param.
    pub(super) fn named_field(&mut self, name: &str, range: &Range<usize>) -> Option<Node> {
        match self.names().field(name) {
            Some(field) => Some(self.field_node(field, range)),
            None => self.unknown(name, range, false),
        }
    }

    pub(super) fn field_node(&self, field: Field, range: &Range<usize>) -> Node {
        let known = self.present >> field.register.0 & 1 == 1;
        let ty = Type { kind: field.ty.kind, optional: field.ty.optional && !known };
        let mut node = Node::new(Op::Field(field.register), ty, range.clone());
        (node.declared, node.facts) = (field.declared, Facts::default());
        node
    }

    fn unknown(&mut self, name: &str, range: &Range<usize>, alone: bool) -> Option<Node> {
        if self.bare_field(name, range) {
            return None;
        }
        let message = format!("{} has no field `{name}`", self.names().subject());
        let candidates = self.names().candidates();
        let split =
            candidates.iter().find_map(|candidate| Some((candidate, self.part_of(candidate, range)?)));
        if let Some((candidate, first)) = split {
            if first {
                let fault = self.fault(Code::UnknownField, range, message);
                self.faults.push(fault.help(format!("`field(\"{candidate}\")`")));
            }
            return None;
        }
        let describe = self.names().describe();
        let mut fault = self.fault(Code::UnknownField, range, message).label("not a field, not a param");
        let suggested = fault.help.len();
        fault = fault.suggest(name, candidates.iter().map(String::as_str));
        let nothing_close = fault.help.len() == suggested;
        fault = match name.to_ascii_lowercase().as_str() {
            "null" | "nil" | "none" | "undefined" => {
                fault.help("`is_set(x)` and `!is_set(x)` ask whether a field is there")
            }
            word @ ("true" | "false") => fault.help(format!("`{word}`")),
            _ if functions::named(name).is_some() => fault.help(format!("`{name}(…)` calls the function")),
            _ if alone && nothing_close => fault.help(format!("`'\"{name}\"'` is the text")),
            _ => fault,
        };
        self.faults.push(match describe {
            Some(note) => fault.note(note),
            None => fault,
        });
        None
    }

    /// Whether a name is a part of another that stands there, as `user` is of `user-id`; and whether the first part.
    fn part_of(&self, candidate: &str, range: &Range<usize>) -> Option<bool> {
        let covers = |start: usize| start <= range.start && range.end <= start + candidate.len();
        let longer = candidate.len() > range.len();
        let mut found = self.passage.text.match_indices(candidate).map(|(start, _)| start);
        found.find(|start| longer && covers(*start)).map(|start| start == range.start)
    }

    /// A field of the input where there are many records: three ways out.
    fn bare_field(&mut self, name: &str, range: &Range<usize>) -> bool {
        let Scope::Row { input, .. } = &self.scope else { return false };
        let declared = input.has_field(name);
        if declared.is_none() && !input.candidates().iter().any(|candidate| candidate == name) {
            return false;
        }
        let message = format!("`{name}` has a value for each record, and here are many");
        let fault = self.fault(Code::BareFieldInCompute, range, message).label("which record's?");
        let help = format!("`first({name})`, `last({name})`, or add `{name}` to `by`");
        self.faults.push(fault.help(help));
        true
    }
}
