//! Keys as people write them, read back: what [`super::key::write_text`] makes of a key, and what a person types.

use super::key::{KeyPart, encode_part};
use crate::time::parse_timestamp;
use crate::types::Kind;
use serde_json::Value as Json;

/// The key that a text stands for: a single field as its plain text, several as a JSON array.
pub fn parse(kinds: &[Kind], text: &str) -> Option<Vec<u8>> {
    match kinds {
        [Kind::String] => Some(text.as_bytes().to_vec()),
        [kind] => {
            let part = match kind {
                Kind::Int | Kind::Duration => KeyPart::Int(text.parse().ok()?),
                Kind::Timestamp => KeyPart::Int(time(text)?),
                Kind::Float => KeyPart::Float(text.parse().ok()?),
                Kind::Bool => KeyPart::Bool(text.parse().ok()?),
                Kind::String | Kind::Json | Kind::List(_) => KeyPart::Text(text.as_bytes().into()),
            };
            let mut key = vec![];
            encode_part(&part, &mut key);
            Some(key)
        }
        _ => match serde_json::from_str(text).ok()? {
            Json::Array(parts) => from_json(kinds, &parts),
            _ => None,
        },
    }
}

/// The key that JSON values stand for, one a field.
pub fn from_json(kinds: &[Kind], values: &[Json]) -> Option<Vec<u8>> {
    if kinds.len() != values.len() {
        return None;
    }
    if let ([Kind::String], [Json::String(text)]) = (kinds, values) {
        return Some(text.as_bytes().to_vec());
    }
    let mut key = vec![];
    for (kind, value) in kinds.iter().zip(values) {
        encode_part(&part(*kind, value)?, &mut key);
    }
    Some(key)
}

fn part(kind: Kind, value: &Json) -> Option<KeyPart<'static>> {
    Some(match (kind, value) {
        (Kind::String, Json::String(text)) => KeyPart::Text(text.clone().into_bytes().into()),
        (Kind::Json | Kind::List(_), value) => KeyPart::Text(value.to_string().into_bytes().into()),
        (Kind::Timestamp, Json::String(text)) => KeyPart::Int(time(text)?),
        (Kind::Int | Kind::Duration | Kind::Timestamp, Json::Number(number)) => {
            KeyPart::Int(number.as_i64()?)
        }
        (Kind::Float, Json::Number(number)) => KeyPart::Float(number.as_f64()?),
        (Kind::Bool, Json::Bool(bool)) => KeyPart::Bool(*bool),
        _ => return None,
    })
}

/// RFC 3339, or milliseconds, as those times are written that have no text.
fn time(text: &str) -> Option<i64> {
    parse_timestamp(text.as_bytes()).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::key;
    use super::*;

    #[track_caller]
    fn reads_back(kinds: &[Kind], text: &str) {
        let key = parse(kinds, text).expect("a key");
        let mut written = vec![];
        key::write_text(kinds, &key, &mut written);
        assert_eq!(String::from_utf8_lossy(&written), text);
    }

    #[test]
    fn what_is_written_reads_back() {
        reads_back(&[Kind::String], "sensor-1");
        reads_back(&[Kind::String], "[\"a\",1]");
        reads_back(&[Kind::String], "");
        reads_back(&[Kind::Int], "-7");
        reads_back(&[Kind::Float], "1.5");
        reads_back(&[Kind::Bool], "true");
        reads_back(&[Kind::Timestamp], "2026-01-01T00:00:10Z");
        reads_back(&[Kind::Timestamp], "9223372036854775807");
        reads_back(&[Kind::Json], "{\"a\": 1}");
        reads_back(&[Kind::String, Kind::Int], "[\"a\\\"b\",1]");
        reads_back(&[Kind::Timestamp, Kind::Bool], "[\"2026-01-01T00:00:10Z\",false]");
        reads_back(&[Kind::Timestamp, Kind::Float], "[9223372036854775807,0.5]");
    }

    #[test]
    fn what_is_no_key_is_none() {
        for (kinds, text) in [
            (&[Kind::Int][..], "one"),
            (&[Kind::Timestamp], "yesterday"),
            (&[Kind::String, Kind::Int], "a"),
            (&[Kind::String, Kind::Int], "[\"a\"]"),
            (&[Kind::String, Kind::Int], "[\"a\",1,2]"),
            (&[Kind::String, Kind::Int], "[1,\"a\"]"),
            (&[Kind::String, Kind::Int], "{}"),
        ] {
            assert_eq!(parse(kinds, text), None, "{text}");
        }
    }
}
