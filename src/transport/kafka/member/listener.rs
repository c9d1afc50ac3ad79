//! What the group says, for the worker to answer.

use super::super::ear::Ear;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the group has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Assigned(Vec<(String, u32)>),
    Revoked { partitions: Vec<(String, u32)>, lost: bool },
}

/// Listens to the group and answers nothing: the worker does.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    ear: Ear,
    pub(super) said: Arc<Mutex<VecDeque<Said>>>,
    /// Nobody will answer any more.
    pub(super) leaving: Arc<AtomicBool>,
    /// Whether a connection has failed since this was last looked at.
    shaken: Arc<AtomicBool>,
    /// When librdkafka noticed that the group had not been reached for a whole session.
    silent: Arc<Mutex<Option<Instant>>>,
}

/// For so long a silence explains that the group has given us up.
const EXPLAINS: Duration = Duration::from_secs(60);

impl Listener {
    /// Whether the group could not be reached for a whole session, not long ago.
    pub fn was_silent(&self) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|at| at.elapsed() < EXPLAINS)
    }

    /// Whether a connection has failed since this was last asked.
    pub fn take_shaken(&self) -> bool {
        self.shaken.swap(false, Ordering::Relaxed)
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // There is no other word of it.
        if facility == "SESSTMOUT" {
            *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        self.ear.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.shaken.store(true, Ordering::Relaxed);
        self.ear.error(error, reason);
    }
}

impl ConsumerContext for Listener {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.leaving.load(Ordering::Relaxed) {
            // Once and no more: to a second call nobody would be left to answer.
            let _ = match consumer.rebalance_protocol() {
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
                _ => consumer.unassign(),
            };
            return;
        }
        let partitions =
            list.elements().iter().map(|e| (e.topic().to_owned(), e.partition() as u32)).collect();
        let said = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Said::Assigned(partitions),
            // Asked now: later it may be another assignment that is meant.
            _ => Said::Revoked { partitions, lost: consumer.assignment_lost() },
        };
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push_back(said);
    }
}
