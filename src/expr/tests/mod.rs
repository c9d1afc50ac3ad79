//! One record, its names, and tables of expressions with what they come to.

mod compute;
mod faults;
mod limits;
mod mutations;
mod values;

use super::*;
use crate::diagnostic::{Report, Style};
use crate::frame::EMPTY;
use std::collections::BTreeMap;

/// The file that the faults point into: the declarations first, the expression in the last line.
const HEAD: &str = "\
sensor_id = string
temperature = float
humidity = float?
location = string?
count = int
big = int
age = int?
up = bool
flag = bool?
at = timestamp
seen = timestamp?
tags = string[]
sizes = int[]
raw = json
coldest = 0.0
limit = 1000
window = 5s
";

/// A plan in small: fields, params, constants, reasons.
#[derive(Default)]
pub(super) struct Table {
    pub fields: Vec<(String, Type, Option<Place>)>,
    pub params: BTreeMap<String, Param>,
    pub cells: Vec<(String, Field)>,
    pub constants: Vec<u8>,
    pub reasons: Vec<String>,
    pub calls: Vec<AggregateCall>,
    subject: &'static str,
}

impl Table {
    pub fn new(subject: &'static str, fields: &[&str]) -> Self {
        let mut table = Table { subject, ..Table::default() };
        for field in fields {
            let (name, ty) = field.split_once(' ').expect("a name and a type");
            let place = HEAD.find(&format!("{name} = ")).map(|at| {
                let start = at + name.len() + 3;
                Place::new(start..start + ty.len())
            });
            table.fields.push((name.to_owned(), parse_type(ty), place));
        }
        table
    }

    pub fn param(mut self, name: &str, value: ParamValue) -> Self {
        let at = HEAD.find(&format!("{name} = ")).unwrap_or(0);
        self.params.insert(name.to_owned(), Param { value, declared: Place::new(at..at + name.len()) });
        self
    }

    fn register(&self, name: &str) -> Option<Register> {
        self.fields.iter().position(|(field, ..)| field == name).map(|at| Register(at as u8))
    }
}

fn parse_type(text: &str) -> Type {
    let bare = text.trim_end_matches('?');
    let kind = Kind::NAMES.iter().find(|(name, ..)| *name == bare).expect("a type").1;
    Type { kind, optional: text.ends_with('?') }
}

impl Names for Table {
    fn field(&mut self, name: &str) -> Option<Field> {
        let register = self.register(name)?;
        let (_, ty, declared) = self.fields[register.0 as usize].clone();
        Some(Field { register, ty, declared })
    }

    fn has_field(&self, name: &str) -> Option<Place> {
        let register = self.register(name)?;
        Some(self.fields[register.0 as usize].2.unwrap_or_default())
    }

    fn param(&mut self, name: &str) -> Option<Param> {
        self.params.get(name).cloned()
    }

    fn candidates(&self) -> Vec<String> {
        self.fields.iter().map(|(name, ..)| name.clone()).chain(self.params.keys().cloned()).collect()
    }

    fn describe(&self) -> Option<String> {
        let names: Vec<_> = self.fields.iter().take(3).map(|(name, ..)| name.as_str()).collect();
        Some(format!("{} has {}, …", self.subject, names.join(", ")))
    }

    fn subject(&self) -> String {
        self.subject.to_owned()
    }

    fn constant(&mut self, text: &str) -> Text {
        let start = self.constants.len();
        self.constants.extend_from_slice(text.as_bytes());
        Text::constant(start, self.constants.len())
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.reasons.push(text.to_owned());
        ReasonId(self.reasons.len() as u16 - 1)
    }
}

impl RowNames for Table {
    fn aggregate(&mut self, call: AggregateCall) -> Field {
        if let Some((_, field)) = self.cells.iter().find(|(text, _)| *text == call.text) {
            return *field;
        }
        let register = Register((self.fields.len() + self.cells.len()) as u8);
        let field = Field { register, ty: call.ty, declared: None };
        self.cells.push((call.text.clone(), field));
        self.calls.push(call);
        field
    }
}

pub(super) fn readings() -> Table {
    let fields = [
        "sensor_id string",
        "temperature float",
        "humidity float?",
        "location string?",
        "count int",
        "big int",
        "age int?",
        "up bool",
        "flag bool?",
        "at timestamp",
        "seen timestamp?",
        "tags string[]",
        "sizes int[]",
        "raw json",
        "user-id string",
        "payload.temp float",
        "odd float",
    ];
    Table::new("`valid`", &fields)
        .param("coldest", ParamValue::Float(0.0))
        .param("limit", ParamValue::Int(1000))
        .param("window", ParamValue::Duration(5000))
        .param("label", ParamValue::Text("sensor-7".into()))
        .param("debug", ParamValue::Bool(false))
}

