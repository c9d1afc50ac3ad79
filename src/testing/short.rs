//! Records and rows in a line.

use super::look::Written;

/// What is shown of a long text.
const MOST: usize = 96;

/// A row as people see it: its value, and why it is a dead letter if it is one.
pub fn shown(row: &Written) -> String {
    let value = if row.value.is_none() { "a tombstone" } else { row.text.as_str() };
    match row.headers.iter().find(|(name, _)| name == "streamrun-reason") {
        Some((_, reason)) => format!("{value} ({reason})"),
        None => value.to_owned(),
    }
}

/// The same with its key.
pub fn described(row: &Written) -> String {
    match &row.key {
        Some(key) => format!("{key}: {}", shown(row)),
        None => shown(row),
    }
}

/// A text in a line: its start and its end if it is long, control characters as escapes.
pub fn short(text: &str) -> String {
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= MOST {
        return characters.into_iter().map(plain).collect();
    }
    let (start, end) = (&characters[..MOST * 2 / 3], &characters[characters.len() - MOST / 3..]);
    let side = |side: &[char]| side.iter().copied().map(plain).collect::<String>();
    format!("{} … {}", side(start), side(end))
}
