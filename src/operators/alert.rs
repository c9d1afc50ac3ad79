//! `alert`: looks through a table from time to time and says which rows a condition holds for.

use crate::codec::write_key_text;
use crate::diagnostic::{Code, Diagnostic, Passage};
use crate::expr::Condition;
use crate::frame::{Frame, Register};
use crate::operator::{Context, Flow, Operator, Outcome, Port, RecordError};
use crate::plan::{Built, CheckContext, Form, Key, KnownTable, NodeTable, OperatorKind, Rows, added};
use crate::rows::Row;
use crate::store::{self, Family, StoreDecl, StoreId, Stores, Table, Windows};
use crate::types::{Kind, TimeFormat, Type};
use std::sync::Arc;

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "alert",
    summary: "looks through a table from time to time and speaks of the rows that a condition holds for",
    details: "At every multiple of `every`, by the wall clock, all rows of the table are looked at. For each that \
              `when` holds for the message is logged, and a row goes on: the key fields, the computed fields and \
              `message`. With `once` a row is spoken of again only after the condition has ceased to hold.",
    example: r#"
name = "busy-sensors"

[schema.reading]
sensor = "string"

[source.readings]
topic = "readings"
schema = "reading"
key = "sensor"

[count.per_sensor]
from = "readings"
by = "sensor"

[alert.busy]
table = "per_sensor"
every = "30s"
when = 'count >= 2'
message = "{sensor} has sent {count} readings"

[sink.out]
from = "busy"
topic = "alerts"

[[test]]
name = "the second reading is spoken of"
steps = [
  { send.readings = [{ sensor = "a" }, { sensor = "a" }, { sensor = "b" }] },
  { wait = "30s" },
  { expect.busy = [{ sensor = "a", count = 2, message = "a has sent 2 readings" }] },
]
"#,
    keys: &[
        Key::required("table", Form::Node, "the node whose table is looked through"),
        Key::required("every", Form::Duration, "how often"),
        Key::required("when", Form::Expression, "the condition on a row"),
        Key::required("message", Form::Message, "what is said, with `{fields}` of the row; `{{` is a brace"),
        Key::optional("once", Form::Bool, "speak of a row again only after the condition has ceased to hold"),
    ],
    has_output: true,
    rows: Rows::Reads,
    check,
};

const MESSAGE: &str = "message";

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let every = cx.duration(node.table, "every", 1000);
    let known = node.text("table").and_then(|text| cx.table(&text.text));
    let Some(known) = known else { return Built::new(cx.input.clone(), "") };
    cx.subject = format!("a row of `{}`", known.node);
    cx.input = known.plan.rows.clone();
    let when = node.text("when").and_then(|text| cx.condition(text));
    let parts = node.text(MESSAGE).and_then(|text| message(text, cx));
    let mut output = known.plan.rows.clone();
    let ty = Type::required(Kind::String);
    let field = cx.new_field(&output, ty, TimeFormat::Text, node.place);
    let said = cx.register(field);
    if output.get(MESSAGE).is_none() {
        output.put(MESSAGE, field);
        output.edit(|layout| added(layout, MESSAGE, said, ty, TimeFormat::Text));
    }
    let spoken = cx.flag(node.table, "once").unwrap_or(false).then(|| spoken(node, cx));
    let what = format!("every {}", cx.said(node, "every"));
    let file = output.file;
    let operator = when.zip(parts).zip(known.owner.clone()).map(|((when, message), owner)| Alert {
        when,
        message,
        said,
        owner,
        table: Looked::of(&known),
        spoken: spoken.as_ref().map(|(store, _)| StoreId::new(*store)),
    });
    let reads = Some(known.node.clone());
    let table = spoken.map(|(store, changelog)| known.plan.marks(store, changelog));
    Built { tick_ms: every, reads, rows_in: Some(file), marks: table, ..Built::new(output, what) }
        .running(operator)
}

