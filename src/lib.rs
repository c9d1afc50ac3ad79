//! streamrun: one TOML file describes a stream-processing pipeline, one binary checks it, tests it and runs it.

pub mod aggregates;
pub mod codec;
pub mod diagnostic;
pub mod engine;
pub mod expr;
pub mod frame;
pub mod headers;
pub mod http;
pub mod inspect;
pub mod metrics;
pub mod operator;
pub mod operators;
pub mod outbox;
pub mod partitioner;
pub mod plan;
pub mod produce;
pub mod reference;
pub mod rows;
pub mod runtime;
pub mod spec;
pub mod store;
pub mod testing;
pub mod time;
pub mod transport;
pub mod types;
