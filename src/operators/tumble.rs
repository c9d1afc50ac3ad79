//! `tumble`: one row a group and window, once the window is over.

use crate::aggregates::Slots;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Expression;
use crate::frame::{Frame, Register, Value};
use crate::operator::{Context, Flow, Operator, Outcome, Port, ReasonId, RecordError, StreamTime};
use crate::plan::{
    Base, Built, CheckContext, FROM, Form, Grouping, Key, Layout, NodeTable, OperatorKind, Rows, Shape,
    TablePlan,
};
use crate::rows::Row;
use crate::store::{self, Family, KeyShape, StoreDecl, StoreId, Stores, Windows};
use crate::time;
use crate::types::{Kind, TimeFormat, Type};

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "tumble",
    summary: "summarises each group in windows of equal length, one row a window once it is over",
    details: "A window `[start, end)` closes once, when the clock of its task reaches `end`: the largest event time \
              seen, less the source's `late_by`. Its row has the `by` fields, `window_start`, `window_end` and what \
              `compute` says: expressions over aggregates (count sum min max avg first last). A record of a window \
              that has closed is late. Records that are not keyed by `by` meet in a repartition topic first, which \
              takes one more commit interval; it carries the clocks of those who write to it.",
    example: r#"
name = "sales-per-minute"

[schema.sale]
shop = "string"
amount = "float"
at = "timestamp"

[source.sales]
topic = "sales"
schema = "sale"
key = "shop"
event_time = "at"

[tumble.per_minute]
from = "sales"
by = "shop"
every = "1m"
compute.sales = 'count()'
compute.total = 'sum(amount)'

[sink.out]
from = "per_minute"
topic = "sales-per-minute"

[[test]]
name = "a minute is written when the next one has begun"
send.sales = [
  { shop = "a", amount = 2.0, at = "2026-01-01T00:00:10Z" },
  { shop = "a", amount = 3.0, at = "2026-01-01T00:00:50Z" },
  { shop = "a", amount = 9.0, at = "2026-01-01T00:01:00Z" },
]
expect.out = [{ shop = "a", sales = 2, total = 5.0, window_start = "2026-01-01T00:00:00Z" }]
"#,
    keys: &[
        FROM,
        Key::required("by", Form::Fields, "the field or fields that make a group"),
        Key::required("every", Form::Duration, "how long a window is"),
        Key::optional(
            "offset",
            Form::Duration,
            "how far windows are shifted from midnight UTC; 0s if left out",
        ),
        Key::optional(
            "late",
            Form::OneOf(&["drop", "dead-letter"]),
            "what becomes of late records; drop if left out",
        ),
        Key::required("compute", Form::Expressions, "fields of a row and what they are computed by"),
        Key::optional("was", Form::Text, "the node's former name, whose windows it takes over"),
    ],
    has_output: true,
    rows: Rows::Makes,
    check,
};

const START: &str = "window_start";
const END: &str = "window_end";

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let grouping = cx.grouping(node);
    let every = cx.duration(node.table, "every", 1);
    let offset = cx.duration(node.table, "offset", 0).unwrap_or(0);
    let changelog = cx.changelog(node);
    let late_by = cx.late_by();
    let late = match node.text("late").map(|t| t.text.as_str()) {
        Some("dead-letter") => Some(cx.reason("late: its window has closed")),
        _ => None,
    };
    let Some(grouping) = grouping else {
        // Without its group fields nothing is known of a row but what it computes.
        let mut shape = Shape::new(cx.rows, Layout::new(Base::Fresh));
        shape.open = true;
        computed(node, cx, &mut shape);
        return Built::new(shape, "");
    };
    let (mut row, key) = cx.row_shape(&grouping, node.place);
    let ty = Type::required(Kind::Timestamp);
    let bounds = [START, END].map(|name| cx.add_to_row(&mut row, name, ty, TimeFormat::Text, node.place));
    let (slots, compute) = computed(node, cx, &mut row);
    let mut what = format!("{} by {}", cx.said(node, "every"), grouping.names.join(", "));
    if late_by > 0 {
        what = format!("{what}, late by {}", time::format_duration(late_by));
    }
    let (Some(every), Some(compute)) = (every, compute) else { return Built::new(row, what) };
    let columns = compute.iter().map(|c| c.name.clone()).collect();
    let fingerprint = fingerprint(&grouping, every, offset, &compute);
    let store = cx.store(StoreDecl {
        name: node.kept_as().to_owned(),
        family: Family::Windows,
        fresh: slots.fresh.clone(),
        texts: slots.texts.clone(),
        optional: slots.optional,
        fingerprint: fingerprint.join("\n"),
    });
    let table = TablePlan::new(store, row.clone(), &grouping, columns, changelog, fingerprint).windowed();
    let (windows, by) = (StoreId::new(store), grouping.key);
    let row_file = row.file;
    let tumble = Tumble { by, every, offset, late, windows, slots, compute, key, bounds };
    let beat = Some((every, offset));
    Built { table: Some(table), rows_in: Some(row_file), beat, ..Built::new(row, what) }.running(Some(tumble))
}

