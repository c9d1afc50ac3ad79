//! Faults in words, for the dead letter. It runs once a broken record and looks at the payload again for what was
//! found, so that the fault itself stays small.

use super::fault::{Fault, ScanError, Syntax};
use super::schema::Field;
use super::skip::value_end;
use super::string::unescape;
use crate::types::Kind;

/// How many characters of a value are shown.
const SHOWN: usize = 40;

pub(super) fn sentence(fields: &[Field], error: ScanError, payload: &[u8]) -> String {
    let at = error.at as usize;
    let field = fields.get(error.field as usize);
    let name = field.map_or(String::new(), |field| field.path.join("."));
    match (error.fault, field) {
        (Fault::NotJson(_), _) if payload.trim_ascii().is_empty() => "not JSON: there is nothing".into(),
        (Fault::NotJson(syntax), _) => not_json(syntax, at, payload),
        (Fault::NotAnObject, _) => format!("not an object: found {}", found(payload, at)),
        (Fault::TooLong, _) => format!("{} bytes are too long for a record", payload.len()),
        (Fault::Missing, _) => format!("{name} is missing"),
        (Fault::InTheWay(parts), Some(field)) => {
            let way = field.path[..field.path.len().min(parts as usize)].join(".");
            format!("{name}: {way} is no object, found {}", found(payload, at))
        }
        (Fault::WrongType, Some(field)) => format!("{name}: {}", wrong_type(field, payload, at)),
        // A field that this scanner does not have cannot come from it.
        (Fault::InTheWay(_) | Fault::WrongType, None) => format!("wrong type at byte {at}"),
    }
}

fn not_json(syntax: Syntax, at: usize, payload: &[u8]) -> String {
    let expected = match syntax {
        Syntax::Value => "a value",
        Syntax::Name => "a name in quotes",
        Syntax::Colon => "`:`",
        Syntax::CommaOrBrace => "`,` or `}`",
        Syntax::CommaOrBracket => "`,` or `]`",
        Syntax::Digit => "a digit",
        Syntax::Quote => "`\"`",
        Syntax::End => return format!("not JSON: more behind the end, at byte {at}"),
        Syntax::Range => return format!("not JSON: number out of range at byte {at}"),
        Syntax::Control => return format!("not JSON: control character in a string at byte {at}"),
        Syntax::Escape => return format!("not JSON: unknown escape at byte {at}"),
        Syntax::Surrogate => return format!("not JSON: half a surrogate pair at byte {at}"),
        Syntax::Utf8 => return format!("not JSON: no UTF-8 at byte {at}"),
        Syntax::Depth => return format!("not JSON: nested too deep at byte {at}"),
    };
    if at >= payload.len() {
        return format!("not JSON: expected {expected}, but it ends at byte {at}");
    }
    format!("not JSON: expected {expected} at byte {at}")
}

fn wrong_type(field: &Field, payload: &[u8], at: usize) -> String {
    let is_text = payload.get(at) == Some(&b'"');
    let is_number = matches!(payload.get(at), Some(b'-' | b'0'..=b'9'));
    let name = Kind::NAMES.iter().find(|(_, kind, time)| (*kind, *time) == (field.kind, field.time));
    let expected = name.map_or_else(|| field.kind.to_string(), |(name, ..)| name.to_string());
    match field.kind {
        Kind::Timestamp if is_text && expected == "timestamp" => {
            format!("`{}` is no RFC 3339 time", cut(&inside(payload, at)))
        }
        Kind::Int | Kind::Timestamp if is_number && expected != "timestamp" => {
            format!("expected {expected}, found {}, which is no integer of 64 bits", found(payload, at))
        }
        Kind::List(_) if in_list(payload, at) => {
            format!("expected {expected}, found {} in it", found(payload, at))
        }
        _ => format!("expected {expected}, found {}", found(payload, at)),
    }
}

/// Whether the value at `at` is an element, and not what stands behind a name.
fn in_list(payload: &[u8], at: usize) -> bool {
    let before = payload.get(..at).unwrap_or_default().trim_ascii_end();
    matches!(before.last(), Some(b'[' | b','))
}

/// A value, named and quoted.
fn found(payload: &[u8], at: usize) -> String {
    let end = value_end(payload, at, 0).unwrap_or(payload.len());
    let shown = cut(&String::from_utf8_lossy(payload.get(at..end).unwrap_or_default()));
    match payload.get(at) {
        Some(b'"') => format!("text `{shown}`"),
        Some(b'{') => format!("object `{shown}`"),
        Some(b'[') => format!("list `{shown}`"),
        Some(b'-' | b'0'..=b'9') => format!("number `{shown}`"),
        Some(_) => format!("`{shown}`"),
        None => "nothing".into(),
    }
}

