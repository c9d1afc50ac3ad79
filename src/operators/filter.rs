//! `filter`: lets through the records that a condition holds for.

use crate::expr::Condition;
use crate::frame::Frame;
use crate::operator::{Context, Flow, Operator, Outcome, Port, RecordError};
use crate::plan::{Built, CheckContext, FROM, Form, Key, NodeTable, OperatorKind, Rows};

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "filter",
    summary: "lets through the records that a condition holds for",
    details: "A record stays if `when` is true; the rest counts as filtered and goes nowhere. To keep what is \
              turned away, with a reason, use a `branch` with `reject`.",
    example: r#"
name = "hot-readings"

[schema.reading]
sensor = "string"
celsius = "float"

[source.readings]
topic = "readings"
schema = "reading"

[filter.hot]
from = "readings"
when = 'celsius > 60.0'

[sink.out]
from = "hot"
topic = "hot-readings"

[[test]]
name = "only hot readings pass"
send.readings = [{ sensor = "a", celsius = 61.5 }, { sensor = "a", celsius = 20.0 }]
expect.out = [{ sensor = "a", celsius = 61.5 }]
"#,
    keys: &[FROM, Key::required("when", Form::Expression, "the condition; a record stays if it is true")],
    has_output: true,
    rows: Rows::None,
    check,
};

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let when = node.text("when");
    let what = when.map(|text| text.text.clone()).unwrap_or_default();
    let operator = when.and_then(|text| cx.condition(text)).map(|when| Filter { when });
    Built::new(cx.input.clone(), what).running(operator)
}

#[derive(Debug)]
struct Filter {
    when: Condition,
}

impl Operator for Filter {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, _: &mut Context<'_>) -> Result<Flow, RecordError> {
        match self.when.holds(frame)? {
            true => Ok(Flow::Pass),
            false => Ok(Flow::Stop(Outcome::Filtered)),
        }
    }
}
