//! A place to try an expression: the fields of one record, a pipeline's params, and nothing that runs.
//!
//! An expression is checked, compiled and evaluated here by the same code as in a pipeline, over a record that the
//! same scanner has decoded.

use super::infer;
use super::layout::{Base, Layout, path};
use super::scope::{Scope, Shared};
use super::shape::{FieldId, Meta, Shape};
use super::source::{Format, SourcePlan};
use super::{Params, Plan};
use crate::codec::{self, Scanner, write_key_text};
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::expr::{self, Constant, Expression, Field, Names, Param, Setting};
use crate::frame::{EMPTY, Frame, MAX_REGISTERS, Register, Text, Value};
use crate::operator::ReasonId;
use crate::types::{Kind, TimeFormat, Type};
use std::cell::RefCell;

/// What an expression can be tried over.
#[derive(Debug)]
pub struct Scratch {
    shared: RefCell<Shared>,
    shape: Shape,
    /// The fields as the scanner wants them, each with its id.
    fields: Vec<(codec::Field, FieldId)>,
    format: Format,
    /// What stands for the topic, where there is one.
    topic: String,
    event_time: Option<FieldId>,
    key: Option<FieldId>,
}

/// An expression that is sound.
#[derive(Debug)]
pub struct Trial<'s> {
    scratch: &'s Scratch,
    expression: Expression,
}

/// A field as it is put into a scratch: where it lies in the record, and what it is called.
struct Known {
    field: codec::Field,
    name: String,
}

impl Scratch {
    /// No record: constants only.
    pub fn empty() -> Self {
        Scratch::new(vec![], Format::Json, Params::default())
    }

    /// The fields that a record shows to have. The sentence says why it is none.
    pub fn of_record(record: &[u8]) -> Result<Self, String> {
        let mut none = Scanner::new(vec![], vec![]);
        with_frame(record, &[], |frame| none.scan(frame)).map_err(|error| none.explain(error, record))?;
        let object: serde_json::Value = serde_json::from_slice(record).map_err(|error| error.to_string())?;
        let fields = object.as_object().map(infer::fields).unwrap_or_default();
        let known = fields.into_iter().map(|field| Known { name: field.path.join("."), field });
        Ok(Scratch::new(known.collect(), Format::Json, Params::default()))
    }

    /// The fields that a source declares, and the pipeline's params.
    pub fn of_source(plan: &Plan, source: &SourcePlan) -> Self {
        let known = source.fields.iter().map(|field| Known {
            name: field.name.clone(),
            field: codec::Field {
                path: path(&field.name),
                kind: field.ty.kind,
                time: field.time,
                optional: field.ty.optional,
                register: None,
            },
        });
        let mut scratch = Scratch::new(known.collect(), source.format, plan.params.clone());
        scratch.shape.has_origin = true;
        scratch.topic = source.topics.first().map(|t| plan.topics.get(*t).name.clone()).unwrap_or_default();
        let id = |name: Option<&str>| name.and_then(|name| scratch.shape.get(name));
        let event_time = id(source.event_time.as_ref().map(|(name, _)| name.as_str()));
        let key = id(source.key.as_ref().map(|key| key.name.as_str()));
        for id in [event_time, key].into_iter().flatten() {
            scratch.shared.borrow_mut().fields.register(id);
        }
        Scratch { event_time, key, ..scratch }
    }

    fn new(known: Vec<Known>, format: Format, params: Params) -> Self {
        let mut shared = Shared { params, ..Shared::default() };
        let mut shape = Shape::new(shared.fields.file(), Layout::new(Base::Json));
        let mut fields = vec![];
        for Known { field, name } in known {
            let ty = Type { kind: field.kind, optional: field.optional };
            let id = shared.fields.add(shape.file, ty, field.time, None);
            shape.fields.push((name, id));
            fields.push((field, id));
        }
        let (shared, topic) = (RefCell::new(shared), String::new());
        Scratch { shared, shape, fields, format, topic, event_time: None, key: None }
    }

    /// Checks and compiles an expression, and all that is wrong or suspicious about it.
    pub fn compile(&self, text: &str) -> (Option<Trial<'_>>, Vec<Diagnostic>) {
        let passage = Passage::plain(text, 0);
        let scope = Scope { shape: &self.shape, subject: "the record".to_owned(), shared: &self.shared };
        let mut faults = vec![];
        let mut expression = expr::compile(&passage, &mut Elsewhere(scope), Setting::Record, &mut faults);
        for fault in &mut faults {
            fault.secondary.retain(|label| label.place != ELSEWHERE);
        }
        if self.shared.borrow().fields.width(self.shape.file) > MAX_REGISTERS {
            let message = format!("the expression reads more than {MAX_REGISTERS} fields");
            faults.push(Diagnostic::error(Code::TooManyFields, message, passage.whole()));
            expression = None;
        }
        (expression.map(|expression| Trial { scratch: self, expression }), faults)
    }

    fn register(&self, id: FieldId) -> Option<Register> {
        self.shared.borrow().fields.info(id).register
    }

