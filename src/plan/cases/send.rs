//! What a test sends: JSON records, raw values, and what stands beside a record's fields.

use super::{Reader, Sent, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::form;
use crate::plan::source::SourcePlan;
use crate::spec::{Entry, Item, Table, Value};
use crate::time;
use serde_json::Value as Json;

/// What a record that is sent may say beside its fields.
pub const SENT: &[&str] = &["_key", "_timestamp", "_partition", "_headers", "_tombstone", "_value"];

impl Reader<'_> {
    pub(super) fn send(&mut self, entry: &Entry) -> Option<Step> {
        // What stands behind a repartition is no source that anyone has written down.
        let declared = |source: &&SourcePlan| source.cut.is_none();
        let found = self.sources.iter().position(|source| declared(&source) && source.name == entry.key);
        let Some(source) = found else {
            let names = self.sources.iter().filter(declared).map(|s| s.name.as_str());
            self.faults.add(
                Diagnostic::error(
                    Code::UnknownNode,
                    format!("there is no source `{}`", entry.key),
                    entry.place,
                )
                .suggest(&entry.key, names),
            );
            return None;
        };
        let records = self.list(entry)?.iter().filter_map(|value| self.sent(source, value)).collect();
        Some(Step::Send { source, records })
    }

    pub(super) fn list<'v>(&mut self, entry: &'v Entry) -> Option<&'v [Value]> {
        let values = entry.value.as_array();
        if values.is_none() {
            self.faults.add(form::wrong_form(&entry.key, &entry.value, "a list of records"));
        }
        values
    }

    fn sent(&mut self, source: usize, value: &Value) -> Option<Sent> {
        let mut sent = Sent {
            value: None,
            key: None,
            timestamp: None,
            partition: None,
            headers: vec![],
            place: value.place,
        };
        match &value.item {
            Item::Text(text) => sent.value = Some(text.text.clone().into_bytes()),
            Item::Table(table) => self.record(source, table, &mut sent),
            _ => {
                let expected = "a table (JSON) or a text (the raw value)";
                self.faults.add(form::wrong_form("send", value, expected));
                return None;
            }
        }
        Some(sent)
    }

    fn record(&mut self, source: usize, table: &Table, sent: &mut Sent) {
        let mut object = serde_json::Map::new();
        let (mut tombstone, mut raw) = (false, None);
        for entry in &table.entries {
            let value = &entry.value;
            match (entry.key.as_str(), &value.item) {
                ("_key", Item::Text(text)) => sent.key = Some(Some(text.text.clone().into_bytes())),
                ("_key", Item::Bool(false)) => sent.key = Some(None),
                ("_timestamp", Item::Text(text)) if time::parse_timestamp(text.text.as_bytes()).is_some() => {
                    sent.timestamp = time::parse_timestamp(text.text.as_bytes());
                }
                ("_timestamp", Item::Int(ms)) => sent.timestamp = Some(*ms),
                ("_partition", Item::Int(n)) if *n >= 0 => sent.partition = self.partition(value, *n),
                ("_headers", Item::Table(headers)) => sent.headers = self.texts(headers),
                ("_tombstone", Item::Bool(b)) => tombstone = *b,
                ("_value", Item::Text(text)) => raw = Some(text.text.clone().into_bytes()),
                (name, _) if name.starts_with('_') => self.faults.add(beside(entry, SENT)),
                _ => {
                    object.insert(entry.key.clone(), self.json(value));
                }
            }
        }
        if tombstone || raw.is_some() {
            self.keyed_only(source, table, Json::Object(object.clone()), sent);
        }
        sent.value = match (tombstone, raw) {
            (true, _) => None,
            (false, Some(raw)) => Some(raw),
            (false, None) => Some(Json::Object(object).to_string().into_bytes()),
        };
    }

    /// A record without fields of its own may still name its key by the source's key field.
    fn keyed_only(&mut self, source: usize, table: &Table, fields: Json, sent: &mut Sent) {
        let source = &self.sources[source];
        let key = source.key.as_ref().and_then(|key| key.name.split('.').next());
        let strays = table.entries.iter().filter(|e| !e.key.starts_with('_') && Some(e.key.as_str()) != key);
        for entry in strays {
            let message = format!("this record has a value of its own and no field `{}`", entry.key);
            let fault = Diagnostic::error(Code::BadTest, message, entry.place);
            self.faults.add(match key {
                Some(key) => {
                    fault.help(format!("only `{key}` may stand here: it is what the record is keyed by"))
                }
                None => fault.help("leave it out"),
            });
        }
        let has_field = table.entries.iter().any(|e| Some(e.key.as_str()) == key);
        if has_field && sent.key.is_none() {
            sent.key = Some(key_of(source, &fields));
        }
    }

    fn partition(&mut self, value: &Value, partition: i64) -> Option<u32> {
        let most = i64::from(self.partitions);
        if partition >= most {
            let message = format!("there is no partition {partition}: the topics of this test have {most}");
            let fault = Diagnostic::error(Code::BadTest, message, value.place);
            self.faults
                .add(fault.help(format!("`partitions = {}` gives them more", partition.saturating_add(1))));
        }
        u32::try_from(partition).ok().filter(|_| partition < most)
    }

    fn texts(&mut self, table: &Table) -> Vec<(String, String)> {
        let mut texts = vec![];
        for entry in &table.entries {
            match entry.value.as_text() {
                Some(text) => texts.push((entry.key.clone(), text.text.clone())),
                None => self.faults.add(form::wrong_form(&entry.key, &entry.value, "a text")),
            }
        }
        texts
    }

    pub(super) fn json(&mut self, value: &Value) -> Json {
        match &value.item {
            Item::Float(x) if !x.is_finite() => {
                self.faults.add(Diagnostic::error(Code::BadValue, "JSON has no such number", value.place));
                Json::Null
            }
            item => to_json(item),
        }
    }
}

