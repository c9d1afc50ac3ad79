//! What can be wrong with a document: small, `Copy`, and without words. The words are in `explain`.

/// What is wrong with a document, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanError {
    /// The byte it was found at.
    pub at: u32,
    /// The field it is about, by its place in the list the scanner was made from; 0 when it is about none.
    pub field: u16,
    /// What it is.
    pub fault: Fault,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are no JSON.
    NotJson(Syntax),
    /// JSON, but a list or a plain value.
    NotAnObject,
    /// A field of another type than declared.
    WrongType,
    /// A required field is missing or null.
    Missing,
    /// On the way of a dotted name stands something else than an object: so many of its parts lead to it.
    InTheWay(u8),
    /// Longer than a text's place can say.
    TooLong,
}

/// What JSON wants where it does not get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A value.
    Value,
    /// A member's name.
    Name,
    /// The colon behind a name.
    Colon,
    /// A comma or the end of an object.
    CommaOrBrace,
    /// A comma or the end of a list.
    CommaOrBracket,
    /// A digit.
    Digit,
    /// A number that a 64-bit float can hold.
    Range,
    /// The end of a string.
    Quote,
    /// No control character in a string.
    Control,
    /// An escape that JSON knows.
    Escape,
    /// Both halves of a surrogate pair.
    Surrogate,
    /// UTF-8.
    Utf8,
    /// Less nesting.
    Depth,
    /// Nothing behind the document.
    End,
}

pub(super) type Scan<T> = Result<T, ScanError>;

impl ScanError {
    pub(super) fn new(fault: Fault, field: u16, at: usize) -> Self {
        ScanError { at: u32::try_from(at).unwrap_or(u32::MAX), field, fault }
    }

    /// Its name among the metrics.
    pub fn class(self) -> &'static str {
        match self.fault {
            Fault::NotJson(_) | Fault::TooLong => "not-json",
            Fault::NotAnObject | Fault::WrongType | Fault::InTheWay(_) => "wrong-type",
            Fault::Missing => "missing",
        }
    }
}

/// The bytes are no JSON. Cold, so that what leads here is laid out of the way.
#[cold]
pub(super) fn not_json<T>(syntax: Syntax, at: usize) -> Scan<T> {
    Err(ScanError::new(Fault::NotJson(syntax), 0, at))
}
