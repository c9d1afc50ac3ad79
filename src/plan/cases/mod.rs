//! `[[test]]`: records that are sent and rows that are expected, checked before anything runs.

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::plan::check::CheckedNode;
use crate::plan::faults::Faults;
use crate::plan::form::{self, Form, Key};
use crate::plan::graph::Graph;
use crate::plan::params::Override;
use crate::plan::scope::Shared;
use crate::plan::source::SourcePlan;
use crate::plan::values::{duration, flag, number};
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

/// More partitions show nothing that these do not.
const MOST_PARTITIONS: i64 = 1000;

mod expect;
mod send;

pub use expect::EXPECTED;
pub use send::{SENT, key_of, to_json};

struct Reader<'r> {
    graph: &'r Graph<'r>,
    nodes: &'r [CheckedNode],
    sources: &'r [SourcePlan],
    shared: &'r RefCell<Shared>,
    faults: &'r mut Faults,
    /// How many partitions each topic has in the test that is read.
    partitions: u32,
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
    let mut reader = Reader { graph, nodes, sources, shared, faults, partitions: 1 };
    for value in values.iter().filter(|value| value.as_table().is_none()) {
        reader.faults.add(form::wrong_form("test", value, "tables: write `[[test]]`"));
    }
    values.iter().filter_map(|value| Some(reader.case(value.as_table()?, value.place))).collect()
}

impl Reader<'_> {
    fn case(&mut self, table: &Table, place: Place) -> Case {
        let named = table.get("name");
        let place = named.map_or(place, |e| e.value.place);
        form::conform(table, KEYS, "this test", place, self.faults);
        let name = named.and_then(|e| e.value.as_text()).map(|t| t.text.clone()).unwrap_or_default();
        self.partitions = self.partitions(table);
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
            // Without steps there is one order that makes sense, however it is written.
            steps.sort_by_key(|step| !matches!(step, Step::Send { .. }));
        }
        if !["send", "expect", "expect_late", "steps"].iter().any(|key| table.get(key).is_some()) {
            let fault = Diagnostic::error(Code::BadTest, "this test does nothing", place);
            self.faults.add(fault.help("add `send.SOURCE = [ … ]` and `expect.SINK = [ … ]`, or `steps`"));
        }
        Case {
            name,
            place,
            params: self.params(table),
            partitions: self.partitions,
            at: self.at(table),
            steps,
        }
    }

    fn partitions(&mut self, table: &Table) -> u32 {
        let Some(entry) = table.get("partitions") else { return 1 };
        let number = number("partitions", &entry.value, 1, self.shared, self.faults);
        if number.is_some_and(|number| number > MOST_PARTITIONS) {
            let message = format!("a test has at most {MOST_PARTITIONS} partitions");
            self.faults.add(Diagnostic::error(Code::BadValue, message, entry.value.place));
        }
        number.map_or(1, |number| number.clamp(1, MOST_PARTITIONS) as u32)
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
            let fits = value.as_ref().is_some_and(|v| crate::plan::params::fits(&param.value, v));
            if !fits {
                let message = format!("`{}` is {}", entry.key, crate::plan::params::what(&param.value));
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
                "crash" => steps.extend(self.does(entry).then_some(Step::Crash)),
                "commit" => steps.extend(self.does(entry).then_some(Step::Commit)),
                _ => {}
            }
        }
    }

    /// Whether `crash` or `commit` is true; false it cannot be.
    fn does(&mut self, entry: &Entry) -> bool {
        let does = flag(&entry.key, &entry.value, self.shared, self.faults);
        if does == Some(false) {
            let message = format!("`{}` cannot be false", entry.key);
            let fault = Diagnostic::error(Code::BadValue, message, entry.value.place);
            self.faults.add(fault.help("leave it out"));
        }
        does == Some(true)
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
