//! `[schema.NAME]`: the fields that records are promised to have.

use super::faults::Faults;
use super::form;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::spec::{Entry, Table};
use crate::types::{Kind, TimeFormat, Type};

/// A schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Its fields.
    pub fields: Vec<SchemaField>,
    /// Whether a source has it.
    pub used: bool,
    /// Whether its fields could be read at all. Otherwise nothing is said of them.
    pub sound: bool,
}

/// A field of a schema.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaField {
    /// Its name; dots reach into objects.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// How it stands in JSON, if it is a timestamp.
    pub time: TimeFormat,
    /// Where its name stands.
    pub place: Place,
    /// Where its type stands.
    pub declared: Place,
    /// Whether its type was understood. Otherwise nothing is said of what is done with it.
    pub sound: bool,
}

/// More fields than this nobody names.
const MAX_FIELDS: usize = 1_000;

/// Reads all schemas.
pub fn read(table: Option<&Table>, faults: &mut Faults) -> Vec<Schema> {
    let entries = table.map(|t| t.entries.as_slice()).unwrap_or_default();
    entries.iter().map(|entry| schema(entry, faults)).collect()
}

fn schema(entry: &Entry, faults: &mut Faults) -> Schema {
    if !super::names::is_name(&entry.key) {
        faults.add(super::names::bad_name(&entry.key, entry.place));
    }
    let mut fields = vec![];
    match entry.value.as_table() {
        Some(table) => flatten("", table, &mut fields, faults),
        None => faults.add(form::wrong_form(&entry.key, &entry.value, "a table of fields to types")),
    }
    if fields.len() > MAX_FIELDS {
        let message =
            format!("schema `{}` has {} fields; at most {MAX_FIELDS} can be", entry.key, fields.len());
        faults.add(
            Diagnostic::error(Code::TooManyFields, message, entry.place)
                .help("leave out what no expression reads: it rides along untouched"),
        );
        fields.truncate(MAX_FIELDS);
    }
    conflicts(&fields, faults);
    let sound = entry.value.as_table().is_some() && fields.len() < MAX_FIELDS;
    Schema { name: entry.key.clone(), place: entry.place, fields, used: false, sound }
}

/// `payload.temp = "float"` and `"payload.temp" = "float"` are the same field.
fn flatten(prefix: &str, table: &Table, fields: &mut Vec<SchemaField>, faults: &mut Faults) {
    for entry in &table.entries {
        let name = format!("{prefix}{}", entry.key);
        match entry.value.as_table() {
            Some(inner) => flatten(&format!("{name}."), inner, fields, faults),
            None => fields.push(field(name, entry, faults)),
        }
    }
}

fn field(name: String, entry: &Entry, faults: &mut Faults) -> SchemaField {
    let unknown = (Type::optional(Kind::Json), TimeFormat::Text);
    let mut sound = false;
    let (ty, time) = match entry.value.as_text() {
        None => {
            faults.add(form::wrong_form(&entry.key, &entry.value, "a type such as \"float\""));
            unknown
        }
        Some(text) => parse_type(&text.text).inspect(|_| sound = true).unwrap_or_else(|| {
            faults.add(unknown_type(&text.text, text.place));
            unknown
        }),
    };
    if name.split('.').any(str::is_empty) || name.starts_with('_') {
        faults.add(
            Diagnostic::error(Code::BadName, format!("`{name}` cannot be a field"), entry.place).label(
                match name.starts_with('_') {
                    true => "names with a leading `_` are streamrun's own",
                    false => "a name is missing beside a dot",
                },
            ),
        );
    }
    SchemaField { name, ty, time, place: entry.place, declared: entry.value.place, sound }
}

/// A type as it is written.
pub fn parse_type(text: &str) -> Option<(Type, TimeFormat)> {
    let (name, optional) = match text.strip_suffix('?') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let (_, kind, time) = Kind::NAMES.iter().find(|(n, _, _)| *n == name)?;
    Some((Type { kind: *kind, optional }, *time))
}

fn unknown_type(text: &str, place: Place) -> Diagnostic {
    const OTHERS: [(&str, &str); 14] = [
        ("str", "string"),
        ("text", "string"),
        ("varchar", "string"),
        ("number", "float"),
        ("double", "float"),
        ("decimal", "float"),
        ("integer", "int"),
        ("long", "int"),
        ("bigint", "int"),
        ("boolean", "bool"),
        ("datetime", "timestamp"),
        ("time", "timestamp"),
        ("object", "json"),
        ("array", "json"),
    ];
    let bare = text.trim_end_matches('?').to_lowercase();
    let mark = if text.ends_with('?') { "?" } else { "" };
    let names = Kind::NAMES.iter().map(|(name, _, _)| *name);
    let fault = Diagnostic::error(Code::BadType, format!("`{text}` is no type"), place);
    let fault = match OTHERS.iter().find(|(other, _)| *other == bare) {
        Some((_, ours)) => fault.help(format!("did you mean `{ours}{mark}`?")),
        None => fault.suggest(&bare, names.clone()),
    };
    fault.note(format!("types are {}; a `?` behind one: may be absent", names.collect::<Vec<_>>().join(", ")))
}

/// A field that is a plain value cannot have another one inside.
fn conflicts(fields: &[SchemaField], faults: &mut Faults) {
    for (i, field) in fields.iter().enumerate() {
        let inside = format!("{}.", field.name);
        for other in fields.iter().filter(|o| o.name.starts_with(&inside) && field.ty.kind != Kind::Json) {
            faults.add(
                Diagnostic::error(
                    Code::FieldConflict,
                    format!("`{}` lies inside `{}`, which is {}", other.name, field.name, field.ty.kind),
                    other.place,
                )
                .also(field.place, "declared here")
                .help(format!("declare `{}` as \"json\", or not at all", field.name)),
            );
        }
        if let Some(first) = fields[..i].iter().find(|f| f.name == field.name) {
            faults.add(
                Diagnostic::error(
                    Code::DuplicateName,
                    format!("`{}` is declared twice", field.name),
                    field.place,
                )
                .also(first.place, "first here"),
            );
        }
    }
}
