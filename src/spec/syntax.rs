//! Faults of TOML itself, said so that one slip is one fault.
//!
//! The parser goes on behind a fault as well as it can, and then stumbles over what follows from it. Of several faults
//! in a line the first is kept; a list that is never closed swallows the sections below it and is one fault, too.

use crate::diagnostic::{Code, Diagnostic, Place};
use std::ops::Range;

/// A fault as the parser found it.
struct Found {
    what: String,
    expected: String,
    span: Range<usize>,
}

/// More lines than this are not TOML at all.
const MOST: usize = 100;

/// All faults of a file, each once.
pub fn faults(source: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut found: Vec<_> = errors.iter().map(|error| Found::of(source, error)).collect();
    found.sort_by_key(|f| f.span.start);
    let unclosed = found.iter().find(|f| f.what.starts_with("unclosed array")).map(|f| f.span.start);
    let mut found = one_a_line(source, found);
    if let Some(end) = unclosed {
        swallowed(source, end, &mut found);
    }
    repeated(source, &mut found);
    found.iter().map(|f| f.said(source)).collect()
}

fn one_a_line(source: &str, found: Vec<Found>) -> Vec<Found> {
    let mut kept: Vec<Found> = vec![];
    let mut end = None;
    for fault in found {
        if end.is_none_or(|end| fault.span.start > end) && kept.len() < MOST {
            end = Some(line(source, fault.span.start).end);
            kept.push(fault);
        }
    }
    kept
}

impl Found {
    fn of(source: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let start = source.floor_char_boundary(span.start.min(source.len()));
        let end = source.ceil_char_boundary(span.end.min(source.len()));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let (what, expected) = message.split_once(", expected ").unwrap_or((&message, ""));
        Found { what: what.to_owned(), expected: expected.to_owned(), span: start..end.max(start) }
    }

    fn said(&self, source: &str) -> Diagnostic {
        let line = &source[line(source, self.span.start)];
        let place = visible(source, self.span.clone());
        let value = line.split_once('=').map(|(_, value)| value.trim());
        if self.what == "duplicate key" {
            return duplicate(source, self.span.clone());
        }
        let message = match self.what.as_str() {
            "string values must be quoted" if value == Some("") => "a value is missing behind `=`".to_owned(),
            "string values must be quoted" | "invalid boolean" => "this value has no quotes".to_owned(),
            what if what.starts_with("invalid") && what.ends_with("string") => UNCLOSED_TEXT.to_owned(),
            "unclosed table" => "this header is never closed".to_owned(),
            what if matches!(self.expected.as_str(), "" | "nothing") => what.to_owned(),
            what => format!("{what}, expected {}", self.expected),
        };
        let fault = Diagnostic::error(Code::Syntax, message, place);
        match slip(line, value, &self.what) {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

/// What a person who wrote this line may have meant.
fn slip(line: &str, value: Option<&str>, what: &str) -> Option<&'static str> {
    let first = value.and_then(|value| value.chars().next());
    match (value, first) {
        _ if what == UNCLOSED_ABOVE => Some("close it with `]` above this line"),
        _ if what.contains("escape") || what.contains("unicode") => {
            Some("a backslash is written twice; in single quotes once")
        }
        (Some(""), _) => Some("an expression or text stands in quotes, a list in `[` and `]`"),
        (_, Some('“' | '”' | '„' | '‘' | '’')) => {
            Some("these are quotes of typography: write `\"` or `'`")
        }
        (Some(value), Some('\'')) if value.matches('\'').count() > 2 => Some(
            "a text in single quotes cannot hold a single quote: put double quotes around the expression",
        ),
        (Some(value), Some(c)) if c.is_alphabetic() && value != "true" && value != "false" => {
            Some("texts and expressions stand in quotes")
        }
        (None, _) if line.trim_start().starts_with('{') => Some("a pipeline is TOML, not JSON"),
        (None, _) if line.trim_start().starts_with(|c: char| c.is_alphanumeric()) && line.contains(':') => {
            Some("TOML has `=` where other formats have `:`")
        }
        _ => None,
    }
}

const UNCLOSED_ABOVE: &str = "a list above is never closed";

/// What is said of a text that swallows what stands below it.
pub const UNCLOSED_TEXT: &str = "this text is never closed";

/// A list that is never closed takes the sections below for its elements: what is found in them is one fault, at the
/// first header that was swallowed.
fn swallowed(source: &str, end: usize, found: &mut Vec<Found>) {
    let header = |f: &Found| source[line(source, f.span.start)].trim_start().starts_with('[');
    let within = found.iter().take_while(|f| f.span.start <= end).count();
    let Some(start) = found[..within].iter().position(header) else { return };
    let span = line(source, found[start].span.start);
    let fault = Found { what: UNCLOSED_ABOVE.to_owned(), expected: String::new(), span };
    found.splice(start..within, [fault]);
}

/// What stands below a header that is there twice is not there twice by itself.
fn repeated(source: &str, found: &mut Vec<Found>) {
    let mut header: Option<usize> = None;
    found.retain(|f| {
        if f.what != "duplicate key" {
            return true;
        }
        let start = line(source, f.span.start).start;
        if source[start..].starts_with('[') {
            header = Some(start);
            return true;
        }
        header.is_none_or(|header| source[header + 1..start].contains("\n["))
    });
}

fn duplicate(source: &str, span: Range<usize>) -> Diagnostic {
    let here = line(source, span.start);
    let is_header = source[here.clone()].starts_with('[');
    let text = match is_header {
        true => source[here.clone()].split(']').next().unwrap_or_default(),
        false => &source[span.clone()],
    };
    let from = if is_header { 0 } else { source[..here.start].rfind("\n[").unwrap_or(0) };
    let same = |at: &usize| {
        let rest = source[at + text.len()..].trim_start_matches([' ', '\t']);
        (*at == 0 || source[..*at].ends_with('\n')) && rest.starts_with(if is_header { "]" } else { "=" })
    };
    let first = source[from..here.start].match_indices(text).map(|(at, _)| from + at).find(same);
    let close = if is_header { "]" } else { "" };
    let message = format!("`{text}{close}` is there twice");
    let fault =
        Diagnostic::error(Code::DuplicateName, message, visible(source, span)).help("leave one of them out");
    match first {
        Some(at) => fault.also(Place::new(at..at + text.len() + close.len()), "first here"),
        None => fault,
    }
}

/// The line that a byte stands in, without its end.
fn line(source: &str, at: usize) -> Range<usize> {
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = source[at..].find('\n').map_or(source.len(), |i| at + i);
    start..start + source[start..end].trim_end_matches('\r').len()
}

/// A place with something to underline, within one line: an empty one is widened, and one at the end of the file
/// points at the last character.
fn visible(source: &str, span: Range<usize>) -> Place {
    let mut start = span.start.min(source.floor_char_boundary(source.len().saturating_sub(1)));
    // The end of a line is shown at its last character.
    while source[start..].starts_with(['\n', '\r']) && line(source, start).start < start {
        start = source.floor_char_boundary(start - 1);
    }
    let wide = source.ceil_char_boundary((start + 1).min(source.len()));
    let end = span.end.min(line(source, start).end);
    Place::new(start..end.max(wide))
}
