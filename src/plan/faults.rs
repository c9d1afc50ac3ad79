//! The faults found so far.

use super::damage::Damage;
use crate::diagnostic::{Code, Diagnostic, Severity};

/// More faults than this are not shown.
const MOST: usize = 100;

/// Collects what is wrong. Whatever finds a fault goes on where it can, so that one run reports them all, and takes
/// care not to report what only follows from another.
#[derive(Debug, Default)]
pub struct Faults {
    /// In the order they were found.
    pub found: Vec<Diagnostic>,
}

impl Faults {
    /// One more.
    pub fn add(&mut self, fault: Diagnostic) {
        self.found.push(fault);
    }

    /// Whether there are more than will be shown: what takes long to say of one more can be left out.
    pub fn are_many(&self) -> bool {
        self.found.len() > MOST
    }

    /// How many of them keep the file from running.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// In the order of the file, each once. What only follows from what could not be read is left out; and while
    /// there are faults, nothing is said of what is never used: they may hide its use.
    pub fn sorted(mut self, damage: &Damage, source: &str) -> Vec<Diagnostic> {
        let faulty = self.errors() > 0;
        self.found.retain(|d| !(faulty && matches!(d.code, Code::Unused | Code::TwicePassed)));
        self.found.retain(|d| !damage.hides(d, source));
        self.found.sort_by_key(|d| d.primary.as_ref().map_or((0, 0), |l| (l.place.start, l.place.end)));
        self.found.dedup();
        self.shorten();
        self.found
    }

    /// Nobody reads more than so many faults; warnings go first.
    fn shorten(&mut self) {
        let left_out = self.found.len().saturating_sub(MOST);
        if left_out == 0 {
            return;
        }
        let errors = self.errors().min(MOST);
        let (mut errors, mut warnings) = (errors, MOST - errors);
        self.found.retain(|d| {
            let left = if d.severity == Severity::Error { &mut errors } else { &mut warnings };
            std::mem::replace(left, left.saturating_sub(1)) > 0
        });
        if let Some(last) = self.found.last_mut() {
            last.notes.push(format!("{left_out} more faults are not shown"));
        }
    }
}
