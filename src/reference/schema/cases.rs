//! `[[test]]` as a schema: its keys, its steps, records that are sent, rows that are expected.

use super::forms::{described, form, object_of};
use super::{Map, Value, integer, json, reference, text};
use crate::plan::cases::{EXPECTED, KEYS, SENT, STEP};
use crate::plan::{Form, Key};

/// A `[[test]]`: steps, or send and expect, not both.
pub fn test() -> Value {
    let mut test = object_of(KEYS, key);
    let beside: Vec<Value> =
        ["send", "expect", "expect_late"].iter().map(|other| json!({"required": ["steps", other]})).collect();
    test["not"] = json!({"anyOf": beside});
    test
}

/// A step.
pub fn step() -> Value {
    described(object_of(STEP, key), "one step of a test")
}

/// The keys whose form their reader checks; all others say theirs.
fn key(key: &Key) -> Value {
    let lists = |definition: &str| {
        let one = json!({"anyOf": [reference(definition), text()]});
        json!({"type": "object", "additionalProperties": {"type": "array", "items": one}})
    };
    match (key.name, key.form) {
        ("params", _) => super::forms::params(),
        ("send", _) => lists("sent"),
        ("expect", _) => lists("expected"),
        ("expect_late", _) => json!({"type": "object", "additionalProperties": integer(0)}),
        ("steps", Form::List(_)) => json!({"type": "array", "items": reference("step")}),
        (_, other) => form(other),
    }
}

/// A record that is sent: its fields, and what a record has beside them.
pub fn sent() -> Value {
    beside(SENT, |name| match name {
        "_key" => json!({"anyOf": [text(), {"const": false}]}),
        "_timestamp" => json!({"type": ["string", "integer"]}),
        "_partition" => integer(0),
        "_headers" => json!({"type": "object", "additionalProperties": text()}),
        "_tombstone" => json!({"type": "boolean"}),
        _ => text(),
    })
}

/// A row that is expected.
pub fn expected() -> Value {
    beside(EXPECTED, |_| json!({}))
}

/// A record: any fields, and of names with a leading `_` only these.
fn beside(names: &[&str], of: impl Fn(&str) -> Value) -> Value {
    let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), of(name))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": {"^([^_]|$)": {}},
        "additionalProperties": false,
    })
}
