//! The scanner beside `serde_json`: the same documents are accepted and refused, and what is accepted means the
//! same, prediction and all: one scanner reads everything, so that each record meets what the last one taught.

use crate::documents::{Documents, Random};
use serde_json::Value as Json;
use streamrun::codec::json::{Field, Scanner};
use streamrun::frame::{Body, EMPTY, Frame, Register, Registers};
use streamrun::time::parse_timestamp;
use streamrun::types::{Element, Kind, TimeFormat};

const SEED: u64 = 0x5eed_0001;

/// A frame over a payload, as a task has it.
pub fn with_frame<T>(payload: &[u8], registers: &mut Registers, run: impl FnOnce(&mut Frame<'_>) -> T) -> T {
    let mut arena = vec![];
    let mut frame = Frame { payload, present: u64::MAX, ..Frame::new(registers, &mut arena, b"") };
    run(&mut frame)
}

fn field(path: &str, kind: Kind, time: TimeFormat, optional: bool, register: Option<u8>) -> Field {
    let path = path.split('.').map(String::from).collect();
    Field { path, kind, time, optional, register: register.map(Register) }
}

fn fields() -> Vec<Field> {
    use TimeFormat::{Millis, Seconds, Text};
    vec![
        field("s", Kind::String, Text, true, Some(0)),
        field("sensor_id", Kind::String, Text, true, Some(1)),
        field("i", Kind::Int, Text, true, Some(2)),
        field("f", Kind::Float, Text, true, Some(3)),
        field("b", Kind::Bool, Text, true, Some(4)),
        field("t", Kind::Timestamp, Text, true, Some(5)),
        field("ms", Kind::Timestamp, Millis, true, Some(6)),
        field("mseconds", Kind::Timestamp, Seconds, true, Some(7)),
        field("x", Kind::Json, Text, true, Some(8)),
        field("ls", Kind::List(Element::String), Text, true, Some(9)),
        field("li", Kind::List(Element::Int), Text, true, Some(10)),
        field("lf", Kind::List(Element::Float), Text, true, Some(11)),
        field("lb", Kind::List(Element::Bool), Text, true, Some(12)),
        field("o.i", Kind::Int, Text, true, Some(13)),
        field("o.s", Kind::String, Text, true, Some(14)),
        field("o.o.f", Kind::Float, Text, true, Some(15)),
        field("o", Kind::Json, Text, true, Some(16)),
        field("i_ok", Kind::Int, Text, true, None),
        field("must", Kind::Int, Text, false, Some(17)),
    ]
}

const NAMES: [&str; 27] = [
    "s",
    "sensor_id",
    "i",
    "f",
    "b",
    "t",
    "ms",
    "mseconds",
    "x",
    "ls",
    "li",
    "lf",
    "lb",
    "o",
    "ok",
    "must",
    "must",
    "must",
    r"\u0073",
    r"m\u0075st",
    r"\u006f",
    "status",
    r"st\u0061tus",
    "unknown",
    "x\u{e9}",
    "",
    r"a\\b",
];

/// What a field should be: absent, or a value, or of the wrong type. `Unsure` where `serde_json` has rounded away
/// whether a number is an integer of 64 bits.
#[derive(Debug, PartialEq)]
enum Expected<'j> {
    Absent,
    Value(&'j Json),
    Wrong,
    Unsure,
}

fn expected<'j>(document: &'j Json, field: &Field) -> Expected<'j> {
    let mut at = document;
    for name in &field.path {
        at = match at {
            Json::Object(members) => members.get(name).unwrap_or(&Json::Null),
            Json::Null => return Expected::Absent,
            _ => return Expected::Wrong,
        };
    }
    let fits = match (field.kind, at) {
        (_, Json::Null) => return Expected::Absent,
        (Kind::Timestamp, Json::String(text)) if field.time == TimeFormat::Text => {
            parse_timestamp(text.as_bytes()).is_some()
        }
        (Kind::Timestamp, Json::Number(_)) if field.time == TimeFormat::Text => false,
        (Kind::List(element), Json::Array(elements)) => {
            let fits =
                |e: &Json| !e.is_null() && one(element_kind(element), TimeFormat::Text, e) != Some(false);
            let unsure = |e: &Json| one(element_kind(element), TimeFormat::Text, e).is_none();
            if elements.iter().all(fits) && elements.iter().any(unsure) {
                return Expected::Unsure;
            }
            elements.iter().all(fits)
        }
        (kind, value) => match one(kind, field.time, value) {
            Some(fits) => fits,
            None => return Expected::Unsure,
        },
    };
    if fits { Expected::Value(at) } else { Expected::Wrong }
}

fn element_kind(element: Element) -> Kind {
    match element {
        Element::String => Kind::String,
        Element::Int => Kind::Int,
        Element::Float => Kind::Float,
        Element::Bool => Kind::Bool,
    }
}

