//! The file as it was written: tables, keys and values, each with its place. No meaning, no defaults.
//!
//! TOML itself is read by the `toml` crate, which recovers from faults, so that one run reports all of them; this
//! module is its only user. What comes out is a tree whose texts know where each of their bytes stands, escapes
//! included, because expressions live in texts and their faults are underlined inside them.

use crate::diagnostic::{Code, Diagnostic, Passage, Place};

mod text;
mod tree;

pub use tree::{Entry, Item, Table, Value};

/// The largest file that is read. A pipeline is written by people; what is larger is something else.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a file's text. Faults of syntax do not hide what could be read around them.
pub fn parse(source: &str, faults: &mut Vec<Diagnostic>) -> Table {
    let (table, errors) = toml::de::DeTable::parse_recoverable(source);
    for error in errors {
        faults.push(syntax_fault(source, &error));
    }
    tree::table(source, table.get_ref(), Place::new(table.span()))
}

/// Reads bytes as a pipeline's text: faults of the file as a whole come from here.
pub fn decode(bytes: &[u8]) -> Result<&str, Box<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; a pipeline has at most {MAX_BYTES}", bytes.len());
        return Err(Box::new(
            Diagnostic::file(Code::TooLarge, message).help("is this the pipeline, or its data?"),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        let message = format!("the file is not UTF-8: byte {} (line {line})", error.valid_up_to());
        Box::new(Diagnostic::file(Code::NotUtf8, message).help("save it as UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A fault that the TOML parser found, with a help for the slips that are likely to be behind it.
fn syntax_fault(source: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let end = source.ceil_char_boundary(span.end.min(source.len()));
    let place = visible(source, start, end.max(start));
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let fault = Diagnostic::error(Code::Syntax, message, place);
    match slip(source, start) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// A place with something to underline: an empty one is widened, and one at the end of the file points at the last
/// character.
fn visible(source: &str, start: usize, end: usize) -> Place {
    if end > start {
        return Place::new(start..end);
    }
    if start < source.len() {
        return Place::new(start..source.ceil_char_boundary(start + 1));
    }
    Place::new(source.floor_char_boundary(source.len().saturating_sub(1))..source.len())
}

/// What a person who wrote this line may have meant.
fn slip(source: &str, at: usize) -> Option<&'static str> {
    let from = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let line = source[from..].lines().next()?.trim();
    let (_, value) = line.split_once('=')?;
    let value = value.trim();
    let first = value.chars().next();
    if value.is_empty() {
        return Some("a value is missing behind `=`");
    }
    if first == Some('\'') && value.matches('\'').count() > 2 {
        return Some(
            "a text in single quotes cannot hold a single quote: put double quotes around the expression",
        );
    }
    if first.is_some_and(|c| c.is_ascii_alphabetic()) && value != "true" && value != "false" {
        return Some("texts and expressions stand in quotes");
    }
    None
}

/// Parses one TOML value that stands alone, as `--set name=value` does.
pub fn parse_value(text: &str) -> Option<Item> {
    let value = toml::de::DeValue::parse(text).ok()?;
    Some(tree::item(text, value.get_ref(), Place::new(value.span())).item)
}

/// A text that stands alone, with its places counted from its own start.
pub fn passage(text: &str) -> Passage {
    Passage::plain(text, 0)
}