/// 2026-01-01T13:30:10Z.
pub(super) const AT: i64 = 1_767_274_210_000;

/// The record that expressions are tried on: everything that may be absent is.
pub(super) fn with_record<T>(table: &Table, run: impl FnOnce(&mut Frame<'_>) -> T) -> T {
    let mut registers = EMPTY;
    let mut arena = vec![];
    let payload = "sensor-7grüßetags[\"a\", \"b\\\"c\", \"ü\"][1, -2, 3.0]{\"x\": 1}u-1";
    let part = |text: &str| {
        let start = payload.find(text).expect("a part of the payload");
        Value::Text(Text::payload(start, start + text.len()))
    };
    let mut frame = Frame::new(&mut registers, &mut arena, &table.constants);
    frame.payload = payload.as_bytes();
    let values = [
        ("sensor_id", part("sensor-7")),
        ("temperature", Value::Float(95.5)),
        ("count", Value::Int(42)),
        ("big", Value::Int(i64::MAX)),
        ("up", Value::Bool(true)),
        ("at", Value::Int(AT)),
        ("tags", part("[\"a\", \"b\\\"c\", \"ü\"]")),
        ("sizes", part("[1, -2, 3.0]")),
        ("raw", part("{\"x\": 1}")),
        ("user-id", part("u-1")),
        ("payload.temp", Value::Float(-0.5)),
        ("odd", Value::Float(f64::NAN)),
    ];
    for (name, value) in values {
        if let Some(register) = table.register(name) {
            frame.set(register, value);
        }
    }
    run(&mut frame)
}

/// What an expression comes to for the record: its type and value, or the reason for the dead letter.
pub(super) fn evaluated(text: &str) -> Result<(Type, String), String> {
    let mut table = readings();
    let mut faults = vec![];
    let passage = Passage::plain(text, 0);
    let setting = Setting::Record;
    let expression = compile(&passage, &mut table, setting, &mut faults);
    let expression = expression.unwrap_or_else(|| panic!("{text}: {faults:#?}"));
    with_record(&table, |frame| match expression.value(frame) {
        Ok(Value::Absent) => Ok((expression.ty, "absent".to_owned())),
        Ok(value) => {
            can_be_written(value, expression.ty.kind, frame);
            Ok((expression.ty, fold::constant(expression.ty.kind, value, frame).to_string()))
        }
        Err(error) => Err(table.reasons[error.reason.0 as usize].clone()),
    })
}

/// A text that is written with the quotes around it reads back as what it is.
fn can_be_written(value: Value, kind: Kind, frame: &Frame<'_>) {
    if let (Value::Text(text), Kind::String) = (value, kind)
        && let Some(quoted) = frame.quoted(text)
    {
        let read: String = serde_json::from_slice(quoted).expect("JSON");
        assert_eq!(read, frame.str_of(text));
    }
}

/// All faults of an expression, as the user sees them.
pub(super) fn rendered(text: &str) -> String {
    let mut table = readings();
    let mut faults = vec![];
    let source = format!("{HEAD}when = '{text}'");
    let start = HEAD.len() + 8;
    let place = Place::new(start - 1..start + text.len() + 1);
    let passage = Passage::quoted(text, place, start as u32);
    let expression = compile(&passage, &mut table, Setting::Record, &mut faults);
    let sound = faults.iter().all(|fault| fault.severity != Severity::Error);
    assert_eq!(expression.is_some(), sound, "{text}: {faults:#?}");
    Report { path: "a.toml", source: &source, diagnostics: &faults }.text(Style::Plain)
}

/// Every fault in a line: code, what is underlined, message, label, help, notes but for the list of fields.
pub(super) fn said(text: &str, setting: Setting) -> Vec<String> {
    let mut table = readings();
    let mut faults = vec![];
    let expression = compile(&Passage::plain(text, 0), &mut table, setting, &mut faults);
    let sound = faults.iter().all(|fault| fault.severity != Severity::Error);
    assert_eq!(expression.is_some(), sound, "{text}: {faults:#?}");
    faults.iter().map(|fault| line(text, fault)).collect()
}

pub(super) fn line(text: &str, fault: &Diagnostic) -> String {
    let label = fault.primary.as_ref().expect("a fault of an expression has a place");
    let place = label.place.range();
    let mut line =
        format!("{} «{}» {}", fault.code, &text[place.start..place.end.min(text.len())], fault.message);
    let notes = fault
        .notes
        .iter()
        .filter(|note| !note.starts_with("`valid` has") && !note.starts_with("the row has"));
    for part in fault.help.iter().chain(notes) {
        line.push_str(" | ");
        line.push_str(part);
    }
    line
}
