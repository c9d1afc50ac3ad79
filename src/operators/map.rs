//! `map`: sets, renames, keeps and drops fields.

use crate::diagnostic::{Code, Diagnostic, Passage};
use crate::expr::{Condition, Expression, Range};
use crate::frame::{Frame, Register, Value};
use crate::operator::{Context, Flow, Operator, Port, RecordError};
use crate::plan::{
    Built, CheckContext, FROM, Form, Key, NodeTable, OperatorKind, Rows, Setting, Shape, added, layout,
    unknown_name,
};
use crate::spec::{Entry, Value as Written};
use crate::types::{TimeFormat, Type};

/// What the kind is called, takes and does.
pub const KIND: OperatorKind = OperatorKind {
    name: "map",
    summary: "sets, renames, keeps or drops fields of each record",
    details: "`set.F` is an expression, or a list of cases of which the first that holds decides: `when` with `then` \
              (a plain value) or `then_is` (an expression), and at the end `otherwise` or `otherwise_is`. All \
              right-hand sides see the record as it comes in, never each other. What is not set, renamed, kept or \
              dropped rides along untouched. The order is: rename, drop or keep, set.",
    example: r#"
name = "fahrenheit"

[schema.reading]
sensor = "string"
celsius = "float"

[source.readings]
topic = "readings"
schema = "reading"

[map.converted]
from = "readings"
set.fahrenheit = 'celsius * 1.8 + 32.0'
set.grade = [
  { when = 'celsius > 60.0', then = "hot" },
  { otherwise = "fine" },
]
drop = ["celsius"]

[sink.out]
from = "converted"
topic = "converted"

[[test]]
name = "degrees are converted"
send.readings = [{ sensor = "a", celsius = 100.0 }]
expect.out = [{ sensor = "a", fahrenheit = 212.0, grade = "hot" }]
"#,
    keys: &[
        FROM,
        Key::optional("set", Form::Settings, "fields and what they are set to"),
        Key::optional("keep", Form::Fields, "the fields to keep; all others go"),
        Key::optional("drop", Form::Fields, "the fields to leave out"),
        Key::optional("rename", Form::Names, "new names of fields: `{ new = \"old\" }`"),
    ],
    has_output: true,
    rows: Rows::None,
    check,
};

fn check(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) -> Built {
    let mut output = cx.input.clone();
    let mut what = vec![];
    conflicts(node, cx);
    rename(node, cx, &mut output, &mut what);
    project(node, cx, &mut output, &mut what);
    let sets = settings(node, cx, &mut output, &mut what);
    let nothing = ["set", "keep", "drop", "rename"].iter().all(|key| node.get(key).is_none());
    if nothing {
        cx.faults.add(
            Diagnostic::error(Code::MissingKey, format!("map `{}` changes nothing", node.name), node.place)
                .help("add `set.FIELD = …`, `keep`, `drop` or `rename`"),
        );
    }
    Built::new(output, what.join(", ")).running(sets.map(|sets| Map { sets }))
}

/// `keep` and `drop` exclude each other.
fn conflicts(node: &NodeTable<'_>, cx: &mut CheckContext<'_>) {
    if let (Some(keep), Some(drop)) = (node.get("keep"), node.get("drop")) {
        cx.faults.add(
            Diagnostic::error(Code::FieldConflict, "`keep` and `drop` exclude each other", drop.place)
                .also(keep.place, "what is not kept is dropped")
                .help("leave `drop` out"),
        );
    }
}

