//! What stands outside the nodes: the pipeline's name and guarantee, `[kafka]`, `[run]`, `[status]`.

use super::faults::Faults;
use super::form::{Form, Key};
use super::names;
use super::properties::{self, Setting, Side};
use super::scope::Shared;
use super::values::{duration, flag, number, size};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::spec::{Item, Table, Value};
use std::cell::RefCell;

/// The keys at the top of the file, apart from tables.
pub const TOP: &[Key] = &[
    Key::optional("version", Form::Any, "the version of the language: 1"),
    Key::required(
        "name",
        Form::Text,
        "the pipeline's name: its consumer group, and part of its topics' names",
    ),
    Key::optional(
        "guarantee",
        Form::OneOf(&["exactly-once", "at-least-once"]),
        "what a crash may repeat; exactly-once if left out",
    ),
    Key::optional(
        "dead_letters",
        Form::Text,
        "the topic for records that cannot be used; NAME-dead-letters if left out",
    ),
];

/// The keys of `[kafka]`.
pub const KAFKA: &[Key] = &[
    Key::optional("brokers", Form::Texts, "where the cluster is; localhost:9092 if left out"),
    Key::optional("create_topics", Form::Bool, "create the topics that sources and sinks name, too"),
    Key::optional("replication", Form::Number(1), "how many copies of a topic that is created"),
    Key::optional(
        "group_protocol",
        Form::OneOf(&["classic", "consumer"]),
        "how partitions are shared out; classic if left out",
    ),
    Key::optional("common", Form::Properties, "librdkafka properties for all clients"),
    Key::optional("consumer", Form::Properties, "librdkafka properties for the consumer"),
    Key::optional("producer", Form::Properties, "librdkafka properties for the producer"),
];

/// The keys of `[run]`.
pub const RUN: &[Key] = &[
    Key::optional(
        "commit_every",
        Form::Duration,
        "how often work is committed, less often while a backlog is worked off; 100ms if left out",
    ),
    Key::optional("workers", Form::Number(1), "how many threads; one a core if left out"),
    Key::optional("state_dir", Form::Text, "the folder for snapshots and the process's identity"),
    Key::optional("memory", Form::Size, "how much the tables may hold before the engine stops"),
    Key::optional(
        "merge_buffer",
        Form::Size,
        "how much one partition may wait for another; 64MiB if left out",
    ),
];

/// The keys of `[status]`.
pub const STATUS: &[Key] = &[Key::optional(
    "listen",
    Form::Text,
    "address of the status endpoint, or \"off\"; 127.0.0.1:6066 if left out",
)];

/// The settings of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Whether a crash repeats nothing.
    pub exactly_once: bool,
    /// The topic for dead letters.
    pub dead_letters: String,
    /// Where it is named, if it is.
    pub dead_letters_at: Option<Place>,
    /// Where the cluster is.
    pub brokers: Vec<String>,
    /// Whether user topics are created, too.
    pub create_topics: bool,
    /// How many copies of a topic that is created; none: as the cluster has it.
    pub replication: Option<u32>,
    /// Whether the server shares partitions out.
    pub consumer_protocol: bool,
    /// librdkafka's properties.
    pub properties: Vec<(Side, String, Setting)>,
    /// How often work is committed, in milliseconds.
    pub commit_every: i64,
    /// How many threads.
    pub workers: Option<u32>,
    /// The folder for snapshots and identity.
    pub state_dir: Option<String>,
    /// How many bytes the tables may hold.
    pub memory: Option<u64>,
    /// How many bytes of one partition may wait for another.
    pub merge_buffer: u64,
    /// The address of the status endpoint; none: off.
    pub listen: Option<String>,
}

