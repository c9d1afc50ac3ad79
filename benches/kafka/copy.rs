//! The client's own speed: a copy from topic to topic with nothing in between. A group's consumer, batches from a queue
//! of its own, a transaction every so often with the offsets; or no transactions.

#![expect(unsafe_code, reason = "what is measured is librdkafka itself")]

use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use std::ffi::CString;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Duration, Instant};

const BATCH: usize = 4000;

/// Has assigned partitions deliver into one queue.
struct Forward(AtomicPtr<c::rd_kafka_queue_t>);

impl ClientContext for Forward {}

impl ConsumerContext for Forward {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if what != RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            consumer.unassign().unwrap();
            return;
        }
        for element in list.elements() {
            let topic = CString::new(element.topic()).unwrap();
            // SAFETY: the client lives, and so does the queue, which is destroyed behind the consumer's close.
            unsafe {
                let client = consumer.client().native_ptr();
                let queue = c::rd_kafka_queue_get_partition(client, topic.as_ptr(), element.partition());
                c::rd_kafka_queue_forward(queue, self.0.load(Ordering::Relaxed));
                c::rd_kafka_queue_destroy(queue);
            }
        }
        consumer.assign(list).unwrap();
    }
}

/// Copies `count` records, in transactions that are so long if there are any.
pub fn run(address: &str, from: &str, to: &str, count: u64, commit_every: Option<Duration>) {
    let transactions = commit_every.is_some();
    let common = |config: &mut ClientConfig| {
        config.set("bootstrap.servers", address);
    };
    let mut config = ClientConfig::new();
    common(&mut config);
    let group = format!("copy-{to}");
    for (name, value) in [
        ("group.id", group.as_str()),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_committed"),
        ("partition.assignment.strategy", "range"),
        ("fetch.queue.backoff.ms", "10"),
        ("max.partition.fetch.bytes", "4194304"),
        ("queued.min.messages", "100000"),
        ("queued.max.messages.kbytes", "65536"),
    ] {
        config.set(name, value);
    }
    let context = Forward(AtomicPtr::default());
    let consumer: BaseConsumer<Forward> = config.create_with_context(context).unwrap();
    // SAFETY: the client lives as long as the queue, which is ours.
    let queue = unsafe { c::rd_kafka_queue_new(consumer.client().native_ptr()) };
    consumer.context().0.store(queue, Ordering::Relaxed);
    consumer.subscribe(&[from]).unwrap();
    let mut config = ClientConfig::new();
    common(&mut config);
    for (name, value) in [
        ("enable.idempotence", "true"),
        ("batch.size", "1048576"),
        ("batch.num.messages", "10000"),
        ("linger.ms", "5"),
        ("queue.buffering.max.messages", "1000000"),
        ("queue.buffering.max.kbytes", "524288"),
        ("delivery.report.only.error", "true"),
    ] {
        config.set(name, value);
    }
    if transactions {
        config.set("transactional.id", &group);
    }
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    if transactions {
        producer.init_transactions(Duration::from_secs(30)).unwrap();
    }
    let topic = CString::new(to).unwrap();
    let client = producer.client().native_ptr();
    // SAFETY: the client lives as long as the handle.
    let topic = unsafe { c::rd_kafka_topic_new(client, topic.as_ptr(), std::ptr::null_mut()) };
    let mut copied = 0;
    let mut offsets = std::collections::BTreeMap::new();
    let mut batch: Vec<*mut c::rd_kafka_message_t> = vec![std::ptr::null_mut(); BATCH];
    let (mut open, mut committed) = (false, Instant::now());
    while copied < count {
        let _ = consumer.poll(Duration::ZERO);
        // SAFETY: there is room for BATCH pointers.
        let taken = unsafe { c::rd_kafka_consume_batch_queue(queue, 1, batch.as_mut_ptr(), BATCH) };
        if taken > 0 && transactions && !open {
            producer.begin_transaction().unwrap();
            open = true;
        }
        for message in &batch[..taken.max(0) as usize] {
            // SAFETY: the message is ours until it is destroyed at the end of this block; its parts are copied before.
            unsafe {
                let record = &**message;
                assert_eq!(record.err, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
                let mut kind = c::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
                let timestamp = c::rd_kafka_message_timestamp(record, &mut kind);
                produce(client, topic, record, timestamp);
                offsets.insert(record.partition, record.offset + 1);
                c::rd_kafka_message_destroy(*message);
            }
            copied += 1;
        }
        let is_due = commit_every.is_some_and(|every| committed.elapsed() >= every);
        if open && (is_due || copied >= count) {
            commit(&producer, &consumer, from, &offsets);
            (open, committed) = (false, Instant::now());
        }
    }
    // SAFETY: nothing uses the handle or the queue any more.
    unsafe {
        while c::rd_kafka_flush(client, 100) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {}
        c::rd_kafka_topic_destroy(topic);
        consumer.close_queue().unwrap();
        while !consumer.closed() {
            let _ = consumer.poll(Duration::from_millis(10));
        }
        c::rd_kafka_queue_destroy(queue);
    }
}

/// # Safety
/// Client, topic and record live.
unsafe fn produce(
    client: *mut c::rd_kafka_t,
    topic: *mut c::rd_kafka_topic_t,
    record: &c::rd_kafka_message_t,
    timestamp: i64,
) {
    use c::rd_kafka_vtype_t as v;
    loop {
        // SAFETY: pairs of a tag and its value, and an end.
        let result = unsafe {
            c::rd_kafka_producev(
                client,
                v::RD_KAFKA_VTYPE_RKT,
                topic,
                v::RD_KAFKA_VTYPE_PARTITION,
                record.partition,
                v::RD_KAFKA_VTYPE_MSGFLAGS,
                c::RD_KAFKA_MSG_F_COPY,
                v::RD_KAFKA_VTYPE_VALUE,
                record.payload,
                record.len,
                v::RD_KAFKA_VTYPE_KEY,
                record.key,
                record.key_len,
                v::RD_KAFKA_VTYPE_TIMESTAMP,
                timestamp,
                v::RD_KAFKA_VTYPE_END,
            )
        };
        match result {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => return,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL => std::thread::sleep(Duration::from_millis(1)),
            other => panic!("{other:?}"),
        }
    }
}

fn commit(
    producer: &ThreadedProducer<DefaultProducerContext>,
    consumer: &BaseConsumer<Forward>,
    from: &str,
    offsets: &std::collections::BTreeMap<i32, i64>,
) {
    let client = producer.client().native_ptr();
    // SAFETY: the client lives; a transaction is open.
    unsafe { while c::rd_kafka_flush(client, 100) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {} }
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(from, *partition, Offset::Offset(*offset)).unwrap();
    }
    let metadata = consumer.group_metadata().unwrap();
    producer.send_offsets_to_transaction(&list, &metadata, Duration::from_secs(30)).unwrap();
    // SAFETY: the client lives; no error is left unread, because there must be none.
    unsafe {
        let error = c::rd_kafka_commit_transaction(client, 30_000);
        assert!(error.is_null(), "a commit failed");
    }
}
