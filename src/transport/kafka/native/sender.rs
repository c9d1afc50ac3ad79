//! Producing to topics whose handles are kept, and the end of a transaction.

use super::{TransactionError, outcome, stranger};
use rdkafka::TopicPartitionList;
use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::ffi::{CString, c_void};
use std::ptr::{self, NonNull};
use std::time::{Duration, Instant};

/// A record to be produced.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'o> {
    /// Its partition.
    pub partition: u32,
    /// Its timestamp in milliseconds; 0 would be the time of sending.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'o [u8]>,
    /// Its value.
    pub value: Option<&'o [u8]>,
    /// Its headers, in the encoding of [`crate::headers`].
    pub headers: &'o [u8],
}

/// A producer with the handles of its topics.
pub struct Sender<P: ProducerContext<DeliveryOpaque = ()> + 'static> {
    topics: Vec<NonNull<c::rd_kafka_topic_t>>,
    producer: BaseProducer<P>,
}

// SAFETY: topic handles belong to no thread; the binding's producer is `Send` by itself.
unsafe impl<P: ProducerContext<DeliveryOpaque = ()> + 'static> Send for Sender<P> {}

impl<P: ProducerContext<DeliveryOpaque = ()> + 'static> Sender<P> {
    /// A producer that knows these topics by their places in the list.
    pub fn new(producer: BaseProducer<P>, names: &[String]) -> Result<Self, KafkaError> {
        let mut topics = vec![];
        for name in names {
            let name = CString::new(name.as_str())?;
            // SAFETY: the client lives; no settings are given over. The handle is destroyed when this is dropped.
            let topic = unsafe {
                c::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), ptr::null_mut())
            };
            topics.push(NonNull::new(topic).ok_or(KafkaError::Global(RDKafkaErrorCode::UnknownTopic))?);
        }
        Ok(Sender { topics, producer })
    }

    /// The binding's producer.
    pub fn producer(&self) -> &BaseProducer<P> {
        &self.producer
    }

    /// Hands a record over, which is copied.
    pub fn produce(&self, topic: usize, record: &Outgoing<'_>) -> Result<(), RDKafkaErrorCode> {
        use c::rd_kafka_vtype_t as v;
        let (key, key_len) = parts(record.key);
        let (value, value_len) = parts(record.value);
        let headers = native_headers(record.headers);
        // SAFETY: the variadic list is pairs of a tag and what librdkafka's header says stands behind it, with C's
        // types, and ends with END. Key and value are copied (F_COPY) before the call returns. The headers become
        // librdkafka's if the call succeeds, and stay ours if it fails.
        unsafe {
            let result = c::rd_kafka_producev(
                self.producer.client().native_ptr(),
                v::RD_KAFKA_VTYPE_RKT,
                self.topics[topic].as_ptr(),
                v::RD_KAFKA_VTYPE_PARTITION,
                record.partition as i32,
                v::RD_KAFKA_VTYPE_MSGFLAGS,
                c::RD_KAFKA_MSG_F_COPY,
                v::RD_KAFKA_VTYPE_VALUE,
                value,
                value_len,
                v::RD_KAFKA_VTYPE_KEY,
                key,
                key_len,
                v::RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp,
                v::RD_KAFKA_VTYPE_HEADERS,
                headers,
                v::RD_KAFKA_VTYPE_END,
            );
            if result == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Ok(());
            }
            if !headers.is_null() {
                c::rd_kafka_headers_destroy(headers);
            }
            Err(result.into())
        }
    }

    /// Waits until all that was produced has been acknowledged or has failed; whether that was so in time. Failures are
    /// reported to the context.
    pub fn flush(&self, within: Duration) -> bool {
        let since = Instant::now();
        loop {
            // SAFETY: the client lives.
            let flushed = unsafe { c::rd_kafka_flush(self.producer.client().native_ptr(), 5) };
            // What has failed counts as outstanding until its report is taken.
            self.producer.poll(Duration::ZERO);
            if flushed == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return true;
            }
            if since.elapsed() >= within {
                return false;
            }
        }
    }

    /// Puts the offsets of a member into the transaction. A member that is in no generation of its group would be
    /// believed without a question, so it is refused here.
    pub fn send_offsets<C: ConsumerContext>(
        &self,
        offsets: &TopicPartitionList,
        member: &BaseConsumer<C>,
        within: Duration,
    ) -> Result<(), TransactionError> {
        // SAFETY: both clients live for the call; the metadata is ours and destroyed behind its last use.
        unsafe {
            let metadata = c::rd_kafka_consumer_group_metadata(member.client().native_ptr());
            if metadata.is_null() {
                return Err(stranger());
            }
            let generation = c::rd_kafka_consumer_group_metadata_generation_id(metadata);
            let id = c::rd_kafka_consumer_group_metadata_member_id(metadata);
            let known = generation >= 0 && !id.is_null() && *id != 0;
            let sent = match known {
                true => outcome(c::rd_kafka_send_offsets_to_transaction(
                    self.producer.client().native_ptr(),
                    offsets.ptr(),
                    metadata,
                    within.as_millis() as i32,
                )),
                false => Err(stranger()),
            };
            c::rd_kafka_consumer_group_metadata_destroy(metadata);
            sent
        }
    }

    /// Commits the transaction, of which everything has been flushed.
    pub fn commit(&self, within: Duration) -> Result<(), TransactionError> {
        // SAFETY: the client lives, and the error, if there is one, is ours.
        unsafe {
            let client = self.producer.client().native_ptr();
            outcome(c::rd_kafka_commit_transaction(client, within.as_millis() as i32))
        }
    }
}

impl<P: ProducerContext<DeliveryOpaque = ()> + 'static> Drop for Sender<P> {
    fn drop(&mut self) {
        for topic in self.topics.drain(..) {
            // SAFETY: the handle is ours, and the client still lives: fields are dropped behind this.
            unsafe { c::rd_kafka_topic_destroy(topic.as_ptr()) }
        }
    }
}

/// Nothing is null; nothing in it is not.
fn parts(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |bytes| (bytes.as_ptr().cast_mut().cast(), bytes.len()))
}

/// Headers as librdkafka has them; null if there are none.
fn native_headers(run: &[u8]) -> *mut c::rd_kafka_headers_t {
    if run.is_empty() {
        return ptr::null_mut();
    }
    // SAFETY: names and values are copied with the lengths that are given; −1 stands for no value.
    unsafe {
        let headers = c::rd_kafka_headers_new(8);
        for (name, value) in crate::headers::iter(run) {
            let (value, len) = value.map_or((ptr::null(), -1), |v| (v.as_ptr().cast(), v.len() as isize));
            c::rd_kafka_header_add(headers, name.as_ptr().cast(), name.len() as isize, value, len);
        }
        headers
    }
}
