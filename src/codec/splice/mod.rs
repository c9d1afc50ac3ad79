//! JSON out: how a sink writes a record.
//!
//! Nearly always a record is its original bytes with the added fields before the closing brace, so that is what is
//! prepared: literals and registers in order. A record that already has an added name, and a layout that keeps,
//! drops or renames, are rewritten member by member (`rewrite`), from the original bytes too: a value nobody set is
//! never decoded.
//!
//! Either the whole value is written or nothing.

mod edits;
mod rewrite;
mod value;

use super::json::quote;
use super::text;
use crate::frame::{Frame, Register};
use crate::types::{Kind, TimeFormat};
use edits::{Prune, Slot};
pub use value::{Unwritable, write_key_text, write_value};

/// A field's name; more than one part reaches into objects.
pub type Path = Vec<String>;

/// What a written value starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The payload, a JSON object.
    Json,
    /// The payload, a text: as it is, or as the field `value` of an object.
    Text,
    /// The payload, any bytes; nothing can be added.
    Bytes,
    /// Nothing: the row has no original.
    Fresh,
}

/// How a record is written. Applied to the original in this order: keep, drop, rename, then each set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What it starts from.
    pub base: Base,
    /// Only these members stay; a dotted one stays alone in its objects. `None`: all stay.
    pub keep: Option<Vec<Path>>,
    /// These members go.
    pub drop: Vec<Path>,
    /// Top-level members and their new names. The new name belongs to the renamed member: an original one of that
    /// name goes.
    pub rename: Vec<(String, String)>,
    /// Fields to write.
    pub set: Vec<SetField>,
}

/// A field to write: in place of the member of its name, else behind all others. When it is absent the member goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetField {
    /// Its name, after renaming. A dotted one is written into the objects of its name, which are made when missing.
    pub path: Path,
    /// Where its value is.
    pub register: Register,
    /// What it is.
    pub kind: Kind,
    /// How it is written, if it is a timestamp.
    pub time: TimeFormat,
    /// Whether it may be absent.
    pub optional: bool,
}

/// Why a record cannot be written. A field is its place among the layout's sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpliceError {
    /// A float for which JSON has no number.
    NotFinite(u16),
    /// A time for which RFC 3339 has no text.
    OutOfYears(u16),
    /// On the way of a dotted name stands something else than an object: so many of its parts lead to it.
    InTheWay(u16, u8),
    /// The original is no object. No record that was scanned is that.
    NotAnObject,
}

/// A layout, prepared.
#[derive(Debug)]
pub struct Splice {
    base: Base,
    plan: Plan,
    set: Vec<SetField>,
    /// The fields by name, and the names that members are renamed to.
    slots: Vec<Slot>,
    prune: Prune,
    rename: Vec<(String, usize)>,
}

/// What can be told from the layout alone.
#[derive(Debug)]
enum Plan {
    /// The payload as it came.
    Copy,
    /// The original and these members, unless the record has one of their names already.
    Append(Vec<Member>),
    /// Member by member, always.
    Rewrite,
}

/// A member to append: the literal `,"name":` and the value.
#[derive(Debug)]
struct Member {
    literal: Vec<u8>,
    register: Register,
    kind: Kind,
    time: TimeFormat,
    index: u16,
}

impl Layout {
    /// What it starts from, as it is.
    pub fn new(base: Base) -> Self {
        Layout { base, keep: None, drop: vec![], rename: vec![], set: vec![] }
    }
}

impl Splice {
    /// Prepares a layout.
    pub fn new(layout: &Layout) -> Self {
        let (slots, rename) = edits::slots(layout);
        Splice {
            base: layout.base,
            plan: Plan::of(layout, &slots),
            set: layout.set.clone(),
            slots,
            prune: Prune::of(layout),
            rename,
        }
    }

