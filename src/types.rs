//! The types a field can have, as the author writes them: `"float"`, `"string?"`, `"int[]"`.
//!
//! A type is what `check` reasons with and what tells a register's eight bytes apart; at run time nothing carries
//! a tag.

use std::fmt;

/// What a value is, apart from whether it may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    String,
    /// A 64-bit signed integer.
    Int,
    /// A 64-bit float.
    Float,
    /// `true` or `false`.
    Bool,
    /// A point in time, in milliseconds since 1970.
    Timestamp,
    /// A span of time in milliseconds. Only params and expressions have it; no field does.
    Duration,
    /// Any JSON value, kept as the text it was written with.
    Json,
    /// A JSON array whose elements are all of one kind, kept as the text it was written with.
    List(Element),
}

/// What the elements of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Texts.
    String,
    /// Integers.
    Int,
    /// Floats.
    Float,
    /// Booleans.
    Bool,
}

/// How a timestamp stands in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeFormat {
    /// RFC 3339 text: `timestamp`.
    #[default]
    Text,
    /// An integer of milliseconds: `timestamp(ms)`.
    Millis,
    /// An integer of seconds: `timestamp(s)`.
    Seconds,
}

/// A kind, and whether the value may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What it is when it is there.
    pub kind: Kind,
    /// Whether it may be absent: the `?`.
    pub optional: bool,
}

impl Type {
    /// A type whose value is always there.
    pub const fn required(kind: Kind) -> Self {
        Type { kind, optional: false }
    }

    /// A type whose value may be absent.
    pub const fn optional(kind: Kind) -> Self {
        Type { kind, optional: true }
    }
}

impl Kind {
    /// Every kind that a schema may name, as it is written there, with its timestamp format.
    pub const NAMES: [(&'static str, Kind, TimeFormat); 12] = [
        ("string", Kind::String, TimeFormat::Text),
        ("int", Kind::Int, TimeFormat::Text),
        ("float", Kind::Float, TimeFormat::Text),
        ("bool", Kind::Bool, TimeFormat::Text),
        ("timestamp", Kind::Timestamp, TimeFormat::Text),
        ("timestamp(ms)", Kind::Timestamp, TimeFormat::Millis),
        ("timestamp(s)", Kind::Timestamp, TimeFormat::Seconds),
        ("json", Kind::Json, TimeFormat::Text),
        ("string[]", Kind::List(Element::String), TimeFormat::Text),
        ("int[]", Kind::List(Element::Int), TimeFormat::Text),
        ("float[]", Kind::List(Element::Float), TimeFormat::Text),
        ("bool[]", Kind::List(Element::Bool), TimeFormat::Text),
    ];

    /// Int or float.
    pub const fn is_number(self) -> bool {
        matches!(self, Kind::Int | Kind::Float)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::String => "string",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bool => "bool",
            Kind::Timestamp => "timestamp",
            Kind::Duration => "duration",
            Kind::Json => "json",
            Kind::List(Element::String) => "string[]",
            Kind::List(Element::Int) => "int[]",
            Kind::List(Element::Float) => "float[]",
            Kind::List(Element::Bool) => "bool[]",
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, if self.optional { "?" } else { "" })
    }
}
