//! What a name may look like.

use crate::diagnostic::{Code, Diagnostic, Place};

/// The name of the output that every pipeline has.
pub const DEAD_LETTERS: &str = "dead_letters";

/// `[a-z][a-z0-9_]*`, at most 100 characters: names end up in topic names.
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 100
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Kafka's rule for topics.
pub fn is_topic(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= 249 && name != "." && name != ".." && name.bytes().all(legal)
}

/// A pipeline's name is a consumer group and the start of topics' names.
pub fn is_pipeline(name: &str) -> bool {
    is_topic(name) && name.len() <= 100
}

/// A name that cannot be one, with one that could.
pub fn bad_name(name: &str, place: Place) -> Diagnostic {
    let mut better: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' })
        .take(100)
        .collect();
    if !better.starts_with(|c: char| c.is_ascii_lowercase()) {
        better = format!("n{better}");
    }
    Diagnostic::error(Code::BadName, format!("`{name}` cannot be a name"), place)
        .label("lower-case letters, digits and `_`, a letter first")
        .help(format!("`{better}` could be one"))
}

/// A topic that Kafka would refuse.
pub fn bad_topic(name: &str, place: Place) -> Diagnostic {
    Diagnostic::error(Code::BadName, format!("Kafka has no topic called \"{name}\""), place)
        .label("letters, digits, `.`, `_` and `-`, at most 249 of them")
}

/// Names as notes list them: all of a few, the first of many.
pub fn some(names: &[&str]) -> String {
    const MOST: usize = 20;
    match names.len() {
        ..=MOST => names.join(", "),
        more => format!("{} and {} more", names[..MOST].join(", "), more - MOST),
    }
}
