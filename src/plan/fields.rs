//! What checks of several kinds do with fields: names, cases, groups, rows.

use super::context::{CheckContext, Grouping};
use super::kind::NodeTable;
use super::layout::{Base, Layout, added};
use super::shape::{FieldId, Shape};
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::expr::{self, Condition, Expression, ParamValue};
use crate::frame::Register;
use crate::spec::{Entry, Item, Table, Value};
use crate::store::KeyShape;
use crate::time;
use crate::types::{Kind, TimeFormat, Type};

/// A setting by cases, checked.
#[derive(Debug)]
pub struct Setting {
    /// The conditions in their order, each with its value.
    pub cases: Vec<(Condition, Expression)>,
    /// The value when none holds.
    pub otherwise: Option<Expression>,
    /// What all values are.
    pub ty: Type,
}

/// A case: its condition, unless it is the last resort, its value, and where that stands.
type Case = (Option<Condition>, Expression, Place);

impl CheckContext<'_> {
    /// Whether a field may be called this.
    pub fn field_name(&mut self, name: &str, place: Place) -> bool {
        let label = match name {
            _ if name.starts_with('_') => "names with a leading `_` are streamrun's own",
            _ if name.split('.').any(str::is_empty) => "a name is missing beside a dot",
            _ => return true,
        };
        self.faults
            .add(Diagnostic::error(Code::BadName, format!("`{name}` cannot be a field"), place).label(label));
        false
    }

    /// Whether a field can be set to values of a type; its type then.
    pub fn settable(&mut self, ty: Type, place: Place) -> Option<Type> {
        if ty.kind != Kind::Duration {
            return Some(ty);
        }
        self.faults.add(
            Diagnostic::error(Code::TypeMismatch, "a field cannot hold a duration", place)
                .help("`seconds(…)` makes a number of it"),
        );
        None
    }

    /// A duration as the file says it; of a param, what it stands for.
    pub fn said(&self, node: &NodeTable<'_>, key: &str) -> String {
        let Some(text) = node.text(key) else { return String::new() };
        match self.shared.borrow().params.get(&text.text).map(|p| &p.value) {
            Some(ParamValue::Duration(ms)) => time::format_duration(*ms),
            _ => text.text.clone(),
        }
    }

    /// How a field that is set by this expression is written: a field that is handed on keeps its format.
    pub fn time_of(&self, text: &Passage) -> TimeFormat {
        let id = self.input.get(text.text.trim());
        id.map_or(TimeFormat::Text, |id| self.time_format(id))
    }

    /// Warns of a condition that has the same answer for every record. One that a param decides is a switch.
    pub fn decided(&mut self, condition: &Condition, text: &Passage) {
        let params = &self.shared.borrow().params;
        let mut names = expr::names_in(&text.text).into_iter();
        if names.any(|range| params.get(&text.text[range]).is_some()) {
            return;
        }
        if let Condition::Always(answer) = condition {
            self.faults.add(
                Diagnostic::warning(
                    Code::Unreachable,
                    format!("this rule always says {answer}"),
                    text.whole(),
                )
                .help(if *answer {
                    "nothing gets past it"
                } else {
                    "it never applies: leave it out"
                }),
            );
        }
    }

    /// `keep` and `drop` may name fields that no schema declares; one that looks like a slip of a declared one is a
    /// fault.
    pub fn likely_fields(&mut self, node: &NodeTable<'_>, key: &str) {
        let values = node.value(key).map(Value::one_or_many).unwrap_or_default();
        for name in values.iter().filter_map(Value::as_text) {
            self.likely_field(name);
        }
    }

    /// The same for one name.
    pub fn likely_field(&mut self, name: &Passage) {
        let inside = format!("{}.", name.text);
        if self.input.open || self.input.fields.iter().any(|(n, _)| *n == name.text || n.starts_with(&inside))
        {
            return;
        }
        let known = self.input.fields.iter().map(|(n, _)| n.as_str());
        if let Some(close) = crate::diagnostic::did_you_mean(&name.text, known) {
            // Only a guess: a record may have fields that no schema names.
            let message = format!("{} declares no field `{}`", self.subject, name.text);
            let fault = Diagnostic::warning(Code::UnknownField, message, name.whole())
                .help(format!("did you mean `{close}`?"));
            self.faults.add(fault);
        }
    }

    /// The list of cases that a field is set by.
    pub fn cases(&mut self, name: &str, values: &[Value], place: Place) -> Option<Setting> {
        let (mut cases, mut otherwise, mut sound) = (vec![], None, true);
        for (i, value) in values.iter().enumerate() {
            let Some(table) = value.as_table() else {
                self.faults.add(super::form::wrong_form(
                    &format!("set.{name}"),
                    value,
                    "cases such as { when = '…', then = … }",
                ));
                sound = false;
                continue;
            };
            match self.case(table, value.place, i + 1 == values.len()) {
                Some((Some(when), then, place)) => cases.push((when, then, place)),
                Some((None, then, place)) => otherwise = Some((then, place)),
                None => sound = false,
            }
        }
        if values.is_empty() {
            self.faults.add(
                Diagnostic::error(Code::WrongForm, format!("`set.{name}` has no cases"), place)
                    .help("add `{ when = '…', then = … }` and `{ otherwise = … }`"),
            );
            return None;
        }
        let all: Vec<_> = cases
            .iter()
            .map(|(_, e, p)| (e.ty, *p))
            .chain(otherwise.iter().map(|(e, p)| (e.ty, *p)))
            .collect();
        let ty = self.common(&all, otherwise.is_none())?;
        let cases = cases.into_iter().map(|(when, then, _)| (when, then.widened(ty.kind))).collect();
        let otherwise = otherwise.map(|(e, _)| e.widened(ty.kind));
        sound.then_some(Setting { cases, otherwise, ty })
    }

    /// One case: its condition, unless it is the last resort, and its value with its place.
    fn case(&mut self, table: &Table, place: Place, last: bool) -> Option<Case> {
        let keys = ["when", "then", "then_is", "otherwise", "otherwise_is"];
        let unknown: Vec<_> = table.entries.iter().filter(|e| !keys.contains(&e.key.as_str())).collect();
        for entry in &unknown {
            let message = format!("a case has no key `{}`", entry.key);
            let fault = Diagnostic::error(Code::UnknownKey, message, entry.place).suggest(&entry.key, keys);
            self.faults.add(match fault.help.is_empty() {
                true => fault
                    .help("its keys are `when` with `then` or `then_is`, or `otherwise` or `otherwise_is`"),
                false => fault,
            });
        }
        let given: Vec<_> = keys.iter().filter(|k| table.get(k).is_some()).copied().collect();
        let key = match given.as_slice() {
            ["when", key @ ("then" | "then_is")] | [key @ ("otherwise" | "otherwise_is")] => *key,
            _ => {
                if unknown.is_empty() {
                    self.faults.add(misshapen(&given, place));
                }
                return None;
            }
        };
        let when = table.get("when").map(|entry| self.when(entry));
        let value = self.case_value(table, key);
        if when.is_none() && !last {
            self.faults.add(
                Diagnostic::error(Code::Unreachable, "`otherwise` stands last", place)
                    .label("what comes behind it can never apply")
                    .help("move it to the end of the list"),
            );
            return None;
        }
        let place = table.get(key)?.value.place;
        let when = match when {
            Some(when) => Some(when?),
            None => None,
        };
        Some((when, value?, place)).filter(|_| unknown.is_empty())
    }

    fn when(&mut self, entry: &Entry) -> Option<Condition> {
        let Some(text) = entry.value.as_text() else {
            self.faults.add(super::form::wrong_form("when", &entry.value, "an expression, in quotes"));
            return None;
        };
        let condition = self.condition(text)?;
        self.decided(&condition, text);
        Some(condition)
    }

    fn case_value(&mut self, table: &Table, key: &str) -> Option<Expression> {
        let value = &table.get(key)?.value;
        if key.ends_with("_is") {
            let Some(text) = value.as_text() else {
                self.faults.add(super::form::wrong_form(key, value, "an expression, in quotes"));
                return None;
            };
            let expression = self.expression(text)?;
            self.settable(expression.ty, text.whole())?;
            return Some(expression);
        }
        self.plain(key, value)
    }

    /// A plain value.
    fn plain(&mut self, key: &str, value: &Value) -> Option<Expression> {
        match &value.item {
            Item::Text(text) => {
                self.reads_like_an_expression(key, text);
                let constant = self.shared.borrow_mut().constants.text(&text.text);
                Some(Expression::text(constant, &text.text))
            }
            Item::Int(int) => Some(Expression::int(*int)),
            Item::Float(float) if float.is_finite() => Some(Expression::float(*float)),
            Item::Bool(bool) => Some(Expression::bool(*bool)),
            _ => {
                self.faults.add(super::form::wrong_form(key, value, "a text, a number or a boolean"));
                None
            }
        }
    }

    /// A plain text that an expression over known fields would look like is likely meant as one.
    fn reads_like_an_expression(&mut self, key: &str, text: &Passage) {
        let operators = ['+', '-', '*', '/', '%', '(', '<', '>', '=', '&', '|'];
        let known = expr::names_in(&text.text)
            .into_iter()
            .find(|range| self.input.get(&text.text[range.clone()]).is_some());
        let alone = self.input.get(text.text.trim()).is_some();
        if let Some(range) = known.filter(|_| alone || text.text.contains(operators)) {
            let name = &text.text[range.clone()];
            self.faults.add(
                Diagnostic::warning(
                    Code::LooksLikeExpression,
                    format!("`{key}` is a plain text, but this reads like an expression"),
                    text.whole(),
                )
                .label(format!("`{name}` is a field of {}", self.subject))
                .help(format!("write `{key}_is = '{}'` to have it computed", text.text)),
            );
        }
    }

    /// The one type of several values: integers become floats beside floats.
    fn common(&mut self, types: &[(Type, Place)], open: bool) -> Option<Type> {
        let (first, place) = *types.first()?;
        let mut kind = first.kind;
        for (ty, other) in &types[1..] {
            if ty.kind == kind {
                continue;
            }
            if !(ty.kind.is_number() && kind.is_number()) {
                self.faults.add(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        format!("one case gives {kind}, another {}", ty.kind),
                        *other,
                    )
                    .label(format!("{}", ty.kind))
                    .also(place, format!("{kind}")),
                );
                return None;
            }
            kind = Kind::Float;
        }
        Some(Type { kind, optional: open || types.iter().any(|(ty, _)| ty.optional) })
    }

    /// The key that is made of fields.
    pub fn key_shape(&mut self, ids: &[FieldId]) -> KeyShape {
        KeyShape(ids.iter().map(|id| (self.register(*id), self.ty(*id).kind)).collect())
    }

    /// The shape of a fresh row that begins with the fields of a group, and where they lie.
    pub fn row_shape(&mut self, grouping: &Grouping, place: Place) -> (Shape, KeyShape) {
        let mut shape = Shape::new(self.rows, Layout::new(Base::Fresh));
        let (mut ids, mut parts) = (vec![], vec![]);
        for ((name, kind), id) in grouping.names.iter().zip(&grouping.kinds).zip(&grouping.ids) {
            let time = self.time_format(*id);
            let register = self.add_to_row(&mut shape, name, Type::required(*kind), time, place);
            ids.extend(shape.get(name));
            parts.push((register, *kind));
        }
        // The row stands where its records stood: what decided their partition decides its.
        let partitioned = self.input.partitioned.iter().flatten();
        let position = |id: &FieldId| grouping.ids.iter().position(|g| g == id);
        shape.partitioned = partitioned.map(|id| Some(ids[position(id)?])).collect();
        shape.key = Some(ids);
        (shape, KeyShape(parts))
    }

    /// Adds a field to a fresh row.
    pub fn add_to_row(
        &mut self,
        shape: &mut Shape,
        name: &str,
        ty: Type,
        time: TimeFormat,
        place: Place,
    ) -> Register {
        let field = self.new_field(shape, ty, time, place);
        let register = self.register(field);
        shape.put(name, field);
        shape.edit(|layout| added(layout, name, register, ty, time));
        register
    }
}

/// A case with other keys than a case has.
fn misshapen(given: &[&str], place: Place) -> Diagnostic {
    let (message, help) = match given {
        [] => ("this case says nothing", "`{ when = '…', then = … }` or `{ otherwise = … }`"),
        ["when"] => ("this case has no value", "add `then = …`, or `then_is = '…'` for an expression"),
        ["then" | "then_is"] => {
            ("this case has no condition", "add `when = '…'`, or write `otherwise` for `then`")
        }
        _ => ("this case says two things", "`{ when = '…', then = … }` or `{ otherwise = … }`"),
    };
    Diagnostic::error(Code::WrongForm, message, place)
        .help(help)
        .note("`then`, `otherwise` are plain values; `then_is`, `otherwise_is` are expressions")
}

impl Grouping {
    /// What the bytes of a key mean.
    pub fn fingerprint(&self) -> String {
        let parts: Vec<_> =
            self.names.iter().zip(&self.kinds).map(|(name, kind)| format!("{name} {kind}")).collect();
        format!("by {}", parts.join(", "))
    }
}
