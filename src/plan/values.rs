//! Values of settings: literals, or params that stand in for them.

use super::faults::Faults;
use super::scope::Shared;
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::expr::ParamValue;
use crate::spec::{Item, Value};
use crate::time;
use std::cell::RefCell;

/// A duration in milliseconds: a text that reads as one, or the name of a param that is one.
pub fn duration(
    key: &str,
    value: &Value,
    least: i64,
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Option<i64> {
    let text = value.as_text()?;
    let ms = match time::parse_duration(&text.text) {
        Some(ms) => ms,
        None => match take(key, text, "a duration such as \"5s\"", shared, faults)? {
            (ParamValue::Duration(ms), _) => ms,
            (other, place) => {
                faults.add(wrong_param(key, text, &other, place, "a duration"));
                return None;
            }
        },
    };
    if ms < least {
        let least = time::format_duration(least);
        faults.add(
            Diagnostic::error(Code::BadValue, format!("`{key}` cannot be {}", text.text), text.place)
                .label(format!("expected at least {least}")),
        );
        return None;
    }
    Some(ms)
}

/// A boolean, or the name of a param that is one.
pub fn flag(key: &str, value: &Value, shared: &RefCell<Shared>, faults: &mut Faults) -> Option<bool> {
    match &value.item {
        Item::Bool(b) => Some(*b),
        Item::Text(text) => match take(key, text, "true or false", shared, faults)? {
            (ParamValue::Bool(b), _) => Some(b),
            (other, place) => {
                faults.add(wrong_param(key, text, &other, place, "true or false"));
                None
            }
        },
        _ => None,
    }
}

/// A whole number, or the name of a param that is one.
pub fn number(
    key: &str,
    value: &Value,
    least: i64,
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Option<i64> {
    let number = match &value.item {
        Item::Int(number) => *number,
        Item::Text(text) => match take(key, text, "a whole number", shared, faults)? {
            (ParamValue::Int(number), _) => number,
            (other, place) => {
                faults.add(wrong_param(key, text, &other, place, "a whole number"));
                return None;
            }
        },
        _ => return None,
    };
    if number < least {
        // A literal has been refused with its form; a param is looked at only here.
        if value.as_text().is_some() {
            faults.add(
                Diagnostic::error(Code::BadValue, format!("`{key}` cannot be {number}"), value.place)
                    .label(format!("expected at least {least}")),
            );
        }
        return None;
    }
    Some(number)
}

/// A size in bytes, or the name of a param that is one.
pub fn size(key: &str, value: &Value, shared: &RefCell<Shared>, faults: &mut Faults) -> Option<u64> {
    let text = value.as_text()?;
    if let Some(bytes) = time::parse_size(&text.text) {
        return Some(bytes);
    }
    match take(key, text, "a size such as \"64MiB\"", shared, faults)? {
        (ParamValue::Int(bytes), _) if bytes > 0 => Some(bytes as u64),
        (ParamValue::Text(size), _) if time::parse_size(&size).is_some() => time::parse_size(&size),
        (other, place) => {
            faults.add(wrong_param(key, text, &other, place, "a size"));
            None
        }
    }
}

fn take(
    key: &str,
    text: &Passage,
    expected: &str,
    shared: &RefCell<Shared>,
    faults: &mut Faults,
) -> Option<(ParamValue, Place)> {
    let mut shared = shared.borrow_mut();
    if let Some(param) = shared.params.take(&text.text) {
        return Some((param.value, param.declared));
    }
    if shared.params.is_faulty(&text.text) {
        return None;
    }
    let names = shared.params.all().iter().map(|p| p.name.as_str());
    faults.add(
        Diagnostic::error(Code::BadValue, format!("`{key}` cannot be \"{}\"", text.text), text.place)
            .label(format!("expected {expected}, or a param"))
            .suggest(&text.text, names),
    );
    None
}

fn wrong_param(key: &str, text: &Passage, value: &ParamValue, place: Place, expected: &str) -> Diagnostic {
    let message = format!("`{key}` needs {expected}, but `{}` is {}", text.text, super::params::what(value));
    Diagnostic::error(Code::TypeMismatch, message, text.place)
        .label(format!("expected {expected}"))
        .also(place, "set here")
}