/// Whether a plain value fits; `None` when `serde_json`'s number cannot tell.
fn one(kind: Kind, time: TimeFormat, value: &Json) -> Option<bool> {
    match (kind, value) {
        (Kind::String, Json::String(_)) | (Kind::Float, Json::Number(_)) | (Kind::Bool, Json::Bool(_)) => {
            Some(true)
        }
        (Kind::Json, _) => Some(true),
        (Kind::Int | Kind::Timestamp, Json::Number(_)) => integer(value).map(|i| match (i, time) {
            (Some(i), TimeFormat::Seconds) => i.checked_mul(1000).is_some(),
            (i, _) => i.is_some(),
        }),
        _ => Some(false),
    }
}

fn integer(value: &Json) -> Option<Option<i64>> {
    if let Some(i) = value.as_i64() {
        return Some(Some(i));
    }
    let float = value.as_f64().unwrap_or(f64::NAN);
    if value.is_u64() || float.abs() > 1e20 || (float.fract() != 0.0 && float.abs() > 1e-300) {
        return Some(None);
    }
    if float == 0.0 || float.abs() < 1e-300 || float.abs() >= (1i64 << 53) as f64 {
        // `1e-400` is zero by now, and `1e19` may have been anything near it.
        return None;
    }
    Some(Some(float as i64))
}

/// Compares one document; whether it was accepted.
fn compare(scanner: &mut Scanner, fields: &[Field], document: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(&document[..document.len().min(2_000)]);
    let oracle: Result<Json, _> = serde_json::from_slice(document);
    let mut registers = [u64::MAX; 64];
    with_frame(document, &mut registers, |frame| {
        let scanned = scanner.scan(frame);
        if let Err(error) = scanned {
            assert!(!scanner.explain(error, document).is_empty());
            assert_eq!(frame.present & 0x3_ffff, 0, "nothing is present after an error: {}", shown());
        }
        let class = scanned.err().map(|e| e.class());
        let Ok(json) = oracle else {
            assert_eq!(class, Some("not-json"), "serde_json refuses {}", shown());
            return false;
        };
        if !json.is_object() {
            assert_eq!(class, Some("wrong-type"), "{}", shown());
            return false;
        }
        let all: Vec<_> = fields.iter().map(|field| expected(&json, field)).collect();
        let missing = all.iter().zip(fields).any(|(e, field)| *e == Expected::Absent && !field.optional);
        if all.contains(&Expected::Wrong) {
            assert_eq!(class, Some("wrong-type"), "{}", shown());
            return false;
        }
        if all.contains(&Expected::Unsure) {
            assert_ne!(class, Some("not-json"), "{}", shown());
            return false;
        }
        assert_eq!(class, missing.then_some("missing"), "{}", shown());
        if missing {
            return false;
        }
        for (field, expected) in fields.iter().zip(&all) {
            if let Some(register) = field.register {
                same(frame, field, register, expected, &shown());
            }
        }
        body(frame, &json, &shown());
        true
    })
}

fn same(frame: &Frame<'_>, field: &Field, register: Register, expected: &Expected<'_>, document: &str) {
    let Expected::Value(value) = expected else {
        return assert!(!frame.is_set(register), "{:?} is absent in {document}", field.path);
    };
    assert!(frame.is_set(register), "{:?} is present in {document}", field.path);
    let equal = match field.kind {
        Kind::String => Some(frame.bytes(register)) == value.as_str().map(str::as_bytes),
        Kind::Bool => Some(frame.bool(register)) == value.as_bool(),
        Kind::Int => integer(value) == Some(Some(frame.int(register))),
        Kind::Float => close(frame.float(register), value.as_f64().expect("a number")),
        Kind::Timestamp => {
            let ms = match field.time {
                TimeFormat::Text => parse_timestamp(value.as_str().expect("a text").as_bytes()),
                TimeFormat::Millis => integer(value).flatten(),
                TimeFormat::Seconds => integer(value).flatten().map(|s| s * 1000),
            };
            ms == Some(frame.int(register))
        }
        Kind::Json | Kind::List(_) => {
            let raw = frame.bytes(register);
            raw == raw.trim_ascii() && serde_json::from_slice::<Json>(raw).ok().as_ref() == Some(*value)
        }
        Kind::Duration => unreachable!("no field is one"),
    };
    assert!(equal, "{:?} is {value} in {document}", field.path);
}

/// `serde_json` may be off by a few of the last bits; the unit tests compare with the standard library, exactly.
fn close(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= theirs.abs() * 1e-15
}

fn body(frame: &Frame<'_>, json: &Json, document: &str) {
    let members = json.as_object().expect("an object");
    let end = frame.payload.iter().rposition(|c| *c == b'}').expect("a brace");
    let expected = Body {
        end: end as u32,
        empty: members.is_empty(),
        holds_added: members.contains_key("status") || members.contains_key("s"),
    };
    assert_eq!(frame.body, expected, "{document}");
}