/// Reads the settings. The forms of values have been checked.
pub fn read(root: &Table, shared: &RefCell<Shared>, faults: &mut Faults) -> Settings {
    let text = |table: Option<&Table>, key: &str| Some(table?.get(key)?.value.as_text()?.text.clone());
    let (kafka, run, status) = (root.table("kafka"), root.table("run"), root.table("status"));
    let name = name(root, faults);
    let exactly_once = text(Some(root), "guarantee").as_deref() != Some("at-least-once");
    let listen = text(status, "listen").unwrap_or_else(|| "127.0.0.1:6066".to_owned());
    Settings {
        dead_letters: dead_letters(root, &name, faults),
        dead_letters_at: root.get("dead_letters").map(|e| e.value.place),
        exactly_once,
        brokers: brokers(kafka),
        create_topics: kafka
            .and_then(|t| t.get("create_topics"))
            .and_then(|e| flag("create_topics", &e.value, shared, faults))
            .unwrap_or(false),
        replication: kafka
            .and_then(|t| t.get("replication"))
            .and_then(|e| number("replication", &e.value, 1, shared, faults))
            .map(|n| n.min(i64::from(i16::MAX)) as u32),
        consumer_protocol: text(kafka, "group_protocol").as_deref() == Some("consumer"),
        properties: kafka.map(|t| client_properties(t, exactly_once, faults)).unwrap_or_default(),
        commit_every: run
            .and_then(|t| t.get("commit_every"))
            .and_then(|e| duration("commit_every", &e.value, 1, shared, faults))
            .unwrap_or(100),
        workers: run
            .and_then(|t| t.get("workers"))
            .and_then(|e| number("workers", &e.value, 1, shared, faults))
            .map(|n| n.min(1024) as u32),
        state_dir: text(run, "state_dir"),
        memory: run.and_then(|t| t.get("memory")).and_then(|e| size("memory", &e.value, shared, faults)),
        merge_buffer: run
            .and_then(|t| t.get("merge_buffer"))
            .and_then(|e| size("merge_buffer", &e.value, shared, faults))
            .unwrap_or(64 << 20),
        listen: listen_address(status, listen, faults),
        name,
    }
}

/// A pipeline's name is a consumer group and the start of topics' names.
fn name(root: &Table, faults: &mut Faults) -> String {
    let Some(text) = root.get("name").and_then(|e| e.value.as_text()) else {
        return "pipeline".to_owned();
    };
    if !names::is_pipeline(&text.text) {
        faults.add(
            Diagnostic::error(
                Code::BadName,
                format!("`{}` cannot be a pipeline's name", text.text),
                text.place,
            )
            .label("letters, digits, `.`, `_` and `-`, at most 100 of them"),
        );
    }
    text.text.clone()
}

fn dead_letters(root: &Table, name: &str, faults: &mut Faults) -> String {
    let Some(text) = root.get("dead_letters").and_then(|e| e.value.as_text()) else {
        return format!("{name}-dead-letters");
    };
    if !names::is_topic(&text.text) {
        faults.add(names::bad_topic(&text.text, text.place));
    }
    text.text.clone()
}

fn brokers(kafka: Option<&Table>) -> Vec<String> {
    let values = kafka.and_then(|t| t.get("brokers")).map(|e| e.value.one_or_many()).unwrap_or_default();
    let texts = values.iter().filter_map(Value::as_text);
    let list: Vec<_> = texts
        .flat_map(|t| t.text.split(','))
        .map(|b| b.trim().to_owned())
        .filter(|b| !b.is_empty())
        .collect();
    if list.is_empty() { vec!["localhost:9092".to_owned()] } else { list }
}

fn client_properties(kafka: &Table, exactly_once: bool, faults: &mut Faults) -> Vec<(Side, String, Setting)> {
    let mut all = vec![];
    for (key, side) in [("common", Side::Common), ("consumer", Side::Consumer), ("producer", Side::Producer)]
    {
        if let Some(table) = kafka.table(key) {
            let found = properties::check(side, table, exactly_once, &mut faults.found);
            all.extend(found.into_iter().map(|(name, setting)| (side, name, setting)));
        }
    }
    all
}

fn listen_address(status: Option<&Table>, listen: String, faults: &mut Faults) -> Option<String> {
    if listen == "off" {
        return None;
    }
    let port = listen.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    if port.is_none_or(|port| port.parse::<u16>().is_err())
        && let Some(text) = status.and_then(|t| t.get("listen")).and_then(|e| e.value.as_text())
    {
        faults.add(
            Diagnostic::error(Code::BadValue, format!("`listen` cannot be \"{listen}\""), text.place)
                .label("expected an address with a port, such as \"127.0.0.1:6066\", or \"off\""),
        );
    }
    Some(listen)
}

/// Refuses a version of the language that this program does not know.
pub fn version(root: &Table, faults: &mut Faults) {
    let Some(entry) = root.get("version") else { return };
    if entry.value.item != Item::Int(1) {
        faults.add(
            Diagnostic::error(
                Code::Version,
                "this program reads version 1 of the language",
                entry.value.place,
            )
            .label("another version")
            .help("leave the key out, or write `version = 1`"),
        );
    }
}
