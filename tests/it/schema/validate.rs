//! As much of JSON Schema as the pipeline's uses; any other keyword is a fault of the schema.

use regex::Regex;
use serde_json::{Map, Value};

/// A schema that values are held against.
pub struct Validator {
    schema: Value,
}

/// Keywords that say nothing of a value as a whole, or nothing of values of its type.
const WORDS: [&str; 17] = [
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "minimum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "required",
    "propertyNames",
    "type",
];

impl Validator {
    pub fn new(schema: Value) -> Self {
        Validator { schema }
    }

    /// What is wrong with a value: `/place/in/it: why`.
    pub fn refusals(&self, value: &Value) -> Vec<String> {
        let mut found = vec![];
        self.value(&self.schema, value, "", &mut found);
        found
    }

    /// Holds every part of the schema against something, so that each keyword and reference is looked at.
    pub fn sound(&self) {
        self.parts(&self.schema);
    }

    fn parts(&self, schema: &Value) {
        self.value(schema, &Value::Null, "", &mut vec![]);
        for (keyword, inner) in schema.as_object().into_iter().flatten() {
            match (keyword.as_str(), inner) {
                ("properties" | "patternProperties" | "$defs", Value::Object(map)) => {
                    map.values().for_each(|schema| self.parts(schema));
                }
                ("anyOf", Value::Array(list)) => list.iter().for_each(|schema| self.parts(schema)),
                ("items" | "not" | "propertyNames" | "additionalProperties", inner) => self.parts(inner),
                ("pattern", inner) => drop(pattern(inner)),
                _ => {}
            }
        }
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut found = vec![];
        self.value(schema, value, "", &mut found);
        found.is_empty()
    }

    fn value(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let keywords = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return found.push(format!("{at}: nothing can stand here")),
            schema => schema.as_object().expect("a schema is an object or a boolean"),
        };
        for (keyword, wanted) in keywords {
            if !self.fits(keyword, wanted, value) {
                found.push(format!("{at}: {value} against {keyword} {wanted}"));
            }
            self.descend(keyword, wanted, keywords, value, at, found);
        }
    }

    /// Whether a value fits a keyword that speaks of the value as a whole.
    fn fits(&self, keyword: &str, wanted: &Value, value: &Value) -> bool {
        let size = || wanted.as_u64().expect("a size") as usize;
        let list = || wanted.as_array().expect("a list");
        match (keyword, value) {
            ("type", _) if wanted.is_array() => list().iter().any(|ty| is(value, ty)),
            ("type", _) => is(value, wanted),
            ("const", _) => wanted == value,
            ("enum", _) => list().contains(value),
            ("anyOf", _) => list().iter().any(|schema| self.holds(schema, value)),
            ("not", _) => !self.holds(wanted, value),
            ("minimum", Value::Number(n)) => n.as_f64() >= wanted.as_f64(),
            ("minLength", Value::String(text)) => text.chars().count() >= size(),
            ("maxLength", Value::String(text)) => text.chars().count() <= size(),
            ("pattern", Value::String(text)) => pattern(wanted).is_match(text),
            ("minItems", Value::Array(values)) => values.len() >= size(),
            ("required", Value::Object(object)) => {
                list().iter().all(|name| object.contains_key(name.as_str().expect("a name")))
            }
            ("propertyNames", Value::Object(object)) => {
                object.keys().all(|name| self.holds(wanted, &Value::from(name.as_str())))
            }
            _ => {
                assert!(WORDS.contains(&keyword), "`{keyword}` is no keyword of ours");
                true
            }
        }
    }

    /// What is wrong further in, or behind a reference.
    fn descend(
        &self,
        keyword: &str,
        wanted: &Value,
        beside: &Map<String, Value>,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        match (keyword, value) {
            ("$ref", _) => self.value(self.reference(wanted), value, at, found),
            ("items", Value::Array(values)) => {
                for (i, value) in values.iter().enumerate() {
                    self.value(wanted, value, &format!("{at}/{i}"), found);
                }
            }
            ("properties" | "patternProperties", Value::Object(object)) => {
                for (name, schema) in wanted.as_object().expect("schemas by name") {
                    let ours = |member: &str| match keyword {
                        "properties" => member == name,
                        _ => matches(name, member),
                    };
                    for (member, value) in object.iter().filter(|(member, _)| ours(member)) {
                        self.value(schema, value, &format!("{at}/{member}"), found);
                    }
                }
            }
            ("additionalProperties", Value::Object(object)) => {
                self.members(object, wanted, beside, at, found)
            }
            _ => {}
        }
    }

    /// Members that have none.
    fn members(
        &self,
        object: &Map<String, Value>,
        wanted: &Value,
        beside: &Map<String, Value>,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let named = |keyword: &str| beside.get(keyword).and_then(Value::as_object);
        for (name, value) in object {
            let declared = named("properties").is_some_and(|known| known.contains_key(name));
            let matched =
                named("patternProperties").is_some_and(|patterns| patterns.keys().any(|p| matches(p, name)));
            if !declared && !matched {
                self.value(wanted, value, &format!("{at}/{name}"), found);
            }
        }
    }

    fn reference(&self, wanted: &Value) -> &Value {
        let pointer = wanted.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference within");
        self.schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere"))
    }
}

fn pattern(wanted: &Value) -> Regex {
    Regex::new(wanted.as_str().expect("a pattern is a text")).expect("a pattern")
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).expect("a pattern").is_match(text)
}

fn is(value: &Value, ty: &Value) -> bool {
    match ty.as_str().expect("a type is a text") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type"),
    }
}