    /// Appends the record's value. After an error nothing has been appended.
    #[inline(always)]
    pub fn write(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), SpliceError> {
        let start = out.len();
        let written = self.parts(frame, out);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    #[inline(always)]
    fn parts(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), SpliceError> {
        match &self.plan {
            Plan::Append(members) if !frame.body.holds_added => self.append(members, frame, out),
            Plan::Append(_) | Plan::Rewrite => self.rewrite(frame, out),
            Plan::Copy => {
                out.extend_from_slice(frame.payload);
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn append(&self, members: &[Member], frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), SpliceError> {
        let mut comma = self.open(frame, out);
        for member in members.iter().filter(|member| frame.is_set(member.register)) {
            out.extend_from_slice(&member.literal[!comma as usize..]);
            comma = true;
            let written = write_value(out, frame, member.register, member.kind, member.time);
            written.map_err(|e| SpliceError::of(e, member.index))?;
        }
        out.push(b'}');
        Ok(())
    }

    /// Everything before the closing brace; whether a member needs a comma behind it.
    #[inline(always)]
    fn open(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> bool {
        match self.base {
            Base::Json => {
                let end = frame.payload.len().min(frame.body.end as usize);
                out.extend_from_slice(&frame.payload[..end]);
                !frame.body.empty
            }
            Base::Text | Base::Bytes => {
                open_text(frame, out);
                true
            }
            Base::Fresh => {
                out.push(b'{');
                false
            }
        }
    }

    /// Every error that a record can have.
    pub fn errors(&self) -> Vec<SpliceError> {
        let mut errors = vec![SpliceError::NotAnObject];
        for (index, field) in self.set.iter().enumerate() {
            let index = index as u16;
            match field.kind {
                Kind::Float => errors.push(SpliceError::NotFinite(index)),
                Kind::Timestamp => errors.push(SpliceError::OutOfYears(index)),
                _ => {}
            }
            errors.extend((1..field.path.len()).map(|part| SpliceError::InTheWay(index, part as u8)));
        }
        errors
    }

    /// The sentence for the dead letter.
    pub fn explain(&self, error: SpliceError) -> String {
        let path = |index: u16| self.set.get(index as usize).map_or(&[][..], |field| &field.path);
        match error {
            SpliceError::NotFinite(index) => {
                format!("{} is not finite, and JSON has no such number", path(index).join("."))
            }
            SpliceError::OutOfYears(index) => {
                format!("{} lies outside the years 0000 to 9999", path(index).join("."))
            }
            SpliceError::InTheWay(index, parts) => {
                let path = path(index);
                let way = &path[..path.len().min(parts as usize)];
                format!("{}: {} is no object", path.join("."), way.join("."))
            }
            SpliceError::NotAnObject => "the record is no JSON object".into(),
        }
    }
}

/// A text payload as an object, but for its closing brace.
fn open_text(frame: &Frame<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    quote(out, text::FIELD.as_bytes());
    out.push(b':');
    quote(out, frame.payload);
}

impl SpliceError {
    fn of(error: Unwritable, index: u16) -> Self {
        match error {
            Unwritable::NotFinite => SpliceError::NotFinite(index),
            Unwritable::OutOfYears => SpliceError::OutOfYears(index),
        }
    }
}

impl Plan {
    fn of(layout: &Layout, slots: &[Slot]) -> Self {
        let edited = layout.keep.is_some() || !layout.drop.is_empty() || !layout.rename.is_empty();
        let names_value = || slots.iter().any(|slot| slot.name == text::FIELD);
        match layout.base {
            Base::Bytes => Plan::Copy,
            Base::Json | Base::Text if layout.set.is_empty() && !edited => Plan::Copy,
            Base::Json | Base::Text if edited => Plan::Rewrite,
            Base::Text if names_value() => Plan::Rewrite,
            _ if slots.iter().any(|slot| !slot.inner.is_empty()) => Plan::Rewrite,
            _ => Plan::Append(slots.iter().filter_map(|slot| Member::of(slot, layout)).collect()),
        }
    }
}

impl Member {
    fn of(slot: &Slot, layout: &Layout) -> Option<Self> {
        let index = slot.set?;
        let SetField { register, kind, time, .. } = layout.set[index as usize];
        let mut literal = b",".to_vec();
        literal.extend_from_slice(&slot.literal);
        Some(Member { literal, register, kind, time, index })
    }
}

#[cfg(test)]
mod tests;
