//! The record while it is worked on: a register file over the original bytes.
//!
//! Each source, and each node that makes fresh rows, has one register file: the fields that anything downstream
//! reads, then one register for each field that a node adds. A register is eight bytes without a tag; the plan
//! knows its type. Registers are never cleared between records, only their presence bits are, so a register may be
//! read only when its bit is set (asserted in debug builds; `check` proves it for everything else).

use std::fmt;

/// How many registers a file can have: one presence bit each.
pub const MAX_REGISTERS: usize = 64;

/// A register file: always a whole one, so that reaching a register takes no look at how many there are.
pub type Registers = [u64; MAX_REGISTERS];

/// A file that holds nothing.
pub const EMPTY: Registers = [0; MAX_REGISTERS];

/// A place in a register file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub u8);

impl Register {
    /// Where it stands in its file; the plan hands out no number that is too large.
    #[inline(always)]
    pub fn place(self) -> usize {
        self.0 as usize % MAX_REGISTERS
    }
}

/// A run of bytes in one of four places; which one sits in the two top bits of `start`.
///
/// A text whose kind is string is UTF-8: the scanner has checked it, and what nodes make is text by construction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text {
    start: u32,
    len: u32,
}

const REGION: u32 = 3 << 30;
const CONSTANT: u32 = 1 << 30;
const ARENA: u32 = 2 << 30;
const KEY: u32 = 3 << 30;
/// Of a constant: it has nothing to escape in JSON, and quotes stand around it.
const PLAIN: u32 = 1 << 29;
const QUOTED: u32 = CONSTANT | PLAIN;
/// Where a run starts in its place.
const OFFSET: u32 = PLAIN - 1;

impl Text {
    /// The empty text.
    pub const EMPTY: Text = Text { start: CONSTANT, len: 0 };

    /// A run of the original bytes.
    #[inline(always)]
    pub fn payload(start: usize, end: usize) -> Self {
        Text { start: start as u32, len: (end - start) as u32 }
    }

    /// A run of the plan's constant texts.
    pub fn constant(start: usize, end: usize) -> Self {
        Text { start: start as u32 | CONSTANT, len: (end - start) as u32 }
    }

    /// A run of the plan's constant texts around which quotes stand, and in which JSON has nothing to escape.
    pub fn quoted_constant(start: usize, end: usize) -> Self {
        Text { start: start as u32 | QUOTED, len: (end - start) as u32 }
    }

    /// A run of what was made on the way.
    #[inline(always)]
    pub fn arena(start: usize, end: usize) -> Self {
        Text { start: start as u32 | ARENA, len: (end - start) as u32 }
    }

    /// A run of the record's key.
    pub fn key(start: usize, end: usize) -> Self {
        Text { start: start as u32 | KEY, len: (end - start) as u32 }
    }

    /// Whether it has no bytes.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// How many bytes it has.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// A part of this text, by bytes from its start; the caller keeps to character borders.
    pub fn part(self, start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= self.len());
        Text { start: self.start + start as u32, len: (end - start) as u32 }
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        (self.start as u64) << 32 | self.len as u64
    }

    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        Text { start: (bits >> 32) as u32, len: bits as u32 }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = match self.start & REGION {
            CONSTANT => "constant",
            ARENA => "arena",
            KEY => "key",
            _ => "payload",
        };
        let start = self.start & OFFSET;
        write!(f, "{region}[{start}..{}]", start + self.len)
    }
}

/// A value at the rim: while it is decoded, and where its type is not known.
///
/// Timestamps and durations are `Int` milliseconds; JSON and lists are `Text`, the JSON they were written with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value {
    /// Missing, or `null`.
    #[default]
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// An integer, or milliseconds.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text, or JSON as it was written.
    Text(Text),
}

impl Value {
    /// The eight bytes a register or a table's cell holds.
    #[inline(always)]
    pub fn bits(self) -> u64 {
        match self {
            Value::Absent => 0,
            Value::Bool(b) => b as u64,
            Value::Int(i) => i as u64,
            Value::Float(x) => x.to_bits(),
            Value::Text(t) => t.bits(),
        }
    }

    /// Whether there is a value.
    #[inline(always)]
    pub fn is_set(self) -> bool {
        !matches!(self, Value::Absent)
    }
}

/// Where a record came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The plan's index of the topic.
    pub topic: u16,
    /// The partition it was read from.
    pub partition: u32,
    /// Its offset there.
    pub offset: i64,
}

/// What the scanner learned about the original object, for the splice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Where the closing brace stands.
    pub end: u32,
    /// Whether the object has no member.
    pub empty: bool,
    /// Whether it already holds a member with a name that some node adds, so that it has to be rewritten in place.
    pub holds_added: bool,
}

/// One register file, and what its texts point into. Records of a source and fresh rows look alike from here.
#[derive(Debug)]
pub struct Frame<'r> {
    /// The original bytes; empty for a fresh row.
    pub payload: &'r [u8],
    /// The record's key, `None` when it has none.
    pub key: Option<&'r [u8]>,
    /// The record's headers in the encoding of [`crate::headers`]; empty when there are none.
    pub headers: &'r [u8],
    /// The file: untagged, typed by the plan, valid only where `present` says so.
    pub registers: &'r mut Registers,
    /// One bit a register.
    pub present: u64,
    /// Text made on the way: unescaped strings, concatenations, the texts of a fresh row.
    pub arena: &'r mut Vec<u8>,
    /// The plan's constant texts, so that `"critical"` costs a span and not a copy.
    pub constants: &'r [u8],
    /// What the scanner learned about the original object.
    pub body: Body,
    /// The record's time: its event time, or Kafka's where the source has none.
    pub timestamp: i64,
    /// The timestamp it came with.
    pub stamp: i64,
    /// Where it came from; meaningless for a fresh row.
    pub origin: Origin,
    /// Which of a merge's body layouts this record has; see `plan::layout`.
    pub variant: u16,
    /// Bits of [`crate::operator::Seen`], gathered over all paths of this record.
    pub seen: u8,
}

