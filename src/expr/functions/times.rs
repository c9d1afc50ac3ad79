//! Functions on time, and those whose pattern is prepared at check time.

use super::{Run, int, text};
use crate::expr::time;
use crate::frame::{Frame, Text, Value};

pub(super) fn hour(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Int(time::hour(int(v, 0))))
}

pub(super) fn date(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    formatted(frame, "%Y-%m-%d", int(v, 0))
}

/// From the first to the second.
pub(super) fn seconds_between(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Float((i128::from(int(v, 1)) - i128::from(int(v, 0))) as f64 / 1000.0))
}

pub(super) fn seconds(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Float(int(v, 0) as f64 / 1000.0))
}

fn formatted(frame: &mut Frame<'_>, format: &str, ms: i64) -> Option<Value> {
    let start = frame.arena.len();
    time::format(format, ms, frame.arena)?;
    Some(Value::Text(Text::arena(start, frame.arena.len())))
}

/// `format_time` in a format that has been checked.
pub(in super::super) fn format_time(format: String) -> Run {
    Box::new(move |frame, v| formatted(frame, &format, int(v, 0)))
}

/// `parse_time`, in RFC 3339 or in a format that has been checked.
pub(in super::super) fn parse_time(format: Option<String>) -> Run {
    Box::new(move |frame, v| {
        let text = frame.str_of(text(v, 0));
        match &format {
            None => time::parse_rfc3339(text),
            Some(format) => time::parse(format, text),
        }
        .map(Value::Int)
    })
}

/// `matches` with its pattern.
pub(in super::super) fn matches(pattern: regex::Regex) -> Run {
    Box::new(move |frame, v| Some(Value::Bool(pattern.is_match(frame.str_of(text(v, 0))))))
}
