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
        _ => format!("expected {expected}, found {}", found(payload, at)),
    }
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
