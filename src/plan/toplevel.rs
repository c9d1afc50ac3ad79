//! What may stand at the top of the file, and what is reserved.

use super::check::{kinds, sections};
use super::faults::Faults;
use super::form::{self, Key};
use super::settings;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::spec::{Entry, Item, Table};

/// Kinds that are planned, with what they will do.
pub const RESERVED: &[(&str, &str)] = &[
    ("table", "a topic as a table: the last value of each key"),
    ("aggregate", "a table of sums, minima, lists, over all time"),
    ("hop", "windows that overlap"),
    ("slide", "a window that follows each record"),
    ("session", "a window that ends with a pause"),
    ("join", "two streams, or a stream and a table, as one"),
    ("flat_map", "several records out of one"),
    ("dedup", "each record once"),
    ("timer", "rows at set times"),
    ("lookup", "fields from another system"),
    ("pattern", "records that follow each other in a certain way"),
    ("top", "the largest of a group"),
    ("merge", "several streams as one; `from = [\"a\", \"b\"]` does that already"),
    ("split", "one stream as several; `routes` of a branch do that already"),
    ("include", "parts of a pipeline in other files"),
    ("use", "parts of a pipeline from other files"),
];

/// Checks the names at the top, and the forms of what is no node.
pub fn check(root: &Table, faults: &mut Faults) {
    if root.entries.is_empty() {
        faults.add(
            Diagnostic::file(Code::Empty, "the file is empty")
                .help("`streamrun new NAME` writes one to start from"),
        );
        return;
    }
    settings::version(root, faults);
    let mut scalars = Table { entries: vec![], place: root.place };
    for entry in &root.entries {
        match settings::TOP.iter().any(|k| k.name == entry.key) {
            true => scalars.entries.push(entry.clone()),
            false => section(entry, faults),
        }
    }
    form::conform(&scalars, settings::TOP, "the pipeline", Place { start: 0, end: 0 }, faults);
}

/// Whether something of this name can stand at the top.
pub fn is_known(name: &str) -> bool {
    let keys = settings::TOP.iter().map(|k| k.name);
    kinds().contains(&name)
        || keys.chain(sections().iter().map(|s| s.0)).any(|known| known == name)
        || matches!(name, "params" | "schema")
}

fn section(entry: &Entry, faults: &mut Faults) {
    let name = entry.key.as_str();
    if let Some((_, what)) = RESERVED.iter().find(|(kind, _)| *kind == name) {
        return faults.add(
            Diagnostic::error(
                Code::ReservedKind,
                format!("`{name}` is planned and cannot be used yet"),
                entry.place,
            )
            .label(*what),
        );
    }
    if kinds().contains(&name) {
        return;
    }
    match (name, &entry.value.item) {
        ("params" | "schema" | "kafka" | "run" | "status" | "generate", item)
            if !matches!(item, Item::Table(_)) =>
        {
            faults.add(form::wrong_form(name, &entry.value, "a table"));
        }
        ("kafka", Item::Table(table)) => conform(name, table, settings::KAFKA, entry, faults),
        ("run", Item::Table(table)) => conform(name, table, settings::RUN, entry, faults),
        ("status", Item::Table(table)) => conform(name, table, settings::STATUS, entry, faults),
        ("params" | "schema" | "generate" | "test", _) => {}
        _ => unknown(entry, faults),
    }
}

fn conform(name: &str, table: &Table, keys: &[Key], entry: &Entry, faults: &mut Faults) {
    form::conform(table, keys, &format!("`[{name}]`"), entry.place, faults);
}

fn unknown(entry: &Entry, faults: &mut Faults) {
    let mut names: Vec<&str> = kinds();
    names.extend(sections().iter().map(|(name, _, _)| *name));
    names.extend(["params", "schema"]);
    names.extend(settings::TOP.iter().map(|k| k.name));
    let name = &entry.key;
    let inner = entry.value.as_table();
    // `[filtr.hot]` is a kind that nobody knows; `topic = "x"` at the top has lost its table.
    let is_kind = inner
        .is_some_and(|t| !t.entries.is_empty() && t.entries.iter().all(|e| e.value.as_table().is_some()));
    let fault = match (is_kind, inner) {
        (true, _) => Diagnostic::error(Code::UnknownKind, format!("there is no kind `{name}`"), entry.place),
        (false, Some(_)) => {
            Diagnostic::error(Code::UnknownSection, format!("there is no section `[{name}]`"), entry.place)
        }
        (false, None) => {
            Diagnostic::error(Code::UnknownKey, format!("the pipeline has no key `{name}`"), entry.place)
        }
    };
    let fault = fault.suggest(name, names.iter().copied());
    let fault = match inner.is_none() && fault.help.is_empty() {
        true => fault.help("the keys of a source, node or sink stand below its header: `[kind.NAME]`"),
        false => fault,
    };
    faults.add(match is_kind {
        true => fault.note(format!("kinds are {}", kinds().join(", "))),
        false => fault,
    });
}
