//! State: typed tables in memory that change in place and remember how to undo it.

/// A store that a node declares.
#[derive(Debug)]
pub struct StoreDecl {}

/// The stores of a task.
#[derive(Debug, Default)]
pub struct Stores {}
