//! What a file means: every name an index, every expression typed and compiled, every store and topic named.
//!
//! The way through it: [`check`] reads the parts of the file and passes over its nodes; [`graph`] knows names and
//! order, [`shape`] and [`layout`] what a record looks like on each edge, [`scope`] what an expression sees,
//! [`context`] what a kind's own check works with; [`assemble`] puts the pieces together and [`steps`] lays them out
//! as a loop runs them. A plan can be printed ([`explain`]), compared and drawn ([`draw`]); it knows nothing of how it
//! is run. [`scratch`] is for expressions that stand in no file.

mod assemble;
pub mod cases;
mod check;
pub mod context;
mod cut;
mod damage;
pub mod draw;
mod explain;
mod faults;
mod fields;
mod files;
pub mod form;
pub mod generate;
pub mod graph;
mod infer;
mod intern;
mod kind;
pub mod layout;
mod merge;
pub mod names;
pub mod params;
mod parts;
pub mod properties;
pub mod schema;
pub mod scope;
pub mod scratch;
pub mod settings;
pub mod shape;
pub mod source;
pub mod steps;
mod table;
mod topics;
pub mod toplevel;
mod unused;
mod values;
mod writer;

pub use assemble::{NodePlan, Plan, REPARTITION, SourceRun};
pub use check::{kinds, sections};
pub use context::{CheckContext, Grouping, KnownTable, unknown_name};
pub use faults::Faults;
pub use fields::Setting;
pub use form::{Form, Key, wrong_form};
pub use intern::{Constants, Reasons};
pub use kind::{Built, NodeTable, OperatorKind, Rows};
pub use layout::{Base, Layout, added};
pub use params::{Override, Params};
pub use shape::{FieldId, Shape};
pub use table::TablePlan;
pub use topics::{Role, TopicPlan, Topics};
pub use writer::Writer;

use crate::diagnostic::{Diagnostic, Severity};
use crate::spec;

/// The key that every kind with an input has.
pub const FROM: Key =
    Key::required("from", Form::Inputs, "the source or node it gets records from; a list is a merge");

/// A file, read and checked.
#[derive(Debug)]
pub struct Checked {
    /// Its plan, unless something is wrong.
    pub plan: Option<Plan>,
    /// What is wrong or suspicious, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// How many faults keep it from running.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// How many things are suspicious.
    pub fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors()
    }
}

/// Reads and checks a file's text.
pub fn check(source: &str, overrides: &[Override]) -> Checked {
    let mut faults = Faults::default();
    let root = spec::parse(source, &mut faults.found);
    let (plan, diagnostics) = check::check(source, &root, overrides, faults);
    Checked { plan, diagnostics }
}