/// The store of what has been spoken of.
fn spoken(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> (u16, crate::outbox::TopicId) {
    let changelog = cx.changelog(node);
    let store = cx.store(StoreDecl {
        name: node.name.to_owned(),
        family: Family::Table,
        fresh: vec![0],
        texts: vec![],
        optional: false,
        fingerprint: "alert once".to_owned(),
    });
    (store, changelog)
}

/// More bytes than this are no message.
const MAX_BYTES: usize = 4096;

/// A part of a message.
#[derive(Debug)]
enum Part {
    Text(String),
    Field(Register, Kind, TimeFormat),
}

/// The parts of a message: `{name}` is a field, `{{` and `}}` are braces.
fn message(text: &Passage, cx: &mut CheckContext<'_>) -> Option<Vec<Part>> {
    if text.text.len() > MAX_BYTES {
        let message = format!("the message has {} bytes, more than {MAX_BYTES}", text.text.len());
        cx.faults.add(Diagnostic::error(Code::ExpressionTooLong, message, text.whole()));
        return None;
    }
    let (mut parts, mut plain) = (vec![], String::new());
    let (mut at, mut sound) = (0, true);
    while let Some(next) = text.text[at..].chars().next() {
        let rest = &text.text[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            plain.push(next);
            at += 2;
        } else if next == '{' {
            let Some(len) = rest.find('}') else {
                cx.faults.add(
                    Diagnostic::error(Code::BadValue, "`{` is never closed", text.at(at..at + 1))
                        .help("write `{{` for a brace"),
                );
                return None;
            };
            let name = rest[1..len].to_owned();
            parts.push(Part::Text(std::mem::take(&mut plain)));
            match cx.field(&Passage::placed(&name, text.at(at + 1..at + len))) {
                Some(id) => parts.push(Part::Field(cx.register(id), cx.ty(id).kind, cx.time_format(id))),
                None => sound = false,
            }
            at += len + 1;
        } else {
            plain.push(next);
            at += next.len_utf8();
        }
    }
    parts.push(Part::Text(plain));
    sound.then_some(parts)
}

/// Whose rows are looked at.
#[derive(Clone, Copy, Debug)]
enum Looked {
    Table(StoreId<Table>),
    Windows(StoreId<Windows>),
}

impl Looked {
    fn of(known: &KnownTable) -> Self {
        match known.plan.windowed {
            true => Looked::Windows(StoreId::new(known.plan.store)),
            false => Looked::Table(StoreId::new(known.plan.store)),
        }
    }

    /// Whether the row of a mark is still there: windows close.
    fn has(self, stores: &Stores, mark: &[u8]) -> bool {
        match self {
            Looked::Table(id) => stores.get(id).committed(mark).is_some(),
            Looked::Windows(id) => mark
                .split_first_chunk()
                .is_some_and(|(end, key)| stores.get(id).committed(i64::from_be_bytes(*end), key).is_some()),
        }
    }

    /// All rows in the order of window and key.
    fn rows(self, stores: &Stores) -> Vec<(Option<i64>, &[u8], store::Row<'_>)> {
        match self {
            Looked::Table(id) => {
                let rows = stores.get(id).committed_range(None, usize::MAX).into_iter();
                rows.map(|(key, row)| (None, key, row)).collect()
            }
            Looked::Windows(id) => {
                let rows = stores.get(id).committed_range(None, usize::MAX).into_iter();
                rows.map(|(end, key, row)| (Some(end), key, row)).collect()
            }
        }
    }
}

#[derive(Debug)]
struct Alert {
    when: Condition,
    message: Vec<Part>,
    said: Register,
    owner: Arc<dyn Operator>,
    table: Looked,
    spoken: Option<StoreId<Table>>,
}

impl Alert {
    /// The message for a row, if the condition holds for it.
    fn say(&self, frame: &mut Frame<'_>) -> Result<Option<Vec<u8>>, RecordError> {
        if !self.when.holds(frame)? {
            return Ok(None);
        }
        let mut text = vec![];
        for part in &self.message {
            match part {
                Part::Text(plain) => text.extend_from_slice(plain.as_bytes()),
                Part::Field(register, ..) if !frame.is_set(*register) => text.extend_from_slice(b"(none)"),
                Part::Field(register, kind, time) => {
                    if write_key_text(&mut text, frame, *register, *kind, *time).is_err() {
                        text.extend_from_slice(b"(no number)");
                    }
                }
            }
        }
        Ok(Some(text))
    }

    /// Shows a stored row and says what there is to say of it.
    fn look(
        &self,
        constants: &[u8],
        (end, key, stored): (Option<i64>, &[u8], store::Row<'_>),
        row: &mut Row,
    ) -> Result<bool, RecordError> {
        self.owner.show(constants, end, key, stored, row)?;
        let mut frame = row.frame(constants);
        let said = self.say(&mut frame)?;
        let Some(text) = said else { return Ok(false) };
        let value = row.text(&text);
        row.set(self.said, value);
        Ok(true)
    }
}

impl Operator for Alert {
    #[inline(always)]
    fn process(&self, _: Port, _: &mut Frame<'_>, _: &mut Context<'_>) -> Result<Flow, RecordError> {
        Ok(Flow::Stop(Outcome::Filtered))
    }

    /// Rows are looked at right behind a commit, so what is committed is all there is.
    fn tick(&self, now: i64, cx: &mut Context<'_>) {
        let mut ceased: Vec<Vec<u8>> = vec![];
        let mut begun: Vec<Vec<u8>> = vec![];
        let mark_of = |end: Option<i64>, key: &[u8]| {
            let mut mark = end.map(|e| e.to_be_bytes().to_vec()).unwrap_or_default();
            mark.extend_from_slice(key);
            mark
        };
        for stored in self.table.rows(cx.stores) {
            let row = cx.rows.add(cx.node, now);
            let spoken = self.look(cx.constants, stored, row);
            row.error = spoken.err();
            let Some(marks) = self.spoken else {
                if spoken == Ok(false) {
                    cx.rows.take_back();
                }
                continue;
            };
            let mark = mark_of(stored.0, stored.1);
            let marked = cx.stores.get(marks).get(&mark).is_some();
            match (spoken, marked) {
                (Ok(true), false) => begun.push(mark),
                (Ok(false), true) => {
                    ceased.push(mark);
                    cx.rows.take_back();
                }
                (Ok(_), _) => cx.rows.take_back(),
                (Err(_), _) => {}
            }
        }
        if let Some(marks) = self.spoken {
            let left = cx.stores.get(marks).committed_iter().map(|(mark, _)| mark);
            ceased.extend(left.filter(|mark| !self.table.has(cx.stores, mark)).map(<[u8]>::to_vec));
            let marks = cx.stores.get_mut(marks);
            ceased.sort_unstable();
            for mark in &ceased {
                marks.remove(mark);
            }
            for mark in &begun {
                marks.touch(mark, &[0]).set(0, 1);
            }
        }
    }
}