impl<'r> Frame<'r> {
    /// A frame with nothing in it.
    pub fn new(registers: &'r mut Registers, arena: &'r mut Vec<u8>, constants: &'r [u8]) -> Self {
        Frame {
            payload: &[],
            key: None,
            headers: &[],
            registers,
            present: 0,
            arena,
            constants,
            body: Body::default(),
            timestamp: 0,
            stamp: 0,
            origin: Origin::default(),
            variant: 0,
            seen: 0,
        }
    }
}

impl Frame<'_> {
    /// Whether a register holds a value.
    #[inline(always)]
    pub fn is_set(&self, register: Register) -> bool {
        self.present >> register.0 & 1 == 1
    }

    #[inline(always)]
    fn bits(&self, register: Register) -> u64 {
        debug_assert!(self.is_set(register), "`check` lets nobody read what may be absent: {register:?}");
        self.registers[register.place()]
    }

    /// A float register.
    #[inline(always)]
    pub fn float(&self, register: Register) -> f64 {
        f64::from_bits(self.bits(register))
    }

    /// An integer, timestamp or duration register.
    #[inline(always)]
    pub fn int(&self, register: Register) -> i64 {
        self.bits(register) as i64
    }

    /// A boolean register.
    #[inline(always)]
    pub fn bool(&self, register: Register) -> bool {
        self.bits(register) != 0
    }

    /// A text, JSON or list register.
    #[inline(always)]
    pub fn text(&self, register: Register) -> Text {
        Text::from_bits(self.bits(register))
    }

    /// The bytes of a text register.
    #[inline(always)]
    pub fn bytes(&self, register: Register) -> &[u8] {
        self.bytes_of(self.text(register))
    }

    /// The bytes of a text.
    #[inline(always)]
    pub fn bytes_of(&self, text: Text) -> &[u8] {
        let start = (text.start & OFFSET) as usize;
        let range = start..start + text.len as usize;
        if text.start & REGION == 0 {
            return self.payload.get(range).unwrap_or_default();
        }
        self.elsewhere(text).get(range).unwrap_or_default()
    }

    /// What a text that was not taken from the payload is a run of.
    #[inline(never)]
    fn elsewhere(&self, text: Text) -> &[u8] {
        match text.start & REGION {
            CONSTANT => self.constants,
            ARENA => self.arena,
            _ => self.key.unwrap_or_default(),
        }
    }

    /// A text with the quotes that stand around it, if JSON takes it like that: what was taken from the payload without
    /// an escape in it, and constants that have none. Within those stands no quote, so none stands around their parts.
    #[inline(always)]
    pub fn quoted(&self, text: Text) -> Option<&[u8]> {
        let from = match text.start & (REGION | PLAIN) {
            0 => self.payload,
            QUOTED => self.constants,
            _ => return None,
        };
        let start = (text.start & OFFSET) as usize;
        let around = from.get(start.wrapping_sub(1)..start + text.len() + 1)?;
        matches!(around, [b'"', .., b'"']).then_some(around)
    }

    /// A text as `str`. Text of kind string is UTF-8 already; this is for the paths where the check costs nothing
    /// that matters.
    pub fn str_of(&self, text: Text) -> &str {
        let bytes = self.bytes_of(text);
        debug_assert!(std::str::from_utf8(bytes).is_ok(), "texts are UTF-8");
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The raw eight bytes of a register that is set, for tables and merges, which know its type.
    #[inline(always)]
    pub fn raw(&self, register: Register) -> u64 {
        self.bits(register)
    }

    /// Sets a register, or marks it absent.
    #[inline(always)]
    pub fn set(&mut self, register: Register, value: Value) {
        self.put(register, value.bits(), value.is_set());
    }

    /// The same with the eight bytes that it is to hold.
    #[inline(always)]
    pub fn put(&mut self, register: Register, bits: u64, is_set: bool) {
        self.registers[register.place()] = bits;
        self.present = self.present & !(1 << register.0) | (is_set as u64) << register.0;
    }

    /// Copies a register, its presence included.
    #[inline]
    pub fn copy(&mut self, from: Register, to: Register) {
        self.registers[to.place()] = self.registers[from.place()];
        self.present = self.present & !(1 << to.0) | (self.present >> from.0 & 1) << to.0;
    }

    /// Copies a text to the end of the arena, wherever it points.
    pub fn append(&mut self, text: Text) {
        let start = (text.start & OFFSET) as usize;
        let range = start..start + text.len();
        if text.start & REGION == ARENA {
            return self.arena.extend_from_within(range);
        }
        let from = match text.start & REGION {
            0 => self.payload,
            CONSTANT => self.constants,
            _ => self.key.unwrap_or_default(),
        };
        self.arena.extend_from_slice(from.get(range).unwrap_or_default());
    }

    /// Puts bytes into the arena.
    pub fn make(&mut self, bytes: &[u8]) -> Text {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        Text::arena(start, self.arena.len())
    }
}
