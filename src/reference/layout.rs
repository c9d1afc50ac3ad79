//! Text set for a terminal: wrapped, indented, in columns.

use crate::plan::{Form, Key};

/// The width that is kept to.
pub const WIDTH: usize = 100;

/// A text in lines of at most [`WIDTH`], each indented. What stands between backticks is broken like all else.
pub fn wrapped(text: &str, indent: usize) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    let width = |line: &str| line.chars().count();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + width(&line) + 1 + width(word) > WIDTH {
            flush(&mut out, &mut line, indent);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    flush(&mut out, &mut line, indent);
    out
}

fn flush(out: &mut String, line: &mut String, indent: usize) {
    if !line.is_empty() {
        out.push_str(&format!("{:indent$}{line}\n", ""));
        line.clear();
    }
}

/// Lines of a term and what is said of it, the terms in a column.
pub fn columns<'r>(rows: impl IntoIterator<Item = (&'r str, &'r str)>, indent: usize) -> String {
    let rows: Vec<(&str, &str)> = rows.into_iter().collect();
    let column = rows.iter().map(|(term, _)| term.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (term, text) in rows {
        let said = wrapped(text, indent + column + 2);
        let first = said.trim_start();
        out.push_str(&format!("{:indent$}{term:column$}  {first}", ""));
        if first.is_empty() {
            out.push('\n');
        }
    }
    out
}

/// An example, as it is written.
pub fn example(text: &str) -> String {
    let lines = text.trim().lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
    format!("Example\n\n{}", lines.collect::<String>())
}

/// The keys of a table: what each does, and what may stand behind it. Those that have to be there have a star.
pub fn keys(keys: &[Key]) -> String {
    let mut out = String::new();
    if keys.iter().any(|key| key.required) {
        out.push_str("Keys (* has to be there)\n\n");
    } else {
        out.push_str("Keys\n\n");
    }
    let mut rows = vec![];
    list("", keys, &mut rows);
    out.push_str(&columns(rows.iter().map(|(term, text)| (term.as_str(), text.as_str())), 2));
    out
}

fn list(prefix: &str, keys: &[Key], rows: &mut Vec<(String, String)>) {
    for key in keys {
        let star = if key.required { " *" } else { "" };
        rows.push((format!("{prefix}{}{star}", key.name), said(key)));
        if let Form::List(inner) | Form::Table(inner) = key.form {
            list(&format!("{prefix}{}: ", key.name), inner, rows);
        }
    }
}

/// What a key does, and what it wants where that is not plain.
fn said(key: &Key) -> String {
    match key.form {
        Form::Any | Form::Text | Form::Field | Form::Node | Form::Inputs => key.doc.to_owned(),
        form => format!("{} ({})", key.doc, form.expects()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_between_words() {
        let text = "word ".repeat(60);
        assert!(wrapped(&text, 4).lines().all(|l| l.chars().count() <= WIDTH && l.starts_with("    word")));
        assert_eq!(wrapped("", 4), "");
        assert_eq!(wrapped(&"x".repeat(200), 1).trim().len(), 200);
    }

    #[test]
    fn terms_stand_in_a_column() {
        assert_eq!(columns([("a", "first"), ("long", "second")], 1), " a     first\n long  second\n");
    }
}
