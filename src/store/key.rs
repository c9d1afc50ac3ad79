//! Keys are bytes, and their byte order is the order of the values they stand for.
//!
//! A single text is its own bytes, borrowed from the record and not copied. Everything else is a row of parts, each
//! of which says where it ends: a text has its zeros doubled up (`00` → `00 ff`) and ends with `00 00`; an integer
//! or a time is eight bytes, big-endian, with the sign turned over; a float likewise, with all bits of a negative
//! one turned over; a boolean is a byte. Keys stand in changelogs, so none of this may ever change.

use crate::codec::json::quote;
use crate::frame::{Frame, Register};
use crate::time::{is_writable, write_timestamp};
use crate::types::Kind;
use std::borrow::Cow;

/// One part of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyPart<'k> {
    /// A text, or JSON as it was written.
    Text(Cow<'k, [u8]>),
    /// An integer, or milliseconds.
    Int(i64),
    /// A float; there is one zero and one that is not a number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// The fields a node's rows are keyed by, in their order. `check` lets none of them be optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyShape(pub Vec<(Register, Kind)>);

impl KeyShape {
    /// The kinds alone, for [`decode`].
    pub fn kinds(&self) -> Vec<Kind> {
        self.0.iter().map(|(_, kind)| *kind).collect()
    }

    /// A record's key. A single text is borrowed from the frame, everything else is written into `scratch`.
    #[inline(always)]
    pub fn encode<'a>(&self, frame: &'a Frame<'_>, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        match self.0[..] {
            [(register, Kind::String)] => frame.bytes(register),
            _ => {
                scratch.clear();
                self.parts(frame).for_each(|part| encode_part(&part, scratch));
                scratch
            }
        }
    }

    /// A record's key as the text that goes into a written record; see [`write_text`].
    #[inline(always)]
    pub fn write_text(&self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        match self.0[..] {
            [(register, Kind::String)] => out.extend_from_slice(frame.bytes(register)),
            _ => write_parts(self.parts(frame), self.0.iter().map(|(_, kind)| *kind), out),
        }
    }

    /// The parts of a key of this shape, each with its register, to make a row of them.
    pub fn decode<'k>(&self, key: &'k [u8]) -> impl Iterator<Item = (Register, KeyPart<'k>)> {
        let (alone, mut rest) = (self.0.len() == 1, key);
        self.0.iter().map_while(move |(register, kind)| {
            let (part, behind) = decode_part(*kind, alone, rest)?;
            rest = behind;
            Some((*register, part))
        })
    }

    fn parts<'a>(&self, frame: &'a Frame<'_>) -> impl ExactSizeIterator<Item = KeyPart<'a>> {
        self.0.iter().map(|(register, kind)| match kind {
            Kind::Int | Kind::Timestamp | Kind::Duration => KeyPart::Int(frame.int(*register)),
            Kind::Float => KeyPart::Float(one_of_each(frame.float(*register))),
            Kind::Bool => KeyPart::Bool(frame.bool(*register)),
            Kind::String | Kind::Json | Kind::List(_) => KeyPart::Text(frame.bytes(*register).into()),
        })
    }
}

/// Encodes parts as [`KeyShape::encode`] does those of a record: for queries and for tests.
pub fn encode_parts(parts: &[KeyPart<'_>], out: &mut Vec<u8>) {
    match parts {
        [KeyPart::Text(text)] => out.extend_from_slice(text),
        _ => parts.iter().for_each(|part| encode_part(part, out)),
    }
}

pub(super) fn encode_part(part: &KeyPart<'_>, out: &mut Vec<u8>) {
    match part {
        KeyPart::Text(text) => encode_text(text, out),
        KeyPart::Int(int) => out.extend_from_slice(&ordered_int(*int)),
        KeyPart::Float(float) => out.extend_from_slice(&ordered_float(*float)),
        KeyPart::Bool(bool) => out.push(*bool as u8),
    }
}

fn encode_text(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(zero) = memchr::memchr(0, text) {
        out.extend_from_slice(&text[..zero]);
        out.extend_from_slice(&[0, 0xff]);
        text = &text[zero + 1..];
    }
    out.extend_from_slice(text);
    out.extend_from_slice(&[0, 0]);
}

const SIGN: u64 = 1 << 63;

/// An integer as bytes that compare as it does.
pub fn ordered_int(int: i64) -> [u8; 8] {
    (int as u64 ^ SIGN).to_be_bytes()
}

/// What [`ordered_int`] was made of.
pub fn unordered_int(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ SIGN) as i64
}

fn ordered_float(float: f64) -> [u8; 8] {
    let bits = one_of_each(float).to_bits();
    (if bits & SIGN == 0 { bits | SIGN } else { !bits }).to_be_bytes()
}

fn unordered_float(bytes: [u8; 8]) -> f64 {
    let bits = u64::from_be_bytes(bytes);
    f64::from_bits(if bits & SIGN == 0 { !bits } else { bits & !SIGN })
}

