//! One value out of its register: as JSON, or as the plain text of a record key.

use crate::codec::json::quote;
use crate::frame::{Frame, Register};
use crate::time::{format_duration, write_timestamp};
use crate::types::{Kind, TimeFormat};

/// A value that has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// An infinite float, or none.
    NotFinite,
    /// A time outside the years 0000 to 9999.
    OutOfYears,
}

/// Appends a register that is set, as JSON. After an error nothing has been appended.
#[inline]
pub fn write_value(
    out: &mut Vec<u8>,
    frame: &Frame<'_>,
    register: Register,
    kind: Kind,
    time: TimeFormat,
) -> Result<(), Unwritable> {
    match kind {
        Kind::String => string(out, frame, register),
        Kind::Timestamp if time == TimeFormat::Text => {
            out.push(b'"');
            if write_timestamp(out, frame.int(register)).is_none() {
                out.pop();
                return Err(Unwritable::OutOfYears);
            }
            out.push(b'"');
        }
        Kind::Duration => quote(out, format_duration(frame.int(register)).as_bytes()),
        _ => return write_key_text(out, frame, register, kind, time),
    }
    Ok(())
}

#[inline(always)]
fn string(out: &mut Vec<u8>, frame: &Frame<'_>, register: Register) {
    let text = frame.text(register);
    match frame.quoted(text) {
        Some(quoted) => out.extend_from_slice(quoted),
        None => quote(out, frame.bytes_of(text)),
    }
}

/// Appends a register that is set, as plain text: a string and a time without quotes, all else as in JSON. After an
/// error nothing has been appended.
#[inline(always)]
pub fn write_key_text(
    out: &mut Vec<u8>,
    frame: &Frame<'_>,
    register: Register,
    kind: Kind,
    time: TimeFormat,
) -> Result<(), Unwritable> {
    match kind {
        Kind::String | Kind::Json | Kind::List(_) => out.extend_from_slice(frame.bytes(register)),
        Kind::Int => integer(out, frame.int(register)),
        Kind::Float => {
            let value = frame.float(register);
            if !value.is_finite() {
                return Err(Unwritable::NotFinite);
            }
            out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        }
        Kind::Bool => out.extend_from_slice(if frame.bool(register) { b"true" } else { b"false" }),
        Kind::Duration => out.extend_from_slice(format_duration(frame.int(register)).as_bytes()),
        Kind::Timestamp => match time {
            TimeFormat::Text => {
                return write_timestamp(out, frame.int(register)).ok_or(Unwritable::OutOfYears);
            }
            TimeFormat::Millis => integer(out, frame.int(register)),
            TimeFormat::Seconds => integer(out, frame.int(register).div_euclid(1000)),
        },
    }
    Ok(())
}

#[inline(always)]
fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
