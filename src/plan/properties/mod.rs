//! librdkafka's properties in `[kafka.common]`, `[kafka.consumer]` and `[kafka.producer]`, checked without a broker.
//!
//! Names and values are held against a table of what librdkafka takes, narrowed where streamrun's guarantee rests on
//! a value: offsets, isolation, acknowledgements, order, partitioning. What is left goes to the client as it is; what
//! librdkafka demands of several properties together, it says itself when a client is made.
//!
//! A secret never stands in the file, and if it does, it never reaches a terminal or a log: no message here holds a
//! value that may be one, and its place in the rendered source is covered. An unknown property may be a misspelt
//! secret, so it is treated as one.

use crate::diagnostic::{Code, Diagnostic, Passage, Place, did_you_mean};
use crate::spec::{Item, Table, Value};
use table::{PROPERTIES, Property, Rule};
use value::Misfit;

mod table;
mod value;

/// Whose properties a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Every client's.
    Common,
    /// A consumer's.
    Consumer,
    /// A producer's.
    Producer,
}

impl Side {
    /// The table of the file that holds them.
    pub fn header(self) -> &'static str {
        match self {
            Side::Common => "[kafka.common]",
            Side::Consumer => "[kafka.consumer]",
            Side::Producer => "[kafka.producer]",
        }
    }

    /// Whether a table of this side may hold a property of that one.
    fn takes(self, property: Side) -> bool {
        property == self || property == Side::Common
    }
}

/// What a property is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The value, as librdkafka spells it.
    Plain(String),
    /// The environment variable that holds it. It is read when the pipeline runs: `check` needs no secrets.
    Env(String),
}

/// Checks a table of properties. What comes back is sound, each property once and under its one name (see
/// [`canonical`]), in the order of the file.
pub fn check(
    side: Side,
    table: &Table,
    exactly_once: bool,
    faults: &mut Vec<Diagnostic>,
) -> Vec<(String, Setting)> {
    let mut check = Check { side, exactly_once, faults, seen: vec![], settings: vec![] };
    check.table("", table);
    check.settings
}

/// The one name of a property that has several, for defaults that a setting is to replace.
pub fn canonical(name: &str) -> Option<&'static str> {
    table::find(name).map(|property| property.name)
}

struct Check<'a> {
    side: Side,
    exactly_once: bool,
    faults: &'a mut Vec<Diagnostic>,
    /// The properties met so far, each with the place of its name.
    seen: Vec<(&'static str, Place)>,
    settings: Vec<(String, Setting)>,
}

/// A property as it stands in the file.
struct Written<'a> {
    name: &'a str,
    place: Place,
    value: &'a Value,
}

