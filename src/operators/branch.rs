//! `branch`: rejects records by rules, with a reason each, and sends the rest along routes.

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Condition;
use crate::frame::Frame;
use crate::operator::{Context, Flow, Operator, Outcome, Port, ReasonId, RecordError, RouteSet};
use crate::plan::{Built, CheckContext, FROM, Form, Key, NodeTable, OperatorKind, Rows, names};
use crate::spec::Table;

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "branch",
    summary: "rejects records by rules, and sends the rest along routes",
    details: "`reject` comes first: the first rule that holds sends the record to the dead letters with its reason. \
              What no rule rejects goes along `routes`: to the first whose `when` holds, or, with `all = true`, to \
              each whose `when` holds. A route is an input for others as `BRANCH.ROUTE`; what no route took goes on \
              as `BRANCH`.",
    example: r#"
name = "triage"

[schema.order]
id = "string"
amount = "float"

[source.orders]
topic = "orders"
schema = "order"

[branch.valid]
from = "orders"
reject = [{ when = 'amount < 0.0', reason = "negative amount" }]
routes = [{ to = "large", when = 'amount >= 1000.0' }]

[sink.large_out]
from = "valid.large"
topic = "large-orders"

[sink.rest_out]
from = "valid"
topic = "other-orders"

[[test]]
name = "large orders go their own way, absurd ones nowhere"
send.orders = [{ id = "1", amount = 5000.0 }, { id = "2", amount = 5.0 }, { id = "3", amount = -1.0 }]
expect.large_out = [{ id = "1" }]
expect.rest_out = [{ id = "2" }]
expect.dead_letters = [{ _reason = "negative amount", _node = "valid" }]
"#,
    keys: &[
        FROM,
        Key::optional("reject", Form::List(REJECT), "rules; the first that holds rejects the record"),
        Key::optional("routes", Form::List(ROUTE), "named outputs; the first that holds takes the record"),
    ],
    has_output: true,
    rows: Rows::None,
    check,
};

const REJECT: &[Key] = &[
    Key::required("when", Form::Expression, "the condition of the rule"),
    Key::required("reason", Form::Text, "what the dead letter says"),
];

const ROUTE: &[Key] = &[
    Key::required("to", Form::Text, "the route's name"),
    Key::required("when", Form::Expression, "the condition of the route"),
    Key::optional("all", Form::Bool, "the record also looks at the other routes"),
];

/// One bit is the node's own output.
const MAX_ROUTES: usize = 31;

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    if node.get("reject").is_none() && node.get("routes").is_none() {
        cx.faults.add(
            Diagnostic::error(
                Code::MissingKey,
                format!("branch `{}` changes nothing", node.name),
                node.place,
            )
            .help("add `reject = [{ when = …, reason = … }]` or `routes = [{ to = …, when = … }]`"),
        );
    }
    let (rules, rules_said) = rules(node, cx);
    let (routes, names) = routes(node, cx);
    let all = all(node, cx);
    let mut what = vec![];
    if rules_said > 0 {
        what.push(format!(
            "{rules_said} rule{} → {}",
            if rules_said == 1 { "" } else { "s" },
            cx.dead_letters
        ));
    }
    if !names.is_empty() {
        what.push(format!("routes {}", names.join(", ")));
    }
    let mut built = Built::new(cx.input.clone(), what.join(", "));
    built.outputs.extend(names.into_iter().map(|name| (Some(name), cx.input.clone())));
    let operator = rules.zip(routes).map(|(rules, routes)| Branch::new(rules, routes, all));
    built.running(operator)
}

