//! `[[test]]`: records that are sent and rows that are expected, checked before anything runs.

use super::check::CheckedNode;
use super::context::{duration, number};
use super::faults::Faults;
use super::form::{self, Form, Key};
use super::graph::{Graph, What};
use super::names;
use super::params::Override;
use super::scope::Shared;
use super::source::SourcePlan;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::spec::{Entry, Item, Table, Value};
use crate::time;
use serde_json::Value as Json;
use std::cell::RefCell;

/// The keys of a `[[test]]`.
pub const KEYS: &[Key] = &[
    Key::required("name", Form::Text, "what it shows"),
    Key::optional("params", Form::Any, "params that have other values here"),
    Key::optional("partitions", Form::Number(1), "how many partitions each topic has; 1 if left out"),
    Key::optional("at", Form::Text, "where the clock stands at first; at the first event time if left out"),
    Key::optional("send", Form::Any, "records by source: a table is JSON, a text is the raw value"),
    Key::optional(
        "expect",
        Form::Any,
        "rows by sink, table, alert, or dead_letters: exactly these, in order per key",
    ),
    Key::optional("expect_late", Form::Any, "how many records were late, by node"),
    Key::optional("steps", Form::List(STEP), "the same one after the other, with waits and crashes between"),
];

/// The keys of a step.
pub const STEP: &[Key] = &[
    Key::optional("send", Form::Any, "records by source"),
    Key::optional("expect", Form::Any, "rows by sink, table, alert, or dead_letters"),
    Key::optional("expect_late", Form::Any, "how many records were late, by node"),
    Key::optional("wait", Form::Duration, "moves the clock"),
    Key::optional("crash", Form::Bool, "loses all that was not committed, and starts again"),
    Key::optional("commit", Form::Bool, "commits"),
];

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Params that have other values.
    pub params: Vec<Override>,
    /// How many partitions each topic has.
    pub partitions: u32,
    /// Where the clock stands at first, in milliseconds.
    pub at: Option<i64>,
    /// What happens.
    pub steps: Vec<Step>,
}

/// One thing that happens in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Records come in.
    Send {
        /// The source's index.
        source: usize,
        /// The records.
        records: Vec<Sent>,
    },
    /// Rows are looked at.
    Expect {
        /// Where.
        target: Target,
        /// What is to be there.
        rows: Vec<Expected>,
        /// Where the list stands.
        place: Place,
    },
    /// Late records are counted.
    ExpectLate {
        /// The node.
        node: String,
        /// How many there are to be.
        count: u64,
        /// Where the number stands.
        place: Place,
    },
    /// The clock moves so many milliseconds.
    Wait(i64),
    /// All that was not committed is lost.
    Crash,
    /// Work is committed.
    Commit,
}

/// Where rows are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// What a sink has written since it was last looked at.
    Sink(String),
    /// The dead letters since they were last looked at.
    DeadLetters,
    /// What a table holds now.
    Table(String),
    /// What an alert has said since it was last looked at.
    Alert(String),
}

/// A record of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Its value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its key, if the test gives one; otherwise the source's key field is.
    pub key: Option<Option<Vec<u8>>>,
    /// Its Kafka timestamp, if the test gives one.
    pub timestamp: Option<i64>,
    /// Its partition, if the test gives one.
    pub partition: Option<u32>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Where it stands.
    pub place: Place,
}

/// A row that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The fields that are named, `_key` and the like included.
    pub fields: Vec<(String, Json)>,
    /// Where it stands.
    pub place: Place,
}

struct Reader<'r> {
    graph: &'r Graph<'r>,
    nodes: &'r [CheckedNode],
    sources: &'r [SourcePlan],
    shared: &'r RefCell<Shared>,
    faults: &'r mut Faults,
}

