//! The kinds of nodes. To add one: a file here with its doc, its `KIND`, its checked struct and its `impl
//! Operator`, and a line in the table below.

mod alert;
mod branch;
mod count;
mod filter;
mod map;
mod repartition;
mod sink;
mod tumble;

pub use repartition::repartition;

use crate::plan::OperatorKind;

/// All kinds, in the order in which `help` shows them.
pub const KINDS: &[&OperatorKind] =
    &[&filter::KIND, &map::KIND, &branch::KIND, &count::KIND, &tumble::KIND, &alert::KIND, &sink::KIND];