/// Floats that are equal are one key: `-0.0` is `0.0`, and of those that are not a number there is one.
fn one_of_each(float: f64) -> f64 {
    if float.is_nan() { f64::NAN.abs() } else { float + 0.0 }
}

/// The parts of a key that was encoded from such kinds. Bytes that are no such key end it early.
pub fn decode<'k>(kinds: &[Kind], key: &'k [u8]) -> impl Iterator<Item = KeyPart<'k>> {
    let (alone, mut rest) = (kinds.len() == 1, key);
    kinds.iter().map_while(move |kind| {
        let (part, behind) = decode_part(*kind, alone, rest)?;
        rest = behind;
        Some(part)
    })
}

/// The first part of a key, and what is behind it.
fn decode_part(kind: Kind, alone: bool, key: &[u8]) -> Option<(KeyPart<'_>, &[u8])> {
    Some(match kind {
        Kind::String if alone => (KeyPart::Text(key.into()), &key[..0]),
        Kind::String | Kind::Json | Kind::List(_) => return decode_text(key),
        Kind::Int | Kind::Timestamp | Kind::Duration => {
            let (bytes, behind) = key.split_first_chunk()?;
            (KeyPart::Int(unordered_int(*bytes)), behind)
        }
        Kind::Float => {
            let (bytes, behind) = key.split_first_chunk()?;
            (KeyPart::Float(unordered_float(*bytes)), behind)
        }
        Kind::Bool => {
            let (byte, behind) = key.split_first()?;
            (KeyPart::Bool(*byte != 0), behind)
        }
    })
}

/// A framed text and what is behind it; copied only when it has zeros.
fn decode_text(bytes: &[u8]) -> Option<(KeyPart<'_>, &[u8])> {
    let mut text = Cow::Borrowed(&bytes[..0]);
    let mut from = 0;
    loop {
        let zero = from + memchr::memchr(0, &bytes[from..])?;
        match bytes.get(zero + 1)? {
            0 if from == 0 => return Some((KeyPart::Text(bytes[..zero].into()), &bytes[2 + zero..])),
            0 => {
                text.to_mut().extend_from_slice(&bytes[from..zero]);
                return Some((KeyPart::Text(text), &bytes[zero + 2..]));
            }
            0xff => text.to_mut().extend_from_slice(&bytes[from..=zero]),
            _ => return None,
        }
        from = zero + 2;
    }
}

/// An encoded key as the text that goes into a written record: a single field as its plain text, several as a JSON
/// array. Times are RFC 3339.
pub fn write_text(kinds: &[Kind], key: &[u8], out: &mut Vec<u8>) {
    let parts: Vec<_> = decode(kinds, key).collect();
    write_parts(parts.into_iter(), kinds.iter().copied(), out);
}

fn write_parts<'k>(
    parts: impl ExactSizeIterator<Item = KeyPart<'k>>,
    kinds: impl ExactSizeIterator<Item = Kind>,
    out: &mut Vec<u8>,
) {
    let alone = kinds.len() == 1;
    for (at, (part, kind)) in parts.zip(kinds).enumerate() {
        if !alone {
            out.push(if at == 0 { b'[' } else { b',' });
        }
        write_part(&part, kind, !alone, out);
    }
    if !alone {
        out.push(b']');
    }
}

fn write_part(part: &KeyPart<'_>, kind: Kind, quoted: bool, out: &mut Vec<u8>) {
    match (part, kind) {
        (KeyPart::Text(text), Kind::String) if quoted => quote(out, text),
        (KeyPart::Text(text), _) => out.extend_from_slice(text),
        (KeyPart::Int(millis), Kind::Timestamp) => write_time(*millis, quoted, out),
        (KeyPart::Int(int), _) => out.extend_from_slice(itoa::Buffer::new().format(*int).as_bytes()),
        (KeyPart::Float(float), _) if quoted && !float.is_finite() => out.extend_from_slice(b"null"),
        (KeyPart::Float(float), _) => out.extend_from_slice(zmij::Buffer::new().format(*float).as_bytes()),
        (KeyPart::Bool(bool), _) => out.extend_from_slice(if *bool { b"true" } else { b"false" }),
    }
}