/// What the string at `at` means.
fn inside(payload: &[u8], at: usize) -> String {
    let end = value_end(payload, at, 0).unwrap_or(payload.len());
    let mut text = vec![];
    unescape(payload.get(at + 1..end.saturating_sub(1)).unwrap_or_default(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::json::{Field, Scanner};
    use crate::frame::{EMPTY, Frame};
    use crate::types::{Element, Kind, TimeFormat};

    fn fields() -> Vec<Field> {
        let field = |path: &str, kind, time| Field {
            path: path.split('.').map(String::from).collect(),
            kind,
            time,
            optional: path != "sensor_id",
            register: None,
        };
        vec![
            field("sensor_id", Kind::String, TimeFormat::Text),
            field("temperature", Kind::Float, TimeFormat::Text),
            field("count", Kind::Int, TimeFormat::Text),
            field("timestamp", Kind::Timestamp, TimeFormat::Text),
            field("ms", Kind::Timestamp, TimeFormat::Millis),
            field("tags", Kind::List(Element::String), TimeFormat::Text),
            field("payload.temp", Kind::Float, TimeFormat::Text),
        ]
    }

    #[track_caller]
    fn check(payload: &[u8], class: &str, sentence: &str) {
        let mut scanner = Scanner::new(fields(), vec![]);
        let (mut registers, mut arena) = (EMPTY, vec![]);
        let mut frame = Frame { payload, ..Frame::new(&mut registers, &mut arena, b"") };
        let error = scanner.scan(&mut frame).expect_err("broken");
        assert_eq!(scanner.explain(error, payload), sentence);
        assert_eq!(error.class(), class);
    }

    /// A record with these members behind a sound `sensor_id`.
    #[track_caller]
    fn wrong(members: &str, sentence: &str) {
        check(format!(r#"{{"sensor_id":"a",{members}}}"#).as_bytes(), "wrong-type", sentence);
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (payload, sentence) in [
            (&b""[..], "not JSON: there is nothing"),
            (b" \n", "not JSON: there is nothing"),
            (b"not json", "not JSON: expected a value at byte 0"),
            (br#"{"sensor_id":"a" "b"}"#, "not JSON: expected `,` or `}` at byte 17"),
            (br#"{"sensor_id":"a"#, "not JSON: expected `\"`, but it ends at byte 15"),
            (br#"{"sensor_id" 1}"#, "not JSON: expected `:` at byte 13"),
            (br#"{"a":1,}"#, "not JSON: expected a name in quotes at byte 7"),
            (br#"{"a":[1 2]}"#, "not JSON: expected `,` or `]` at byte 8"),
            (br#"{"a":-}"#, "not JSON: expected a digit at byte 6"),
            (br#"{"a":1e999}"#, "not JSON: number out of range at byte 5"),
            (b"{\"a\":\"\n\"}", "not JSON: control character in a string at byte 6"),
            (br#"{"a":"\x"}"#, "not JSON: unknown escape at byte 6"),
            (br#"{"a":"\ud800"}"#, "not JSON: half a surrogate pair at byte 6"),
            (b"{\"a\":\"b\xff\"}", "not JSON: no UTF-8 at byte 7"),
            (b"{} x", "not JSON: more behind the end, at byte 3"),
            (&[b'['; 200], "not JSON: nested too deep at byte 127"),
            // What is no JSON is said first, wherever it stands.
            (br#"{"temperature":"hot""#, "not JSON: expected `,` or `}`, but it ends at byte 20"),
        ] {
            check(payload, "not-json", sentence);
        }
    }

    #[test]
    fn what_is_not_of_the_schema_says_what_was_found() {
        check(b"{}", "missing", "sensor_id is missing");
        check(br#"{"sensor_id":null}"#, "missing", "sensor_id is missing");
        check(b"[1, 2]", "wrong-type", "not an object: found list `[1, 2]`");
        check(b"7", "wrong-type", "not an object: found number `7`");
        wrong(r#""temperature":"hot""#, "temperature: expected float, found text `\"hot\"`");
        wrong(r#""temperature":true"#, "temperature: expected float, found `true`");
        wrong(r#""count":1.5"#, "count: expected int, found number `1.5`, which is no integer of 64 bits");
        wrong(r#""timestamp":"yesterday""#, "timestamp: `yesterday` is no RFC 3339 time");
        wrong(r#""timestamp":5"#, "timestamp: expected timestamp, found number `5`");
        wrong(r#""ms":"x""#, "ms: expected timestamp(ms), found text `\"x\"`");
        wrong(r#""tags":["a",1]"#, "tags: expected string[], found number `1` in it");
        wrong(r#""tags":{}"#, "tags: expected string[], found object `{}`");
        wrong(r#""payload":5"#, "payload.temp: payload is no object, found number `5`");
        wrong(r#""payload":{"temp":"x"}"#, "payload.temp: expected float, found text `\"x\"`");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = "ü".repeat(100);
        let shown = format!("temperature: expected float, found text `\"{}…`", "ü".repeat(39));
        wrong(&format!("\"temperature\":\"{long}\""), &shown);
    }
}