/// What the bytes of a window mean.
fn fingerprint(grouping: &Grouping, every: i64, offset: i64, compute: &[Computed]) -> Vec<String> {
    let mut lines = vec!["tumble".to_owned(), grouping.fingerprint()];
    lines.push(format!("every {every} ms, offset {offset} ms"));
    let mut aggregates: Vec<String> = vec![];
    for text in compute.iter().flat_map(|c| &c.aggregates) {
        if !aggregates.contains(text) {
            aggregates.push(text.clone());
        }
    }
    lines.extend(aggregates);
    lines
}

/// A computed field.
#[derive(Debug)]
struct Computed {
    name: String,
    to: Register,
    expression: Expression,
    /// What the cells of the aggregates mean that came in with it.
    aggregates: Vec<String>,
}

/// The computed fields, put into the row's shape; faulty ones are put there as unknown.
fn computed(
    node: &NodeTable<'_>,
    cx: &mut CheckContext<'_>,
    row: &mut Shape,
) -> (Slots, Option<Vec<Computed>>) {
    let (mut slots, mut aggregates) = (Slots::default(), vec![]);
    let mut all = Some(vec![]);
    let scope = row.clone();
    let subject = format!("a row of `{}`", node.name);
    for (name, entry) in node.settings("compute") {
        if cx.is_full(row) {
            row.open = true;
            all = None;
            break;
        }
        let Some(text) = entry.value.as_text() else {
            cx.faults.add(crate::plan::wrong_form(
                &format!("compute.{name}"),
                &entry.value,
                "an expression, in quotes",
            ));
            all = None;
            continue;
        };
        if taken(&name, entry.place, row, cx) || !cx.field_name(&name, entry.place) {
            all = None;
            continue;
        }
        let before = aggregates.len();
        let expression = cx.compute(text, &scope, &subject, &mut aggregates);
        let Some(expression) = expression.filter(|e| cx.settable(e.ty, text.whole()).is_some()) else {
            row.poisoned.push(name);
            all = None;
            continue;
        };
        let to = cx.add_to_row(row, &name, expression.ty, TimeFormat::Text, entry.place);
        let aggregates = aggregates[before..].iter().map(|(call, _)| call.meaning()).collect();
        if let Some(all) = &mut all {
            all.push(Computed { name, to, expression, aggregates });
        }
    }
    for (call, id) in aggregates {
        let shown = cx.register(id);
        let overflow = cx.reason(&format!("integer overflow in `{}`", call.text));
        let unseen = cx
            .reason(&format!("`{}` was added while the window was open, and has seen no record", call.text));
        slots.add(call, shown, overflow, unseen);
    }
    empty(node, cx);
    if slots.fresh.len() > StoreDecl::MAX_WIDTH {
        let message = format!("`{}` has more aggregates than a row has room for", node.name);
        cx.faults.add(
            Diagnostic::error(Code::TooManyFields, message, node.place)
                .label(format!("at most {} cells can be; `avg` takes two", StoreDecl::MAX_WIDTH))
                .help("spread them over two windows"),
        );
        all = None;
    }
    (slots, all)
}

