//! The scanner: one pass over a document.
//!
//! What is no JSON ends it at once. What is JSON but not of the schema is put aside, for two reasons: a later
//! member of the same name may put it right, since the last one counts; and bytes that are no JSON further on are
//! the better thing to say about the record.

use super::blank;
use super::decode::Decoding;
use super::explain;
use super::fault::{Fault, Scan, ScanError, Syntax, not_json};
use super::order::Order;
use super::schema::{Field, Leaf, Meaning, Schema};
use super::skip::{MAX_DEPTH, value_end, word};
use crate::frame::{Body, Frame, Value};
use crate::time::Rfc3339;

/// A text's place has 30 bits.
const LONGEST: usize = 1 << 30;

/// Reads JSON objects of one schema. It remembers the last record's names and minute, and nothing that could
/// change what a record means.
#[derive(Debug)]
pub struct Scanner {
    fields: Vec<Field>,
    schema: Schema,
    /// A bit a field that must be there.
    required: Vec<u64>,
    /// A bit a field that is there.
    seen: Vec<u64>,
    /// Faults against the schema that nothing has put right yet.
    faults: Vec<ScanError>,
    order: Order,
    times: Rfc3339,
}

/// How far a scan has come in the order of names, and what it met on the way.
struct Walk {
    place: usize,
    depth: u32,
    touched: bool,
}

impl Scanner {
    /// A scanner for the declared fields. `touched` are the top-level names that nodes add, rename or replace: a
    /// record that already has one cannot be written by appending.
    pub fn new(fields: Vec<Field>, touched: Vec<String>) -> Self {
        let mut required = vec![0; fields.len().div_ceil(64)];
        for (index, _) in fields.iter().enumerate().filter(|(_, field)| !field.optional) {
            required[index / 64] |= 1 << (index % 64);
        }
        Scanner {
            schema: Schema::new(&fields, &touched),
            seen: vec![0; required.len()],
            required,
            fields,
            faults: vec![],
            order: Order::default(),
            times: Rfc3339::default(),
        }
    }

    /// Fills the registers that somebody reads, and the frame's body. After an error none of them is present.
    #[inline]
    pub fn scan(&mut self, frame: &mut Frame<'_>) -> Result<(), ScanError> {
        frame.body = Body::default();
        frame.present &= !self.schema.objects[0].registers;
        let scanned = self.document(frame);
        if scanned.is_err() {
            frame.present &= !self.schema.objects[0].registers;
        }
        frame.body = scanned?;
        Ok(())
    }

    /// The sentence for the dead letter. `payload` is what was scanned.
    pub fn explain(&self, error: ScanError, payload: &[u8]) -> String {
        explain::sentence(&self.fields, error, payload)
    }

    #[inline(always)]
    fn document(&mut self, frame: &mut Frame<'_>) -> Scan<Body> {
        let bytes = frame.payload;
        self.seen.fill(0);
        self.faults.clear();
        let open = blank(bytes, 0);
        if bytes.get(open) != Some(&b'{') || bytes.len() >= LONGEST {
            return no_object(bytes, open);
        }
        let mut walk = Walk { place: 0, depth: 1, touched: false };
        let brace = self.object(frame, &mut walk, 0, open)?;
        let end = blank(bytes, brace + 1);
        if end != bytes.len() {
            return not_json(Syntax::End, end);
        }
        self.complete()?;
        Ok(Body { end: brace as u32, empty: walk.place == 0, holds_added: walk.touched })
    }

