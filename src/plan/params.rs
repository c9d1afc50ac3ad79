//! `[params]`: the numbers people change, with what the command line and the environment say instead.

use super::damage::Damage;
use super::faults::Faults;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::expr::{Param, ParamValue};
use crate::spec::{Entry, Item, Table};
use crate::time;

/// A param.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is set to, overrides included.
    pub value: ParamValue,
    /// Where its name stands.
    pub place: Place,
    /// Whether anything has asked for it.
    pub used: bool,
}

/// All params of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    declared: Vec<Declared>,
    /// Params whose value is at fault: nothing is said of what uses them.
    faulty: Vec<String>,
}

/// What the command line or the environment sets, and where it came from, for messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The param.
    pub name: String,
    /// What it is set to, as it was given.
    pub value: String,
    /// Who says so: `--set`, `STREAMRUN_PARAM_…`, a test.
    pub source: String,
}

impl Params {
    /// Reads the table, then what overrides it; the last one wins.
    pub fn read(table: Option<&Table>, overrides: &[Override], damage: &Damage, faults: &mut Faults) -> Self {
        let mut params = Params::default();
        for entry in table.map(|t| t.entries.as_slice()).unwrap_or_default() {
            if !super::names::is_name(&entry.key) {
                faults.add(super::names::bad_name(&entry.key, entry.place));
            }
            let name = entry.key.clone();
            match value(entry, faults).filter(|_| !damage.touches(entry.place)) {
                Some(value) => {
                    params.declared.push(Declared { name, value, place: entry.place, used: false })
                }
                None => params.faulty.push(name),
            }
        }
        for over in overrides {
            params.set(over, faults);
        }
        params
    }

    /// The param of a name, which counts as used from now on.
    pub fn take(&mut self, name: &str) -> Option<Param> {
        let declared = self.declared.iter_mut().find(|p| p.name == name)?;
        declared.used = true;
        Some(Param { value: declared.value.clone(), declared: declared.place })
    }

    /// The param of a name, without using it.
    pub fn get(&self, name: &str) -> Option<&Declared> {
        self.declared.iter().find(|p| p.name == name)
    }

    /// Whether there is such a param, but its value is at fault.
    pub fn is_faulty(&self, name: &str) -> bool {
        self.faulty.iter().any(|faulty| faulty == name)
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[Declared] {
        &self.declared
    }

    fn set(&mut self, over: &Override, faults: &mut Faults) {
        let Some(param) = self.declared.iter_mut().find(|p| p.name == over.name) else {
            let names = self.declared.iter().map(|p| p.name.as_str());
            return faults.add(
                Diagnostic::file(
                    Code::UnknownParam,
                    format!("{} sets `{}`, which is no param", over.source, over.name),
                )
                .suggest(&over.name, names),
            );
        };
        match parse_as(&param.value, &over.value) {
            Some(value) => param.value = value,
            None => faults.add(
                Diagnostic::error(
                    Code::BadValue,
                    format!("{} cannot set `{}` to `{}`", over.source, over.name, over.value),
                    param.place,
                )
                .label(format!("it is {}", what(&param.value))),
            ),
        }
    }
}

/// What a param is, for messages.
pub fn what(value: &ParamValue) -> &'static str {
    match value {
        ParamValue::Bool(_) => "a boolean",
        ParamValue::Int(_) => "an integer",
        ParamValue::Float(_) => "a float",
        ParamValue::Text(_) => "a text",
        ParamValue::Duration(_) => "a duration",
    }
}

fn value(entry: &Entry, faults: &mut Faults) -> Option<ParamValue> {
    match &entry.value.item {
        Item::Int(n) => Some(ParamValue::Int(*n)),
        Item::Float(x) if x.is_finite() => Some(ParamValue::Float(*x)),
        Item::Bool(b) => Some(ParamValue::Bool(*b)),
        Item::Text(text) => Some(text_value(&text.text)),
        _ => {
            let expected = "a finite number, a text, a boolean or a duration";
            faults.add(super::form::wrong_form(&entry.key, &entry.value, expected));
            None
        }
    }
}

/// A text that reads as a duration is one.
fn text_value(text: &str) -> ParamValue {
    match time::parse_duration(text) {
        Some(ms) => ParamValue::Duration(ms),
        None => ParamValue::Text(text.to_owned()),
    }
}

/// Whether a text can be a value of the same kind as `like`.
pub fn fits(like: &ParamValue, text: &str) -> bool {
    parse_as(like, text).is_some()
}

/// A text as a value of the same kind as `like`: an override may not change what expressions were written for,
/// but an integer will do where a float is wanted.
fn parse_as(like: &ParamValue, text: &str) -> Option<ParamValue> {
    match like {
        ParamValue::Bool(_) => text.parse().ok().map(ParamValue::Bool),
        ParamValue::Int(_) => text.replace('_', "").parse().ok().map(ParamValue::Int),
        ParamValue::Float(_) => {
            let float: f64 = text.replace('_', "").parse().ok()?;
            float.is_finite().then_some(ParamValue::Float(float))
        }
        ParamValue::Duration(_) => time::parse_duration(text).map(ParamValue::Duration),
        ParamValue::Text(_) => Some(ParamValue::Text(text.to_owned())),
    }
}
