//! What librdkafka says between calls: its log goes to ours, and what ails the connection is kept, because the call
//! that fails of it only says that time is up.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, ProducerContext};
use std::sync::{Arc, Mutex, PoisonError};

/// What ails a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailment {
    /// Its class.
    pub code: RDKafkaErrorCode,
    /// In librdkafka's words.
    pub reason: String,
}

impl Ailment {
    /// Whether it will not heal by itself: wrong credentials, a certificate that nobody trusts.
    pub fn is_final(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::SSL
                | RDKafkaErrorCode::UnsupportedSASLMechanism
        )
    }
}

/// Listens to a client.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    heard: Arc<Mutex<Option<Ailment>>>,
}

impl Ear {
    /// What was heard last.
    pub fn ailment(&self) -> Option<Ailment> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, "{message}");
        // A broker that hangs up at once is only spoken of here; what is worse comes as an error as well.
        if facility == "FAIL" && !matches!(level, RDKafkaLogLevel::Error | RDKafkaLogLevel::Critical) {
            let heard =
                Ailment { code: RDKafkaErrorCode::BrokerTransportFailure, reason: message.to_owned() };
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(heard);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "{reason}");
        let Some(code) = error.rdkafka_error_code() else { return };
        // That all are down says less than why the last one is.
        if code == RDKafkaErrorCode::AllBrokersDown {
            return;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        // What is final explains all that follows from it.
        if !heard.as_ref().is_some_and(Ailment::is_final) {
            *heard = Some(Ailment { code, reason: reason.to_owned() });
        }
    }
}

impl ConsumerContext for Ear {}

impl ProducerContext<NoCustomPartitioner> for Ear {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