/// Reads all tests.
pub fn read(
    root: &Table,
    graph: &Graph<'_>,
    nodes: &[CheckedNode],
    sources: &[SourcePlan],
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Vec<Case> {
    let Some(entry) = root.get("test") else { return vec![] };
    let Some(values) = entry.value.as_array() else {
        faults.add(
            Diagnostic::error(Code::WrongForm, "tests are a list", entry.place)
                .help("write `[[test]]`, twice bracketed"),
        );
        return vec![];
    };
    let mut reader = Reader { graph, nodes, sources, shared, faults };
    values.iter().filter_map(|value| Some(reader.case(value.as_table()?, value.place))).collect()
}

impl Reader<'_> {
    fn case(&mut self, table: &Table, place: Place) -> Case {
        let named = table.get("name");
        let place = named.map_or(place, |e| e.value.place);
        form::conform(table, KEYS, "this test", place, self.faults);
        let name = named.and_then(|e| e.value.as_text()).map(|t| t.text.clone()).unwrap_or_default();
        let mut steps = vec![];
        if let Some(entry) = table.get("steps") {
            if let Some(other) = ["send", "expect", "expect_late"].iter().find_map(|k| table.get(k)) {
                self.faults.add(
                    Diagnostic::error(
                        Code::BadTest,
                        "a test has steps, or `send` and `expect`, not both",
                        other.place,
                    )
                    .also(entry.place, "these are its steps")
                    .help("make it one more step"),
                );
            }
            let tables = entry.value.as_array().unwrap_or_default().iter().filter_map(Value::as_table);
            for step in tables {
                self.step(step, &mut steps);
            }
        } else {
            self.step(table, &mut steps);
        }
        let partitions = table.get("partitions");
        let partitions = partitions.and_then(|e| number("partitions", &e.value, 1, self.shared, self.faults));
        Case {
            name,
            place,
            params: self.params(table),
            partitions: partitions.map_or(1, |n| n.min(1000) as u32),
            at: self.at(table),
            steps,
        }
    }

    fn at(&mut self, table: &Table) -> Option<i64> {
        let text = table.get("at")?.value.as_text()?;
        let at = time::parse_timestamp(text.text.as_bytes());
        if at.is_none() {
            self.faults.add(
                Diagnostic::error(Code::BadValue, format!("`{}` is no time", text.text), text.place)
                    .label("expected a time such as \"2026-01-01T00:00:00Z\""),
            );
        }
        at
    }

    fn params(&mut self, table: &Table) -> Vec<Override> {
        let Some(entry) = table.get("params") else { return vec![] };
        let Some(inner) = entry.value.as_table() else {
            self.faults.add(form::wrong_form("params", &entry.value, "a table of params"));
            return vec![];
        };
        let mut overrides = vec![];
        for entry in &inner.entries {
            let mut shared = self.shared.borrow_mut();
            let Some(param) = shared.params.get(&entry.key) else {
                let names = shared.params.all().iter().map(|p| p.name.as_str());
                self.faults.add(
                    Diagnostic::error(
                        Code::UnknownParam,
                        format!("there is no param `{}`", entry.key),
                        entry.place,
                    )
                    .suggest(&entry.key, names),
                );
                continue;
            };
            let value = plain_text(&entry.value.item);
            let fits = value.as_ref().is_some_and(|v| super::params::fits(&param.value, v));
            if !fits {
                let message = format!("`{}` is {}", entry.key, super::params::what(&param.value));
                let fault = Diagnostic::error(Code::TypeMismatch, message, entry.value.place);
                self.faults.add(fault.also(param.place, "declared here"));
            }
            shared.params.take(&entry.key);
            let value = value.unwrap_or_default();
            overrides.push(Override { name: entry.key.clone(), value, source: "the test".to_owned() });
        }
        overrides
    }

    /// What a step, or a test without steps, does, in the order in which it is written.
    fn step(&mut self, table: &Table, steps: &mut Vec<Step>) {
        for entry in &table.entries {
            match entry.key.as_str() {
                "send" => self.by_name(entry, "a source", |reader, inner| reader.send(inner), steps),
                "expect" => {
                    self.by_name(entry, "a sink or table", |reader, inner| reader.expect(inner), steps)
                }
                "expect_late" => self.by_name(entry, "a node", |reader, inner| reader.late(inner), steps),
                "wait" => {
                    steps.extend(duration("wait", &entry.value, 0, self.shared, self.faults).map(Step::Wait))
                }
                "crash" if entry.value.item == Item::Bool(true) => steps.push(Step::Crash),
                "commit" if entry.value.item == Item::Bool(true) => steps.push(Step::Commit),
                _ => {}
            }
        }
    }

    fn by_name(
        &mut self,
        entry: &Entry,
        what: &str,
        mut read: impl FnMut(&mut Self, &Entry) -> Option<Step>,
        steps: &mut Vec<Step>,
    ) {
        let Some(table) = entry.value.as_table() else {
            let expected = format!("a table by the name of {what}: `{}.NAME = …`", entry.key);
            return self.faults.add(form::wrong_form(&entry.key, &entry.value, &expected));
        };
        for inner in &table.entries {
            steps.extend(read(self, inner));
        }
    }

    fn send(&mut self, entry: &Entry) -> Option<Step> {
        let Some(source) = self.sources.iter().position(|s| s.name == entry.key) else {
            let names = self.sources.iter().map(|s| s.name.as_str());
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
        let records = self.list(entry)?.iter().filter_map(|value| self.sent(value)).collect();
        Some(Step::Send { source, records })
    }

    fn list<'v>(&mut self, entry: &'v Entry) -> Option<&'v [Value]> {
        let values = entry.value.as_array();
        if values.is_none() {
            self.faults.add(form::wrong_form(&entry.key, &entry.value, "a list of records"));
        }
        values
    }

    fn sent(&mut self, value: &Value) -> Option<Sent> {
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
            Item::Table(table) => self.record(table, &mut sent),
            _ => {
                let expected = "a table (JSON) or a text (the raw value)";
                self.faults.add(form::wrong_form("send", value, expected));
                return None;
            }
        }
        Some(sent)
    }

    fn record(&mut self, table: &Table, sent: &mut Sent) {
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
                ("_partition", Item::Int(n)) if *n >= 0 => sent.partition = Some((*n).min(1000) as u32),
                ("_headers", Item::Table(headers)) => sent.headers = texts(headers),
                ("_tombstone", Item::Bool(b)) => tombstone = *b,
                ("_value", Item::Text(text)) => raw = Some(text.text.clone().into_bytes()),
                (name, _) if name.starts_with('_') => self.faults.add(beside(entry, SENT)),
                _ => {
                    object.insert(entry.key.clone(), self.json(value));
                }
            }
        }
        sent.value = match (tombstone, raw) {
            (true, _) => None,
            (false, Some(raw)) => Some(raw),
            (false, None) => Some(Json::Object(object).to_string().into_bytes()),
        };
    }

    fn json(&mut self, value: &Value) -> Json {
        match &value.item {
            Item::Float(x) if !x.is_finite() => {
                self.faults.add(Diagnostic::error(Code::BadValue, "JSON has no such number", value.place));
                Json::Null
            }
            item => to_json(item),
        }
    }

    fn expect(&mut self, entry: &Entry) -> Option<Step> {
        let target = self.target(entry)?;
        let mut rows = vec![];
        for value in self.list(entry)? {
            match &value.item {
                Item::Table(table) => rows.push(self.expected(table, value.place, &target)),
                Item::Text(text) if !matches!(target, Target::Table(_)) => {
                    let fields = vec![("_value".to_owned(), Json::String(text.text.clone()))];
                    rows.push(Expected { fields, place: value.place });
                }
                _ => self.faults.add(form::wrong_form("expect", value, "a table of fields")),
            }
        }
        Some(Step::Expect { target, rows, place: entry.place })
    }

    fn expected(&mut self, table: &Table, place: Place, target: &Target) -> Expected {
        let known = self.known_fields(target);
        let mut fields = vec![];
        for entry in &table.entries {
            let name = &entry.key;
            if name.starts_with('_') && !EXPECTED.contains(&name.as_str()) {
                self.faults.add(beside(entry, EXPECTED));
            }
            // Only of rows that the pipeline makes itself is every field known.
            if let Some(known) = known.as_ref().filter(|k| !name.starts_with('_') && !k.contains(name)) {
                self.faults.add(
                    Diagnostic::error(
                        Code::UnknownField,
                        format!("no such row has a field `{name}`"),
                        entry.place,
                    )
                    .suggest(name, known.iter().map(String::as_str))
                    .note(format!("it has {}", known.join(", "))),
                );
            }
            fields.push((name.clone(), self.json(&entry.value)));
        }
        Expected { fields, place }
    }

    /// All fields of the rows at a target, where they are known.
    fn known_fields(&self, target: &Target) -> Option<Vec<String>> {
        let find = |name: &str| self.nodes.iter().find(|n| self.graph.sections[n.section].name == name);
        let shape = match target {
            Target::Table(name) => find(name)?.built.table.as_ref()?.rows.clone(),
            Target::Alert(name) => find(name)?.built.outputs.first()?.1.clone(),
            Target::Sink(name) => {
                let input = find(name)?.input.clone();
                let fresh = |v: &super::shape::Variant| v.layout.base == super::Base::Fresh;
                if !input.variants.iter().all(fresh) {
                    return None;
                }
                input
            }
            Target::DeadLetters => return None,
        };
        let sound = !shape.open && shape.poisoned.is_empty();
        let top = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        sound.then(|| shape.fields.iter().map(|(name, _)| top(name)).collect())
    }

    fn target(&mut self, entry: &Entry) -> Option<Target> {
        let name = &entry.key;
        if name == names::DEAD_LETTERS {
            return Some(Target::DeadLetters);
        }
        let section = self.graph.sections.iter().find(|s| s.name == name);
        let target = match section.map(|s| s.what) {
            Some(What::Node(kind)) if !kind.has_output => Target::Sink(name.clone()),
            Some(What::Node(kind)) if kind.name == "alert" => Target::Alert(name.clone()),
            Some(What::Node(kind)) if kind.keys.iter().any(|k| k.name == "was") => {
                Target::Table(name.clone())
            }
            Some(what) => {
                let message = format!("`{name}` is a {}: there is nothing to look at", what.kind());
                self.faults.add(
                    Diagnostic::error(Code::BadTest, message, entry.place)
                        .help("sinks, tables, alerts and dead_letters can be looked at"),
                );
                return None;
            }
            None => {
                let mut known: Vec<&str> = vec![names::DEAD_LETTERS];
                known.extend(self.graph.sections.iter().map(|s| s.name));
                self.faults.add(
                    Diagnostic::error(
                        Code::UnknownNode,
                        format!("there is no sink or table `{name}`"),
                        entry.place,
                    )
                    .suggest(name, known),
                );
                return None;
            }
        };
        Some(target)
    }

    fn late(&mut self, entry: &Entry) -> Option<Step> {
        let windowed = self.graph.sections.iter().any(|s| {
            s.name == entry.key
                && matches!(s.what, What::Node(kind) if kind.keys.iter().any(|k| k.name == "late"))
        });
        if !windowed {
            let message = format!("`{}` is no node with windows", entry.key);
            self.faults.add(Diagnostic::error(Code::BadTest, message, entry.place));
            return None;
        }
        let Item::Int(count) = entry.value.item else {
            self.faults.add(form::wrong_form(&entry.key, &entry.value, "a whole number"));
            return None;
        };
        Some(Step::ExpectLate {
            node: entry.key.clone(),
            count: count.max(0) as u64,
            place: entry.value.place,
        })
    }
}

