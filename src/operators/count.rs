//! `count`: how many records each group has had, as a table and as a field of each record.

use crate::frame::{Frame, Register, Value};
use crate::operator::{Context, Flow, Operator, Port, RecordError};
use crate::outbox::TopicId;
use crate::plan::{
    Built, CheckContext, FROM, Form, Grouping, Key, NodeTable, OperatorKind, Rows, TablePlan, added,
};
use crate::rows::Row;
use crate::store::{self, Family, KeyShape, StoreDecl, StoreId, Table};
use crate::types::{Kind, TimeFormat, Type};

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "count",
    summary: "counts the records of each group, for good",
    details: "A table with one counter a group, which survives restarts: other nodes name it in `table`, HTTP shows \
              it. Every record goes on with the field `count` added: the number it is of its group. Records that are \
              not keyed by `by` meet in a repartition topic first, which takes one more commit interval.",
    example: r#"
name = "orders-per-customer"

[schema.order]
customer = "string"

[source.orders]
topic = "orders"
schema = "order"
key = "customer"

[count.per_customer]
from = "orders"
by = "customer"

[filter.tenth]
from = "per_customer"
when = 'count % 10 == 0 || count == 2'

[sink.rewards]
from = "tenth"
topic = "rewards"

[[test]]
name = "the second order of a customer is rewarded"
send.orders = [{ customer = "a" }, { customer = "b" }, { customer = "a" }]
expect.per_customer = [{ customer = "a", count = 2 }, { customer = "b", count = 1 }]
expect.rewards = [{ customer = "a", count = 2 }]
"#,
    keys: &[
        FROM,
        Key::required("by", Form::Fields, "the field or fields that make a group"),
        Key::optional("was", Form::Text, "the node's former name, whose table it takes over"),
    ],
    has_output: true,
    rows: Rows::Keeps,
    check,
};

/// The name of the field that is added.
const COUNT: &str = "count";

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let grouping = cx.grouping(node);
    let ty = Type::required(Kind::Int);
    let mut output = cx.input.clone();
    let field = cx.new_field(&output, ty, TimeFormat::Text, node.place);
    let count = cx.register(field);
    output.put(COUNT, field);
    output.edit(|layout| added(layout, COUNT, count, ty, TimeFormat::Text));
    let changelog = cx.changelog(node);
    let what = match &grouping {
        Some(grouping) => format!("+ count int    table, by {}", grouping.names.join(", ")),
        None => String::new(),
    };
    let Some(grouping) = grouping else { return Built::new(output, what) };
    let (operator, table) = table(node, cx, &grouping, count, changelog);
    Built { table: Some(table), ..Built::new(output, what) }.running(Some(operator))
}

fn table(
    node: &NodeTable<'_>,
    cx: &mut CheckContext<'_>,
    grouping: &Grouping,
    count: Register,
    changelog: TopicId,
) -> (Count, TablePlan) {
    let fingerprint = vec!["count".to_owned(), grouping.fingerprint()];
    let store = cx.store(StoreDecl {
        name: node.kept_as().to_owned(),
        family: Family::Table,
        fresh: vec![0],
        texts: vec![],
        optional: false,
        fingerprint: fingerprint.join("\n"),
    });
    let (mut rows, key) = cx.row_shape(grouping, node.place);
    let shown = cx.add_to_row(&mut rows, COUNT, Type::required(Kind::Int), TimeFormat::Text, node.place);
    let plan = TablePlan::new(store, rows, grouping, vec![COUNT.to_owned()], changelog, fingerprint);
    let by = grouping.key.clone();
    (Count { by, table: StoreId::new(store), count, key, shown }, plan)
}

#[derive(Debug)]
struct Count {
    by: KeyShape,
    table: StoreId<Table>,
    count: Register,
    /// Where a row of the table shows its key, and its count.
    key: KeyShape,
    shown: Register,
}

impl Operator for Count {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, cx: &mut Context<'_>) -> Result<Flow, RecordError> {
        let key = self.by.encode(frame, cx.scratch);
        let mut row = cx.stores.get_mut(self.table).touch(key, &[0]);
        let count = row.get(0) + 1;
        row.set(0, count);
        frame.set(self.count, Value::Int(count as i64));
        Ok(Flow::Pass)
    }

    fn show(
        &self,
        _: &[u8],
        _: Option<i64>,
        key: &[u8],
        stored: store::Row<'_>,
        row: &mut Row,
    ) -> Result<(), RecordError> {
        row.set_key(&self.key, key);
        row.set(self.shown, Value::Int(stored.get(0) as i64));
        Ok(())
    }
}
