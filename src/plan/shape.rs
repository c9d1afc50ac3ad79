//! The shape of an edge: which fields a record there has, where they lie, and how it would be written.
//!
//! A field is an identity, not a name: a map that sets `sensor_id` makes another field of that name, and what was
//! keyed by the old one is not keyed by the new one. Fields of a schema get a register when something first reads
//! them; fields that nodes add get one at once.

use super::layout::Layout;
use crate::diagnostic::Place;
use crate::frame::{MAX_REGISTERS, Register};
use crate::types::{Kind, TimeFormat, Type};

/// A field, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldId(pub u32);

/// A register file: that of a source or of a node that makes fresh rows, or one for several that meet in a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub u16);

/// What is known of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInfo {
    /// Its type.
    pub ty: Type,
    /// How it stands in JSON, if it is a timestamp.
    pub time: TimeFormat,
    /// Whose register file it is in.
    pub file: FileId,
    /// Its register, once something reads it.
    pub register: Option<Register>,
    /// Where it is declared or set.
    pub declared: Option<Place>,
}

/// All fields of the plan.
#[derive(Debug, Default)]
pub struct Fields {
    infos: Vec<FieldInfo>,
    used: Vec<usize>,
    metas: Vec<(FileId, Meta, FieldId)>,
}

/// What a record has beside its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// `_key`
    Key,
    /// `_topic`
    Topic,
    /// `_partition`
    Partition,
    /// `_offset`
    Offset,
    /// `_timestamp`
    Timestamp,
}

impl Meta {
    /// Each with its name and type.
    pub const ALL: [(&'static str, Meta, Type); 5] = [
        ("_key", Meta::Key, Type::optional(Kind::String)),
        ("_topic", Meta::Topic, Type::required(Kind::String)),
        ("_partition", Meta::Partition, Type::required(Kind::Int)),
        ("_offset", Meta::Offset, Type::required(Kind::Int)),
        ("_timestamp", Meta::Timestamp, Type::required(Kind::Timestamp)),
    ];
}

impl Fields {
    /// A new register file.
    pub fn file(&mut self) -> FileId {
        self.used.push(0);
        FileId(self.used.len() as u16 - 1)
    }

    /// A field without a register as yet.
    pub fn add(&mut self, file: FileId, ty: Type, time: TimeFormat, declared: Option<Place>) -> FieldId {
        self.infos.push(FieldInfo { ty, time, file, register: None, declared });
        FieldId(self.infos.len() as u32 - 1)
    }

    /// What is known of a field.
    pub fn info(&self, id: FieldId) -> &FieldInfo {
        &self.infos[id.0 as usize]
    }

    /// A field's register, which it gets now if it has none. Past the limit registers are shared: such a plan is
    /// refused when all fields are known.
    pub fn register(&mut self, id: FieldId) -> Register {
        let info = &mut self.infos[id.0 as usize];
        if let Some(register) = info.register {
            return register;
        }
        let used = &mut self.used[info.file.0 as usize];
        let register = Register((*used).min(MAX_REGISTERS - 1) as u8);
        *used += 1;
        info.register = Some(register);
        register
    }

    /// How many registers a file has. More than [`MAX_REGISTERS`] is a fault.
    pub fn width(&self, file: FileId) -> usize {
        self.used[file.0 as usize]
    }

    /// The field of a file that holds what a record has beside its fields.
    pub fn meta(&mut self, file: FileId, meta: Meta) -> FieldId {
        if let Some((_, _, id)) = self.metas.iter().find(|(f, m, _)| *f == file && *m == meta) {
            return *id;
        }
        let ty = Meta::ALL.iter().find(|(_, m, _)| *m == meta).expect("all are listed").2;
        let id = self.add(file, ty, TimeFormat::Text, None);
        self.metas.push((file, meta, id));
        id
    }

    /// What a source of this file has to fill in beside the fields, with the registers.
    pub fn metas(&self, file: FileId) -> Vec<(Meta, Register)> {
        self.metas
            .iter()
            .filter(|(f, _, _)| *f == file)
            .filter_map(|(_, meta, id)| Some((*meta, self.info(*id).register?)))
            .collect()
    }
}

/// How the body of a record on this edge would be written; several after a merge of records of different make, told
/// apart by [`crate::frame::Frame::variant`].
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What the frame's `variant` says.
    pub id: u16,
    /// How it is written.
    pub layout: Layout,
}

/// The shape of an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Whose registers.
    pub file: FileId,
    /// The fields by name, in the order they are written.
    pub fields: Vec<(String, FieldId)>,
    /// How the record would be written.
    pub variants: Vec<Variant>,
    /// The fields that the record's key is made of, if it is known to be.
    pub key: Option<Vec<FieldId>>,
    /// The fields that decide the partition, if they are known: all records that agree in them are in one task.
    pub partitioned: Option<Vec<FieldId>>,
    /// Whether the record's key is written as JSON: other bytes, other partitions.
    pub key_json: bool,
    /// Whether records here come from a topic and so have `_topic` and the like.
    pub has_origin: bool,
    /// The sources that records here come from, by their index in the plan; behind a repartition that one alone.
    pub roots: Vec<usize>,
    /// How long windows wait for stragglers among these records, in milliseconds.
    pub late_by: i64,
    /// Names whose meaning a fault further up has hidden: nothing more is said of them.
    pub poisoned: Vec<String>,
    /// Whether a fault further up has hidden all fields.
    pub open: bool,
    /// Whether a fault further up has hidden what the records are keyed by.
    pub key_unknown: bool,
}

impl Shape {
    /// No fields yet.
    pub fn new(file: FileId, layout: Layout) -> Self {
        Shape {
            file,
            fields: vec![],
            variants: vec![Variant { id: 0, layout }],
            key: None,
            partitioned: None,
            key_json: false,
            has_origin: false,
            roots: vec![],
            late_by: 0,
            poisoned: vec![],
            open: false,
            key_unknown: false,
        }
    }

    /// The field of a name.
    pub fn get(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, id)| *id)
    }

    /// The name of a field, if it still has one.
    pub fn name_of(&self, id: FieldId) -> Option<&str> {
        self.fields.iter().find(|(_, i)| *i == id).map(|(name, _)| name.as_str())
    }

    /// Puts a field under a name, where that name stands already or at the end. What lay inside an object that is
    /// replaced is gone.
    pub fn put(&mut self, name: &str, id: FieldId) {
        let inside = format!("{name}.");
        self.fields.retain(|(n, _)| !n.starts_with(&inside));
        self.poisoned.retain(|n| n != name);
        match self.fields.iter_mut().find(|(n, _)| n == name) {
            Some(field) => field.1 = id,
            None => self.fields.push((name.to_owned(), id)),
        }
    }

    /// The fields as notes show them, with a mark behind those that may be absent: all of a few, the first of many.
    pub fn describe(&self, fields: &Fields) -> String {
        const MOST: usize = 50;
        let mark = |id: FieldId| if fields.info(id).ty.optional { "?" } else { "" };
        let shown = self.fields.iter().take(MOST).map(|(name, id)| format!("{name}{}", mark(*id)));
        let list = shown.collect::<Vec<_>>().join(", ");
        match self.fields.len() {
            ..=MOST => list,
            more => format!("{list} and {} more", more - MOST),
        }
    }

    /// Changes every way of writing the record.
    pub fn edit(&mut self, change: impl Fn(&mut Layout)) {
        for variant in &mut self.variants {
            change(&mut variant.layout);
        }
    }
}
