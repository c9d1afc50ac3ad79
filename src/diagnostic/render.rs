//! Diagnostics as text for a person and as JSON for an editor or CI. The only user of `annotate_snippets`.

use super::{Diagnostic, Label, Place, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::borrow::Cow;

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With the terminal's colours.
    Colour,
}

/// Diagnostics with the file they speak of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The file's name, as the user gave it.
    pub path: &'a str,
    /// What it says.
    pub source: &'a str,
    /// What is wrong with it.
    pub diagnostics: &'a [Diagnostic],
}

/// One diagnostic for tools: lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, serde::Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: String,
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    help: &'a [String],
    notes: &'a [String],
}

impl Report<'_> {
    /// All of it as text, a blank line after each.
    pub fn text(&self, style: Style) -> String {
        let source = shown_lines(self.covered());
        let shown = Report { source: &source, ..*self };
        let lines = Lines::of(&source);
        let mut out = String::new();
        for diagnostic in self.diagnostics {
            out.push_str(&shown.one(diagnostic, &lines, style));
            out.push_str("\n\n");
        }
        out
    }

    /// All of it as JSON values, for `--format json`.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let lines = Lines::of(self.source);
        self.diagnostics
            .iter()
            .filter_map(|d| {
                let place = d.primary.as_ref().map_or(Place::default(), |l| l.place);
                let (line, column) = lines.position(self.source, place.start as usize);
                let (end_line, end_column) = lines.position(self.source, place.end as usize);
                serde_json::to_value(Entry {
                    code: d.code.text(),
                    severity: d.severity.to_string(),
                    message: &d.message,
                    file: self.path,
                    line,
                    column,
                    end_line,
                    end_column,
                    help: &d.help,
                    notes: &d.notes,
                })
                .ok()
            })
            .collect()
    }

    /// The source with its secrets as asterisks, byte for byte, so that every place still fits. Whichever diagnostic
    /// knows of a secret, none shows it: another fault may stand in the same line.
    fn covered(&self) -> Cow<'_, str> {
        let mut source = Cow::Borrowed(self.source);
        for place in self.diagnostics.iter().flat_map(|d| &d.redact) {
            let start = self.border(place.start as usize);
            let range = start..self.border(place.end as usize).max(start);
            let asterisk = |c: char| if c == '\n' { "\n".to_owned() } else { "*".repeat(c.len_utf8()) };
            let cover: String = self.source[range.clone()].chars().map(asterisk).collect();
            source.to_mut().replace_range(range, &cover);
        }
        source
    }

    fn one(&self, d: &Diagnostic, lines: &Lines, style: Style) -> String {
        let level = match d.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(d.message.as_str()).id(d.code.text());
        let mut group = match &d.primary {
            Some(primary) => title.element(self.snippet(primary, &d.secondary, lines)),
            None => Group::with_title(title).element(annotate_snippets::Origin::path(self.path)),
        };
        group = group.elements(d.help.iter().map(|help| Level::HELP.message(help.as_str())));
        group = group.elements(d.notes.iter().map(|note| Level::NOTE.message(note.as_str())));
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        renderer.render(&[group])
    }

    /// The lines from the first label to the last: the renderer folds what lies between, and never has to look at
    /// the whole of a large file.
    fn snippet<'s>(
        &'s self,
        primary: &'s Label,
        secondary: &'s [Label],
        lines: &Lines,
    ) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
        let labels = || std::iter::once(primary).chain(secondary);
        let start = labels().map(|l| self.border(l.place.start as usize)).min().unwrap_or(0);
        let end = labels().map(|l| self.border(l.place.end as usize)).max().unwrap_or(0);
        let from = self.source[..start].rfind('\n').map_or(0, |i| i + 1);
        let to = self.source[end..].find('\n').map_or(self.source.len(), |i| end + i);
        let line = lines.number(from);
        let range = |place: Place| {
            let start = self.border(place.start as usize);
            start - from..self.border(place.end as usize).max(start) - from
        };
        Snippet::source(&self.source[from..to])
            .path(self.path)
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(range(primary.place)).label(text(primary)))
            .annotations(
                secondary.iter().map(|l| AnnotationKind::Context.span(range(l.place)).label(text(l))),
            )
    }

    /// The nearest character border at or before a byte.
    fn border(&self, at: usize) -> usize {
        self.source.floor_char_boundary(at.min(self.source.len()))
    }
}

/// Lines that end as on Windows, as a terminal shows them; byte for byte as long.
fn shown_lines(source: Cow<'_, str>) -> Cow<'_, str> {
    if source.contains("\r\n") { Cow::Owned(source.replace("\r\n", " \n")) } else { source }
}

fn text(label: &Label) -> Option<&str> {
    (!label.text.is_empty()).then_some(label.text.as_str())
}

/// Where the lines of a file begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(source: &str) -> Self {
        Lines(std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte, from 1.
    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }

    /// Line and column of a byte, from 1, the column in characters.
    fn position(&self, source: &str, at: usize) -> (usize, usize) {
        let at = source.floor_char_boundary(at.min(source.len()));
        let line = self.number(at);
        (line, source[self.0[line - 1]..at].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn a_secret_is_covered_in_every_fault_of_its_line() {
        let source = "a = { password = \"hünter2\", typo = 1 }\n";
        let place = |text: &str| {
            let start = source.find(text).unwrap();
            Place::new(start..start + text.len())
        };
        let diagnostics = [
            Diagnostic::error(Code::UnknownProperty, "no `typo`", place("typo")),
            Diagnostic::error(Code::SecretInFile, "a secret", place("password")).redact(place("\"hünter2\"")),
        ];
        let text = Report { path: "p.toml", source, diagnostics: &diagnostics }.text(Style::Plain);
        assert!(!text.contains("nter2"), "{text}");
        assert_eq!(text.matches("password = **********, typo = 1").count(), 2, "{text}");
        assert!(text.contains("--> p.toml:1:7\n"), "{text}");
    }

    #[test]
    fn a_secret_of_many_lines_keeps_its_lines() {
        let source = "key = \"\"\"\nAB\nCD\"\"\"\nother = 1\n";
        let fault = Diagnostic::error(Code::SecretInFile, "a secret", Place::new(0..3));
        let diagnostics = [fault.redact(Place::new(6..18))];
        let report = Report { path: "p.toml", source, diagnostics: &diagnostics };
        assert_eq!(report.covered(), "key = ***\n**\n*****\nother = 1\n");
    }
}
