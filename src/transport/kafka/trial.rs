//! Whether transactions work, tried without writing anything.

use super::Outcome;
use super::cluster::{Cluster, QUESTION};
use super::fault;
use crate::transport::{Class, TransportError};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};

/// What a producer is set up with that sends nothing.
const BYTES: usize = 1 << 20;

impl Cluster {
    /// Whether a producer with this transactional id may begin.
    pub fn begins_transactions(&self, id: &str) -> Outcome<()> {
        let config = self.settings().producer(id, BYTES, BYTES);
        let producer: BaseProducer<super::ear::Ear> =
            config.create_with_context(self.ear().clone()).map_err(|e| fault::unmade(&e))?;
        let begun = producer.init_transactions(QUESTION * 2);
        begun.map_err(|error| TransportError { class: Class::Fatal, ..refused(&error) })
    }
}

fn refused(error: &KafkaError) -> TransportError {
    fault::asking("a transactional producer cannot begin", error)
}
