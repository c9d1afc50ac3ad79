//! The tree: what stands in the file, in its order, each thing with its place.

use super::text;
use crate::diagnostic::{Passage, Place};
use toml::de::{DeTable, DeValue};

/// A table: entries in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What stands in it.
    pub entries: Vec<Entry>,
    /// Where its header or braces stand.
    pub place: Place,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, quotes and escapes resolved.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// What it is set to.
    pub value: Value,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub item: Item,
    /// Where it stands.
    pub place: Place,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A text.
    Text(Passage),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A date or time, as it is written; no key wants one.
    Time(String),
    /// An array.
    Array(Vec<Value>),
    /// A table, with braces or with a header.
    Table(Table),
}

impl Table {
    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key == key)
    }

    /// The value of a key, if it is a table.
    pub fn table(&self, key: &str) -> Option<&Table> {
        self.get(key)?.value.as_table()
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&Passage> {
        match &self.item {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.item {
            Item::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match &self.item {
            Item::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The elements of an array, or the value itself as the only one.
    pub fn one_or_many(&self) -> &[Value] {
        self.as_array().unwrap_or(std::slice::from_ref(self))
    }
}

impl Item {
    /// What it is, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            Item::Text(_) => "a text",
            Item::Int(_) => "an integer",
            Item::Float(_) => "a float",
            Item::Bool(_) => "a boolean",
            Item::Time(_) => "a date or time",
            Item::Array(_) => "a list",
            Item::Table(_) => "a table",
        }
    }
}

/// A table of the parser's as one of ours.
pub fn table(source: &str, parsed: &DeTable<'_>, place: Place) -> Table {
    let entries = parsed
        .iter()
        .map(|(key, value)| {
            let place = clip(source, key.span());
            // A value that could not be read stands nowhere: what is said of it is said at its key.
            let at = if value.span().is_empty() { place } else { clip(source, value.span()) };
            Entry { key: key.get_ref().to_string(), place, value: item(source, value.get_ref(), at) }
        })
        .collect();
    Table { entries, place }
}

/// A value of the parser's as one of ours.
pub fn item(source: &str, value: &DeValue<'_>, place: Place) -> Value {
    let found = match value {
        DeValue::String(text) => {
            let raw = source.get(place.range()).unwrap_or_default();
            Item::Text(text::passage(text, raw, place))
        }
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(integer) => Item::Int(integer),
            Err(_) => Item::Float(digits.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(digits) => Item::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Item::Bool(*value),
        DeValue::Datetime(time) => Item::Time(time.to_string()),
        DeValue::Array(values) => {
            let values = values.iter().map(|v| item(source, v.get_ref(), clip(source, v.span())));
            Item::Array(values.collect())
        }
        DeValue::Table(inner) => Item::Table(table(source, inner, place)),
    };
    Value { item: found, place }
}

/// Recovery may leave spans that reach beyond the file or into a character.
fn clip(source: &str, span: std::ops::Range<usize>) -> Place {
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let end = source.ceil_char_boundary(span.end.min(source.len()));
    Place::new(start..end.max(start))
}
