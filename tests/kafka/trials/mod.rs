//! The trials: each harms the engine, or the world it lives in, in one way while records keep coming, and then asks
//! what is left in the topics.
//!
//! `STREAMRUN_TRIALS=N` has N times as many rounds, `STREAMRUN_SEED` repeats what chance decided.

pub mod broken_brokers;
pub mod flow;
pub mod frozen;
pub mod killed;
pub mod members;
pub mod network;
pub mod silence;
pub mod twins;

pub use flow::Flow;
