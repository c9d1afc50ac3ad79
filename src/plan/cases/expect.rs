//! What a test expects, and where: rows of sinks, tables and alerts, dead letters, late records.

use super::send::beside;
use super::{Expected, Reader, Step, Target};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::plan::graph::What;
use crate::plan::shape::Variant;
use crate::plan::{Base, form, names};
use crate::spec::{Entry, Item, Table};
use serde_json::Value as Json;

/// What an expected row may say beside its fields.
pub const EXPECTED: &[&str] =
    &["_key", "_timestamp", "_headers", "_partition", "_reason", "_node", "_value", "_tombstone"];

impl Reader<'_> {
    pub(super) fn expect(&mut self, entry: &Entry) -> Option<Step> {
        let target = self.target(entry)?;
        let mut rows = vec![];
        for value in self.list(entry)? {
            match &value.item {
                Item::Table(table) => rows.push(self.expected(table, value.place, &target)),
                Item::Text(text) if !matches!(target, Target::Table(_)) => {
                    let fields = vec![("_value".to_owned(), Json::String(text.text.clone()))];
                    rows.push(Expected { fields, place: value.place });
                }
                _ => self.faults.add(form::wrong_form("expect", value, "a table of fields")),
            }
        }
        Some(Step::Expect { target, rows, place: entry.place })
    }

    fn expected(&mut self, table: &Table, place: Place, target: &Target) -> Expected {
        let known = self.known_fields(target);
        let mut fields = vec![];
        for entry in &table.entries {
            let name = &entry.key;
            if name.starts_with('_') && !EXPECTED.contains(&name.as_str()) {
                self.faults.add(beside(entry, EXPECTED));
            }
            // Only of rows that the pipeline makes itself is every field known.
            if let Some(known) = known.as_ref().filter(|k| !name.starts_with('_') && !k.contains(name)) {
                self.faults.add(
                    Diagnostic::error(
                        Code::UnknownField,
                        format!("no such row has a field `{name}`"),
                        entry.place,
                    )
                    .suggest(name, known.iter().map(String::as_str))
                    .note(format!("it has {}", known.join(", "))),
                );
            }
            fields.push((name.clone(), self.json(&entry.value)));
        }
        Expected { fields, place }
    }

    /// All fields of the rows at a target, where they are known.
    fn known_fields(&self, target: &Target) -> Option<Vec<String>> {
        let find = |name: &str| self.nodes.iter().find(|n| self.graph.sections[n.section].name == name);
        let shape = match target {
            Target::Table(name) => find(name)?.built.table.as_ref()?.rows.clone(),
            Target::Alert(name) => find(name)?.built.outputs.first()?.1.clone(),
            Target::Sink(name) => {
                let input = find(name)?.input.clone();
                let fresh = |v: &Variant| v.layout.base == Base::Fresh;
                if !input.variants.iter().all(fresh) {
                    return None;
                }
                input
            }
            Target::DeadLetters => return None,
        };
        let sound = !shape.open && shape.poisoned.is_empty();
        let top = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        sound.then(|| shape.fields.iter().map(|(name, _)| top(name)).collect())
    }

    fn target(&mut self, entry: &Entry) -> Option<Target> {
        let name = &entry.key;
        if name == names::DEAD_LETTERS {
            return Some(Target::DeadLetters);
        }
        let section = self.graph.sections.iter().find(|s| s.name == name);
        let target = match section.map(|s| s.what) {
            Some(What::Node(kind)) if !kind.has_output => Target::Sink(name.clone()),
            Some(What::Node(kind)) if kind.name == "alert" => Target::Alert(name.clone()),
            Some(What::Node(kind)) if kind.keys.iter().any(|k| k.name == "was") => {
                Target::Table(name.clone())
            }
            Some(what) => {
                let message = format!("`{name}` is a {}: there is nothing to look at", what.kind());
                self.faults.add(
                    Diagnostic::error(Code::BadTest, message, entry.place)
                        .help("sinks, tables, alerts and dead_letters can be looked at"),
                );
                return None;
            }
            None => {
                let mut known: Vec<&str> = vec![names::DEAD_LETTERS];
                known.extend(self.graph.sections.iter().map(|s| s.name));
                self.faults.add(
                    Diagnostic::error(
                        Code::UnknownNode,
                        format!("there is no sink or table `{name}`"),
                        entry.place,
                    )
                    .suggest(name, known),
                );
                return None;
            }
        };
        Some(target)
    }

    pub(super) fn late(&mut self, entry: &Entry) -> Option<Step> {
        let windowed = self.graph.sections.iter().any(|s| {
            s.name == entry.key
                && matches!(s.what, What::Node(kind) if kind.keys.iter().any(|k| k.name == "late"))
        });
        if !windowed {
            let message = format!("`{}` is no node with windows", entry.key);
            self.faults.add(Diagnostic::error(Code::BadTest, message, entry.place));
            return None;
        }
        let (count, wanted) = match entry.value.item {
            Item::Int(count) => (u64::try_from(count).ok(), "a number that is not negative"),
            _ => (None, "a whole number"),
        };
        if count.is_none() {
            self.faults.add(form::wrong_form(&entry.key, &entry.value, wanted));
        }
        Some(Step::ExpectLate { node: entry.key.clone(), count: count?, place: entry.value.place })
    }
}