    /// Fills a frame from its payload.
    fn decode(&self, frame: &mut Frame<'_>) -> Result<(), String> {
        match self.format {
            Format::Json => {
                let fields = self
                    .fields
                    .iter()
                    .map(|(field, id)| codec::Field { register: self.register(*id), ..field.clone() });
                let mut scanner = Scanner::new(fields.collect(), vec![]);
                scanner.scan(frame).map_err(|error| scanner.explain(error, frame.payload))?;
            }
            Format::Text => {
                let register = self.fields.first().and_then(|(_, id)| self.register(*id));
                codec::text::scan(frame, register).map_err(|error| error.explain())?;
            }
            Format::Bytes => codec::bytes::scan(frame),
        }
        self.origin(frame);
        Ok(())
    }

    /// What a record has beside its fields: as if it were the first one of the source's first topic.
    fn origin(&self, frame: &mut Frame<'_>) {
        if let Some(register) = self.event_time.and_then(|id| self.register(id)) {
            frame.timestamp = frame.int(register);
        }
        for (meta, register) in self.shared.borrow().fields.metas(self.shape.file) {
            let value = match meta {
                Meta::Key => self.key_text(frame),
                Meta::Topic => Value::Text(frame.make(self.topic.as_bytes())),
                Meta::Partition | Meta::Offset => Value::Int(0),
                Meta::Timestamp => Value::Int(frame.timestamp),
            };
            frame.set(register, value);
        }
    }

    fn key_text(&self, frame: &mut Frame<'_>) -> Value {
        let Some((id, register)) = self.key.and_then(|id| Some((id, self.register(id)?))) else {
            return Value::Absent;
        };
        let (mut text, kind) = (vec![], self.shared.borrow().fields.info(id).ty.kind);
        match write_key_text(&mut text, frame, register, kind, TimeFormat::Text) {
            Ok(()) => Value::Text(frame.make(&text)),
            Err(_) => Value::Absent,
        }
    }
}

impl Trial<'_> {
    /// What it gives.
    pub fn ty(&self) -> Type {
        self.expression.ty
    }

    /// Its value, if it is the same whatever the record.
    pub fn constant(&self) -> Option<String> {
        let constant = self.expression.constant()?;
        Some(match constant {
            Constant::Text(text) => quoted(text),
            other => other.to_string(),
        })
    }

    /// Its value for a record, or the reason why the record would be a dead letter.
    pub fn value(&self, record: &[u8]) -> Result<String, String> {
        let constants = self.scratch.shared.borrow().constants.bytes.clone();
        with_frame(record, &constants, |frame| {
            self.scratch.decode(frame)?;
            match self.expression.value(frame) {
                Ok(value) => Ok(shown(self.expression.ty.kind, value, frame)),
                Err(error) => Err(self.scratch.shared.borrow().reasons.sentence(error.reason).to_owned()),
            }
        })
    }
}

fn shown(kind: Kind, value: Value, frame: &Frame<'_>) -> String {
    match (kind, value) {
        (_, Value::Absent) => "absent".to_owned(),
        (Kind::String, Value::Text(text)) => quoted(frame.str_of(text)),
        (_, Value::Text(json)) => frame.str_of(json).to_owned(),
        (Kind::Timestamp, Value::Int(ms)) => Constant::Timestamp(ms).to_string(),
        (Kind::Duration, Value::Int(ms)) => Constant::Duration(ms).to_string(),
        (_, Value::Int(int)) => int.to_string(),
        (_, Value::Float(float)) => Constant::Float(float).to_string(),
        (_, Value::Bool(bool)) => bool.to_string(),
    }
}

/// A text in quotes, on one line.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn with_frame<T>(payload: &[u8], constants: &[u8], run: impl FnOnce(&mut Frame<'_>) -> T) -> T {
    let (mut registers, mut arena) = (EMPTY, vec![]);
    run(&mut Frame { payload, ..Frame::new(&mut registers, &mut arena, constants) })
}

/// Declarations do not stand in the expression's own text, so that nothing there can be underlined for them.
const ELSEWHERE: Place = Place { start: u32::MAX, end: u32::MAX };

struct Elsewhere<'s>(Scope<'s>);

impl Names for Elsewhere<'_> {
    fn field(&mut self, name: &str) -> Option<Field> {
        Some(Field { declared: None, ..self.0.field(name)? })
    }

    fn has_field(&self, name: &str) -> Option<Place> {
        self.0.has_field(name).map(|_| ELSEWHERE)
    }

    fn param(&mut self, name: &str) -> Option<Param> {
        Some(Param { declared: ELSEWHERE, ..self.0.param(name)? })
    }

    fn candidates(&self) -> Vec<String> {
        self.0.candidates()
    }

    fn describe(&self) -> Option<String> {
        self.0.describe()
    }

    fn subject(&self) -> String {
        self.0.subject()
    }

    fn constant(&mut self, text: &str) -> Text {
        self.0.constant(text)
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.0.reason(text)
    }
}
