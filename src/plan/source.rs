//! `[source.NAME]`: a topic that is read, what its records promise, and the clock they drive.

use super::faults::Faults;
use super::form::{Form, Key};
use super::layout::{Base, Layout, path};
use super::names;
use super::schema::Schema;
use super::scope::Shared;
use super::shape::{FieldId, FileId, Shape};
use super::topics::{Role, TopicPlan, Topics};
use super::values::{duration, number};
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::operator::ReasonId;
use crate::outbox::TopicId;
use crate::spec::{Table, Value};
use crate::types::{Kind, TimeFormat, Type};
use std::cell::RefCell;

/// The keys of a source.
pub const KEYS: &[Key] = &[
    Key::required("topic", Form::Texts, "the topic to read, or a list of them"),
    Key::optional("schema", Form::Schema, "the fields its records have"),
    Key::optional(
        "format",
        Form::OneOf(&["json", "text", "bytes"]),
        "what a record's value is; json if left out",
    ),
    Key::optional(
        "key",
        Form::Field,
        "the field that producers key their records by: a promise that is checked",
    ),
    Key::optional("key_format", Form::OneOf(&["text", "json"]), "how the key is written; text if left out"),
    Key::optional("event_time", Form::Field, "the field that windows follow; Kafka's timestamp if left out"),
    Key::optional("late_by", Form::Duration, "how long windows wait for stragglers; 0s if left out"),
    Key::optional(
        "idle_after",
        Form::Duration,
        "close windows all the same when the topic is quiet for so long",
    ),
    Key::optional(
        "max_future",
        Form::Duration,
        "how far ahead of the wall clock a record may be; 1h if left out",
    ),
    Key::optional(
        "start",
        Form::OneOf(&["earliest", "latest", "error"]),
        "where to begin when nothing has been committed; earliest if left out",
    ),
    Key::optional(
        "on_null",
        Form::OneOf(&["dead-letter", "skip"]),
        "what to do with a record without a value; dead-letter if left out",
    ),
    Key::optional("partitions", Form::Number(1), "how many partitions the topic gets when it is created"),
    Key::optional("retention", Form::Duration, "how long the topic keeps records when it is created"),
];

/// What a record's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// A text, which becomes the field `value`.
    Text,
    /// Anything; it has no fields.
    Bytes,
}

/// Where to begin when nothing has been committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record.
    Earliest,
    /// Behind the newest.
    Latest,
    /// Not at all: stop.
    Error,
}

/// The promise that records are keyed by a field.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPromise {
    /// The field.
    pub field: FieldId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether the key is written as JSON.
    pub json: bool,
    /// The reason for a record that breaks the promise.
    pub reason: ReasonId,
}

/// What a source is that stands for a repartition: the far side of a cut through the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct CutPlan {
    /// The node that reads it, and for which the records are keyed anew.
    pub node: String,
    /// The fields that they are keyed by.
    pub by: Vec<String>,
    /// The sources whose records are written to it.
    pub from: Vec<usize>,
}

/// A source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePlan {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// What it reads.
    pub topics: Vec<TopicId>,
    /// What a value is.
    pub format: Format,
    /// The schema's name, if it has one.
    pub schema: Option<String>,
    /// The fields that are decoded or checked.
    pub fields: Vec<SourceField>,
    /// What its records look like.
    pub shape: Shape,
    /// What its records are keyed by.
    pub key: Option<KeyPromise>,
    /// The field of the event time.
    pub event_time: Option<(String, FieldId)>,
    /// How long windows wait, in milliseconds.
    pub late_by: i64,
    /// After how long a silence the clock goes on by itself, in milliseconds.
    pub idle_after: Option<i64>,
    /// How far ahead of the wall clock a record may be, in milliseconds.
    pub max_future: i64,
    /// Where to begin.
    pub start: Start,
    /// Whether a record without a value is skipped rather than dead-lettered.
    pub skip_null: bool,
    /// How many partitions its topics get when they are created.
    pub partitions: Option<u32>,
    /// How long its topics keep records when they are created, in milliseconds.
    pub retention: Option<i64>,
    /// What it repartitions, if it is none of the file's own.
    pub cut: Option<CutPlan>,
}

/// A field of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceField {
    /// Its name.
    pub name: String,
    /// The field.
    pub id: FieldId,
    /// Its type.
    pub ty: Type,
    /// How it stands in JSON, if it is a timestamp.
    pub time: TimeFormat,
}

/// What a source is checked with.
#[derive(Debug)]
pub struct SourceContext<'c> {
    /// Fields, params, reasons.
    pub shared: &'c RefCell<Shared>,
    /// The schemas.
    pub schemas: &'c mut Vec<Schema>,
    /// Whether they could be read.
    pub schemas_known: bool,
    /// The topics.
    pub topics: &'c mut Topics,
    /// What is wrong.
    pub faults: &'c mut Faults,
}

