//! What fields a record has, told from the record alone: for trying an expression without a pipeline.
//!
//! A text stays a text even where it reads as a time, and a number without a fraction is an integer: a schema would
//! have said otherwise. What lies inside objects is reached by dotted names, as in a schema.

use crate::codec::Field;
use crate::types::{Element, Kind, TimeFormat, Type};
use serde_json::{Map, Value};

/// The fields of a JSON object, in its order. None has a register yet.
pub fn fields(object: &Map<String, Value>) -> Vec<Field> {
    let mut found = vec![];
    within(&[], object, &mut found);
    found
}

fn within(way: &[String], object: &Map<String, Value>, found: &mut Vec<Field>) {
    for (name, value) in object {
        let path = [way, std::slice::from_ref(name)].concat();
        match value {
            Value::Object(inner) if !inner.is_empty() => within(&path, inner, found),
            value => {
                let Type { kind, optional } = ty(value);
                found.push(Field { path, kind, time: TimeFormat::Text, optional, register: None });
            }
        }
    }
}

/// The type of a value. Of `null` and of an empty list nothing more can be said than that it is JSON.
fn ty(value: &Value) -> Type {
    match value {
        Value::Null => Type::optional(Kind::Json),
        Value::Array(values) => Type::required(element(values).map_or(Kind::Json, Kind::List)),
        value => Type::required(scalar(value).map_or(Kind::Json, kind)),
    }
}

fn scalar(value: &Value) -> Option<Element> {
    match value {
        Value::String(_) => Some(Element::String),
        Value::Number(number) if number.is_i64() => Some(Element::Int),
        Value::Number(_) => Some(Element::Float),
        Value::Bool(_) => Some(Element::Bool),
        _ => None,
    }
}

const fn kind(element: Element) -> Kind {
    match element {
        Element::String => Kind::String,
        Element::Int => Kind::Int,
        Element::Float => Kind::Float,
        Element::Bool => Kind::Bool,
    }
}

/// What all elements are; integers beside floats are floats.
fn element(values: &[Value]) -> Option<Element> {
    let mut common = scalar(values.first()?)?;
    for value in &values[1..] {
        common = match (common, scalar(value)?) {
            (a, b) if a == b => a,
            (Element::Int | Element::Float, Element::Int | Element::Float) => Element::Float,
            _ => return None,
        };
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_its_fields_are() {
        let check = |json: &str, expected: &str| {
            let object = serde_json::from_str(json).expect("an object");
            let shown = fields(&object).into_iter().map(|field| {
                let ty = Type { kind: field.kind, optional: field.optional };
                format!("{} {ty}", field.path.join("."))
            });
            assert_eq!(shown.collect::<Vec<_>>().join(", "), expected, "{json}");
        };
        check(r#"{"a": "x", "b": 1, "c": 1.5, "d": true}"#, "a string, b int, c float, d bool");
        check(r#"{"big": 9223372036854775808, "round": 21.0}"#, "big float, round float");
        check(r#"{"at": "2026-01-01T00:00:00Z", "no": null}"#, "at string, no json?");
        check(r#"{"o": {"x": 1, "p": {"y": "z"}}, "e": {}}"#, "o.x int, o.p.y string, e json");
        check(
            r#"{"a": ["x"], "b": [1, 2], "c": [1, 2.5], "d": [true]}"#,
            "a string[], b int[], c float[], d bool[]",
        );
        check(r#"{"a": [], "b": [1, "x"], "c": [[1]], "d": [null]}"#, "a json, b json, c json, d json");
    }
}
