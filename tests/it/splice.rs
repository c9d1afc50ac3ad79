//! What a sink writes beside the same edits on a `serde_json::Value`.

use crate::documents::{Documents, Random};
use crate::scanner::with_frame;
use serde_json::{Map, Value as Json, json};
use streamrun::codec::json::Scanner;
use streamrun::codec::splice::{Base, Layout, Path, SetField, Splice};
use streamrun::frame::{Frame, Register, Text, Value};
use streamrun::types::{Kind, TimeFormat};

const SEED: u64 = 0x5eed_0002;
const NAMES: [&str; 10] = ["a", "b", "i", "o", "ox", "s", r"\u006f", r"\u0061", "ü", r#"q\"e"#];
const PLAIN: [&str; 9] = ["a", "b", "i", "o", "ox", "s", "ü", "q\"e", "new"];
const KINDS: [Kind; 7] =
    [Kind::Int, Kind::Float, Kind::String, Kind::Json, Kind::Bool, Kind::Float, Kind::Timestamp];

/// Puts a value into each register, or none, and says what it is in JSON; `Err` for what JSON has no number for.
fn values(frame: &mut Frame<'_>, random: &mut Random) -> Vec<Result<Option<Json>, ()>> {
    let mut shown = vec![];
    for (i, kind) in KINDS.iter().enumerate() {
        let int = random.below(2_000) as i64 - 1_000;
        let (value, json) = match kind {
            Kind::Int => (Value::Int(int), json!(int)),
            Kind::Float if random.one_in(40) => (Value::Float(f64::NAN), Json::Null),
            Kind::Float => (Value::Float(int as f64 / 8.0), json!(int as f64 / 8.0)),
            Kind::String => {
                let text = random.pick(&["", "plain", "q\"uote\\", "line\nbreak\u{1}", "ü\u{1F600}"]);
                (Value::Text(frame.make(text.as_bytes())), json!(text))
            }
            Kind::Json => {
                let text = random.pick(&[r#"{"a": 1, "o": {"b": [2]}}"#, "[1, 2]", "7", "{}"]);
                (Value::Text(frame.make(text.as_bytes())), serde_json::from_str(text).expect("JSON"))
            }
            Kind::Bool => (Value::Bool(true), json!(true)),
            _ => (Value::Int(1_767_225_610_000), json!("2026-01-01T00:00:10Z")),
        };
        let absent = random.one_in(5);
        frame.set(Register(i as u8), if absent { Value::Absent } else { value });
        shown.push(match json {
            _ if absent => Ok(None),
            Json::Null => Err(()),
            json => Ok(Some(json)),
        });
    }
    shown
}

fn path(random: &mut Random) -> Path {
    (0..random.pick(&[1, 1, 1, 2, 2, 3])).map(|_| random.pick(&PLAIN).into()).collect()
}

fn paths(random: &mut Random) -> Vec<Path> {
    (0..random.below(4)).map(|_| path(random)).collect()
}

fn layout(random: &mut Random) -> Layout {
    let set = |random: &mut Random| {
        let register = random.below(KINDS.len());
        // A layout of a few top-level fields is what most sinks have.
        let path = if random.one_in(3) { path(random) } else { vec![random.pick(&PLAIN).into()] };
        let kind = KINDS[register];
        SetField { path, register: Register(register as u8), kind, time: TimeFormat::Text, optional: true }
    };
    let set = (0..random.below(5)).map(|_| set(random)).collect();
    let mut layout = Layout { base: Base::Json, keep: None, drop: vec![], rename: vec![], set };
    if random.one_in(2) {
        layout.keep = random.one_in(3).then(|| paths(random));
        layout.drop = paths(random);
        for _ in 0..random.below(3) {
            let (old, new) = (random.pick(&PLAIN).to_string(), random.pick(&PLAIN).to_string());
            if layout.rename.iter().all(|(o, n)| *o != old && *n != new) {
                layout.rename.push((old, new));
            }
        }
    }
    layout
}

fn kept(object: &Map<String, Json>, keep: &[&[String]]) -> Map<String, Json> {
    let mut left = Map::new();
    for (name, value) in object {
        let within: Vec<&[String]> = keep.iter().filter(|p| p[0] == *name).map(|p| &p[1..]).collect();
        match value {
            _ if within.iter().any(|p| p.is_empty()) => drop(left.insert(name.clone(), value.clone())),
            Json::Object(inner) if !within.is_empty() => {
                left.insert(name.clone(), Json::Object(kept(inner, &within)));
            }
            _ => {}
        }
    }
    left
}

fn dropped(object: &mut Map<String, Json>, path: &[String]) {
    if let [name] = path {
        object.shift_remove(name);
    } else if let Some(Json::Object(inner)) = object.get_mut(&path[0]) {
        dropped(inner, &path[1..]);
    }
}

fn renamed(object: Map<String, Json>, rename: &[(String, String)]) -> Map<String, Json> {
    let new = |name: String| match rename.iter().find(|(old, _)| *old == name) {
        Some((_, new)) => Some(new.clone()),
        None => rename.iter().all(|(_, new)| *new != name).then_some(name),
    };
    object.into_iter().filter_map(|(name, value)| Some((new(name)?, value))).collect()
}

fn put(object: &mut Map<String, Json>, path: &[String], value: &Option<Json>) -> Result<(), ()> {
    match (path, value) {
        ([name], Some(value)) => drop(object.insert(name.clone(), value.clone())),
        ([name], None) => drop(object.shift_remove(name)),
        ([name, within @ ..], Some(_)) => {
            let inner = object.entry(name.clone()).or_insert(Json::Null);
            if inner.is_null() {
                *inner = json!({});
            }
            return put(inner.as_object_mut().ok_or(())?, within, value);
        }
        ([name, within @ ..], None) => {
            if let Some(Json::Object(inner)) = object.get_mut(name) {
                return put(inner, within, value);
            }
        }
        ([], _) => {}
    }
    Ok(())
}

fn reference(document: &[u8], layout: &Layout, values: &[Result<Option<Json>, ()>]) -> Result<Json, ()> {
    let Ok(Json::Object(mut object)) = serde_json::from_slice(document) else { panic!("an object") };
    if let Some(keep) = &layout.keep {
        object = kept(&object, &keep.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    for path in &layout.drop {
        dropped(&mut object, path);
    }
    object = renamed(object, &layout.rename);
    for (i, field) in layout.set.iter().enumerate() {
        // What a later field replaces as a whole is not written.
        if layout.set[i + 1..].iter().all(|later| !field.path.starts_with(&later.path)) {
            put(&mut object, &field.path, &values[field.register.0 as usize].clone()?)?;
        }
    }
    Ok(Json::Object(object))
}

#[test]
fn writes_what_the_same_edits_on_a_value_give() {
    println!("seed {SEED:#x}");
    let mut documents = Documents { random: Random(SEED), names: &NAMES };
    let (mut done, mut refused) = (0, 0);
    while done < 40_000 {
        let mut text = String::new();
        documents.object(&mut text, 0);
        let layout = layout(&mut documents.random);
        let sets = layout.set.iter().map(|field| field.path[0].clone());
        let touched = sets.chain(layout.rename.iter().map(|(_, new)| new.clone())).collect();
        let mut scanner = Scanner::new(vec![], touched);
        with_frame(text.as_bytes(), &mut [0; 64], |frame| {
            if scanner.scan(frame).is_err() {
                return;
            }
            done += 1;
            let values = values(frame, &mut documents.random);
            let mut out = b"before".to_vec();
            let written = Splice::new(&layout).write(frame, &mut out);
            let value = out.strip_prefix(b"before").expect("what was there stays");
            let expected = reference(text.as_bytes(), &layout, &values);
            refused += expected.is_err() as usize;
            match written {
                Ok(()) => {
                    let value: Json = serde_json::from_slice(value).expect("what is written is JSON");
                    assert_eq!(Ok(value), expected, "{text} with {layout:?}");
                }
                Err(error) => {
                    assert_eq!(Err(()), expected, "{error:?}: {text} with {layout:?}");
                    assert!(value.is_empty(), "nothing of it remains");
                }
            }
        });
    }
    assert!(refused > 500 && refused < 10_000, "{refused} of {done} were refused");
}

/// Text that came out of the payload goes back as it was, part of it or all of it.
#[test]
fn texts_of_the_payload_are_written_back_as_they_were() {
    let payload = br#"{"s":"sensor-17"}"#;
    with_frame(payload, &mut [0; 64], |frame| {
        frame.present = 0;
        frame.set(Register(0), Value::Text(Text::payload(6, 15).part(0, 6)));
        let field = |name: &str| SetField {
            path: vec![name.into()],
            register: Register(0),
            kind: Kind::String,
            time: TimeFormat::Text,
            optional: false,
        };
        let set = vec![field("x")];
        let layout = Layout { base: Base::Fresh, keep: None, drop: vec![], rename: vec![], set };
        let mut out = vec![];
        assert_eq!(Splice::new(&layout).write(frame, &mut out), Ok(()));
        assert_eq!(out, br#"{"x":"sensor"}"#);
    });
}
