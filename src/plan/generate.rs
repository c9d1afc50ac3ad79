//! `[generate.SOURCE]`: made-up records, for `produce` and `demo`.

use super::context::unknown_name;
use super::faults::Faults;
use super::form::{self, Form, Key};
use super::layout::{Base, Layout};
use super::scope::{Scope, Shared};
use super::shape::Shape;
use super::source::SourcePlan;
use super::values::number;
use crate::diagnostic::{Code, Diagnostic, Passage};
use crate::expr::{self, Dice, Expression, Setting};
use crate::spec::{Entry, Table, Value};
use crate::types::{Kind, TimeFormat, Type};
use std::cell::RefCell;
use std::sync::Arc;

/// The keys of `[generate.SOURCE]`.
pub const KEYS: &[Key] = &[
    Key::required("set", Form::Expressions, "the fields of a record and how they are made up"),
    Key::optional("bad", Form::Texts, "records that cannot be used, for --include-bad"),
    Key::optional("rate", Form::Number(1), "records a second, unless the command says else"),
    Key::optional("keys", Form::Number(1), "how many different keys there are, for `random_key`"),
];

/// How records of a source are made up.
#[derive(Debug)]
pub struct Generate {
    /// The source's index.
    pub source: usize,
    /// The fields in their order.
    pub fields: Vec<Generated>,
    /// Records that cannot be used.
    pub bad: Vec<String>,
    /// Records a second.
    pub rate: Option<u32>,
    /// Where randomness and the time come from.
    pub dice: Arc<Dice>,
}

/// A made-up field.
#[derive(Debug)]
pub struct Generated {
    /// Its name.
    pub name: String,
    /// How it is made up.
    pub expression: Expression,
    /// How it is written, if it is a timestamp.
    pub time: TimeFormat,
}

/// Reads all `[generate.…]`s.
pub fn read(
    root: &Table,
    sources: &[SourcePlan],
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Vec<Generate> {
    let entries = root.table("generate").map(|t| t.entries.as_slice()).unwrap_or_default();
    entries.iter().filter_map(|entry| generate(entry, sources, shared, faults)).collect()
}

fn generate(
    entry: &Entry,
    sources: &[SourcePlan],
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Option<Generate> {
    let Some(table) = entry.value.as_table() else {
        faults.add(form::wrong_form(&entry.key, &entry.value, "a table: `[generate.SOURCE]`"));
        return None;
    };
    form::conform(table, KEYS, &format!("generate `{}`", entry.key), entry.place, faults);
    let Some(source) = sources.iter().position(|s| s.name == entry.key) else {
        faults.add(
            Diagnostic::error(Code::UnknownNode, format!("there is no source `{}`", entry.key), entry.place)
                .suggest(&entry.key, sources.iter().map(|s| s.name.as_str())),
        );
        return None;
    };
    let dice = Arc::new(Dice::new(1, 0));
    let mut fields = vec![];
    let set = table.table("set");
    let mut flat = vec![];
    if let Some(set) = set {
        flatten("", set, &mut flat, faults);
    }
    for (name, text) in &flat {
        let before = faults.found.len();
        fields.extend(field(name, text, &sources[source], &dice, shared, faults));
        beside(&flat, &mut faults.found[before..]);
    }
    let bad = table.get("bad").map(|e| e.value.one_or_many()).unwrap_or_default();
    let rate = table.get("rate").and_then(|e| number("rate", &e.value, 1, shared, faults));
    Some(Generate {
        source,
        fields,
        bad: bad.iter().filter_map(Value::as_text).map(|t| t.text.clone()).collect(),
        rate: rate.map(|r| r.min(i64::from(u32::MAX)) as u32),
        dice,
    })
}

fn flatten<'t>(prefix: &str, table: &'t Table, flat: &mut Vec<(String, &'t Passage)>, faults: &mut Faults) {
    for entry in &table.entries {
        let name = format!("{prefix}{}", entry.key);
        match (entry.value.as_table(), entry.value.as_text()) {
            (Some(inner), _) => flatten(&format!("{name}."), inner, flat, faults),
            (_, Some(text)) => flat.push((name, text)),
            _ => {
                let key = format!("set.{name}");
                faults.add(form::wrong_form(&key, &entry.value, "an expression, in quotes"));
            }
        }
    }
}

/// A made-up field does not see the others.
fn beside(all: &[(String, &Passage)], faults: &mut [Diagnostic]) {
    for fault in faults {
        if unknown_name(fault).is_some_and(|name| all.iter().any(|(other, _)| other == name)) {
            fault.notes.clear();
            fault
                .help
                .push("made-up fields do not see each other: write what it is made of here, too".to_owned());
        }
    }
}

/// A made-up field has to fit the schema, or every record would be a dead letter.
fn field(
    name: &str,
    text: &Passage,
    source: &SourcePlan,
    dice: &Arc<Dice>,
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Option<Generated> {
    let file = shared.borrow_mut().fields.file();
    let shape = Shape::new(file, Layout::new(Base::Fresh));
    let mut scope = Scope { shape: &shape, subject: "a made-up record".to_owned(), shared };
    let expression = expr::compile(text, &mut scope, Setting::Generate(dice.clone()), &mut faults.found)?;
    let declared = source.fields.iter().find(|f| f.name == name);
    if let Some(declared) = declared.filter(|d| !fits(expression.ty, d.ty)) {
        let place = shared.borrow().fields.info(declared.id).declared;
        let message = format!("`{name}` is {}, but this makes {}", declared.ty, expression.ty);
        let fault = Diagnostic::error(Code::TypeMismatch, message, text.whole());
        faults.add(match place {
            Some(place) => fault.also(place, "declared here"),
            None => fault,
        });
        return None;
    }
    let time = declared.map_or(TimeFormat::Text, |d| d.time);
    Some(Generated { name: name.to_owned(), expression, time })
}

fn fits(made: Type, declared: Type) -> bool {
    let kind = made.kind == declared.kind
        || (made.kind == Kind::Int && declared.kind == Kind::Float)
        || declared.kind == Kind::Json;
    kind && (declared.optional || !made.optional)
}