    /// The object whose brace stands at `open`; where its other brace stands.
    fn object(&mut self, frame: &mut Frame<'_>, walk: &mut Walk, object: u16, open: usize) -> Scan<usize> {
        let bytes = frame.payload;
        let mut at = blank(bytes, open + 1);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at);
        }
        loop {
            let (meaning, colon) = self.name(bytes, at, walk, object)?;
            let value = blank(bytes, colon);
            walk.touched |= meaning.touched;
            let end = match meaning {
                Meaning { leaf: Some(leaf), object: None, .. } => {
                    self.field(frame, leaf, value, walk.depth)?
                }
                Meaning { leaf: None, object: None, .. } => value_end(bytes, value, walk.depth)?,
                Meaning { leaf, object: Some(inner), .. } => self.within(frame, walk, leaf, inner, value)?,
            };
            at = blank(bytes, end);
            match bytes.get(at) {
                Some(b',') => at = blank(bytes, at + 1),
                Some(b'}') => return Ok(at),
                _ => return not_json(Syntax::CommaOrBrace, at),
            }
        }
    }

    /// What the name at `at` means, and where the byte behind its colon is.
    #[inline(always)]
    fn name(&mut self, bytes: &[u8], at: usize, walk: &mut Walk, object: u16) -> Scan<(Meaning, usize)> {
        let rest = bytes.get(at..).unwrap_or_default();
        match self.order.expected(walk.place, object, rest) {
            Some((meaning, len)) => {
                walk.place += 1;
                Ok((meaning, at + len))
            }
            None => self.unexpected_name(bytes, at, walk, object),
        }
    }

    #[cold]
    #[inline(never)]
    fn unexpected_name(
        &mut self,
        bytes: &[u8],
        at: usize,
        walk: &mut Walk,
        object: u16,
    ) -> Scan<(Meaning, usize)> {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(place) = self.order.further(walk.place, object, rest) {
            walk.place = place;
        } else {
            let (meaning, end) = self.schema.read_name(bytes, at, object)?;
            self.order.learn(walk.place, object, &bytes[at..end], meaning);
            walk.place += 1;
            return Ok((meaning, end));
        }
        self.name(bytes, at, walk, object)
    }

    /// A field's value; where it ends.
    #[inline(always)]
    fn field(&mut self, frame: &mut Frame<'_>, leaf: Leaf, at: usize, depth: u32) -> Scan<usize> {
        let mut decoding = Decoding { arena: frame.arena, times: &mut self.times, depth };
        match decoding.decode(leaf.decoder, frame.payload, at) {
            Ok((value, end)) => {
                if !self.faults.is_empty() {
                    self.forgive(&[leaf.field]);
                }
                self.keep(frame, leaf, value);
                Ok(end)
            }
            Err(error) => self.put_aside(frame, leaf, error, at, depth),
        }
    }

    #[inline(always)]
    fn keep(&mut self, frame: &mut Frame<'_>, leaf: Leaf, value: Value) {
        let word = &mut self.seen[leaf.field as usize / 64];
        let bit = leaf.field % 64;
        *word = *word & !(1 << bit) | (value.is_set() as u64) << bit;
        if let Some(register) = leaf.register {
            frame.set(register, value);
        }
    }

    /// A member that fields lie within, and that may be a field itself.
    #[inline(never)]
    fn within(
        &mut self,
        frame: &mut Frame<'_>,
        walk: &mut Walk,
        leaf: Option<Leaf>,
        inner: u16,
        at: usize,
    ) -> Scan<usize> {
        let bytes = frame.payload;
        self.forget(frame, inner);
        if let Some(leaf) = leaf {
            self.field(frame, leaf, at, walk.depth)?;
        }
        match bytes.get(at) {
            Some(b'{') if walk.depth >= MAX_DEPTH => not_json(Syntax::Depth, at),
            Some(b'{') => {
                walk.depth += 1;
                let brace = self.object(frame, walk, inner, at)?;
                walk.depth -= 1;
                Ok(brace + 1)
            }
            Some(b'n') => word(bytes, at, b"null"),
            _ => {
                let end = value_end(bytes, at, walk.depth)?;
                let inner = &self.schema.objects[inner as usize];
                self.faults.push(ScanError::new(Fault::InTheWay(inner.parts), inner.fields[0], at));
                Ok(end)
            }
        }
    }

    /// An object comes a second time: what the first one held no longer counts.
    fn forget(&mut self, frame: &mut Frame<'_>, inner: u16) {
        let object = &self.schema.objects[inner as usize];
        frame.present &= !object.registers;
        for field in &object.fields {
            self.seen[*field as usize / 64] &= !(1 << (field % 64));
        }
        self.faults.retain(|fault| !object.fields.contains(&fault.field));
    }

    /// A sound value of the right type has come for a field: what was wrong before no longer counts.
    #[cold]
    fn forgive(&mut self, fields: &[u16]) {
        self.faults.retain(|fault| !fields.contains(&fault.field));
    }

    /// A field of the wrong type: its value must still be JSON.
    #[cold]
    #[inline(never)]
    fn put_aside(
        &mut self,
        frame: &mut Frame<'_>,
        leaf: Leaf,
        error: ScanError,
        at: usize,
        depth: u32,
    ) -> Scan<usize> {
        if let Fault::NotJson(_) = error.fault {
            return Err(error);
        }
        let end = value_end(frame.payload, at, depth)?;
        self.forgive(&[leaf.field]);
        self.faults.push(ScanError { field: leaf.field, ..error });
        self.keep(frame, leaf, Value::Absent);
        Ok(end)
    }

    #[inline(always)]
    fn complete(&self) -> Scan<()> {
        let missing = self.required.iter().zip(&self.seen).fold(0, |missing, (r, s)| missing | r & !s);
        if missing == 0 && self.faults.is_empty() { Ok(()) } else { self.incomplete() }
    }

    #[cold]
    fn incomplete(&self) -> Scan<()> {
        if let Some(fault) = self.faults.first() {
            return Err(*fault);
        }
        let missing =
            |field: &usize| self.required[field / 64] & !self.seen[field / 64] & 1 << (field % 64) != 0;
        let field = (0..self.fields.len()).find(missing).unwrap_or_default();
        Err(ScanError::new(Fault::Missing, field as u16, 0))
    }
}

/// What does not start as an object: a list or a plain value, or no JSON at all.
#[cold]
fn no_object(bytes: &[u8], at: usize) -> Scan<Body> {
    if bytes.len() >= LONGEST {
        return Err(ScanError::new(Fault::TooLong, 0, 0));
    }
    let end = blank(bytes, value_end(bytes, at, 0)?);
    if end != bytes.len() {
        return not_json(Syntax::End, end);
    }
    Err(ScanError::new(Fault::NotAnObject, 0, at))
}
