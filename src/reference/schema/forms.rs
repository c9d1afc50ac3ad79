//! Forms as schemas.

use crate::plan::{Form, Key};
use crate::types::Kind;
use serde_json::{Map, Value, json};

const NAME: &str = "^[a-z][a-z0-9_]*$";
const INPUT: &str = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$";
/// A duration or a param's name. An empty text is neither, and has its own keyword.
const DURATION: &str = "^(([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?|[a-z][a-z0-9_]*)$";
const SIZE: &str = "^([0-9]+(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)|[a-z][a-z0-9_]*)$";

/// A table with these keys and no others.
pub fn object(keys: &[Key]) -> Value {
    object_of(keys, |key| form(key.form))
}

/// A table with these keys, each of the form that `of` says.
pub fn object_of(keys: &[Key], of: impl Fn(&Key) -> Value) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), described(of(key), key.doc))).collect();
    let mut object = json!({"type": "object", "properties": properties});
    let required = super::required(keys);
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object["additionalProperties"] = json!(false);
    object
}

/// The same, with words for whoever writes it.
pub fn described(mut schema: Value, doc: &str) -> Value {
    schema["description"] = json!(doc);
    schema
}

/// A definition by its name.
pub fn reference(definition: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}")})
}

/// A text.
pub fn text() -> Value {
    json!({"type": "string"})
}

/// A whole number from `least` on.
pub fn integer(least: i64) -> Value {
    json!({"type": "integer", "minimum": least})
}

/// What may stand behind a key.
pub fn form(form: Form) -> Value {
    match form {
        Form::Inputs => one_or_many(json!({"type": "string", "pattern": INPUT})),
        Form::Node | Form::Schema => json!({"type": "string", "pattern": NAME}),
        Form::Text | Form::Message => text(),
        Form::Texts => one_or_many(text()),
        Form::Field => filled(),
        Form::Fields => one_or_many(filled()),
        Form::Expression => reference("expression"),
        Form::Expressions => reference("expressions"),
        Form::Settings => reference("settings"),
        Form::Names => json!({"type": "object", "additionalProperties": filled()}),
        Form::TextTable => reference("texts"),
        Form::Duration => json!({"type": "string", "minLength": 1, "pattern": DURATION}),
        Form::Size => json!({"type": "string", "pattern": SIZE}),
        Form::Number(least) => json!({"anyOf": [integer(least), reference("param")]}),
        Form::Bool => json!({"anyOf": [{"type": "boolean"}, reference("param")]}),
        Form::OneOf(words) => json!({"enum": words}),
        Form::List(keys) => json!({"type": "array", "items": object(keys)}),
        Form::Table(keys) => object(keys),
        Form::Properties => json!({"type": "object"}),
        Form::Any => json!({}),
    }
}

fn filled() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn one_or_many(one: Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
}

/// `[params]`.
pub fn params() -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    json!({"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": scalar})
}

/// `[schema.NAME]`: fields to types; tables inside are dotted names.
pub fn schema_fields() -> Value {
    nested("schema", reference("type"))
}

/// What several keys have in common.
pub fn definitions() -> Map<String, Value> {
    let types = Kind::NAMES.iter().flat_map(|(name, ..)| [(*name).to_owned(), format!("{name}?")]);
    let types: Vec<String> = types.collect();
    let cases = json!({"type": "array", "items": reference("case"), "minItems": 1});
    let value = json!({"anyOf": [reference("expression"), cases]});
    let definitions = [
        ("name", json!({"pattern": NAME, "maxLength": 100, "not": {"const": "dead_letters"}})),
        ("param", described(json!({"type": "string", "pattern": NAME}), "a param's name")),
        ("type", described(json!({"enum": types}), "a type; a `?` behind it: the field may be absent")),
        ("expression", described(filled(), "an expression, best in single quotes")),
        ("expressions", nested("expressions", reference("expression"))),
        ("settings", nested("settings", value)),
        ("case", case()),
        ("texts", nested("texts", text())),
    ];
    definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// A table of values in which tables are dotted names: `set.a.b` is the field `a.b`.
fn nested(definition: &str, value: Value) -> Value {
    json!({"type": "object", "additionalProperties": {"anyOf": [value, reference(definition)]}})
}

/// One of several cases: `when` with `then` or `then_is`, or `otherwise`, or `otherwise_is`.
fn case() -> Value {
    let plain = json!({"type": ["string", "number", "boolean"]});
    let condition = described(reference("expression"), "the condition of the case");
    let one = |keys: &[(&str, Value)]| {
        let required: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let properties: Map<String, Value> =
            keys.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    };
    let plain = |doc| described(plain.clone(), doc);
    let computed = |doc| described(reference("expression"), doc);
    json!({"anyOf": [
        one(&[("when", condition.clone()), ("then", plain("the value if it holds: plain, not computed"))]),
        one(&[("when", condition), ("then_is", computed("the value if it holds: an expression"))]),
        one(&[("otherwise", plain("the value if nothing holds: plain, not computed"))]),
        one(&[("otherwise_is", computed("the value if nothing holds: an expression"))]),
    ]})
}
