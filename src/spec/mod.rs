//! The file as it was written: tables, keys and values, each with its place. No meaning, no defaults.
//!
//! TOML itself is read by the `toml` crate, which recovers from faults, so that one run reports all of them; this
//! module is its only user. What comes out is a tree whose texts know where each of their bytes stands, escapes
//! included, because expressions live in texts and their faults are underlined inside them.

use crate::diagnostic::{Code, Diagnostic, Place};

mod syntax;
mod text;
mod tree;

pub use syntax::UNCLOSED_TEXT;
pub use tree::{Entry, Item, Table, Value};

/// The largest file that is read. A pipeline is written by people; what is larger is something else.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a file's text. Faults of syntax do not hide what could be read around them.
pub fn parse(source: &str, faults: &mut Vec<Diagnostic>) -> Table {
    let (table, errors) = toml::de::DeTable::parse_recoverable(source);
    faults.extend(syntax::faults(source, &errors));
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
