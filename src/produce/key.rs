//! The key of a record that was not made up by us: the source's `key` field, where the record has one.

use crate::plan::source::{Format, SourcePlan};
use crate::time::parse_timestamp;
use crate::types::{Kind, TimeFormat};
use serde_json::Value;

/// Finds the keys of records of a source.
#[derive(Clone, Debug)]
pub struct Keyer {
    /// Where the field is; nowhere: the record as a whole is the field.
    path: Option<Vec<String>>,
    kind: Kind,
    /// How the field is written, if it is a timestamp.
    time: TimeFormat,
    /// Whether the key is written as JSON.
    json: bool,
}

impl Keyer {
    /// None: the source does not say what its records are keyed by.
    pub fn of(source: &SourcePlan) -> Option<Self> {
        let promise = source.key.as_ref()?;
        let field = source.fields.iter().find(|field| field.name == promise.name);
        let path = match source.format {
            Format::Json => Some(promise.name.split('.').map(str::to_owned).collect()),
            Format::Text | Format::Bytes => None,
        };
        let time = field.map_or(TimeFormat::Text, |field| field.time);
        Some(Keyer { path, kind: promise.kind, time, json: promise.json })
    }

    /// The key of a record, if it has the field. A field of another type than was declared is written as it is: the
    /// record will be a dead letter, and somebody may look for it.
    pub fn key(&self, record: &[u8]) -> Option<Vec<u8>> {
        let field = match &self.path {
            None => Value::String(std::str::from_utf8(record).ok()?.to_owned()),
            Some(path) => self.field(path, record)?,
        };
        let text = match self.plain(&field) {
            Some(plain) => plain,
            None => match &field {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(bool) => bool.to_string(),
                _ => return None,
            },
        };
        let quoted = self.json && (self.kind == Kind::String);
        Some(if quoted { Value::String(text).to_string() } else { text }.into_bytes())
    }

    fn field(&self, path: &[String], record: &[u8]) -> Option<Value> {
        let mut value: Value = serde_json::from_slice(record).ok()?;
        for name in path {
            value = value.as_object_mut()?.shift_remove(name)?;
        }
        Some(value)
    }

    /// The field as the source's promise has it, if it is of the declared type.
    fn plain(&self, field: &Value) -> Option<String> {
        match self.kind {
            Kind::Int => whole(field).map(|int| int.to_string()),
            Kind::Timestamp => match self.time {
                TimeFormat::Text => parse_timestamp(field.as_str()?.as_bytes()).map(|ms| ms.to_string()),
                TimeFormat::Millis => whole(field).map(|ms| ms.to_string()),
                TimeFormat::Seconds => whole(field)?.checked_mul(1000).map(|ms| ms.to_string()),
            },
            _ => None,
        }
    }
}

/// `21` and `21.0`.
fn whole(field: &Value) -> Option<i64> {
    let float = || field.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 9e15).map(|x| x as i64);
    field.as_i64().or_else(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyer(source: &str, ty: &str) -> Keyer {
        let text = format!(
            "name = \"p\"\n[schema.r]\n\"a.b\" = \"{ty}\"\n[source.s]\ntopic = \"t\"\n{source}\n\
             [sink.o]\nfrom = \"s\"\ntopic = \"o\"\n"
        );
        let checked = crate::plan::check(&text, &[]);
        let plan = checked.plan.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        Keyer::of(&plan.sources[0]).expect("a key")
    }

    fn key(keyer: &Keyer, record: &str) -> Option<String> {
        keyer.key(record.as_bytes()).map(|key| String::from_utf8(key).expect("text"))
    }

    #[test]
    fn a_field_is_the_key_as_its_promise_has_it() {
        let key_of = "schema = \"r\"\nkey = \"a.b\"";
        for (ty, record, expected) in [
            ("string", r#"{"a": {"b": "x y"}}"#, Some("x y")),
            ("string", r#"{"a": {"b": 7}}"#, Some("7")),
            ("string", r#"{"a": {"b": null}}"#, None),
            ("string", r#"{"a.b": "x"}"#, None),
            ("string", "not json", None),
            ("int", r#"{"a": {"b": 21.0}}"#, Some("21")),
            ("int", r#"{"a": {"b": "21"}}"#, Some("21")),
            ("bool", r#"{"a": {"b": true}}"#, Some("true")),
            ("timestamp", r#"{"a": {"b": "1970-01-01T00:00:01Z"}}"#, Some("1000")),
            ("timestamp(s)", r#"{"a": {"b": 5}}"#, Some("5000")),
            ("timestamp(ms)", r#"{"a": {"b": 5}}"#, Some("5")),
        ] {
            assert_eq!(key(&keyer(key_of, ty), record).as_deref(), expected, "{ty}: {record}");
        }
    }

    #[test]
    fn a_json_key_is_quoted() {
        let keyer = keyer("schema = \"r\"\nkey = \"a.b\"\nkey_format = \"json\"", "string");
        assert_eq!(key(&keyer, r#"{"a": {"b": "x\"y"}}"#).as_deref(), Some(r#""x\"y""#));
    }
}