fn rules(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> (Option<Vec<(Condition, ReasonId)>>, usize) {
    let mut rules = Some(vec![]);
    let tables = node.tables("reject");
    for table in &tables {
        let rule = rule(table, cx);
        rules = rules.zip(rule).map(|(mut rules, rule)| {
            rules.push(rule);
            rules
        });
    }
    (rules, tables.len())
}

fn rule(table: &Table, cx: &mut CheckContext<'_>) -> Option<(Condition, ReasonId)> {
    let when = table.get("when").and_then(|e| e.value.as_text()).and_then(|text| {
        let condition = cx.condition(text)?;
        cx.decided(&condition, text);
        Some(condition)
    });
    let reason = cx.reason(&table.get("reason")?.value.as_text()?.text.clone());
    Some((when?, reason))
}

/// The routes' conditions, and their names even where a condition is faulty.
fn routes(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> (Option<Vec<Condition>>, Vec<String>) {
    let (mut conditions, mut found) = (Some(vec![]), vec![]);
    for table in node.tables("routes") {
        let condition = table.get("when").and_then(|e| e.value.as_text()).and_then(|text| cx.condition(text));
        conditions = conditions.zip(condition).map(|(mut all, condition)| {
            all.push(condition);
            all
        });
        let Some(to) = table.get("to").and_then(|e| e.value.as_text()) else { continue };
        if !names::is_name(&to.text) {
            cx.faults.add(names::bad_name(&to.text, to.place));
        }
        if found.contains(&to.text) {
            let message = format!("route `{}` is declared twice", to.text);
            cx.faults.add(
                Diagnostic::error(Code::DuplicateName, message, to.place)
                    .help("join the conditions with `||`"),
            );
        }
        found.push(to.text.clone());
    }
    if found.len() > MAX_ROUTES {
        let message = format!("{} routes; a branch has at most {MAX_ROUTES}", found.len());
        let place = node.get("routes").map_or(node.place, |entry| entry.place);
        cx.faults.add(
            Diagnostic::error(Code::TooManyPaths, message, place)
                .help("send some of them on together, and branch again behind"),
        );
    }
    (conditions, found)
}

/// Which routes let a record look at the others, too.
fn all(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Vec<bool> {
    node.tables("routes").iter().map(|table| cx.flag(table, "all").unwrap_or(false)).collect()
}

#[derive(Debug)]
struct Branch {
    reject: Vec<(Condition, ReasonId)>,
    routes: Vec<(Condition, bool)>,
    /// Whether some rule may fail on a record, so that they have to be tried one after the other.
    can_fail: bool,
}

impl Branch {
    fn new(reject: Vec<(Condition, ReasonId)>, routes: Vec<Condition>, all: Vec<bool>) -> Self {
        let can_fail = reject.iter().any(|(when, _)| !when.cannot_fail());
        Branch { reject, routes: routes.into_iter().zip(all).collect(), can_fail }
    }

    /// The first rule that holds. Conditions that cannot fail are looked at side by side: only a record that some
    /// rule rejects asks which came first.
    #[inline(always)]
    fn rejected(&self, frame: &mut Frame<'_>) -> Result<Option<ReasonId>, RecordError> {
        if !self.can_fail && !self.reject.iter().fold(false, |any, (when, _)| any | when.test(frame)) {
            return Ok(None);
        }
        for (when, reason) in &self.reject {
            if when.holds(frame)? {
                return Ok(Some(*reason));
            }
        }
        Ok(None)
    }

    fn route(&self, frame: &mut Frame<'_>) -> Result<RouteSet, RecordError> {
        let mut taken = 0;
        for (i, (when, all)) in self.routes.iter().enumerate() {
            if when.holds(frame)? {
                taken |= 2 << i;
                if !all {
                    break;
                }
            }
        }
        Ok(RouteSet(if taken == 0 { 1 } else { taken }))
    }
}

impl Operator for Branch {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, _: &mut Context<'_>) -> Result<Flow, RecordError> {
        if let Some(reason) = self.rejected(frame)? {
            return Ok(Flow::Stop(Outcome::Rejected(reason)));
        }
        if self.routes.is_empty() {
            return Ok(Flow::Pass);
        }
        Ok(Flow::Routes(self.route(frame)?))
    }
}