impl Check<'_> {
    fn table(&mut self, prefix: &str, table: &Table) {
        for entry in &table.entries {
            let name = match prefix {
                "" => entry.key.clone(),
                _ => format!("{prefix}.{}", entry.key),
            };
            match group(&name, &entry.value) {
                Some(inner) => self.table(&name, inner),
                None => self.entry(&Written { name: &name, place: entry.place, value: &entry.value }),
            }
        }
    }

    fn entry(&mut self, written: &Written<'_>) {
        let Some(property) = table::find(written.name) else {
            return self.faults.push(unknown(self.side, written));
        };
        let checked = self
            .allowed(property, written)
            .and_then(|()| self.once(property, written))
            .and_then(|()| setting(property, written));
        match checked {
            Ok(setting) if self.has_effect(property, written) => {
                self.settings.push((property.name.to_owned(), setting));
            }
            Ok(_) => {}
            Err(fault) => self.faults.push(*fault),
        }
    }

    /// Whether the property may stand here, whatever its value.
    fn allowed(&self, property: &Property, written: &Written<'_>) -> Result<(), Box<Diagnostic>> {
        if let Rule::Never = property.rule {
            let message = format!("`{}` cannot be set in a file: it is for programs", written.name);
            return Err(Box::new(hide(refused(written, message, "remove it"), written.value)));
        }
        let owned = match property.rule {
            Rule::Owned(why, instead) => Some((why, instead)),
            // A transaction that has ended takes no more records: the two times are one.
            _ if property.name == "delivery.timeout.ms" && self.exactly_once => {
                Some(("a record has as long as its transaction", "write `transaction.timeout.ms`"))
            }
            _ => None,
        };
        if let Some((why, instead)) = owned {
            let message = format!("`{}` cannot be set here: {why}", written.name);
            return Err(Box::new(refused(written, message, instead)));
        }
        if !self.side.takes(property.side) {
            let clients = if property.side == Side::Consumer { "consumers" } else { "producers" };
            let message = format!("`{}` is a property of {clients}", written.name);
            let fault = Diagnostic::error(Code::UnknownProperty, message, written.place);
            return Err(Box::new(fault.help(format!("move it to `{}`", property.side.header()))));
        }
        Ok(())
    }

    /// A property with two names can be set twice, and librdkafka would take either.
    fn once(&mut self, property: &Property, written: &Written<'_>) -> Result<(), Box<Diagnostic>> {
        let Some((_, first)) = self.seen.iter().find(|(name, _)| *name == property.name) else {
            self.seen.push((property.name, written.place));
            return Ok(());
        };
        let message = format!("`{}` is set twice", property.name);
        let fault = Diagnostic::error(Code::BadProperty, message, written.place)
            .label("another name of it")
            .also(*first, "set here first")
            .help("remove one of them");
        Err(Box::new(covered(fault, property, written)))
    }

    /// Warns of a property that changes nothing.
    fn has_effect(&mut self, property: &Property, written: &Written<'_>) -> bool {
        let why = match property.rule {
            Rule::Idle => "librdkafka ignores it",
            _ if property.name == "transaction.timeout.ms" && !self.exactly_once => {
                "`guarantee` is at-least-once, so there are no transactions"
            }
            _ => return true,
        };
        let message = format!("`{}` has no effect: {why}", written.name);
        self.faults.push(Diagnostic::warning(Code::IdleProperty, message, written.place).help("remove it"));
        false
    }
}

/// The table behind a name without quotes: to TOML, `ssl.ca.location = …` is a table in a table in a table.
fn group<'v>(name: &str, value: &'v Value) -> Option<&'v Table> {
    let inner = value.as_table()?;
    let is_value = inner.entries.is_empty() || inner.get("env").is_some() || table::find(name).is_some();
    (!is_value).then_some(inner)
}

fn setting(property: &Property, written: &Written<'_>) -> Result<Setting, Box<Diagnostic>> {
    if written.value.as_table().is_some() {
        return variable(property, written).map(Setting::Env);
    }
    let text = match &written.value.item {
        Item::Text(text) => text.text.clone(),
        Item::Int(n) => n.to_string(),
        Item::Float(x) => x.to_string(),
        Item::Bool(b) => b.to_string(),
        other => return Err(misshapen(property, written, other.what())),
    };
    if let Rule::Secret = property.rule {
        return Err(Box::new(in_file(written)));
    }
    match value::fit(property.rule, &text) {
        Ok(text) => Ok(Setting::Plain(text)),
        Err(misfit) => Err(Box::new(misfitting(written, &text, misfit))),
    }
}

/// The variable that `{ env = "…" }` names.
fn variable(property: &Property, written: &Written<'_>) -> Result<String, Box<Diagnostic>> {
    let only = match written.value.as_table().map(|table| table.entries.as_slice()) {
        Some([entry]) if entry.key == "env" => entry.value.as_text(),
        _ => None,
    };
    let Some(name) = only.filter(|name| is_variable(name)) else {
        return Err(match (property.rule, only) {
            (_, Some(_)) => misshapen(property, written, "no variable's name"),
            (Rule::Secret, None) => Box::new(in_file(written)),
            (_, None) => misshapen(property, written, "a table"),
        });
    };
    match property.rule {
        Rule::Fixed(_, why) | Rule::Guarded(_, _, why) => {
            let message = format!("`{}` cannot come from the environment: {why}", written.name);
            let instead = format!("write the value here: {}", value::expected(property.rule));
            Err(Box::new(refused(written, message, &instead)))
        }
        _ => Ok(name.text.clone()),
    }
}