/// A name beside the fields that is none, or that is set to what it cannot be.
pub(super) fn beside(entry: &Entry, known: &[&str]) -> Diagnostic {
    match known.contains(&entry.key.as_str()) {
        true => form::wrong_form(&entry.key, &entry.value, wanted(&entry.key)),
        false => Diagnostic::error(
            Code::UnknownField,
            format!("a record has no `{}` beside its fields", entry.key),
            entry.place,
        )
        .suggest(&entry.key, known.iter().copied())
        .note(format!("it has {}", known.join(", "))),
    }
}

/// What may stand beside the fields.
fn wanted(name: &str) -> &'static str {
    match name {
        "_key" => "a text, or false for none",
        "_timestamp" => "a time such as \"2026-01-01T00:00:00Z\", or milliseconds",
        "_partition" => "a whole number",
        "_headers" => "a table of texts",
        "_tombstone" => "true or false",
        _ => "a text",
    }
}

/// The key that a producer would give a record: the source's key field.
pub fn key_of(source: &SourcePlan, record: &Json) -> Option<Vec<u8>> {
    let key = source.key.as_ref()?;
    let whole = record.get(&key.name);
    let field = whole.or_else(|| key.name.split('.').try_fold(record, |value, part| value.get(part)))?;
    match field {
        Json::String(text) if !key.json => Some(text.clone().into_bytes()),
        Json::Null => None,
        other => Some(other.to_string().into_bytes()),
    }
}

/// A value of the file as JSON.
pub fn to_json(item: &Item) -> Json {
    match item {
        Item::Text(text) => Json::String(text.text.clone()),
        Item::Int(int) => Json::from(*int),
        Item::Float(float) => Json::from(*float),
        Item::Bool(bool) => Json::Bool(*bool),
        Item::Time(time) => Json::String(time.clone()),
        Item::Array(values) => Json::Array(values.iter().map(|v| to_json(&v.item)).collect()),
        Item::Table(table) => {
            Json::Object(table.entries.iter().map(|e| (e.key.clone(), to_json(&e.value.item))).collect())
        }
    }
}
