//! What faults of TOML have made unreadable, so that nothing is said of what only follows from them.
//!
//! A line that was not understood may have declared a field, a param, a route; a header that was not understood may
//! have declared a node, and its keys lie in the section above it. All other faults stand: one run reports them all.

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::spec::UNCLOSED_TEXT;
use std::collections::HashSet;

/// What could not be read.
#[derive(Debug, Default)]
pub struct Damage {
    regions: Vec<Region>,
    /// Names that may have been declared there.
    names: HashSet<String>,
}

/// A section with a fault.
#[derive(Debug)]
struct Region {
    place: Place,
    /// The line of the fault.
    line: Place,
    /// Whether its header is what could not be read, or a text in it that may have swallowed it.
    whole: bool,
}

impl Damage {
    /// What the faults of syntax that have been found so far have damaged.
    pub fn of(source: &str, found: &[Diagnostic]) -> Self {
        let mut damage = Damage::default();
        let syntax = found.iter().filter(|d| d.code == Code::Syntax);
        for fault in syntax {
            let swallows = fault.message == UNCLOSED_TEXT;
            if let Some(label) = &fault.primary {
                damage.add(source, label.place.start as usize, swallows);
            }
        }
        damage
    }

    fn add(&mut self, source: &str, at: usize, swallows: bool) {
        let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
        let end = source[start..].find('\n').map_or(source.len(), |i| start + i);
        let whole = swallows || source[start..].starts_with('[');
        // The keys below a broken header are read as those of the section above.
        let from = if start > 0 { source[..start].rfind("\n[").map_or(0, |i| i + 1) } else { 0 };
        let to = source[end..].find("\n[").map_or(source.len(), |i| end + i);
        let known = self.regions.last().is_some_and(|r| r.place == Place::new(from..to));
        if !known {
            source[from..to].lines().for_each(|line| self.declared(line));
        }
        self.words(&source[start..end]);
        self.regions.push(Region { place: Place::new(from..to), line: Place::new(start..end), whole });
    }

    /// What a line declares stands in its header or before its `=`.
    fn declared(&mut self, line: &str) {
        match line.split_once('=') {
            Some((name, _)) => self.words(name),
            None if line.starts_with('[') => self.words(line),
            None => {}
        }
    }

    fn words(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let words = words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
        self.names.extend(words.map(str::to_owned));
    }

    /// Whether the section whose name stands here was read only in part.
    pub fn reaches(&self, place: Place) -> bool {
        self.regions.iter().any(|region| region.place.start <= place.start && place.start < region.place.end)
    }

    /// Whether the line of this place was not understood, whatever was made of it.
    pub fn touches(&self, place: Place) -> bool {
        self.regions.iter().any(|r| r.line.start <= place.start && place.start <= r.line.end)
    }

    /// Whether a fault may only follow from what could not be read.
    pub fn hides(&self, d: &Diagnostic, source: &str) -> bool {
        if d.code == Code::Syntax || self.regions.is_empty() {
            return false;
        }
        let Some(label) = &d.primary else { return matches!(d.code, Code::Empty | Code::NoOutput) };
        let within = |outer: Place| outer.start <= label.place.start && label.place.start <= outer.end;
        let incomplete = matches!(d.code, Code::MissingKey | Code::WrongForm | Code::NeedsRepartition);
        let near =
            self.regions.iter().any(|r| within(r.line) || (within(r.place) && (r.whole || incomplete)));
        near || source.get(label.place.range()).is_some_and(|text| self.lost(d.code, text))
    }

    /// Whether a name that is not known may have been declared where nothing could be read.
    fn lost(&self, code: Code, text: &str) -> bool {
        let unknown = matches!(
            code,
            Code::UnknownField
                | Code::UnknownNode
                | Code::UnknownSchema
                | Code::UnknownParam
                | Code::BadValue
                | Code::BadTest
        );
        let last = text.trim_matches(['"', '\'']).rsplit('.').next().unwrap_or_default();
        unknown && self.names.contains(last)
    }
}