/// What a record that is sent may say beside its fields.
pub const SENT: &[&str] = &["_key", "_timestamp", "_partition", "_headers", "_tombstone", "_value"];
/// What an expected row may say beside its fields.
pub const EXPECTED: &[&str] =
    &["_key", "_timestamp", "_headers", "_partition", "_reason", "_node", "_value", "_tombstone"];

fn beside(entry: &Entry, known: &[&str]) -> Diagnostic {
    match known.contains(&entry.key.as_str()) {
        true => form::wrong_form(&entry.key, &entry.value, "another value"),
        false => Diagnostic::error(
            Code::UnknownField,
            format!("a record has no `{}` beside its fields", entry.key),
            entry.place,
        )
        .suggest(&entry.key, known.iter().copied())
        .note(format!("it has {}", known.join(", "))),
    }
}

fn texts(table: &Table) -> Vec<(String, String)> {
    let entries = table.entries.iter();
    entries.filter_map(|e| Some((e.key.clone(), e.value.as_text()?.text.clone()))).collect()
}

/// A scalar as the command line would give it.
fn plain_text(item: &Item) -> Option<String> {
    match item {
        Item::Text(text) => Some(text.text.clone()),
        Item::Int(int) => Some(int.to_string()),
        Item::Float(float) => Some(float.to_string()),
        Item::Bool(bool) => Some(bool.to_string()),
        _ => None,
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
