//! A node's table: what its rows hold and what its bytes mean.

use super::context::Grouping;
use super::shape::Shape;
use crate::outbox::TopicId;
use crate::types::Kind;

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePlan {
    /// The plan's index of its store.
    pub store: u16,
    /// Whether it has a row a key and window, or only a row a key.
    pub windowed: bool,
    /// A row as others see it: key fields, bounds, computed fields.
    pub rows: Shape,
    /// The key fields and what they are.
    pub key: Vec<(String, Kind)>,
    /// The computed fields.
    pub columns: Vec<String>,
    /// Where its changes are kept.
    pub changelog: TopicId,
    /// What its bytes mean: a line each. A table goes on only from bytes that mean the same.
    pub fingerprint: Vec<String>,
}

impl TablePlan {
    /// A table of one row a key.
    pub fn new(
        store: u16,
        rows: Shape,
        grouping: &Grouping,
        columns: Vec<String>,
        changelog: TopicId,
        fingerprint: Vec<String>,
    ) -> Self {
        let key = grouping.names.iter().cloned().zip(grouping.kinds.iter().copied()).collect();
        TablePlan { store, windowed: false, rows, key, columns, changelog, fingerprint }
    }

    /// The same with one row a key and window.
    pub fn windowed(self) -> Self {
        TablePlan { windowed: true, ..self }
    }

    /// A table of marks on the rows of this one.
    pub fn marks(&self, store: u16, changelog: TopicId) -> Self {
        let fingerprint = vec!["alert once".to_owned()];
        TablePlan { store, windowed: false, columns: vec![], changelog, fingerprint, ..self.clone() }
    }
}