/// A time without a text, one outside the years 0000 to 9999, is its milliseconds.
fn write_time(millis: i64, quoted: bool, out: &mut Vec<u8>) {
    if !is_writable(millis) {
        return out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
    }
    out.extend_from_slice(if quoted { b"\"" } else { b"" });
    write_timestamp(out, millis);
    out.extend_from_slice(if quoted { b"\"" } else { b"" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{EMPTY, Text, Value};

    fn text(text: &str) -> KeyPart<'_> {
        KeyPart::Text(text.as_bytes().into())
    }

    fn encoded(parts: &[KeyPart<'_>]) -> Vec<u8> {
        let mut out = vec![];
        encode_parts(parts, &mut out);
        out
    }

    /// Every list is in the order of its values.
    fn in_order(keys: &[Vec<KeyPart<'_>>], kinds: &[Kind]) {
        for pair in keys.windows(2) {
            assert!(encoded(&pair[0]) < encoded(&pair[1]), "{pair:?}");
        }
        for key in keys {
            let bytes = encoded(key);
            assert_eq!(decode(kinds, &bytes).collect::<Vec<_>>(), *key);
            for end in 0..bytes.len() {
                assert!(decode(kinds, &bytes[..end]).count() <= key.len());
            }
        }
    }

    #[test]
    fn byte_order_is_value_order() {
        let floats = [f64::NEG_INFINITY, -1e300, -1.5, -1e-300, 0.0, 1e-300, 1.5, 1e300, f64::INFINITY];
        in_order(&floats.map(|x| vec![KeyPart::Float(x)]), &[Kind::Float]);
        let ints = [i64::MIN, -300, -1, 0, 1, 255, 256, i64::MAX];
        in_order(&ints.map(|x| vec![KeyPart::Int(x)]), &[Kind::Int]);
        let texts = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0\0", "a\0b", "a\u{1}", "ab", "é", "é\0"];
        in_order(&texts.map(|x| vec![text(x)]), &[Kind::String]);
        let pairs: Vec<_> =
            texts.iter().flat_map(|x| [-1, 0, 1].map(|i| vec![text(x), KeyPart::Int(i)])).collect();
        in_order(&pairs, &[Kind::String, Kind::Int]);
        let pairs: Vec<_> =
            [false, true].iter().flat_map(|b| texts.map(|x| vec![KeyPart::Bool(*b), text(x)])).collect();
        in_order(&pairs, &[Kind::Bool, Kind::String]);
    }

    #[test]
    fn equal_floats_are_one_key() {
        assert_eq!(encoded(&[KeyPart::Float(-0.0)]), encoded(&[KeyPart::Float(0.0)]));
        assert_eq!(encoded(&[KeyPart::Float(-f64::NAN)]), encoded(&[KeyPart::Float(f64::NAN)]));
    }

    #[test]
    fn malformed_keys_end_early() {
        assert_eq!(decode(&[Kind::String, Kind::Bool], b"a\0\x01\0\0\x01").count(), 0);
        assert_eq!(decode(&[Kind::String, Kind::Bool], b"a").count(), 0);
        assert_eq!(decode(&[Kind::String, Kind::Bool], b"a\0\0").count(), 1);
        assert_eq!(decode(&[Kind::Int], b"1234567").count(), 0);
    }

    fn with_frame(values: &[Value], check: impl FnOnce(&Frame<'_>)) {
        let (mut registers, mut arena) = (EMPTY, vec![]);
        let mut frame = Frame { payload: b"a\"b", ..Frame::new(&mut registers, &mut arena, &[]) };
        for (register, value) in values.iter().enumerate() {
            frame.set(Register(register as u8), *value);
        }
        check(&frame);
    }

    #[test]
    fn keys_of_records() {
        let kinds = [Kind::String, Kind::Timestamp, Kind::Float, Kind::Int, Kind::Bool];
        let values = [
            Value::Text(Text::payload(0, 3)),
            Value::Int(1_767_225_610_000),
            Value::Float(-0.0),
            Value::Int(-7),
            Value::Bool(true),
        ];
        let shape = |fields: &[usize]| {
            KeyShape(fields.iter().map(|field| (Register(*field as u8), kinds[*field])).collect())
        };
        let check = |fields: &[usize], expected: &str| {
            with_frame(&values, |frame| {
                let shape = shape(fields);
                let (mut scratch, mut direct, mut decoded) = (vec![], vec![], vec![]);
                shape.write_text(frame, &mut direct);
                write_text(&shape.kinds(), shape.encode(frame, &mut scratch), &mut decoded);
                assert_eq!(String::from_utf8_lossy(&direct), expected);
                assert_eq!(direct, decoded);
                let key = shape.encode(frame, &mut scratch).to_vec();
                let registers = shape.decode(&key).map(|(register, _)| register.0 as usize);
                assert!(registers.eq(fields.iter().copied()));
            });
        };
        check(&[0], "a\"b");
        check(&[1], "2026-01-01T00:00:10Z");
        check(&[2], "0.0");
        check(&[3], "-7");
        check(&[4], "true");
        check(&[0, 1, 2, 3, 4], r#"["a\"b","2026-01-01T00:00:10Z",0.0,-7,true]"#);
    }

    #[test]
    fn a_single_text_is_borrowed() {
        with_frame(&[Value::Text(Text::payload(0, 3))], |frame| {
            let mut scratch = vec![];
            let key = KeyShape(vec![(Register(0), Kind::String)]).encode(frame, &mut scratch).as_ptr();
            assert_eq!(key, frame.payload.as_ptr());
        });
    }
}
