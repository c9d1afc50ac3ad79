//! The embedded durable log: Kafka's part played by one directory, for one machine.

pub mod journal;