/// Checks a source whose records lie in the register file `file`.
pub fn check(
    name: &str,
    place: Place,
    table: &Table,
    file: FileId,
    cx: &mut SourceContext<'_>,
) -> SourcePlan {
    let format = match word(table, "format") {
        Some("text") => Format::Text,
        Some("bytes") => Format::Bytes,
        _ => Format::Json,
    };
    let base = match format {
        Format::Json => Base::Json,
        Format::Text => Base::Text,
        Format::Bytes => Base::Bytes,
    };
    let mut shape = Shape::new(file, Layout::new(base));
    shape.has_origin = true;
    let (schema, fields) = fields(table, format, &mut shape, cx);
    let duration = |key, least, cx: &mut SourceContext<'_>| {
        duration(key, &table.get(key)?.value, least, cx.shared, cx.faults)
    };
    let mut source = SourcePlan {
        name: name.to_owned(),
        place,
        topics: topics(name, table, cx),
        format,
        schema,
        fields,
        key: None,
        event_time: None,
        late_by: duration("late_by", 0, cx).unwrap_or(0),
        idle_after: duration("idle_after", 1, cx),
        max_future: duration("max_future", 0, cx).unwrap_or(3_600_000),
        start: match word(table, "start") {
            Some("latest") => Start::Latest,
            Some("error") => Start::Error,
            _ => Start::Earliest,
        },
        skip_null: word(table, "on_null") == Some("skip"),
        partitions: table
            .get("partitions")
            .and_then(|e| number("partitions", &e.value, 1, cx.shared, cx.faults))
            .map(|n| n.min(i64::from(i32::MAX)) as u32),
        retention: duration("retention", 1, cx),
        cut: None,
        shape,
    };
    source.shape.late_by = source.late_by;
    source.shape.key_json = word(table, "key_format") == Some("json");
    source.key = key(table, &mut source.shape, cx);
    source.event_time = event_time(table, &source.shape, cx);
    source
}

fn word<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    Some(table.get(key)?.value.as_text()?.text.as_str())
}

fn topics(name: &str, table: &Table, cx: &mut SourceContext<'_>) -> Vec<TopicId> {
    let values = table.get("topic").map(|e| e.value.one_or_many()).unwrap_or_default();
    let mut ids = vec![];
    for text in values.iter().filter_map(Value::as_text) {
        if !names::is_topic(&text.text) {
            cx.faults.add(names::bad_topic(&text.text, text.place));
        }
        if let Some(first) =
            cx.topics.all().iter().find(|t| t.name == text.text && t.role == Role::Input && t.owner != name)
        {
            let fault = Diagnostic::error(
                Code::TopicConflict,
                format!("\"{}\" is read by two sources", text.text),
                text.place,
            )
            .help(format!("read it once and let both continue `from = \"{}\"`", first.owner));
            cx.faults.add(match first.place {
                Some(place) => fault.also(place, "first here"),
                None => fault,
            });
        }
        ids.push(cx.topics.add(TopicPlan {
            name: text.text.clone(),
            role: Role::Input,
            owner: name.to_owned(),
            partitions: None,
            config: vec![],
            place: Some(text.place),
        }));
    }
    ids
}

/// The fields of the schema, or the one that a text is.
fn fields(
    table: &Table,
    format: Format,
    shape: &mut Shape,
    cx: &mut SourceContext<'_>,
) -> (Option<String>, Vec<SourceField>) {
    let schema = table.get("schema").and_then(|e| e.value.as_text());
    if format != Format::Json {
        if let Some(schema) = schema {
            cx.faults.add(
                Diagnostic::error(Code::FieldConflict, "only JSON records have a schema", schema.place)
                    .help("leave `schema` out, or make it `format = \"json\"`"),
            );
        }
        return (None, if format == Format::Text { vec![text_field(shape, cx)] } else { vec![] });
    }
    let Some(schema) = schema else {
        // A schema that is no name has been refused with its form.
        shape.open = table.get("schema").is_some();
        return (None, vec![]);
    };
    let Some(known) = cx.schemas.iter_mut().find(|s| s.name == schema.text) else {
        let names: Vec<_> = cx.schemas.iter().map(|s| s.name.clone()).collect();
        if cx.schemas_known {
            cx.faults.add(unknown_schema(schema, &names));
        }
        shape.open = true;
        return (None, vec![]);
    };
    known.used = true;
    shape.open |= !known.sound;
    let mut fields = vec![];
    for field in &known.fields {
        let place = Some(field.declared);
        let id = cx.shared.borrow_mut().fields.add(shape.file, field.ty, field.time, place);
        if !field.sound {
            shape.poisoned.push(field.name.clone());
            continue;
        }
        shape.fields.push((field.name.clone(), id));
        fields.push(SourceField { name: field.name.clone(), id, ty: field.ty, time: field.time });
    }
    (Some(schema.text.clone()), fields)
}

fn text_field(shape: &mut Shape, cx: &mut SourceContext<'_>) -> SourceField {
    let ty = Type::required(Kind::String);
    let id = cx.shared.borrow_mut().fields.add(shape.file, ty, TimeFormat::Text, None);
    shape.fields.push(("value".to_owned(), id));
    SourceField { name: "value".to_owned(), id, ty, time: TimeFormat::Text }
}

