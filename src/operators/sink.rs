//! `sink`: writes records to a topic.

use crate::diagnostic::{Code, Diagnostic};
use crate::frame::Frame;
use crate::operator::{Context, Flow, Operator, Outcome, Port, RecordError};
use crate::outbox::{Target, TopicId};
use crate::plan::{
    Built, CheckContext, FROM, Form, Key, NodeTable, OperatorKind, Role, Rows, Shape, TopicPlan, Writer,
    layout, names,
};
use crate::spec::Value;
use crate::store::KeyShape;

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "sink",
    summary: "writes records to a topic",
    details: "The key is the field that `key` names; without it what the records are keyed by, else the key they came \
              with. The value is the original JSON with what was added; a window's row is written in the order of the \
              file. The timestamp is the event time; headers pass through.",
    example: r#"
name = "copy"

[schema.order]
id = "string"
customer = "string"
secret = "string?"

[source.orders]
topic = "orders"
schema = "order"

[sink.out]
from = "orders"
topic = "orders-by-customer"
key = "customer"
drop = ["secret"]

[[test]]
name = "keyed by customer, the secret stays behind"
send.orders = [{ id = "1", customer = "c", secret = "x", more = 1 }]
expect.out = [{ _key = "c", id = "1", customer = "c", more = 1 }]
"#,
    keys: &[
        FROM,
        Key::required("topic", Form::Text, "the topic to write"),
        Key::optional("key", Form::Field, "the field that becomes the record's key"),
        Key::optional("keep", Form::Fields, "the only fields to write"),
        Key::optional("drop", Form::Fields, "fields not to write"),
        Key::optional("partitions", Form::Number(1), "how many partitions the topic gets when it is created"),
        Key::optional("config", Form::TextTable, "Kafka's settings for the topic when it is created"),
    ],
    has_output: false,
    rows: Rows::None,
    check,
};

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let topic = topic(node, cx);
    let mut shape = cx.input.clone();
    project(node, cx, &mut shape);
    let key = key(node, cx);
    cx.written(&shape);
    let mut built = Built { target: topic.as_ref().map(|(_, name)| name.clone()), ..Built::default() };
    if let (Some((topic, _)), Some(key)) = (topic, key) {
        let writer = Writer::new(&shape, cx);
        built = built.running(Some(Sink { topic, key, writer }));
    }
    built
}

fn topic(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Option<(TopicId, String)> {
    let text = node.text("topic")?;
    if !names::is_topic(&text.text) {
        cx.faults.add(names::bad_topic(&text.text, text.place));
    }
    let partitions = cx.number(node.table, "partitions", 1).map(|n| n.min(i64::from(i32::MAX)) as u32);
    let config = node.settings("config").into_iter();
    let config = config.filter_map(|(name, e)| Some((name, e.value.as_text()?.text.clone()))).collect();
    let topic = TopicPlan {
        name: text.text.clone(),
        role: Role::Output,
        owner: node.name.to_owned(),
        partitions,
        config,
        place: Some(text.place),
    };
    Some((cx.topic(topic), text.text.clone()))
}

fn project(node: &NodeTable<'_>, cx: &mut CheckContext<'_>, shape: &mut Shape) {
    if let (Some(keep), Some(drop)) = (node.get("keep"), node.get("drop")) {
        cx.faults.add(
            Diagnostic::error(Code::FieldConflict, "`keep` and `drop` exclude each other", drop.place)
                .also(keep.place, "what is not kept is not written")
                .help("leave `drop` out"),
        );
        return;
    }
    let list = |key: &str| -> Vec<String> {
        let values = node.value(key).map(Value::one_or_many).unwrap_or_default();
        values.iter().filter_map(Value::as_text).map(|text| text.text.clone()).collect()
    };
    cx.likely_fields(node, "keep");
    cx.likely_fields(node, "drop");
    let (keep, drop) = (list("keep"), list("drop"));
    if !keep.is_empty() {
        shape.edit(|l| layout::keep(l, &keep));
    }
    for name in drop {
        shape.edit(|l| layout::drop(l, &name));
    }
}

/// Where a written record's key comes from.
#[derive(Debug)]
enum KeyOf {
    /// The key it came with.
    Record,
    /// Its fields.
    Fields(KeyShape),
}

fn key(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Option<KeyOf> {
    if let Some(name) = node.text("key") {
        let id = cx.field(name)?;
        return cx.groupable(name, id, "key").then(|| KeyOf::Fields(cx.key_shape(&[id])));
    }
    match cx.input.key.clone() {
        // A field that has lost its name is still what the record came keyed by.
        Some(ids) if ids.iter().all(|id| cx.input.name_of(*id).is_some()) => {
            Some(KeyOf::Fields(cx.key_shape(&ids)))
        }
        _ => Some(KeyOf::Record),
    }
}

#[derive(Debug)]
struct Sink {
    topic: TopicId,
    key: KeyOf,
    writer: Writer,
}

impl Operator for Sink {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, cx: &mut Context<'_>) -> Result<Flow, RecordError> {
        let frame = &*frame;
        let mut written = Ok(());
        cx.out.record(
            self.topic,
            Target::Key,
            frame.timestamp,
            |out| match &self.key {
                KeyOf::Fields(key) => {
                    key.write_text(frame, out);
                    true
                }
                KeyOf::Record => {
                    out.extend_from_slice(frame.key.unwrap_or_default());
                    frame.key.is_some()
                }
            },
            |out| {
                written = self.writer.write(frame, out);
                true
            },
            frame.headers,
        );
        if let Err(error) = written {
            cx.out.undo_last();
            return Err(error);
        }
        Ok(Flow::Stop(Outcome::Kept))
    }
}