/// Whether a computed field has the name of one that every row has; that is a fault.
fn taken(name: &str, place: crate::diagnostic::Place, row: &Shape, cx: &mut CheckContext<'_>) -> bool {
    let taken = row.get(name).is_some();
    if taken {
        cx.faults.add(
            Diagnostic::error(Code::FieldConflict, format!("every row has a `{name}` already"), place)
                .help("give the computed field another name"),
        );
    }
    taken
}

fn empty(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) {
    if let Some(entry) = node.get("compute")
        && entry.value.as_table().is_some_and(|t| t.entries.is_empty())
    {
        cx.faults.add(
            Diagnostic::error(
                Code::MissingKey,
                format!("tumble `{}` computes nothing", node.name),
                entry.place,
            )
            .help("add `compute.FIELD = 'count()'`"),
        );
    }
}

#[derive(Debug)]
struct Tumble {
    by: KeyShape,
    every: i64,
    offset: i64,
    /// The reason for late records, if they are to be dead letters.
    late: Option<ReasonId>,
    windows: StoreId<Windows>,
    slots: Slots,
    compute: Vec<Computed>,
    /// Where a row shows its key, and its bounds.
    key: KeyShape,
    bounds: [Register; 2],
}

impl Tumble {
    /// The end of a record's window. Records of one time come together: mostly it is that of the last one.
    #[inline]
    fn end_of(&self, timestamp: i64, last: Option<i64>) -> i64 {
        match last {
            Some(end) if (end.saturating_sub(self.every)..end).contains(&timestamp) => end,
            _ => self.reckon(timestamp),
        }
    }

    #[inline(never)]
    fn reckon(&self, timestamp: i64) -> i64 {
        time::end_of(timestamp, self.every, self.offset)
    }

    #[cold]
    fn late(&self) -> Flow {
        Flow::Stop(self.late.map_or(Outcome::Late, Outcome::LateLetter))
    }
}

impl Operator for Tumble {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, cx: &mut Context<'_>) -> Result<Flow, RecordError> {
        let windows = cx.stores.get_mut(self.windows);
        let end = self.end_of(frame.timestamp, windows.last_end());
        if end <= cx.clock.0 {
            return Ok(self.late());
        }
        self.slots.evaluate(frame, cx.values)?;
        let key = self.by.encode(frame, cx.scratch);
        if self.slots.can_overflow() {
            self.slots.room(windows.get(end, key), cx.values)?;
        }
        let (row, opened) = windows.touch(end, key, &self.slots.fresh);
        self.slots.update(row, cx.values, frame);
        if opened {
            cx.wake_at(StreamTime(end));
        }
        Ok(Flow::Stop(Outcome::Kept))
    }

    fn due(&self, stores: &Stores) -> Option<StreamTime> {
        stores.get(self.windows).due()
    }

    fn advance(&self, now: StreamTime, cx: &mut Context<'_>) {
        let (room, constants, node) = (cx.rows.room(), cx.constants, cx.node);
        cx.stores.get_mut(self.windows).close(now, room, |end, key, stored| {
            let row = cx.rows.add(node, end - 1);
            row.error = self.show(constants, Some(end), key, stored, row).err();
        });
    }

    fn show(
        &self,
        constants: &[u8],
        end: Option<i64>,
        key: &[u8],
        stored: store::Row<'_>,
        row: &mut Row,
    ) -> Result<(), RecordError> {
        row.set_key(&self.key, key);
        let end = end.unwrap_or_default();
        row.set(self.bounds[0], Value::Int(end.saturating_sub(self.every)));
        row.set(self.bounds[1], Value::Int(end));
        let seen = self.slots.show(&stored, row);
        for computed in &self.compute {
            // Of a row that fails what can be told is shown all the same: the dead letter has it.
            if let Some(shown) = computed.expression.register() {
                row.copy(shown, computed.to);
                continue;
            }
            if seen.is_err() {
                continue;
            }
            let mut frame = row.frame(constants);
            let value = computed.expression.value(&mut frame);
            row.present = frame.present;
            row.set(computed.to, value?);
        }
        seen
    }
}
