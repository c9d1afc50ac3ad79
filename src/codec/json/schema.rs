//! What names mean: the declared fields as a tree of objects, and the names that nodes add.

use super::fault::{Scan, Syntax, not_json};
use super::string::{string_end, unescape};
use crate::frame::Register;
use crate::types::{Element, Kind, TimeFormat};

/// A declared field, and where its value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; more than one part for a dotted one, which reaches into objects.
    pub path: Vec<String>,
    /// What it must be.
    pub kind: Kind,
    /// How it stands in JSON, if it is a timestamp.
    pub time: TimeFormat,
    /// Whether it may be missing or null.
    pub optional: bool,
    /// The register of whoever reads it; without one it is validated only.
    pub register: Option<Register>,
}

/// A kind and its format in one: how a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoder {
    String,
    Int,
    Float,
    Bool,
    Rfc3339,
    Millis,
    Seconds,
    Json,
    List(Element),
}

impl Decoder {
    pub(super) fn of(field: &Field) -> Self {
        match (field.kind, field.time) {
            (Kind::String, _) => Decoder::String,
            (Kind::Int, _) => Decoder::Int,
            (Kind::Float, _) => Decoder::Float,
            (Kind::Bool, _) => Decoder::Bool,
            (Kind::Timestamp, TimeFormat::Text) => Decoder::Rfc3339,
            // No field is a duration; if one were, it would be its milliseconds.
            (Kind::Timestamp, TimeFormat::Millis) | (Kind::Duration, _) => Decoder::Millis,
            (Kind::Timestamp, TimeFormat::Seconds) => Decoder::Seconds,
            (Kind::Json, _) => Decoder::Json,
            (Kind::List(element), _) => Decoder::List(element),
        }
    }
}

/// A field, as far as its value is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub field: u16,
    pub decoder: Decoder,
    pub register: Option<Register>,
}

/// What a name means where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meaning {
    /// It is a field.
    pub leaf: Option<Leaf>,
    /// Fields lie within it.
    pub object: Option<u16>,
    /// Some node adds, renames or replaces a member of this name.
    pub touched: bool,
}

/// An object that fields lie within; the first is the document.
#[derive(Debug, Default)]
pub(super) struct Object {
    members: Vec<(Vec<u8>, Meaning)>,
    /// Every field within, however deep.
    pub fields: Vec<u16>,
    /// Their registers.
    pub registers: u64,
    /// How many names lead to it.
    pub parts: u8,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Schema {
    pub objects: Vec<Object>,
}

impl Schema {
    pub(super) fn new(fields: &[Field], touched: &[String]) -> Self {
        let mut schema = Schema { objects: vec![Object::default()] };
        for (index, field) in fields.iter().enumerate() {
            schema.add(index as u16, field);
        }
        for name in touched {
            schema.objects[0].member(name).touched = true;
        }
        schema
    }

    fn add(&mut self, index: u16, field: &Field) {
        let Some((last, way)) = field.path.split_last() else { return };
        let mut object = 0;
        self.objects[object].adopt(index, field);
        for name in way {
            object = self.enter(object, name);
            self.objects[object].adopt(index, field);
        }
        let leaf = Leaf { field: index, decoder: Decoder::of(field), register: field.register };
        self.objects[object].member(last).leaf = Some(leaf);
    }

    fn enter(&mut self, object: usize, name: &str) -> usize {
        let (fresh, parts) = (self.objects.len() as u16, self.objects[object].parts);
        let entered = *self.objects[object].member(name).object.get_or_insert(fresh);
        if entered == fresh {
            self.objects.push(Object { parts: parts.saturating_add(1), ..Object::default() });
        }
        entered as usize
    }

    /// Reads the name whose opening quote stands at `at`: what it means in an object, and where the byte behind its
    /// colon is.
    pub(super) fn read_name(&self, bytes: &[u8], at: usize, object: u16) -> Scan<(Meaning, usize)> {
        if bytes.get(at) != Some(&b'"') {
            return not_json(Syntax::Name, at);
        }
        let (end, escaped) = string_end(bytes, at + 1)?;
        let colon = super::blank(bytes, end + 1);
        if bytes.get(colon) != Some(&b':') {
            return not_json(Syntax::Colon, colon);
        }
        let name = &bytes[at + 1..end];
        let object = &self.objects[object as usize];
        let meaning = if escaped { object.meaning(&unescaped(name)) } else { object.meaning(name) };
        Ok((meaning, colon + 1))
    }
}

#[cold]
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    unescape(name, &mut out);
    out
}

impl Object {
    fn meaning(&self, name: &[u8]) -> Meaning {
        self.members
            .iter()
            .find(|(known, _)| known == name)
            .map_or(Meaning::default(), |(_, meaning)| *meaning)
    }

    fn member(&mut self, name: &str) -> &mut Meaning {
        let known = self.members.iter().position(|(known, _)| known == name.as_bytes());
        let at = known.unwrap_or_else(|| {
            self.members.push((name.into(), Meaning::default()));
            self.members.len() - 1
        });
        &mut self.members[at].1
    }

    fn adopt(&mut self, index: u16, field: &Field) {
        self.fields.push(index);
        self.registers |= field.register.map_or(0, |r| 1 << r.0);
    }
}