/// All renames see the record as it comes in: two fields may change places.
fn rename(node: &NodeTable<'_>, cx: &mut CheckContext<'_>, output: &mut Shape, what: &mut Vec<String>) {
    let mut pairs: Vec<(String, String)> = vec![];
    for (new, entry) in node.settings("rename") {
        let Some(old) = entry.value.as_text() else { continue };
        if new.contains('.') || old.text.contains('.') {
            cx.faults.add(
                Diagnostic::error(Code::FieldConflict, "only whole fields can be renamed", entry.place)
                    .help(format!("set the new one and drop the old: `set.{new} = '{}'`", old.text)),
            );
            continue;
        }
        if pairs.iter().any(|(other, _)| *other == old.text) {
            let message = format!("`{}` is renamed twice", old.text);
            cx.faults.add(
                Diagnostic::error(Code::FieldConflict, message, old.whole())
                    .help(format!("set the second one: `set.{new} = '{}'`", old.text)),
            );
            continue;
        }
        pairs.push((old.text.clone(), new));
    }
    for (new, entry) in node.settings("rename") {
        let Some(old) = entry.value.as_text().filter(|old| cx.input.get(&old.text).is_none()) else {
            continue;
        };
        // A field that no schema declares can be renamed too: it rides along under another name. Under the name of a
        // declared one that stays it would be of any type.
        let stays = cx.input.get(&new).is_some() && !pairs.iter().any(|(old, _)| *old == new);
        match stays && !cx.input.open {
            true => drop(cx.field(old)),
            false => cx.likely_field(old),
        }
    }
    let renamed = |name: &str| pairs.iter().find(|(old, _)| old == name).map(|(_, new)| new.clone());
    output.fields.retain(|(name, _)| renamed(name).is_some() || !pairs.iter().any(|(_, new)| new == name));
    for (name, _) in &mut output.fields {
        *name = renamed(name).unwrap_or_else(|| name.clone());
    }
    output.edit(|layout| layout::rename(layout, &pairs));
    what.extend(pairs.iter().map(|(old, new)| format!("{old} → {new}")));
}

fn project(node: &NodeTable<'_>, cx: &mut CheckContext<'_>, output: &mut Shape, what: &mut Vec<String>) {
    let names = |key: &str| -> Option<Vec<&Passage>> {
        Some(node.value(key)?.one_or_many().iter().filter_map(Written::as_text).collect())
    };
    let within =
        |name: &str, list: &[String]| list.iter().any(|l| name == l || name.starts_with(&format!("{l}.")));
    if let Some(keep) = names("keep") {
        let list: Vec<String> = keep.iter().map(|p| p.text.clone()).collect();
        keep.iter().filter(|n| output.get(&n.text).is_none()).for_each(|name| cx.likely_field(name));
        output.fields.retain(|(name, _)| within(name, &list));
        output.edit(|layout| layout::keep(layout, &list));
        what.push(format!("keeps {}", list.join(", ")));
    } else if let Some(drop) = names("drop") {
        let list: Vec<String> = drop.iter().map(|p| p.text.clone()).collect();
        drop.iter().filter(|n| output.get(&n.text).is_none()).for_each(|name| cx.likely_field(name));
        output.fields.retain(|(name, _)| !within(name, &list));
        for name in &list {
            output.edit(|layout| layout::drop(layout, name));
        }
        what.push(format!("− {}", list.join(", ")));
    }
}

/// One setting: which register, from what, and what has to be an object for it to be written.
#[derive(Debug)]
struct Set {
    to: Register,
    from: From,
}

#[derive(Debug)]
enum From {
    Choice(Choice),
    Work(Work),
}

/// What has to be worked out.
#[derive(Debug)]
enum Work {
    Expression(Expression),
    Cases { cases: Vec<(Condition, Expression)>, otherwise: Option<Expression> },
}

/// Cases that are all an interval and a constant. The one that holds is found without a branch: what decides is the
/// data, which no processor foresees.
#[derive(Debug)]
struct Choice {
    when: Vec<Range>,
    /// A value each, and what is set otherwise: what its register holds, and whether there is one.
    then: Vec<(u64, bool)>,
}

impl Choice {
    fn of(cases: &[(Condition, Expression)], otherwise: Option<&Expression>) -> Option<Self> {
        let when = |(when, _): &(Condition, Expression)| match when {
            Condition::Within(range) => Some(*range),
            _ => None,
        };
        let otherwise = otherwise.map_or(Some(Value::Absent), Expression::always);
        let then = cases.iter().map(|(_, then)| then.always()).chain([otherwise]);
        let then = then.map(|value| value.map(|value| (value.bits(), value.is_set())));
        Some(Choice {
            when: cases.iter().map(when).collect::<Option<_>>()?,
            then: then.collect::<Option<_>>()?,
        })
    }

    #[inline(always)]
    fn choose(&self, frame: &Frame<'_>) -> (u64, bool) {
        let (mut at, mut first) = (self.when.len(), self.when.len());
        for range in self.when.iter().rev() {
            at -= 1;
            first = if range.holds(frame) { at } else { first };
        }
        self.then[first]
    }
}

