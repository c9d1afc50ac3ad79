//! The calls into librdkafka that its Rust binding does not wrap, and all unsafe code of the crate but for a hint in
//! `store/near.rs`.
//!
//! Five things are here: queues of our own from which records are taken in batches, payloads borrowed; producing to
//! topics whose handles are kept; flushing and committing without the binding's pauses; the member's generation,
//! looked at before it is used; and what is asked about topics and rights. Each type owns what its pointers point to
//! and keeps the client alive that they belong to, so that a queue or a handle never outlives its client, and a client
//! never waits for a queue at its end.

#![expect(unsafe_code, reason = "librdkafka is C; each block says why it is sound")]

mod inbox;
mod rights;
mod sender;
mod topics;

pub use inbox::{Inbox, Message, known_end};
pub use rights::{Rights, group_rights, topic_rights};
pub use sender::{Outgoing, Sender};
pub use topics::describe;

use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

/// How long the end of a consumer may take before its threads are left to the end of the process.
const CLOSING: Duration = Duration::from_secs(5);

/// A consumer that is closed in good order, and left alone if it cannot be: the binding would wait for ever.
pub struct Closing<C: ConsumerContext + 'static>(ManuallyDrop<BaseConsumer<C>>);

impl<C: ConsumerContext + 'static> Closing<C> {
    /// Takes charge of a consumer.
    pub fn new(consumer: BaseConsumer<C>) -> Self {
        Closing(ManuallyDrop::new(consumer))
    }
}

impl<C: ConsumerContext + 'static> std::ops::Deref for Closing<C> {
    type Target = BaseConsumer<C>;

    fn deref(&self) -> &BaseConsumer<C> {
        &self.0
    }
}

impl<C: ConsumerContext + 'static> Drop for Closing<C> {
    fn drop(&mut self) {
        let since = Instant::now();
        let asked = self.0.close_queue().is_ok();
        while asked && !self.0.closed() && since.elapsed() < CLOSING {
            let _ = self.0.poll(Duration::from_millis(10));
        }
        if self.0.closed() {
            // SAFETY: this is the only place that drops it, and the last one that touches it.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        } else {
            tracing::debug!("a consumer does not close; its threads are left to the end of the process");
        }
    }
}

/// Why a call of a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionError {
    /// Its code.
    pub code: RDKafkaErrorCode,
    /// librdkafka's words.
    pub text: String,
    /// The producer can be used no more.
    pub fatal: bool,
    /// The same call may be made again.
    pub retriable: bool,
    /// The transaction has to be aborted.
    pub abortable: bool,
}

impl From<KafkaError> for TransactionError {
    fn from(error: KafkaError) -> Self {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        match error {
            KafkaError::Transaction(inner) => TransactionError {
                code,
                text: inner.string(),
                fatal: inner.is_fatal(),
                retriable: inner.is_retriable(),
                abortable: inner.txn_requires_abort(),
            },
            other => TransactionError {
                code,
                text: other.to_string(),
                fatal: false,
                retriable: code == RDKafkaErrorCode::OperationTimedOut,
                abortable: false,
            },
        }
    }
}

/// Takes an error over from librdkafka and gives it back.
///
/// # Safety
/// `error` is null, or an error that the caller owns.
unsafe fn outcome(error: *mut c::rd_kafka_error_t) -> Result<(), TransactionError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: it is ours until it is destroyed here; its text is copied before that.
    unsafe {
        let text = CStr::from_ptr(c::rd_kafka_error_string(error)).to_string_lossy().into_owned();
        let found = TransactionError {
            code: c::rd_kafka_error_code(error).into(),
            text,
            fatal: c::rd_kafka_error_is_fatal(error) != 0,
            retriable: c::rd_kafka_error_is_retriable(error) != 0,
            abortable: c::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        c::rd_kafka_error_destroy(error);
        Err(found)
    }
}

/// The group does not know us, or we do not know it.
fn stranger() -> TransactionError {
    TransactionError {
        code: RDKafkaErrorCode::UnknownMemberId,
        text: "not a member of the group at the moment".to_owned(),
        fatal: false,
        retriable: false,
        abortable: true,
    }
}
