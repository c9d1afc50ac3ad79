//! What is wrong with a file, said to its author: a stable code, a sentence, the places, the fix.
//!
//! Everything that `check` finds is collected as [`Diagnostic`]s and rendered here, once, for terminals and for
//! editors. A message is lower case without a final period, literals stand in backticks, and the help states the
//! fix rather than the rule.

use std::fmt;
use std::ops::Range;

mod codes;
mod render;
mod suggest;

pub use codes::Code;
pub use render::{Report, Style};
pub use suggest::did_you_mean;

/// A run of bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Place {
    /// The place of a range of bytes.
    pub fn new(range: Range<usize>) -> Self {
        Place { start: range.start as u32, end: range.end as u32 }
    }

    /// The place as a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text of the file whose inside has places too: an expression, a message with `{names}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What it says, escapes resolved.
    pub text: String,
    /// All of it, quotes included.
    pub place: Place,
    inner: Inner,
}

/// Where the bytes of a passage stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
    /// One after the other, from here.
    From(u32),
    /// Each where it says (the text had escapes); one more for the end.
    Each(Vec<u32>),
}

impl Passage {
    /// A text whose bytes stand one after the other from `start`.
    pub fn plain(text: impl Into<String>, start: usize) -> Self {
        let text = text.into();
        let place = Place::new(start..start + text.len());
        Passage { text, place, inner: Inner::From(start as u32) }
    }

    /// A quoted text: where all of it stands, and where its first byte does.
    pub fn quoted(text: impl Into<String>, place: Place, start: u32) -> Self {
        Passage { text: text.into(), place, inner: Inner::From(start) }
    }

    /// A quoted text with escapes: where each byte stands, and the end.
    pub fn escaped(text: impl Into<String>, place: Place, each: Vec<u32>) -> Self {
        let text = text.into();
        debug_assert_eq!(each.len(), text.len() + 1);
        Passage { text, place, inner: Inner::Each(each) }
    }

    /// A text of which all bytes stand at one place.
    pub fn placed(text: impl Into<String>, place: Place) -> Self {
        let text = text.into();
        let mut each = vec![place.start; text.len()];
        each.push(place.end);
        Passage { text, place, inner: Inner::Each(each) }
    }

    /// Where a range of the text's bytes stands in the file. An empty range is widened to one byte where it can be,
    /// so that there is something to underline.
    pub fn at(&self, range: Range<usize>) -> Place {
        let place = match &self.inner {
            Inner::From(start) => Place::new(range.start + *start as usize..range.end + *start as usize),
            Inner::Each(each) => Place { start: each[range.start], end: each[range.end] },
        };
        if place.start == place.end && place.end < self.place.end {
            return Place { start: place.start, end: place.end + 1 };
        }
        place
    }

    /// The inside of the quotes.
    pub fn whole(&self) -> Place {
        self.at(0..self.text.len())
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot run.
    Error,
    /// It can, but something in it is likely not meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A place with what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What; may be empty.
    pub text: String,
}

/// One thing that is wrong, or suspicious.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which fault it is: stable, for searching and for tools.
    pub code: Code,
    /// Whether the file can run all the same.
    pub severity: Severity,
    /// The sentence.
    pub message: String,
    /// Where it is; none for a fault of the file as a whole.
    pub primary: Option<Label>,
    /// Other places that have to do with it.
    pub secondary: Vec<Label>,
    /// What to change, one line each.
    pub help: Vec<String>,
    /// What is good to know, one line each.
    pub notes: Vec<String>,
    /// Places that hold a secret: no fault of the file shows what stands there.
    pub redact: Vec<Place>,
}

impl Diagnostic {
    /// A fault at a place.
    pub fn error(code: Code, message: impl Into<String>, place: Place) -> Self {
        Self::file(code, message).at(place, "")
    }

    /// A warning at a place.
    pub fn warning(code: Code, message: impl Into<String>, place: Place) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, message, place) }
    }

    /// A fault of the file as a whole.
    pub fn file(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: None,
            secondary: vec![],
            help: vec![],
            notes: vec![],
            redact: vec![],
        }
    }

    /// Moves the fault to a place.
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.primary = Some(Label { place, text: label.into() });
        self
    }

    /// What to say at the place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = &mut self.primary {
            label.text = text.into();
        }
        self
    }

    /// Another place that has to do with it.
    pub fn also(mut self, place: Place, text: impl Into<String>) -> Self {
        self.secondary.push(Label { place, text: text.into() });
        self
    }

    /// What to change.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// What is good to know.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// A place that holds a secret, to be covered wherever the file is shown.
    pub fn redact(mut self, place: Place) -> Self {
        self.redact.push(place);
        self
    }

    /// `did you mean …?`, when some name that could stand here is close enough.
    pub fn suggest<'n>(self, name: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        match did_you_mean(name, names) {
            Some(close) => self.help(format!("did you mean `{close}`?")),
            None => self,
        }
    }
}
