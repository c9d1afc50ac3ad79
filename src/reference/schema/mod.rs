//! The JSON Schema of a pipeline file (draft 2020-12), for editors.
//!
//! It refuses what can be refused without knowing names and types: unknown and missing keys, values of another form,
//! words that are none of those that can stand there. Whatever it refuses `check` refuses, too; the other way round
//! does not hold. Only plain keywords are used, so that editors understand them.

mod cases;
mod forms;

use crate::operators::KINDS;
use crate::plan::{Key, sections, settings};
use forms::{described, integer, object, reference, text};
use serde_json::{Map, Value, json};

/// The schema.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for key in settings::TOP {
        properties.insert(key.name.to_owned(), described(top(key), key.doc));
    }
    properties.insert("params".to_owned(), described(forms::params(), "the numbers that people change"));
    properties.insert("schema".to_owned(), described(named("schema"), "the fields that records have"));
    for (name, _, doc) in sections() {
        let form = match name {
            "source" | "generate" => named(name),
            "test" => json!({"type": "array", "items": reference("test")}),
            name => reference(name),
        };
        properties.insert(name.to_owned(), described(form, doc));
    }
    for kind in KINDS {
        properties.insert(kind.name.to_owned(), described(named(kind.name), kind.summary));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "streamrun pipeline",
        "description": "One TOML file is one pipeline.",
        "type": "object",
        "properties": properties,
        "required": required(settings::TOP),
        "additionalProperties": false,
        "$defs": definitions(),
    })
}

fn top(key: &Key) -> Value {
    match key.name {
        "version" => json!({"const": 1}),
        _ => forms::form(key.form),
    }
}

/// `[kind.NAME]`: a table of names, each with a table of this definition.
fn named(definition: &str) -> Value {
    json!({"type": "object", "propertyNames": reference("name"), "additionalProperties": reference(definition)})
}

fn required(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().filter(|key| key.required).map(|key| key.name).collect()
}

fn definitions() -> Map<String, Value> {
    let mut definitions = forms::definitions();
    definitions.insert("schema".to_owned(), forms::schema_fields());
    for (name, keys, doc) in sections() {
        let table = match name {
            "test" => cases::test(),
            _ => object(keys),
        };
        definitions.insert(name.to_owned(), described(table, doc));
    }
    definitions.insert("step".to_owned(), cases::step());
    for kind in KINDS {
        definitions.insert(kind.name.to_owned(), described(object(kind.keys), kind.details));
    }
    definitions.insert("sent".to_owned(), cases::sent());
    definitions.insert("expected".to_owned(), cases::expected());
    definitions
}
