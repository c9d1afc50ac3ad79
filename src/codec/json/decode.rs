//! A declared field's value: from JSON to what its register holds.

use super::blank;
use super::fault::{Fault, Scan, ScanError, Syntax, not_json};
use super::number::{float, integer, number_end};
use super::schema::Decoder;
use super::skip::{MAX_DEPTH, value_end, word};
use super::string::{string_end, unescape};
use crate::frame::{Text, Value};
use crate::time::Rfc3339;
use crate::types::Element;

type Decoded = Scan<(Value, usize)>;

/// What decoding needs beside the bytes.
pub(super) struct Decoding<'d> {
    /// Where unescaped strings go.
    pub arena: &'d mut Vec<u8>,
    /// The last minute.
    pub times: &'d mut Rfc3339,
    /// How many objects are open around the value.
    pub depth: u32,
}

/// Another type than declared. Whoever knows the field puts it in.
#[cold]
fn wrong(at: usize) -> Decoded {
    Err(ScanError::new(Fault::WrongType, 0, at))
}

impl Decoding<'_> {
    /// The value at `at`, and where it ends. `null` is `Absent`, whatever the type.
    #[inline(always)]
    pub(super) fn decode(&mut self, decoder: Decoder, bytes: &[u8], at: usize) -> Decoded {
        match (decoder, bytes.get(at)) {
            (Decoder::String, Some(b'"')) => self.string(bytes, at),
            (Decoder::Float, Some(b'-' | b'0'..=b'9')) => {
                float(bytes, at).map(|(value, end)| (Value::Float(value), end))
            }
            (Decoder::Int | Decoder::Millis | Decoder::Seconds, Some(b'-' | b'0'..=b'9')) => {
                whole(decoder, bytes, at)
            }
            (Decoder::Rfc3339, Some(b'"')) => self.time(bytes, at),
            (Decoder::Bool, Some(b't')) => Ok((Value::Bool(true), word(bytes, at, b"true")?)),
            (Decoder::Bool, Some(b'f')) => Ok((Value::Bool(false), word(bytes, at, b"false")?)),
            (_, Some(b'n')) => Ok((Value::Absent, word(bytes, at, b"null")?)),
            (Decoder::Json, _) => raw(at, value_end(bytes, at, self.depth)?),
            (Decoder::List(element), Some(b'[')) => raw(at, list_end(element, bytes, at, self.depth)?),
            _ => wrong(at),
        }
    }

    #[inline(always)]
    fn string(&mut self, bytes: &[u8], at: usize) -> Decoded {
        let (end, escaped) = string_end(bytes, at + 1)?;
        let text = if escaped { self.unescaped(&bytes[at + 1..end]) } else { Text::payload(at + 1, end) };
        Ok((Value::Text(text), end + 1))
    }

    #[cold]
    fn unescaped(&mut self, inside: &[u8]) -> Text {
        let start = self.arena.len();
        unescape(inside, self.arena);
        Text::arena(start, self.arena.len())
    }

    #[inline(always)]
    fn time(&mut self, bytes: &[u8], at: usize) -> Decoded {
        let (end, escaped) = string_end(bytes, at + 1)?;
        let inside = &bytes[at + 1..end];
        let ms = if escaped { self.escaped_time(inside) } else { self.times.parse(inside) };
        match ms {
            Some(ms) => Ok((Value::Int(ms), end + 1)),
            None => wrong(at),
        }
    }

    #[cold]
    fn escaped_time(&mut self, inside: &[u8]) -> Option<i64> {
        let start = self.arena.len();
        unescape(inside, self.arena);
        let ms = self.times.parse(&self.arena[start..]);
        self.arena.truncate(start);
        ms
    }
}

#[inline(always)]
fn raw(start: usize, end: usize) -> Decoded {
    Ok((Value::Text(Text::payload(start, end)), end))
}

#[inline(always)]
fn whole(decoder: Decoder, bytes: &[u8], at: usize) -> Decoded {
    let (value, end) = integer(bytes, at)?;
    let value = match decoder {
        Decoder::Seconds => value.and_then(|seconds| seconds.checked_mul(1000)),
        _ => value,
    };
    match value {
        Some(value) => Ok((Value::Int(value), end)),
        None => wrong(at),
    }
}

/// Where a list ends, all of whose elements are of one kind; a null is of none.
fn list_end(element: Element, bytes: &[u8], at: usize, depth: u32) -> Scan<usize> {
    if depth >= MAX_DEPTH {
        return not_json(Syntax::Depth, at);
    }
    let mut at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = blank(bytes, element_end(element, bytes, at)?);
        match bytes.get(at) {
            Some(b',') => at = blank(bytes, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return not_json(Syntax::CommaOrBracket, at),
        }
    }
}

fn element_end(element: Element, bytes: &[u8], at: usize) -> Scan<usize> {
    match (element, bytes.get(at)) {
        (Element::String, Some(b'"')) => Ok(string_end(bytes, at + 1)?.0 + 1),
        (Element::Float, Some(b'-' | b'0'..=b'9')) => number_end(bytes, at),
        (Element::Int, Some(b'-' | b'0'..=b'9')) => Ok(whole(Decoder::Int, bytes, at)?.1),
        (Element::Bool, Some(b't')) => word(bytes, at, b"true"),
        (Element::Bool, Some(b'f')) => word(bytes, at, b"false"),
        _ => wrong(at).map(|(_, end)| end),
    }
}
