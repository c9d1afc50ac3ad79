//! Layouts applied to records, a line a case.

use super::*;
use crate::codec::json::{Field, Scanner};
use crate::frame::{EMPTY, Registers, Text, Value};

const CONSTANTS: &[u8] = b"critical say \"hi\"\n{\"n\":[1, 2]}";

/// The registers every case has: status, ratio (not finite), n, at, ok, gap, note (has to be escaped), raw, absent,
/// late (outside the years).
fn registers(frame: &mut Frame<'_>) {
    frame.set(Register(0), Value::Text(Text::constant(0, 8)));
    frame.set(Register(1), Value::Float(f64::INFINITY));
    frame.set(Register(2), Value::Int(-7));
    frame.set(Register(3), Value::Int(1_767_225_610_500));
    frame.set(Register(4), Value::Bool(true));
    frame.set(Register(5), Value::Int(5_400_000));
    frame.set(Register(6), Value::Text(Text::constant(9, 18)));
    frame.set(Register(7), Value::Text(Text::constant(18, 30)));
    frame.set(Register(9), Value::Int(i64::MAX));
    frame.set(Register(10), Value::Float(20.0));
}

fn set(path: &str, register: u8) -> SetField {
    use Kind::{Bool, Duration, Float, Int, Json, String as Str, Timestamp};
    let kinds = [Str, Float, Int, Timestamp, Bool, Duration, Str, Json, Int, Timestamp, Float];
    SetField {
        path: path.split('.').map(String::from).collect(),
        register: Register(register),
        kind: kinds[register as usize],
        time: TimeFormat::Text,
        optional: true,
    }
}

fn base(base: Base, sets: &[(&str, u8)]) -> Layout {
    let set = sets.iter().map(|(path, register)| set(path, *register)).collect();
    Layout { base, keep: None, drop: vec![], rename: vec![], set }
}

fn sets(sets: &[(&str, u8)]) -> Layout {
    base(Base::Json, sets)
}

fn paths(paths: &[&str]) -> Vec<Path> {
    paths.iter().map(|path| path.split('.').map(String::from).collect()).collect()
}

fn keep(keep: &[&str]) -> Layout {
    Layout { keep: Some(paths(keep)), ..sets(&[]) }
}

fn drop(drop: &[&str]) -> Layout {
    Layout { drop: paths(drop), ..sets(&[]) }
}

fn rename(rename: &[(&str, &str)]) -> Layout {
    let rename = rename.iter().map(|(old, new)| (old.to_string(), new.to_string())).collect();
    Layout { rename, ..sets(&[]) }
}

fn frame<'r>(payload: &'r str, registers: &'r mut Registers, arena: &'r mut Vec<u8>) -> Frame<'r> {
    Frame { payload: payload.as_bytes(), ..Frame::new(registers, arena, CONSTANTS) }
}

/// Scans the input when it is JSON, with everything that the layout writes as a touched name, and writes it.
fn written(input: &str, layout: &Layout) -> Result<String, String> {
    let sets = layout.set.iter().filter_map(|field| field.path.first().cloned());
    let touched = sets.chain(layout.rename.iter().map(|(_, new)| new.clone())).collect();
    let (mut file, mut arena) = (EMPTY, vec![]);
    let mut frame = frame(input, &mut file, &mut arena);
    if layout.base == Base::Json {
        Scanner::new(vec![], touched).scan(&mut frame).expect("an object");
    }
    registers(&mut frame);
    let splice = Splice::new(layout);
    let mut out = b"before".to_vec();
    let result = splice.write(&frame, &mut out);
    let value = String::from_utf8(out).expect("UTF-8").split_off(6);
    match result {
        Ok(()) => Ok(value),
        Err(error) => {
            assert_eq!(value, "", "nothing remains of what cannot be written");
            Err(splice.explain(error))
        }
    }
}

