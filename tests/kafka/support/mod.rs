//! What trials are made of: brokers, topics, whoever writes and reads them, and the engine as a process.

pub mod broker;
pub mod certificates;
pub mod child;
pub mod deadline;
pub mod engine;
pub mod local;
pub mod place;
pub mod producer;
pub mod proxy;
pub mod random;
pub mod reader;
pub mod secured;
pub mod tests;
pub mod topic;

pub use broker::Cluster;
pub use deadline::until;
pub use engine::Engine;
pub use place::Place;
pub use random::Random;
pub use secured::Secured;
