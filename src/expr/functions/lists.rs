//! Functions on list fields, which are the JSON text they were written with: elements are looked at in place.

use super::text;
use crate::frame::{Frame, Value};

/// The elements of an array of scalars, each as it is written.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    fn new(list: &'a [u8]) -> Self {
        Elements { rest: list.strip_prefix(b"[").unwrap_or_default() }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let skipped = |b: &u8| b.is_ascii_whitespace() || *b == b',';
        let start = self.rest.iter().position(|b| !skipped(b))?;
        let rest = &self.rest[start..];
        let end = match rest[0] {
            b']' => return None,
            b'"' => string_end(rest),
            _ => rest.iter().position(|b| skipped(b) || *b == b']').unwrap_or(rest.len()),
        };
        self.rest = &rest[end..];
        Some(&rest[..end])
    }
}

/// Where a string ends that begins at the first byte.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

pub(in super::super) fn length(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    Some(Value::Int(Elements::new(frame.bytes_of(text(v, 0))).count() as i64))
}

pub(in super::super) fn contains(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    let mut elements = Elements::new(frame.bytes_of(text(v, 0)));
    Some(Value::Bool(elements.any(|element| is(frame, element, v[1]))))
}

/// Whether two lists of one kind have an element in common.
pub(in super::super) fn contains_any(frame: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    let (a, b) = (frame.bytes_of(text(v, 0)), frame.bytes_of(text(v, 1)));
    let common = Elements::new(a).any(|a| Elements::new(b).any(|b| a == b || same(a, b)));
    Some(Value::Bool(common))
}

/// Whether an element of a list is a value.
fn is(frame: &Frame<'_>, element: &[u8], value: Value) -> bool {
    match value {
        Value::Text(text) if element.contains(&b'\\') => {
            serde_json::from_slice::<String>(element).is_ok_and(|s| s.as_bytes() == frame.bytes_of(text))
        }
        Value::Text(text) => element.len() >= 2 && &element[1..element.len() - 1] == frame.bytes_of(text),
        Value::Bool(b) => element == if b { &b"true"[..] } else { b"false" },
        Value::Int(i) => integer(element) == Some(i),
        Value::Float(x) => fast_float2::parse::<f64, _>(element).is_ok_and(|element| element == x),
        Value::Absent => false,
    }
}

/// An integer as JSON may write it: `21` or `21.0`.
fn integer(element: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(element).ok()?;
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|x| x.fract() == 0.0).map(|x| x as i64))
}

/// Whether two elements that are written differently mean the same.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (serde_json::from_slice(a), serde_json::from_slice(b));
    match (a, b) {
        (Ok(serde_json::Value::Number(a)), Ok(serde_json::Value::Number(b))) => a.as_f64() == b.as_f64(),
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Whether two values of one kind are equal.
pub(in super::super) fn equals(frame: &Frame<'_>, a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => frame.bytes_of(a) == frame.bytes_of(b),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_cut_as_json_does() {
        let check = |list: &str, expected: &[&str]| {
            let found: Vec<_> = Elements::new(list.as_bytes()).map(String::from_utf8_lossy).collect();
            assert_eq!(found, expected, "{list}");
        };
        check("[]", &[]);
        check("[ ]", &[]);
        check("[1,2 , 3]", &["1", "2", "3"]);
        check(r#"["a, b]","\"]",""]"#, &["\"a, b]\"", r#""\"]""#, "\"\""]);
        check(r#"["\\"]"#, &[r#""\\""#]);
        check("[true]", &["true"]);
        check("", &[]);
        check("[\"torn", &["\"torn"]);
        check("[\"torn\\", &["\"torn\\"]);
    }
}
