//! Queues of our own, and the records that are taken from them in batches.

use super::Closing;
use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use std::ffi::{CStr, CString, c_void};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

/// A queue of our own, into which partitions deliver, and the batch that was taken from it last.
pub struct Inbox<C: ConsumerContext + 'static> {
    queue: NonNull<c::rd_kafka_queue_t>,
    /// Owned; each is destroyed once, by `clear`.
    batch: Vec<*mut c::rd_kafka_message_t>,
    /// Dropped behind the queue.
    consumer: Arc<Closing<C>>,
}

// SAFETY: librdkafka's queues and messages belong to no thread; it demands that one thread at a time takes batches from
// a queue, and taking needs `&mut self`.
unsafe impl<C: ConsumerContext + 'static> Send for Inbox<C> {}

impl<C: ConsumerContext + 'static> Inbox<C> {
    /// A queue on a client.
    pub fn new(consumer: &Arc<Closing<C>>) -> Self {
        // SAFETY: the client lives, because `consumer` holds it; the queue is ours to destroy.
        let queue = unsafe { c::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = NonNull::new(queue).expect("librdkafka gives a queue or ends the process");
        Inbox { queue, batch: vec![], consumer: consumer.clone() }
    }

    /// Has a partition deliver here from now on. To be called before it is assigned, or the first records would go
    /// elsewhere; and each time anew, because the end of an assignment undoes it.
    pub fn collect(&self, topic: &str, partition: u32) {
        let Ok(topic) = CString::new(topic) else { return };
        let client = self.consumer.client().native_ptr();
        // SAFETY: the client lives; the partition's queue is a reference of ours, given back at once. Forwarding counts
        // its own reference to our queue.
        unsafe {
            let of_partition = c::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition as i32);
            if !of_partition.is_null() {
                c::rd_kafka_queue_forward(of_partition, self.queue.as_ptr());
                c::rd_kafka_queue_destroy(of_partition);
            }
        }
    }

    /// Takes up to `most` further records into the batch; waits up to `wait` for the batch to be full.
    pub fn take(&mut self, most: usize, wait: Duration) {
        let held = self.batch.len();
        if most <= held {
            return;
        }
        self.batch.reserve(most - held);
        // SAFETY: there is room for `most - held` pointers behind the ones that are held, and librdkafka writes no more
        // than that and says how many. −1 is an error and writes none.
        unsafe {
            let room = self.batch.as_mut_ptr().add(held);
            let wait_ms = wait.as_millis() as i32;
            let taken = c::rd_kafka_consume_batch_queue(self.queue.as_ptr(), wait_ms, room, most - held);
            self.batch.set_len(held + taken.max(0) as usize);
        }
    }

    /// Waits until there is a record, at most so long.
    pub fn wait(&mut self, most: Duration) {
        if self.batch.is_empty() {
            self.take(1, most);
        }
    }

    /// The batch, in order. What is borrowed lives until [`Inbox::clear`].
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        // SAFETY: the pointers of the batch are valid until `clear`, which needs `&mut self`.
        self.batch.iter().map(|message| Message(unsafe { &**message }))
    }

    /// Gives back what of the batch is not to be kept.
    pub fn retain(&mut self, keep: impl Fn(Message<'_>) -> bool) {
        self.batch.retain(|message| {
            // SAFETY: it is valid, being in the batch; where it is destroyed it leaves the batch with this.
            unsafe {
                let kept = keep(Message(&**message));
                if !kept {
                    c::rd_kafka_message_destroy(*message);
                }
                kept
            }
        });
    }

    /// Gives the batch back.
    pub fn clear(&mut self) {
        for message in self.batch.drain(..) {
            // SAFETY: it was given to us, and leaves the batch with this.
            unsafe { c::rd_kafka_message_destroy(message) }
        }
    }
}

impl<C: ConsumerContext + 'static> Drop for Inbox<C> {
    fn drop(&mut self) {
        self.clear();
        // SAFETY: ours, and not used again. What partitions still forward to it is counted apart. It goes before the
        // client, whose end would wait for it.
        unsafe { c::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

impl<C: ConsumerContext + 'static> fmt::Debug for Inbox<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("held", &self.batch.len()).finish_non_exhaustive()
    }
}

/// A record, or what a partition has to say instead of one.
#[derive(Clone, Copy)]
pub struct Message<'m>(&'m c::rd_kafka_message_t);

impl<'m> Message<'m> {
    /// Its topic, as an address that equals that of the message before if the topic is the same.
    pub fn topic_address(&self) -> usize {
        self.0.rkt as usize
    }

    /// The name of its topic.
    pub fn topic(&self) -> &'m str {
        if self.0.rkt.is_null() {
            return "";
        }
        // SAFETY: the handle lives as long as the message, and its name as long as the handle.
        unsafe { CStr::from_ptr(c::rd_kafka_topic_name(self.0.rkt)) }.to_str().unwrap_or_default()
    }

    /// Its partition.
    pub fn partition(&self) -> u32 {
        self.0.partition.max(0) as u32
    }

    /// Its offset.
    pub fn offset(&self) -> i64 {
        self.0.offset
    }

    /// What is said instead of a record.
    pub fn error(&self) -> Option<RDKafkaErrorCode> {
        (self.0.err != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| self.0.err.into())
    }

    /// Its key; none is not an empty one.
    pub fn key(&self) -> Option<&'m [u8]> {
        // SAFETY: as `bytes` demands, the key is `key_len` bytes that live as long as the message.
        unsafe { bytes(self.0.key, self.0.key_len) }
    }

    /// Its value, or the words of an error; none is a tombstone.
    pub fn value(&self) -> Option<&'m [u8]> {
        // SAFETY: as `bytes` demands, the payload is `len` bytes that live as long as the message.
        unsafe { bytes(self.0.payload, self.0.len) }
    }

    /// Its timestamp in milliseconds; −1: it has none.
    pub fn timestamp(&self) -> i64 {
        let mut kind = c::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives, and the kind is written to our variable.
        unsafe { c::rd_kafka_message_timestamp(self.0, &mut kind) }
    }

    /// Appends its headers in the encoding of [`crate::headers`]. Names may be any bytes.
    pub fn headers(&self, out: &mut Vec<u8>) {
        let mut headers = ptr::null_mut();
        // SAFETY: the message lives; what is found belongs to it.
        let found = unsafe { c::rd_kafka_message_headers(self.0, &mut headers) };
        if found != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the list lives as long as the message; beyond its end the call says so and writes nothing.
            let (name, value) = unsafe {
                let more = c::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut len);
                if more != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return;
                }
                (CStr::from_ptr(name).to_bytes(), bytes(value, len))
            };
            crate::headers::push(out, name, value);
        }
    }
}

/// Bytes of C's.
///
/// # Safety
/// `start` is null, or the start of `len` bytes that live for `'m` and do not change.
unsafe fn bytes<'m>(start: *const c_void, len: usize) -> Option<&'m [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), len) })
}

/// Where a partition is known to end, without asking anyone: what the last fetch said.
pub fn known_end<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: u32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client lives, the name ends in a zero, and the answers are written to our variables.
    let found = unsafe {
        let client = consumer.client().native_ptr();
        c::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition as i32, &mut low, &mut high)
    };
    (found == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}