fn scanner() -> (Scanner, Vec<Field>) {
    (Scanner::new(fields(), vec!["status".into(), "s".into()]), fields())
}

#[test]
fn scans_what_serde_json_parses() {
    println!("seed {SEED:#x}");
    let (mut scanner, fields) = scanner();
    let mut documents = Documents { random: Random(SEED), names: &NAMES };
    let mut accepted = 0;
    for case in 0..120_000 {
        let mut text = String::new();
        documents.object(&mut text, 0);
        if documents.random.one_in(2) {
            text = text.replacen('{', "{\"must\":1, \"unknown\":2,", 1).replacen(",}", "}", 1);
        }
        let mut document = text.into_bytes();
        if case % 2 == 0 {
            documents.mutate(&mut document);
        }
        accepted += compare(&mut scanner, &fields, &document) as usize;
    }
    assert!(accepted > 15_000, "only {accepted} documents were accepted");
}

const READING: &str = r#" { "sensor_id":"sensor-\u0031\ud83d\ude00","must" :21.0, "f":-1.5e2,"o":{"i":[1,{"é":null}],"s":"x"},"t":"2026-01-01T00:00:10.5Z","x":[true,{"a":"b\n"}]} "#;

#[test]
fn cut_off_at_every_byte() {
    let (mut scanner, fields) = scanner();
    let sound = READING.replace("[1,{\"é\":null}]", "17");
    assert!(compare(&mut scanner, &fields, sound.as_bytes()));
    for reading in [READING, &sound] {
        for end in 0..reading.len() {
            compare(&mut scanner, &fields, &reading.as_bytes()[..end]);
        }
    }
}

#[test]
fn every_byte_replaced_by_every_other() {
    let (mut scanner, fields) = scanner();
    let sound = READING.replace("[1,{\"é\":null}]", "17").into_bytes();
    for at in 0..sound.len() {
        for byte in 0..=255 {
            let mut document = sound.clone();
            document[at] = byte;
            compare(&mut scanner, &fields, &document);
        }
    }
}

#[test]
fn depth_at_the_limit_and_beyond() {
    let (mut scanner, fields) = scanner();
    for name in ["unknown", "x", "o", "li", "s", "i_ok"] {
        for depth in [1, 125, 126, 127, 128, 129, 5_000] {
            for (open, close) in [("[", "]"), ("{\"o\":", "}"), ("[{\"i\":", "}]")] {
                let inside = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let document = format!("{{\"must\":1,\"{name}\":{inside}}}");
                compare(&mut scanner, &fields, document.as_bytes());
            }
        }
    }
}

#[test]
fn the_last_of_several_members_counts() {
    let (mut scanner, fields) = scanner();
    for (document, accepted) in [
        (r#"{"must":"x","must":1}"#, true),
        (r#"{"must":1,"must":"x"}"#, false),
        (r#"{"must":1,"must":null}"#, false),
        (r#"{"must":null,"must":1}"#, true),
        (r#"{"must":1,"must":2,"m\u0075st":3}"#, true),
        (r#"{"must":1,"o":5,"o":{"i":1}}"#, true),
        (r#"{"must":1,"o":{"i":1},"o":5}"#, false),
        (r#"{"must":1,"o":{"i":"x"},"o":{}}"#, true),
        (r#"{"must":1,"o":{"i":7,"s":"a"},"o":{"s":"b"}}"#, true),
        (r#"{"must":1,"o":{"i":7},"o":null}"#, true),
        (r#"{"must":1,"o":{"o":3},"o":{"o":{"f":1}}}"#, true),
        (r#"{"must":"x","must":1"#, false),
    ] {
        for _ in 0..3 {
            assert_eq!(compare(&mut scanner, &fields, document.as_bytes()), accepted, "{document}");
        }
    }
}

#[test]
fn more_fields_than_a_word_has_bits() {
    let field = |i: usize| {
        field(&format!("f{i}"), Kind::Int, TimeFormat::Text, i.is_multiple_of(2), (i < 3).then_some(i as u8))
    };
    let fields: Vec<Field> = (0..200).map(field).collect();
    let mut scanner = Scanner::new(fields, vec![]);
    let members: Vec<String> = (0..200).map(|i| format!("\"f{i}\":{i}")).collect();
    let whole = format!("{{{}}}", members.join(","));
    let error = |scanner: &mut Scanner, document: &str| {
        let mut registers = EMPTY;
        let scanned = with_frame(document.as_bytes(), &mut registers, |frame| scanner.scan(frame));
        scanned.err().map(|e| scanner.explain(e, document.as_bytes()))
    };
    for _ in 0..2 {
        assert_eq!(error(&mut scanner, &whole), None);
        assert_eq!(error(&mut scanner, &whole.replace("\"f199\"", "\"g\"")), Some("f199 is missing".into()));
        assert_eq!(error(&mut scanner, &whole.replace("\"f64\"", "\"g\"")), None);
    }
}
