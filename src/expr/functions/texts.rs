//! Functions on texts. What is a part of its argument points into it; what is new goes to the arena.

use super::{Choice, RunFn, int, text};
use crate::expr::time::Span;
use crate::frame::{Frame, Text, Value};
use crate::time::write_timestamp;
use crate::types::Kind;
use std::io::Write;

/// A text as JSON has it and as `str` writes it.
pub(super) fn to_text(kind: Kind) -> Option<Choice> {
    let (fails, run): (_, RunFn) = match kind {
        Kind::String => (None, |_, v| Some(v[0])),
        // Copied: a text that points into the payload holds no quote and no escape, and JSON may.
        Kind::Json | Kind::List(_) => (None, |frame, v| {
            let start = frame.arena.len();
            frame.append(text(v, 0));
            Some(Value::Text(Text::arena(start, frame.arena.len())))
        }),
        Kind::Int => (None, |frame, v| {
            let mut digits = itoa::Buffer::new();
            Some(Value::Text(frame.make(digits.format(int(v, 0)).as_bytes())))
        }),
        Kind::Float => (None, |frame, v| written(frame, super::float(v, 0))),
        Kind::Bool => (None, |frame, v| written(frame, v[0] == Value::Bool(true))),
        Kind::Timestamp => (Some("time beyond the year 9999"), |frame, v| {
            let start = frame.arena.len();
            write_timestamp(frame.arena, int(v, 0))?;
            Some(Value::Text(Text::arena(start, frame.arena.len())))
        }),
        Kind::Duration => (None, |frame, v| written(frame, Span(int(v, 0)))),
    };
    Some(Choice { gives: Kind::String, fails, run })
}

/// Writes something straight to the arena.
fn written(frame: &mut Frame<'_>, value: impl std::fmt::Display) -> Option<Value> {
    let start = frame.arena.len();
    write!(frame.arena, "{value}").ok()?;
    Some(Value::Text(Text::arena(start, frame.arena.len())))
}

pub(super) fn lowercase(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    cased(frame, text(v, 0), <[u8]>::make_ascii_lowercase, str::to_lowercase)
}

pub(super) fn uppercase(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    cased(frame, text(v, 0), <[u8]>::make_ascii_uppercase, str::to_uppercase)
}

/// ASCII is changed in the arena. Anything else may change its length and depend on what follows (a sigma at the end
/// of a word), and takes the library's way over a `String`.
fn cased(frame: &mut Frame<'_>, text: Text, ascii: fn(&mut [u8]), any: fn(&str) -> String) -> Option<Value> {
    if !frame.bytes_of(text).is_ascii() {
        let changed = any(frame.str_of(text));
        return Some(Value::Text(frame.make(changed.as_bytes())));
    }
    let start = frame.arena.len();
    frame.append(text);
    ascii(&mut frame.arena[start..]);
    Some(Value::Text(Text::arena(start, frame.arena.len())))
}

pub(super) fn trim(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    let whole = text(v, 0);
    let inside = frame.str_of(whole);
    let start = inside.len() - inside.trim_start().len();
    let end = start + inside.trim().len();
    Some(Value::Text(whole.part(start, end)))
}

/// Characters from `start` up to `end`, as far as there are any.
pub(super) fn substring(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    let whole = text(v, 0);
    let inside = frame.str_of(whole);
    let byte = |at: i64| {
        let at = usize::try_from(at.max(0)).unwrap_or(usize::MAX);
        inside.char_indices().nth(at).map_or(inside.len(), |(byte, _)| byte)
    };
    let start = byte(int(v, 1));
    let end = if v.len() > 2 { byte(int(v, 2)) } else { inside.len() };
    Some(Value::Text(whole.part(start, end.max(start))))
}

pub(super) fn starts_with(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Bool(frame.bytes_of(text(v, 0)).starts_with(frame.bytes_of(text(v, 1)))))
}

pub(super) fn ends_with(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Bool(frame.bytes_of(text(v, 0)).ends_with(frame.bytes_of(text(v, 1)))))
}

/// Bytes, as evalexpr counts them.
pub(in super::super) fn length(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Int(text(v, 0).len() as i64))
}
