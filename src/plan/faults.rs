//! The faults found so far.

use crate::diagnostic::{Code, Diagnostic, Severity};

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

    /// How many of them keep the file from running.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// In the order of the file, each once. Where TOML itself could not be read, names may be missing only because
    /// their line was not understood: what follows from that is left out.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        if self.found.iter().any(|d| d.code == Code::Syntax) {
            self.found.retain(|d| !follows_from_syntax(d));
        }
        self.found.sort_by_key(|d| d.primary.as_ref().map_or((0, 0), |l| (l.place.start, l.place.end)));
        self.found.dedup();
        self.found
    }
}

fn follows_from_syntax(d: &Diagnostic) -> bool {
    let missing = matches!(
        d.code,
        Code::MissingKey
            | Code::UnknownNode
            | Code::UnknownField
            | Code::UnknownSchema
            | Code::Empty
            | Code::WrongForm
            | Code::NoOutput
    );
    missing || d.severity == Severity::Warning
}
