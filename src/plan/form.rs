//! What may stand in a table of the file: its keys, and the shape of each value.
//!
//! A kind declares its keys once, as a slice of [`Key`]s. Checking, `help`, the JSON Schema and the reference all
//! come out of it. Here the shape of values is checked and nothing of what they mean.

use super::faults::Faults;
use crate::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use crate::spec::{Entry, Item, Table, Value};

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What stands behind it.
    pub form: Form,
    /// Whether it must be there.
    pub required: bool,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, form: Form, doc: &'static str) -> Self {
        Key { name, form, required: true, doc }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, form: Form, doc: &'static str) -> Self {
        Key { name, form, required: false, doc }
    }
}

/// What stands behind a key. The key decides what a text means, never its quotes.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A source or node, or a list of them: merged.
    Inputs,
    /// One node.
    Node,
    /// A plain text.
    Text,
    /// A plain text, or a list of them.
    Texts,
    /// The name of a schema.
    Schema,
    /// A field.
    Field,
    /// A field, or a list of them.
    Fields,
    /// An expression.
    Expression,
    /// A table of expressions, by the name of the field each sets.
    Expressions,
    /// A table, by the name of the field each sets: an expression, or a list of cases.
    Settings,
    /// A table of new names to old ones.
    Names,
    /// A text with `{fields}` in it.
    Message,
    /// `"250ms"`, `"5s"`, `"10m"`, `"2h"`, `"1d"`, or a param.
    Duration,
    /// `"64MiB"`, or a param.
    Size,
    /// A whole number from here on, or a param.
    Number(i64),
    /// `true` or `false`, or a param.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of tables with these keys.
    List(&'static [Key]),
    /// A table with these keys.
    Table(&'static [Key]),
    /// librdkafka's properties.
    Properties,
    /// A table whose keys are names that the file makes up, each a text.
    TextTable,
    /// Anything; checked by whoever reads it.
    Any,
}

impl Form {
    /// What is expected, for messages and the reference.
    pub fn expects(self) -> String {
        match self {
            Form::Inputs => "the name of a source or node, or a list of them".into(),
            Form::Node => "the name of a node".into(),
            Form::Text | Form::Message => "a text".into(),
            Form::Texts => "a text or a list of texts".into(),
            Form::Schema => "the name of a schema".into(),
            Form::Field => "the name of a field".into(),
            Form::Fields => "the name of a field, or a list of them".into(),
            Form::Expression => "an expression, in quotes".into(),
            Form::Expressions => "a table of fields to expressions".into(),
            Form::Settings => "a table of fields to expressions or lists of cases".into(),
            Form::Names => "a table of new names to old ones".into(),
            Form::TextTable => "a table of texts".into(),
            Form::Duration => "a duration such as \"5s\", or a param".into(),
            Form::Size => "a size such as \"64MiB\", or a param".into(),
            Form::Number(least) => format!("a whole number of at least {least}, or a param"),
            Form::Bool => "true or false".into(),
            Form::OneOf(words) => {
                let words: Vec<_> = words.iter().map(|w| format!("\"{w}\"")).collect();
                match words.as_slice() {
                    [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
                    one => one.concat(),
                }
            }
            Form::List(_) => "a list of tables".into(),
            Form::Table(_) | Form::Properties => "a table".into(),
            Form::Any => "a value".into(),
        }
    }

    fn fits(self, item: &Item) -> bool {
        let texts = |values: &[Value]| !values.is_empty() && values.iter().all(|v| v.as_text().is_some());
        match self {
            Form::Inputs | Form::Texts | Form::Fields => match item {
                Item::Text(_) => true,
                Item::Array(values) => texts(values),
                _ => false,
            },
            Form::Node | Form::Text | Form::Schema | Form::Field | Form::Expression | Form::Message => {
                matches!(item, Item::Text(_))
            }
            Form::Duration | Form::Size | Form::OneOf(_) => matches!(item, Item::Text(_)),
            Form::Number(_) => matches!(item, Item::Int(_) | Item::Text(_)),
            Form::Bool => matches!(item, Item::Bool(_) | Item::Text(_)),
            Form::List(_) => match item {
                Item::Array(values) => values.iter().all(|v| v.as_table().is_some()),
                _ => false,
            },
            Form::Expressions
            | Form::Settings
            | Form::Names
            | Form::TextTable
            | Form::Table(_)
            | Form::Properties => matches!(item, Item::Table(_)),
            Form::Any => true,
        }
    }
}

/// Checks a table against its keys: none unknown, none missing, each value of its form, and so on inwards.
/// `what` names the table in messages, `place` is where a missing key is missed.
pub fn conform(table: &Table, keys: &[Key], what: &str, place: Place, faults: &mut Faults) {
    for entry in &table.entries {
        match keys.iter().find(|k| k.name == entry.key) {
            Some(key) => conform_value(entry, key, faults),
            None => faults.add(unknown_key(entry, keys, what)),
        }
    }
    let missed = |key: &&Key| key.required && table.get(key.name).is_none() && !misspelt(table, key, keys);
    let missing: Vec<_> = keys.iter().filter(missed).collect();
    if !missing.is_empty() {
        faults.add(missing_keys(&missing, what, place));
    }
}

/// Whether a key is there but for a slip, which is a fault of its own.
fn misspelt(table: &Table, key: &Key, keys: &[Key]) -> bool {
    let unknown = table.entries.iter().filter(|e| !keys.iter().any(|k| k.name == e.key));
    let mut meant = unknown.filter_map(|e| did_you_mean(&e.key, keys.iter().map(|k| k.name)));
    meant.any(|name| name == key.name)
}

fn missing_keys(missing: &[&Key], what: &str, place: Place) -> Diagnostic {
    let names: Vec<_> = missing.iter().map(|key| format!("`{}`", key.name)).collect();
    let list = |last: &str| match names.as_slice() {
        [all @ .., end] if !all.is_empty() => format!("{} {last} {end}", all.join(", ")),
        one => one.concat(),
    };
    let fault = Diagnostic::error(Code::MissingKey, format!("{what} has no {}", list("or")), place)
        .label(format!("needs {}", list("and")));
    missing.iter().fold(fault, |fault, key| fault.help(format!("add `{} = …`: {}", key.name, key.doc)))
}

fn conform_value(entry: &Entry, key: &Key, faults: &mut Faults) {
    if !key.form.fits(&entry.value.item) {
        return faults.add(wrong_form(&entry.key, &entry.value, &key.form.expects()));
    }
    match (key.form, &entry.value.item) {
        (Form::Table(keys), Item::Table(table)) => {
            conform(table, keys, &format!("`{}`", key.name), entry.place, faults);
        }
        (Form::List(keys), Item::Array(values)) => {
            for value in values {
                if let Some(table) = value.as_table() {
                    conform(table, keys, &format!("this entry of `{}`", key.name), value.place, faults);
                }
            }
        }
        (Form::Names, Item::Table(table)) => texts(&entry.key, table, "the name of a field", faults),
        (Form::TextTable, Item::Table(table)) => texts(&entry.key, table, "a text", faults),
        (Form::OneOf(words), Item::Text(text)) if !words.contains(&text.text.as_str()) => {
            let message = format!("`{}` cannot be \"{}\"", key.name, text.text);
            faults.add(
                Diagnostic::error(Code::BadValue, message, text.place)
                    .label(format!("expected {}", key.form.expects()))
                    .suggest(&text.text, words.iter().copied()),
            );
        }
        (Form::Number(least), Item::Int(number)) if *number < least => {
            let message = format!("`{}` cannot be {number}", key.name);
            faults.add(
                Diagnostic::error(Code::BadValue, message, entry.value.place)
                    .label(format!("expected {}", key.form.expects())),
            );
        }
        _ => {}
    }
}

/// All values of a table are texts; a table inside is a dotted name.
fn texts(prefix: &str, table: &Table, expected: &str, faults: &mut Faults) {
    for entry in &table.entries {
        let name = format!("{prefix}.{}", entry.key);
        match &entry.value.item {
            Item::Text(_) => {}
            Item::Table(inner) => texts(&name, inner, expected, faults),
            _ => faults.add(wrong_form(&name, &entry.value, expected)),
        }
    }
}

/// A value that is of another form than its key wants.
pub fn wrong_form(key: &str, value: &Value, expected: &str) -> Diagnostic {
    let found = match &value.item {
        Item::Array(values) if values.is_empty() => "an empty list",
        item => item.what(),
    };
    let fault =
        Diagnostic::error(Code::WrongForm, format!("`{key}` needs {expected}, found {found}"), value.place)
            .label(format!("expected {expected}"));
    match &value.item {
        Item::Table(_) if expected.starts_with("a list") => {
            fault.help("put `[` and `]` around it: `[{ … }]`")
        }
        Item::Int(_) if expected.starts_with("a duration") => fault.help("add the unit: \"5s\", \"250ms\""),
        Item::Bool(b) if expected.starts_with("an expression") => fault.help(format!("write '{b}'")),
        Item::Int(n) if expected.starts_with("an expression") => fault.help(format!("write '{n}'")),
        _ => fault,
    }
}

fn unknown_key(entry: &Entry, keys: &[Key], what: &str) -> Diagnostic {
    let names = keys.iter().map(|k| k.name);
    let fault =
        Diagnostic::error(Code::UnknownKey, format!("{what} has no key `{}`", entry.key), entry.place)
            .suggest(&entry.key, names.clone());
    if fault.help.is_empty() {
        let names: Vec<_> = names.map(|n| format!("`{n}`")).collect();
        return fault.help(format!("its keys are {}", names.join(", ")));
    }
    fault
}
