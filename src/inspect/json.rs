//! A record as a line of JSON.

use super::base64;
use super::reader::Entry;
use crate::codec::json::quote;
use crate::headers;
use crate::time::write_timestamp;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// Appends a record of a topic as a line: the value parsed when it is JSON, text when it is that, `{"base64": …}` when
/// it is neither; keys and headers as text, for `null` may be one. The timestamp is RFC 3339, and milliseconds where it
/// lies outside its years.
pub fn json_line(out: &mut Vec<u8>, topic: &str, entry: &Entry<'_>) {
    out.extend_from_slice(b"{\"topic\":");
    quote(out, topic.as_bytes());
    let place = format!(",\"partition\":{},\"offset\":{},\"timestamp\":", entry.partition, entry.offset);
    out.extend_from_slice(place.as_bytes());
    timestamp(out, entry.timestamp);
    out.extend_from_slice(b",\"key\":");
    text(out, entry.key);
    out.extend_from_slice(b",\"value\":");
    any(out, entry.value);
    out.extend_from_slice(b",\"headers\":");
    all_headers(out, entry.headers);
    out.extend_from_slice(b"}\n");
}

fn timestamp(out: &mut Vec<u8>, ms: i64) {
    let start = out.len();
    out.push(b'"');
    if write_timestamp(out, ms).is_some() {
        out.push(b'"');
    } else {
        out.truncate(start);
        out.extend_from_slice(ms.to_string().as_bytes());
    }
}

/// A header's name with all its values.
type Header<'h> = (Cow<'h, str>, Vec<Option<&'h [u8]>>);

/// Names of headers may repeat, which those of members had better not: such a one has a list of values.
fn all_headers(out: &mut Vec<u8>, run: &[u8]) {
    let mut all: Vec<Header<'_>> = vec![];
    for (name, value) in headers::iter(run) {
        let name = String::from_utf8_lossy(name);
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
    out.push(b'{');
    for (at, (name, values)) in all.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        quote(out, name.as_bytes());
        out.push(b':');
        match values.as_slice() {
            [one] => text(out, *one),
            several => list(out, several),
        }
    }
    out.push(b'}');
}

fn list(out: &mut Vec<u8>, values: &[Option<&[u8]>]) {
    out.push(b'[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, *value);
    }
    out.push(b']');
}

fn any(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) if std::str::from_utf8(bytes).is_ok_and(is_json) => compact(out, bytes),
        other => text(out, other),
    }
}

fn text(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else { return out.extend_from_slice(b"null") };
    match std::str::from_utf8(bytes) {
        Ok(_) => quote(out, bytes),
        Err(_) => {
            out.extend_from_slice(b"{\"base64\":\"");
            base64::encode(out, bytes);
            out.extend_from_slice(b"\"}");
        }
    }
}

/// Whether a text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Appends JSON as it was written, but for the white space between its parts: a number keeps its digits.
pub(super) fn compact(out: &mut Vec<u8>, json: &[u8]) {
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' if !in_text => continue,
            b'"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && *byte == b'\\' && !escaped;
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[u8]) -> String {
        let entry = Entry { partition: 2, offset: 17, timestamp: 1_767_225_610_000, key, value, headers };
        let mut out = vec![];
        json_line(&mut out, "readings", &entry);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_members_stand_in_their_order() {
        assert_eq!(
            line(Some(b"a"), Some(b"{\"b\" : 1.50,\n \"a\": \"x \\\" y\"}"), b""),
            "{\"topic\":\"readings\",\"partition\":2,\"offset\":17,\"timestamp\":\"2026-01-01T00:00:10Z\",\
             \"key\":\"a\",\"value\":{\"b\":1.50,\"a\":\"x \\\" y\"},\"headers\":{}}\n"
        );
    }

    #[test]
    fn every_byte_makes_sound_json() {
        let value = |bytes: Option<&[u8]>| {
            let line = line(None, bytes, b"");
            let json: serde_json::Value =
                serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
            json["value"].to_string()
        };
        for (bytes, expected) in [
            (&b"not json"[..], "\"not json\""),
            (b"21", "21"),
            (b"{\"a\": 1} {", "\"{\\\"a\\\": 1} {\""),
            (b"line\nbreak\0\x7f", "\"line\\nbreak\\u0000\u{7f}\""),
            (b"\xff\x00", "{\"base64\":\"/wA=\"}"),
            (b"", "\"\""),
        ] {
            assert_eq!(value(Some(bytes)), expected);
        }
        assert_eq!(value(None), "null");
        for bytes in (0..=u16::MAX).map(u16::to_be_bytes) {
            value(Some(&bytes));
        }
    }

    #[test]
    fn headers_are_an_object_and_what_repeats_is_a_list() {
        let mut run = vec![];
        headers::push(&mut run, b"streamrun-reason", Some(b"too hot"));
        headers::push(&mut run, b"trace", Some(b"7"));
        headers::push(&mut run, b"trace", None);
        let expected = "\"headers\":{\"streamrun-reason\":\"too hot\",\"trace\":[\"7\",null]}}\n";
        assert!(line(None, None, &run).ends_with(expected));
    }

    #[test]
    fn a_time_without_a_year_is_a_number() {
        let entry =
            Entry { partition: 0, offset: 0, timestamp: i64::MIN, key: None, value: None, headers: b"" };
        let mut out = vec![];
        json_line(&mut out, "t", &entry);
        assert!(String::from_utf8_lossy(&out).contains("\"timestamp\":-9223372036854775808,"));
    }
}