fn is_variable(name: &Passage) -> bool {
    let mut bytes = name.text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unknown(side: Side, written: &Written<'_>) -> Diagnostic {
    let message = format!("librdkafka has no property `{}`", written.name);
    let fault = hide(Diagnostic::error(Code::UnknownProperty, message, written.place), written.value);
    if let Some(instead) = table::foreign(written.name) {
        return fault.label("a property of other Kafka clients").help(instead);
    }
    let names = |here: bool| {
        let settable = PROPERTIES.iter().filter(|p| !matches!(p.rule, Rule::Never));
        settable.filter(move |p| side.takes(p.side) == here).map(|p| p.name)
    };
    let close = did_you_mean(written.name, names(true).chain(names(false)));
    let Some(close) = close.and_then(|name| Some((name, table::find(name)?))) else { return fault };
    match close {
        (name, Property { rule: Rule::Owned(why, instead), .. }) => {
            fault.help(format!("did you mean `{name}`? it cannot be set here, {why}: {instead}"))
        }
        (name, property) if !side.takes(property.side) => {
            fault.help(format!("did you mean `{name}`, in `{}`?", property.side.header()))
        }
        (name, _) => fault.help(format!("did you mean `{name}`?")),
    }
}

fn refused(written: &Written<'_>, message: String, instead: &str) -> Diagnostic {
    Diagnostic::error(Code::RefusedProperty, message, written.place).help(instead)
}

fn in_file(written: &Written<'_>) -> Diagnostic {
    let message = format!("`{}` is a secret, and this file is not the place for it", written.name);
    hide(Diagnostic::error(Code::SecretInFile, message, written.place), written.value)
        .help(format!("\"{}\" = {{ env = \"{}\" }}", written.name, suggested_variable(written.name)))
        .note("whoever has seen the file knows the secret: change it")
}

/// `sasl.password` → `KAFKA_SASL_PASSWORD`.
fn suggested_variable(name: &str) -> String {
    format!("KAFKA_{}", name.replace('.', "_").to_ascii_uppercase())
}

/// A value that is nothing a property can be set to.
fn misshapen(property: &Property, written: &Written<'_>, found: &str) -> Box<Diagnostic> {
    let expected = match property.rule {
        Rule::Secret => "`{ env = \"NAME\" }`".to_owned(),
        rule => format!("{}, or `{{ env = \"NAME\" }}`", value::expected(rule)),
    };
    let message = format!("`{}` must be {expected}", written.name);
    let fault = Diagnostic::error(Code::BadProperty, message, written.value.place);
    Box::new(covered(fault.label(format!("found {found}")), property, written))
}

fn misfitting(written: &Written<'_>, text: &str, misfit: Misfit) -> Diagnostic {
    let name = written.name;
    match misfit {
        Misfit::Refused { expected, why, instead } => {
            let message = format!("`{name}` must {expected}: {why}");
            Diagnostic::error(Code::RefusedProperty, message, written.value.place)
                .label(format!("found `{text}`"))
                .help(instead)
        }
        Misfit::Bad { expected, close } => {
            let message = format!("`{name}` must be {expected}");
            let fault = Diagnostic::error(Code::BadProperty, message, written.value.place);
            let fault = fault.label(format!("found `{text}`"));
            match close {
                Some(close) => fault.help(format!("did you mean `{close}`?")),
                None if name.ends_with(".ms") && starts_as_number(text) => {
                    fault.help("write plain milliseconds, without a unit")
                }
                None => fault,
            }
        }
    }
}

/// `10s`, `1_000`, `1e3`.
fn starts_as_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<i64>().is_err()
}

/// Covers the value where it may be a secret.
fn covered(fault: Diagnostic, property: &Property, written: &Written<'_>) -> Diagnostic {
    match property.rule {
        Rule::Secret => hide(fault, written.value),
        _ => fault,
    }
}

/// Covers a value. Of a table, what is in it: the place of one with dotted names is a name.
fn hide(fault: Diagnostic, value: &Value) -> Diagnostic {
    match value.as_table() {
        Some(inner) => inner.entries.iter().fold(fault, |fault, entry| hide(fault, &entry.value)),
        None => fault.redact(value.place),
    }
}

#[cfg(test)]
mod tests;
