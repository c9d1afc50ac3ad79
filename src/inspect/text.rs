//! Records as rows of a table, for people.

use super::base64;
use super::json::{compact, is_json};
use super::reader::Entry;
use crate::diagnostic::Style;
use crate::headers;
use crate::time::write_timestamp;
use std::fmt::Write;

/// A longer key pushes its value to the right, alone.
const WIDEST_KEY: usize = 32;
const TITLES: [&str; 3] = ["AT", "TIME", "KEY"];

/// Rows that are aligned with each other. Columns only ever become wider, so that one page fits to the next.
#[derive(Debug)]
pub struct Page {
    style: Style,
    widths: [usize; 3],
    titled: bool,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    /// `partition:offset`, time, key.
    cells: [String; 3],
    value: String,
    reason: Option<String>,
    headers: String,
}

impl Page {
    /// An empty page; the first one has titles.
    pub fn new(style: Style) -> Self {
        Page { style, widths: TITLES.map(str::len), titled: false, rows: vec![] }
    }

    /// Adds a record.
    pub fn add(&mut self, entry: &Entry<'_>) {
        let row = Row::of(entry);
        for (width, cell) in self.widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count().min(WIDEST_KEY));
        }
        self.rows.push(row);
    }

    /// How many rows wait to be taken.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as text; the page is empty then.
    pub fn take(&mut self) -> String {
        let mut out = String::new();
        if !self.titled && !self.rows.is_empty() {
            self.titled = true;
            self.cells(&mut out, &TITLES.map(str::to_owned));
            out.push_str("VALUE\n");
        }
        for row in std::mem::take(&mut self.rows) {
            self.row(&mut out, &row);
        }
        out
    }

    fn row(&self, out: &mut String, row: &Row) {
        self.cells(out, &row.cells);
        out.push_str(&row.value);
        out.push('\n');
        let indent = self.widths.iter().map(|width| width + 2).sum();
        let (on, off) = if self.style == Style::Colour { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
        if let Some(reason) = &row.reason {
            let _ = writeln!(out, "{:indent$}{on}↳ {reason}{off}", "");
        }
        if !row.headers.is_empty() {
            let _ = writeln!(out, "{:indent$}{}", "", row.headers);
        }
    }

    fn cells(&self, out: &mut String, cells: &[String; 3]) {
        for (cell, width) in cells.iter().zip(self.widths) {
            let _ = write!(out, "{cell:width$}  ");
        }
    }
}

impl Row {
    fn of(entry: &Entry<'_>) -> Self {
        Row {
            cells: [
                format!("{}:{}", entry.partition, entry.offset),
                time(entry.timestamp),
                entry.key.map_or(
                    "-".to_owned(),
                    |key| if key.is_empty() { "\"\"".to_owned() } else { shown(key) },
                ),
            ],
            value: entry.value.map_or("(no value)".to_owned(), shown),
            reason: reason(entry.headers),
            headers: others(entry.headers),
        }
    }
}

fn time(ms: i64) -> String {
    let mut out = vec![];
    match write_timestamp(&mut out, ms) {
        Some(()) => String::from_utf8_lossy(&out).into_owned(),
        None => format!("{ms} ms"),
    }
}

/// Bytes on one line: JSON without its white space, text with nothing in it that moves a terminal's cursor, anything
/// else in base64.
fn shown(bytes: &[u8]) -> String {
    let mut out = vec![];
    match std::str::from_utf8(bytes) {
        Ok(text) if is_json(text) => compact(&mut out, bytes),
        Ok(text) => return harmless(text),
        Err(_) => {
            out.extend_from_slice(b"base64:");
            base64::encode(&mut out, bytes);
        }
    }
    // JSON may hold control characters that it need not escape: 7f and those above it.
    harmless(&String::from_utf8_lossy(&out))
}

fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// What streamrun says in the headers of a dead letter: "temperature above sensor range (valid, readings 2:17)".
fn reason(run: &[u8]) -> Option<String> {
    let find = |name: &str| {
        let found = headers::iter(run).filter(|(n, _)| *n == name.as_bytes()).last();
        found.map(|(_, value)| shown(value.unwrap_or_default()))
    };
    let mut text = find("streamrun-reason")?;
    let origin = match (find("streamrun-topic"), find("streamrun-partition"), find("streamrun-offset")) {
        (Some(topic), Some(partition), Some(offset)) => Some(format!("{topic} {partition}:{offset}")),
        _ => None,
    };
    let from: Vec<_> = find("streamrun-node").into_iter().chain(origin).collect();
    if !from.is_empty() {
        let _ = write!(text, " ({})", from.join(", "));
    }
    Some(text)
}

/// The headers that are not part of the reason.
fn others(run: &[u8]) -> String {
    const OWN: [&str; 5] =
        ["streamrun-reason", "streamrun-node", "streamrun-topic", "streamrun-partition", "streamrun-offset"];
    let is_dead = headers::iter(run).any(|(name, _)| name == OWN[0].as_bytes());
    let others =
        headers::iter(run).filter(|(name, _)| !is_dead || !OWN.iter().any(|own| own.as_bytes() == *name));
    let text = |(name, value): (&[u8], Option<&[u8]>)| {
        format!("{}: {}", harmless(&String::from_utf8_lossy(name)), value.map_or("-".to_owned(), shown))
    };
    others.map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'e>(
        offset: i64,
        key: Option<&'e [u8]>,
        value: Option<&'e [u8]>,
        headers: &'e [u8],
    ) -> Entry<'e> {
        Entry { partition: 0, offset, timestamp: 1_767_225_610_000 + offset, key, value, headers }
    }

    #[test]
    fn columns_are_aligned_and_grow_from_page_to_page() {
        let mut page = Page::new(Style::Plain);
        page.add(&entry(0, Some(b"a"), Some(b"{\"x\": 1}"), b""));
        page.add(&entry(1, None, None, b""));
        assert_eq!(
            page.take(),
            "AT   TIME                      KEY  VALUE\n\
             0:0  2026-01-01T00:00:10Z      a    {\"x\":1}\n\
             0:1  2026-01-01T00:00:10.001Z  -    (no value)\n"
        );
        page.add(&entry(1000, Some(b"sensor-1"), Some(b"two\nlines \x1b[31m"), b""));
        assert_eq!(page.take(), "0:1000  2026-01-01T00:00:11Z      sensor-1  two\\nlines \\u{1b}[31m\n");
        assert_eq!((page.take(), page.is_empty()), (String::new(), true));
    }

    #[test]
    fn the_reason_of_a_dead_letter_stands_below_it() {
        let mut run = vec![];
        for (name, value) in [
            ("trace", "7"),
            ("streamrun-reason", "too hot"),
            ("streamrun-node", "valid"),
            ("streamrun-topic", "readings"),
            ("streamrun-partition", "2"),
            ("streamrun-offset", "17"),
        ] {
            headers::push(&mut run, name.as_bytes(), Some(value.as_bytes()));
        }
        let mut page = Page::new(Style::Plain);
        page.add(&entry(0, Some(b"\xff"), Some(b""), &run));
        let text = page.take();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        assert_eq!(lines[1], "0:0  2026-01-01T00:00:10Z  base64:/w==  ");
        assert_eq!(lines[2..], ["↳ too hot (valid, readings 2:17)", "trace: 7"]);
    }
}