fn unknown_schema(schema: &Passage, names: &[String]) -> Diagnostic {
    let fault = Diagnostic::error(
        Code::UnknownSchema,
        format!("there is no schema `{}`", schema.text),
        schema.whole(),
    )
    .suggest(&schema.text, names.iter().map(String::as_str));
    match names {
        [] => fault.help(format!("write one: `[schema.{}]`", schema.text)),
        _ => fault.note(format!("schemas: {}", names.join(", "))),
    }
}

/// A field of the source by the name that stands behind a key, with its type.
fn named<'t>(
    table: &'t Table,
    key: &str,
    shape: &Shape,
    cx: &mut SourceContext<'_>,
) -> Option<(&'t Passage, FieldId, Type, Option<Place>)> {
    let text = table.get(key)?.value.as_text()?;
    let Some(id) = shape.get(&text.text) else {
        if !shape.open && !shape.poisoned.contains(&text.text) {
            let fault = Diagnostic::error(
                Code::UnknownField,
                format!("the source has no field `{}`", text.text),
                text.whole(),
            )
            .suggest(&text.text, shape.fields.iter().map(|(n, _)| n.as_str()));
            cx.faults.add(match shape.fields.is_empty() {
                true => fault.help("declare its fields in a schema: `schema = \"…\"`"),
                false => fault.note(format!("it has {}", shape.describe(&cx.shared.borrow().fields))),
            });
        }
        return None;
    };
    let shared = cx.shared.borrow();
    let info = shared.fields.info(id);
    Some((text, id, info.ty, info.declared))
}

/// A field that a source stands on has to be there in each record.
fn required(
    key: &str,
    text: &Passage,
    ty: Type,
    declared: Option<Place>,
    cx: &mut SourceContext<'_>,
) -> bool {
    if !ty.optional {
        return true;
    }
    let fault = Diagnostic::error(Code::MayBeAbsent, format!("`{}` may be absent", text.text), text.whole())
        .label(format!("`{key}` needs a value in every record"))
        .help(format!(
            "declare it `{} = \"{}\"`: records without it become dead letters",
            text.text, ty.kind
        ));
    cx.faults.add(match declared {
        Some(place) => fault.also(place, "declared optional here"),
        None => fault,
    });
    false
}

fn key(table: &Table, shape: &mut Shape, cx: &mut SourceContext<'_>) -> Option<KeyPromise> {
    let found = named(table, "key", shape, cx);
    shape.key_unknown = found.is_none() && table.get("key").is_some();
    let (text, id, ty, declared) = found?;
    // The key is believed from here on even if its type is wrong, so that one fault does not become two.
    shape.key = Some(vec![id]);
    shape.partitioned = Some(vec![id]);
    if matches!(ty.kind, Kind::Json | Kind::List(_) | Kind::Float) {
        let message = format!("`{}` is {}, which cannot be a key", text.text, ty.kind);
        let fault = Diagnostic::error(Code::CannotGroup, message, text.whole())
            .label("a string, integer, boolean or timestamp is needed");
        cx.faults.add(match declared {
            Some(place) => fault.also(place, "declared here"),
            None => fault,
        });
        return None;
    }
    if !required("key", text, ty, declared, cx) {
        return None;
    }
    let mut shared = cx.shared.borrow_mut();
    shared.fields.register(id);
    Some(KeyPromise {
        field: id,
        name: text.text.clone(),
        kind: ty.kind,
        json: word(table, "key_format") == Some("json"),
        reason: shared.reasons.id(&format!("record key is not {}", text.text)),
    })
}

fn event_time(table: &Table, shape: &Shape, cx: &mut SourceContext<'_>) -> Option<(String, FieldId)> {
    let (text, id, ty, declared) = named(table, "event_time", shape, cx)?;
    if ty.kind != Kind::Timestamp {
        let help = match ty.kind {
            Kind::Int => "declare it \"timestamp(ms)\" or \"timestamp(s)\"",
            _ => "declare it \"timestamp\"",
        };
        let fault = Diagnostic::error(
            Code::TypeMismatch,
            format!("`{}` is {}, not a timestamp", text.text, ty.kind),
            text.whole(),
        )
        .help(help);
        cx.faults.add(match declared {
            Some(place) => fault.also(place, "declared here"),
            None => fault,
        });
        return None;
    }
    if !required("event_time", text, ty, declared, cx) {
        return None;
    }
    cx.shared.borrow_mut().fields.register(id);
    Some((text.text.clone(), id))
}

/// The original members that a source declares, as the scanner wants them.
pub fn scanned(source: &SourcePlan, shared: &Shared) -> Vec<crate::codec::Field> {
    // What comes through a repartition has been checked before: only what is read has to be looked at.
    let is_scanned =
        |field: &&SourceField| source.cut.is_none() || shared.fields.info(field.id).register.is_some();
    source
        .fields
        .iter()
        .filter(is_scanned)
        .map(|field| crate::codec::Field {
            path: path(&field.name),
            kind: field.ty.kind,
            time: field.time,
            optional: field.ty.optional,
            register: shared.fields.info(field.id).register,
        })
        .collect()
}
