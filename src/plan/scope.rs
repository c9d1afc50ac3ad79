//! Names as an expression of a node sees them: the fields of its input, what a record has beside them, params.

use super::intern::{Constants, Reasons};
use super::params::Params;
use super::shape::{FieldId, Fields, Meta, Shape};
use crate::diagnostic::Place;
use crate::expr::{AggregateCall, Field, Names, Param, RowNames};
use crate::frame::Text;
use crate::operator::ReasonId;
use crate::types::TimeFormat;
use std::cell::RefCell;

/// What all scopes of a plan share.
#[derive(Debug, Default)]
pub struct Shared {
    /// The fields.
    pub fields: Fields,
    /// The params.
    pub params: Params,
    /// The constant texts.
    pub constants: Constants,
    /// The reasons for dead letters.
    pub reasons: Reasons,
}

/// The scope of an expression over the records of an edge. What is shared sits in a cell, because an expression of
/// `compute` has two scopes at once: the input's and the row's.
#[derive(Debug)]
pub struct Scope<'s> {
    /// The edge.
    pub shape: &'s Shape,
    /// What the edge is called: "`valid`".
    pub subject: String,
    /// The rest.
    pub shared: &'s RefCell<Shared>,
}

impl Scope<'_> {
    fn id(&self, name: &str) -> Option<FieldId> {
        match meta(name) {
            Some(meta) if self.shape.has_origin => {
                Some(self.shared.borrow_mut().fields.meta(self.shape.file, meta))
            }
            _ => self.shape.get(name),
        }
    }
}

fn meta(name: &str) -> Option<Meta> {
    Meta::ALL.iter().find(|(n, _, _)| *n == name).map(|(_, meta, _)| *meta)
}

/// Of more names than this none is suggested.
const MOST_CANDIDATES: usize = 1_000;

impl Names for Scope<'_> {
    fn field(&mut self, name: &str) -> Option<Field> {
        let id = self.id(name)?;
        let fields = &mut self.shared.borrow_mut().fields;
        let register = fields.register(id);
        let info = fields.info(id);
        Some(Field { register, ty: info.ty, declared: info.declared })
    }

    fn has_field(&self, name: &str) -> Option<Place> {
        let id = self.shape.get(name)?;
        Some(self.shared.borrow().fields.info(id).declared.unwrap_or_default())
    }

    fn param(&mut self, name: &str) -> Option<Param> {
        self.shared.borrow_mut().params.take(name)
    }

    fn candidates(&self) -> Vec<String> {
        let shared = self.shared.borrow();
        let fields = self.shape.fields.iter().map(|(name, _)| name.clone());
        let params = shared.params.all().iter().map(|p| p.name.clone());
        let metas = Meta::ALL.iter().filter(|_| self.shape.has_origin).map(|(name, _, _)| (*name).to_owned());
        metas.chain(fields).chain(params).take(MOST_CANDIDATES).collect()
    }

    fn describe(&self) -> Option<String> {
        if self.shape.fields.is_empty() {
            return Some(format!("{} has no declared fields", self.subject));
        }
        Some(format!("{} has {}", self.subject, self.shape.describe(&self.shared.borrow().fields)))
    }

    fn subject(&self) -> String {
        self.subject.clone()
    }

    fn constant(&mut self, text: &str) -> Text {
        self.shared.borrow_mut().constants.text(text)
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.shared.borrow_mut().reasons.id(text)
    }
}

/// The scope of the outer part of a `compute`: the row that is being made. Each aggregate is a cell of it.
#[derive(Debug)]
pub struct RowScope<'s> {
    /// The row, as far as it is known: its key fields and bounds.
    pub row: Scope<'s>,
    /// The aggregates of the node, each with the field that shows it.
    pub aggregates: &'s mut Vec<(AggregateCall, FieldId)>,
}

impl Names for RowScope<'_> {
    fn field(&mut self, name: &str) -> Option<Field> {
        self.row.field(name)
    }

    fn has_field(&self, name: &str) -> Option<Place> {
        self.row.has_field(name)
    }

    fn param(&mut self, name: &str) -> Option<Param> {
        self.row.param(name)
    }

    fn candidates(&self) -> Vec<String> {
        self.row.candidates()
    }

    fn describe(&self) -> Option<String> {
        self.row.describe()
    }

    fn subject(&self) -> String {
        self.row.subject()
    }

    fn constant(&mut self, text: &str) -> Text {
        self.row.constant(text)
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.row.reason(text)
    }
}

impl RowNames for RowScope<'_> {
    fn aggregate(&mut self, call: AggregateCall) -> Field {
        let fields = &mut self.row.shared.borrow_mut().fields;
        let known = self.aggregates.iter().find(|(c, _)| c.text == call.text).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| {
            let id = fields.add(self.row.shape.file, call.ty, TimeFormat::Text, Some(call.place));
            self.aggregates.push((call, id));
            id
        });
        let register = fields.register(id);
        let info = fields.info(id);
        Field { register, ty: info.ty, declared: info.declared }
    }
}
