//! Every function with every kind of argument at its limits: no panic, and no failure that is not declared.

use super::*;
use crate::expr::functions::Body;

const TEXTS: [&str; 6] = ["", "a", " grüße ", "\u{1F980}", "-9223372036854775808", "2026-01-01T00:00:00Z"];
const INTS: [i64; 9] = [i64::MIN, i64::MIN + 1, -1, 0, 1, 63, 64, i64::MAX - 1, i64::MAX];
const FLOATS: [f64; 9] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.5, -1.0, f64::MAX, f64::MIN, 5e-324];
const LISTS: [&str; 4] = ["[]", "[\"\"]", "[\"a\\u00fc\", \"\\\"]\"]", "[\"\u{1F980}\"]"];

/// What can stand for a parameter: fields of these kinds, or a constant.
fn kinds(takes: Takes) -> Vec<&'static str> {
    match takes {
        Takes::Maybe | Takes::Any => vec!["string", "int", "float", "bool", "timestamp", "json", "string[]"],
        Takes::Text => vec!["string"],
        Takes::Constant => vec!["constant"],
        Takes::Int => vec!["int"],
        Takes::Number => vec!["int", "float"],
        Takes::Bool => vec!["bool"],
        Takes::Timestamp => vec!["timestamp"],
        Takes::Duration => vec![],
        Takes::List => vec!["string[]"],
    }
}

fn limits(kind: &str) -> usize {
    match kind {
        "string" => TEXTS.len(),
        "int" | "timestamp" => INTS.len(),
        "float" => FLOATS.len(),
        "bool" => 2,
        _ => LISTS.len(),
    }
}

fn value(kind: &str, at: usize, payload: &mut String) -> Value {
    let mut text = |text: &str| {
        payload.push_str(text);
        Value::Text(Text::payload(payload.len() - text.len(), payload.len()))
    };
    match kind {
        "string" => text(TEXTS[at]),
        "int" | "timestamp" => Value::Int(INTS[at]),
        "float" => Value::Float(FLOATS[at]),
        "bool" => Value::Bool(at == 1),
        _ => text(LISTS[at]),
    }
}

/// Every way to choose one of each.
fn product(lists: &[usize]) -> Vec<Vec<usize>> {
    lists.iter().fold(vec![vec![]], |all, len| {
        let longer =
            |chosen: &Vec<usize>| (0..*len).map(|at| [chosen.as_slice(), &[at]].concat()).collect::<Vec<_>>();
        all.iter().flat_map(longer).collect()
    })
}

fn constant_for(name: &str) -> &'static str {
    match name {
        "matches" => "\"^.?\"",
        "format_time" => "\"%Y-%j %H\"",
        "field" => "\"x0\"",
        _ => "\"%Y-%m-%d\"",
    }
}

/// Calls a function with fields of these kinds, on every combination of their limits. Kinds that do not go together
/// are a fault, which is fine.
fn call(function: &Function, kinds: &[&str], evaluated: &mut usize) {
    let fields: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| format!("x{at} {}", if *kind == "constant" { "string" } else { kind }))
        .collect();
    let arguments: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| match *kind {
            "constant" => constant_for(function.name).to_owned(),
            _ => format!("x{at}"),
        })
        .collect();
    let text = format!("{}({})", function.name, arguments.join(", "));
    let mut table = Table::new("`limits`", &fields.iter().map(String::as_str).collect::<Vec<_>>());
    let mut faults = vec![];
    let setting = Setting::Generate(Arc::new(Dice::new(1, AT)));
    let Some(expression) = compile(&Passage::plain(text.clone(), 0), &mut table, setting, &mut faults) else {
        assert!(!faults.is_empty(), "{text}");
        return;
    };
    for chosen in product(&kinds.iter().map(|kind| limits(kind)).collect::<Vec<_>>()) {
        let (mut registers, mut arena, mut payload) = (EMPTY, vec![], String::new());
        let values: Vec<_> =
            kinds.iter().zip(&chosen).map(|(kind, at)| value(kind, *at, &mut payload)).collect();
        let mut frame = Frame::new(&mut registers, &mut arena, &table.constants);
        frame.payload = payload.as_bytes();
        for (at, value) in values.into_iter().enumerate() {
            frame.set(Register(at as u8), value);
        }
        match expression.value(&mut frame) {
            Ok(Value::Text(text)) => drop(frame.str_of(text).to_owned()),
            Ok(_) => {}
            Err(error) => {
                let reason = &table.reasons[error.reason.0 as usize];
                assert!(!expression.cannot_fail(), "{text} of {chosen:?} fails: {reason}");
            }
        }
        *evaluated += 1;
    }
}

#[test]
fn every_function_holds_at_the_limits_of_its_arguments() {
    let mut evaluated = 0;
    for function in FUNCTIONS {
        if matches!(function.body, Body::Special(functions::Special::Aggregate)) {
            continue;
        }
        let (least, most) = function.arity();
        for count in least..=most.min(least + 1).min(3) {
            let choices: Vec<_> = (0..count).map(|at| kinds(function.parameter(at).takes)).collect();
            for chosen in product(&choices.iter().map(Vec::len).collect::<Vec<_>>()) {
                let kinds: Vec<_> = chosen.iter().zip(&choices).map(|(at, kinds)| kinds[*at]).collect();
                call(function, &kinds, &mut evaluated);
            }
        }
    }
    assert!(evaluated > 10_000, "{evaluated} are too few");
}
