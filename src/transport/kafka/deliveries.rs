//! What became of records that were sent without a transaction: the first that was not delivered is kept.

use super::Outcome;
use super::ear::Ear;
use super::fault;
use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, ProducerContext};
use std::sync::{Arc, Mutex, PoisonError};

/// Listens to a producer.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    ear: Ear,
    failed: Arc<Mutex<Option<(String, KafkaError)>>>,
}

impl Deliveries {
    /// With somebody who hears the rest.
    pub fn new(ear: Ear) -> Self {
        Deliveries { ear, failed: Arc::default() }
    }

    /// Fails if a record was not delivered.
    pub fn check(&self) -> Outcome<()> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failed {
            Some((topic, error)) => {
                Err(fault::asking(&format!("nothing can be written to `{topic}`"), &error))
            }
            None => Ok(()),
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.ear.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }
}

impl ProducerContext<NoCustomPartitioner> for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, record)) = result else { return };
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| (record.topic().to_owned(), error.clone()));
    }
}
