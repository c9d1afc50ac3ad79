//! What a worker's producer says of records that it could not deliver.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, ProducerContext};
use std::sync::{Arc, Mutex, PoisonError};

/// A record that was not delivered.
#[derive(Clone, Debug)]
pub struct Undelivered {
    /// Its topic.
    pub topic: String,
    /// Key and value.
    pub bytes: usize,
    /// Why.
    pub code: RDKafkaErrorCode,
}

/// Collects what was not delivered; the first one says why all behind it were not.
#[derive(Clone, Debug, Default)]
pub struct Reports(Arc<Mutex<Option<Undelivered>>>);

impl Reports {
    /// The first one, if there is one; it counts as looked at.
    pub fn take(&self) -> Option<Undelivered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "{reason}");
    }
}

impl ProducerContext<NoCustomPartitioner> for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        // What we took back ourselves is no failure.
        if matches!(code, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) {
            return;
        }
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| Undelivered {
            topic: message.topic().to_owned(),
            bytes: message.key_len() + message.payload_len(),
            code,
        });
    }
}
