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
use super::seen::Seen;
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
    required: Seen,
    seen: Seen,
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
        let mut required = Seen::none_of(fields.len());
        for (index, field) in fields.iter().enumerate() {
            required.mark(index as u16, !field.optional);
        }
        Scanner {
            schema: Schema::new(&fields, &touched),
            seen: Seen::none_of(fields.len()),
            required,
            fields,
            faults: vec![],
            order: Order::default(),
            times: Rfc3339::default(),
        }
    }

    /// Fills the registers that somebody reads, and the frame's body. After an error none of them is present.
    #[inline(always)]
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
        self.seen.clear();
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
        // Kept apart from `walk` where the processor can keep them, until somebody else goes on from here.
        let Walk { mut place, mut touched, depth } = *walk;
        loop {
            let (named, colon) = self.name(bytes, at, place, object)?;
            let value = blank(bytes, colon);
            let meaning = self.order.meaning(named);
            place = named + 1;
            touched |= meaning.touched;
            let end = match meaning {
                Meaning { leaf: Some(leaf), object: None, .. } => self.field(frame, leaf, value, depth)?,
                Meaning { leaf: None, object: None, .. } => value_end(bytes, value, depth)?,
                Meaning { leaf, object: Some(inner), .. } => {
                    (walk.place, walk.touched) = (place, touched);
                    let end = self.within(frame, walk, leaf, inner, value)?;
                    (place, touched) = (walk.place, walk.touched);
                    end
                }
            };
            at = blank(bytes, end);
            match bytes.get(at) {
                Some(b',') => at = blank(bytes, at + 1),
                Some(b'}') => break,
                _ => return not_json(Syntax::CommaOrBrace, at),
            }
        }
        (walk.place, walk.touched) = (place, touched);
        Ok(at)
    }

    /// Passes the name at `at`: its place in the order, and the byte behind its colon.
    #[inline(always)]
    fn name(&mut self, bytes: &[u8], at: usize, place: usize, object: u16) -> Scan<(usize, usize)> {
        let rest = bytes.get(at..).unwrap_or_default();
        match self.order.expected(place, object, rest) {
            Some(len) => Ok((place, at + len)),
            None => self.unexpected_name(bytes, at, place, object),
        }
    }

    #[cold]
    #[inline(never)]
    fn unexpected_name(
        &mut self,
        bytes: &[u8],
        at: usize,
        place: usize,
        object: u16,
    ) -> Scan<(usize, usize)> {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some((place, len)) = self.order.further(place, object, rest) {
            return Ok((place, at + len));
        }
        let (meaning, end) = self.schema.read_name(bytes, at, object)?;
        Ok((self.order.learn(place, object, &bytes[at..end], meaning), end))
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
        self.seen.mark(leaf.field, value.is_set());
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
            self.seen.mark(*field, false);
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
        let complete = self.seen.has_all(&self.required) && self.faults.is_empty();
        if complete { Ok(()) } else { self.incomplete() }
    }

    #[cold]
    fn incomplete(&self) -> Scan<()> {
        if let Some(fault) = self.faults.first() {
            return Err(*fault);
        }
        let field = self.seen.first_missing(&self.required).unwrap_or_default();
        Err(ScanError::new(Fault::Missing, field, 0))
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