#[track_caller]
fn check(input: &str, layout: Layout, expected: &str) {
    assert_eq!(written(input, &layout).as_deref(), Ok(expected));
    if layout.base == Base::Json || layout.base == Base::Fresh {
        assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok(), "{expected} is JSON");
    }
}

#[track_caller]
fn refused(input: &str, layout: Layout, sentence: &str) {
    assert_eq!(written(input, &layout), Err(sentence.into()));
}

#[test]
fn added_fields_go_before_the_closing_brace() {
    check(r#"{"a":1}"#, sets(&[("status", 0)]), r#"{"a":1,"status":"critical"}"#);
    check(r#"{"a":1}"#, sets(&[("n", 2), ("ok", 4)]), r#"{"a":1,"n":-7,"ok":true}"#);
    check("{}", sets(&[("n", 2)]), r#"{"n":-7}"#);
    check(" { } \n", sets(&[("n", 2), ("m", 2)]), r#" { "n":-7,"m":-7}"#);
    check("{\"a\":1 \n}  ", sets(&[("n", 2)]), "{\"a\":1 \n,\"n\":-7}");
    check(r#"{"a":{"n":1}}"#, sets(&[("n", 2)]), r#"{"a":{"n":1},"n":-7}"#);
    check(r#"{"a":1}"#, sets(&[("absent", 8)]), r#"{"a":1}"#);
    check("{}", sets(&[("absent", 8)]), "{}");
}

#[test]
fn every_kind_is_written_as_json() {
    check("{}", sets(&[("x", 10)]), r#"{"x":20.0}"#);
    check("{}", sets(&[("at", 3)]), r#"{"at":"2026-01-01T00:00:10.500Z"}"#);
    check("{}", sets(&[("gap", 5)]), r#"{"gap":"90m"}"#);
    check("{}", sets(&[("note", 6)]), r#"{"note":"say \"hi\"\n"}"#);
    check("{}", sets(&[("raw", 7)]), r#"{"raw":{"n":[1, 2]}}"#);
    check("{}", sets(&[("na\"me", 2)]), r#"{"na\"me":-7}"#);
    let at = |time| {
        let mut layout = sets(&[("at", 3)]);
        layout.set[0].time = time;
        layout
    };
    check("{}", at(TimeFormat::Millis), r#"{"at":1767225610500}"#);
    check("{}", at(TimeFormat::Seconds), r#"{"at":1767225610}"#);
}

#[test]
fn nothing_to_do_copies_what_came() {
    check("{ \"a\": 1 } \n", sets(&[]), "{ \"a\": 1 } \n");
    check(r#"{"a":1,"a":2}"#, sets(&[]), r#"{"a":1,"a":2}"#);
    assert_eq!(written("plain \"text\"", &base(Base::Text, &[])).as_deref(), Ok("plain \"text\""));
    assert_eq!(written("\u{0}", &base(Base::Bytes, &[])).as_deref(), Ok("\u{0}"));
    check("", base(Base::Fresh, &[]), "{}");
}

#[test]
fn a_name_that_is_there_is_replaced_where_it_stands() {
    check(r#"{"status":1,"a":2}"#, sets(&[("status", 0)]), r#"{"status":"critical","a":2}"#);
    check(r#"{"a":1,"status":{},"b":2}"#, sets(&[("status", 0)]), r#"{"a":1,"status":"critical","b":2}"#);
    check(r#"{"status":1,"a":2,"status":3}"#, sets(&[("status", 0)]), r#"{"status":"critical","a":2}"#);
    check(r#"{"st\u0061tus":1}"#, sets(&[("status", 0)]), r#"{"status":"critical"}"#);
    check(r#"{"status":1,"a":2}"#, sets(&[("status", 8)]), r#"{"a":2}"#);
    check(
        r#"{ "a" : [ 1 , 2 ] , "n" : 0 }"#,
        sets(&[("n", 2), ("m", 2)]),
        r#"{"a":[ 1 , 2 ],"n":-7,"m":-7}"#,
    );
    check(r#"{"n":0}"#, sets(&[("n", 0), ("n", 2)]), r#"{"n":-7}"#);
}

#[test]
fn dotted_names_are_written_into_objects() {
    check(r#"{"o":{"a":1}}"#, sets(&[("o.n", 2)]), r#"{"o":{"a":1,"n":-7}}"#);
    check(r#"{"o":{"n":1,"a":2},"b":3}"#, sets(&[("o.n", 2)]), r#"{"o":{"n":-7,"a":2},"b":3}"#);
    check("{}", sets(&[("o.p.n", 2), ("o.m", 2)]), r#"{"o":{"p":{"n":-7},"m":-7}}"#);
    check(r#"{"o":null}"#, sets(&[("o.n", 2)]), r#"{"o":{"n":-7}}"#);
    check(r#"{"o":null}"#, sets(&[("o.n", 8)]), r#"{"o":null}"#);
    check(r#"{"o":5}"#, sets(&[("o.n", 8)]), r#"{"o":5}"#);
    check(r#"{"o":{"n":1,"m":2}}"#, sets(&[("o.n", 8)]), r#"{"o":{"m":2}}"#);
    check("{}", sets(&[("o.n", 8)]), "{}");
    check(r#"{"o":5,"o":{"a":1}}"#, sets(&[("o.n", 2)]), r#"{"o":{"a":1,"n":-7}}"#);
    check(r#"{"o":1}"#, sets(&[("o", 7), ("o.m", 2)]), r#"{"o":{"n":[1, 2],"m":-7}}"#);
    check(r#"{"o":1}"#, sets(&[("o.m", 2), ("o", 7)]), r#"{"o":{"n":[1, 2]}}"#);
    check("", base(Base::Fresh, &[("o.n", 2)]), r#"{"o":{"n":-7}}"#);
    refused(r#"{"o":5}"#, sets(&[("o.n", 2)]), "o.n: o is no object");
    refused(r#"{"o":{"p":[]}}"#, sets(&[("o.q", 8), ("o.p.n", 2)]), "o.p.n: o.p is no object");
    refused("{}", sets(&[("o", 0), ("o.n", 2)]), "o.n: o is no object");
}

#[test]
fn keep_drop_and_rename() {
    check(r#"{"a":1,"b":2,"c":3}"#, keep(&["c", "a"]), r#"{"a":1,"c":3}"#);
    check(r#"{"a":1}"#, keep(&[]), "{}");
    check(r#"{"o":{"a":1,"b":{"c":2,"d":3}},"p":4}"#, keep(&["o.b.c"]), r#"{"o":{"b":{"c":2}}}"#);
    check(r#"{"o":5}"#, keep(&["o.b"]), "{}");
    check(r#"{"o":{"b":1},"o":5}"#, keep(&["o.b"]), "{}");
    check(r#"{"a":1,"b":2,"a":3}"#, drop(&["a"]), r#"{"b":2}"#);
    check(r#"{"\u0061":1,"b":2}"#, drop(&["a"]), r#"{"b":2}"#);
    check(r#"{"o":{"a":1,"b":2},"p":4}"#, drop(&["o.a", "p"]), r#"{"o":{"b":2}}"#);
    check(r#"{"o":5}"#, drop(&["o.a"]), r#"{"o":5}"#);
    check(r#"{"a":1,"b":2}"#, rename(&[("a", "x")]), r#"{"x":1,"b":2}"#);
    check(r#"{"a":1,"b":2}"#, rename(&[("a", "b")]), r#"{"b":1}"#);
    check(r#"{"b":2}"#, rename(&[("a", "b")]), "{}");
    check(r#"{"a":1,"b":2}"#, rename(&[("a", "b"), ("b", "a")]), r#"{"b":1,"a":2}"#);
    check(r#"{"a":{"c": 1}}"#, rename(&[("a", "x")]), r#"{"x":{"c": 1}}"#);
    check(
        r#"{"a":1,"b":2}"#,
        Layout { rename: rename(&[("a", "n")]).rename, ..sets(&[("n", 2)]) },
        r#"{"n":-7,"b":2}"#,
    );
    check(r#"{"a":1,"n":2}"#, Layout { drop: paths(&["n"]), ..sets(&[("n", 2)]) }, r#"{"a":1,"n":-7}"#);
    check(r#"{"o":{"a":1}}"#, Layout { keep: Some(vec![]), ..sets(&[("o.n", 2)]) }, r#"{"o":{"n":-7}}"#);
    let all = Layout { drop: paths(&["o.a"]), rename: rename(&[("o", "q")]).rename, ..sets(&[("q.n", 2)]) };
    check(r#"{"o":{"a":1,"b":2},"q":0}"#, all, r#"{"q":{"b":2,"n":-7}}"#);
}

#[test]
fn of_many_members_too_the_last_counts() {
    for count in [15, 16, 17, 18, 40] {
        let names = || (0..count).map(|i| format!("\"m{i}\":"));
        let twice: Vec<String> = names().map(|m| m + "1").chain(names().map(|m| m + "2")).collect();
        let once: Vec<String> = names().map(|m| m + "2").collect();
        check(&format!("{{{}}}", twice.join(",")), drop(&["x"]), &format!("{{{}}}", once.join(",")));
    }
}

#[test]
fn texts_become_the_field_value_of_an_object() {
    let with = |sets: &[(&str, u8)]| base(Base::Text, sets);
    check("say \"hi\"", with(&[("n", 2)]), r#"{"value":"say \"hi\"","n":-7}"#);
    check("", with(&[("n", 2)]), r#"{"value":"","n":-7}"#);
    check("x", with(&[("value", 0), ("n", 2)]), r#"{"value":"critical","n":-7}"#);
    check("x", Layout { drop: paths(&["value"]), ..with(&[("n", 2)]) }, r#"{"n":-7}"#);
}

#[test]
fn what_has_no_json_is_refused() {
    refused("{}", sets(&[("n", 2), ("o.ratio", 1)]), "o.ratio is not finite, and JSON has no such number");
    refused("{}", sets(&[("n", 2), ("late", 9)]), "late lies outside the years 0000 to 9999");
    refused(
        "",
        base(Base::Fresh, &[("n", 2), ("ratio", 1)]),
        "ratio is not finite, and JSON has no such number",
    );
    refused("[]", base(Base::Fresh, &[("late", 9)]), "late lies outside the years 0000 to 9999");
}

#[test]
fn keys_are_plain_text() {
    for (register, expected) in [
        (0, "critical"),
        (2, "-7"),
        (3, "2026-01-01T00:00:10.500Z"),
        (4, "true"),
        (6, "say \"hi\"\n"),
        (10, "20.0"),
    ] {
        let (mut file, mut arena) = (EMPTY, vec![]);
        let mut frame = frame("", &mut file, &mut arena);
        registers(&mut frame);
        let SetField { register, kind, time, .. } = set("", register);
        let mut out = vec![];
        assert_eq!(write_key_text(&mut out, &frame, register, kind, time), Ok(()));
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

#[test]
fn unescaped_texts_are_escaped_again() {
    let field = |name: &str, register| Field {
        path: vec![name.into()],
        kind: Kind::String,
        time: TimeFormat::Text,
        optional: true,
        register: Some(Register(register)),
    };
    let mut scanner = Scanner::new(vec![field("a", 0), field("b", 6)], vec![]);
    let payload = r#"{"a":"pl\u0061in\n\"","b":"verbatim"}"#;
    let (mut file, mut arena) = (EMPTY, b"kept".to_vec());
    let mut frame = frame(payload, &mut file, &mut arena);
    scanner.scan(&mut frame).expect("sound");
    let mut out = vec![];
    Splice::new(&base(Base::Fresh, &[("a", 0), ("b", 6)])).write(&frame, &mut out).expect("texts");
    assert_eq!(String::from_utf8_lossy(&out), r#"{"a":"plain\n\"","b":"verbatim"}"#);
}
