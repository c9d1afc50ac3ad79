//! Where made-up records go.

use crate::transport::{TransportError, kafka, local};

/// Takes records for topics.
pub trait Destination {
    /// Sees to it that a topic is there; how many partitions it has, which may be others than those wished for.
    fn ensure_topic(&mut self, topic: &str, partitions: u32) -> Result<u32, TransportError>;

    /// Takes a record, to be written by the next flush at the latest: to the partition of its key, as JVM clients
    /// choose it, or to any.
    fn send(
        &mut self,
        topic: &str,
        timestamp: i64,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), TransportError>;

    /// Everything that was sent is there for good when this returns.
    fn flush(&mut self) -> Result<(), TransportError>;
}

impl Destination for local::Client {
    fn ensure_topic(&mut self, topic: &str, partitions: u32) -> Result<u32, TransportError> {
        local::Client::ensure_topic(self, topic, partitions)
    }

    fn send(
        &mut self,
        topic: &str,
        timestamp: i64,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), TransportError> {
        local::Client::send(self, topic, timestamp, key, Some(value))
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        local::Client::flush(self)
    }
}

impl Destination for kafka::Client {
    fn ensure_topic(&mut self, topic: &str, partitions: u32) -> Result<u32, TransportError> {
        kafka::Client::ensure_topic(self, topic, partitions)
    }

    fn send(
        &mut self,
        topic: &str,
        timestamp: i64,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), TransportError> {
        kafka::Client::send(self, topic, timestamp, key, Some(value))
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        kafka::Client::flush(self)
    }
}