fn settings(
    node: &NodeTable<'_>,
    cx: &mut CheckContext<'_>,
    output: &mut Shape,
    what: &mut Vec<String>,
) -> Option<Vec<Set>> {
    let mut sets = Some(vec![]);
    let all = node.settings("set");
    for (name, entry) in &all {
        if cx.is_full(output) {
            output.open = true;
            return None;
        }
        inside_of_another(name, entry, &all, cx);
        if !cx.field_name(name, entry.place) {
            sets = None;
            continue;
        }
        let before = cx.faults.found.len();
        let Some((from, ty, time)) = setting(name, entry, cx) else {
            beside(&all, &mut cx.faults.found[before..]);
            output.fields.retain(|(n, _)| n != name);
            output.poisoned.push(name.clone());
            sets = None;
            continue;
        };
        let field = cx.new_field(output, ty, time, entry.place);
        let to = cx.register(field);
        output.put(name, field);
        output.edit(|layout| added(layout, name, to, ty, time));
        what.push(format!("+ {name} {ty}"));
        if let Some(sets) = &mut sets {
            sets.push(Set { to, from });
        }
    }
    sets
}

/// A field that is unknown because this very map sets it.
fn beside(all: &[(String, &Entry)], faults: &mut [Diagnostic]) {
    for fault in faults {
        let set = unknown_name(fault).and_then(|name| all.iter().find(|(other, _)| other == name));
        if let Some((name, entry)) = set {
            let said = std::mem::replace(fault, Diagnostic::file(Code::UnknownField, ""));
            *fault = said
                .also(entry.place, "set here, for what comes behind this map")
                .help(format!("set `{name}` in a map of its own, before this one"));
        }
    }
}

/// Setting an object and something inside it at once leaves open which of the two is meant.
fn inside_of_another(name: &str, entry: &Entry, all: &[(String, &Entry)], cx: &mut CheckContext<'_>) {
    let inside = |other: &str| name.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
    for (other, first) in all.iter().filter(|(other, _)| inside(other)) {
        cx.faults.add(
            Diagnostic::error(Code::FieldConflict, format!("`{name}` lies inside `{other}`"), entry.place)
                .also(first.place, "which is set as a whole here"),
        );
    }
}

fn setting(name: &str, entry: &Entry, cx: &mut CheckContext<'_>) -> Option<(From, Type, TimeFormat)> {
    if let Some(text) = entry.value.as_text() {
        let expression = cx.expression(text)?;
        let ty = cx.settable(expression.ty, text.whole())?;
        let time = cx.time_of(text);
        return Some((From::Work(Work::Expression(expression)), ty, time));
    }
    let Some(values) = entry.value.as_array() else {
        cx.faults.add(crate::plan::wrong_form(
            &format!("set.{name}"),
            &entry.value,
            "an expression, in quotes, or a list of cases",
        ));
        return None;
    };
    let cases = cx.cases(name, values, entry.place)?;
    let Setting { cases, otherwise, ty } = cases;
    let from = match Choice::of(&cases, otherwise.as_ref()) {
        Some(choice) => From::Choice(choice),
        None => From::Work(Work::Cases { cases, otherwise }),
    };
    Some((from, ty, TimeFormat::Text))
}

#[derive(Debug)]
struct Map {
    sets: Vec<Set>,
}

impl Operator for Map {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, _: &mut Context<'_>) -> Result<Flow, RecordError> {
        for set in &self.sets {
            match &set.from {
                From::Choice(choice) => {
                    let (bits, is_set) = choice.choose(frame);
                    frame.put(set.to, bits, is_set);
                }
                From::Work(work) => {
                    let value = work.value(frame)?;
                    frame.set(set.to, value);
                }
            }
        }
        Ok(Flow::Pass)
    }
}

impl Work {
    /// Whatever it takes.
    #[inline(never)]
    fn value(&self, frame: &mut Frame<'_>) -> Result<Value, RecordError> {
        match self {
            Work::Expression(expression) => expression.value(frame),
            Work::Cases { cases, otherwise } => {
                for (when, then) in cases {
                    if when.holds(frame)? {
                        return then.value(frame);
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Absent), |otherwise| otherwise.value(frame))
            }
        }
    }
}
