//! Whoever writes into topics: plain, fast, each record acknowledged by all replicas, and anything but the engine.

use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than any broker is away.
const LONGEST: Duration = Duration::from_secs(180);

/// A record as it is to be written; nothing is filled in.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// In milliseconds; -1 is "none", and none is now.
    pub timestamp: Option<i64>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Counts the records that could not be written.
#[derive(Debug, Default)]
struct Counting {
    lost: AtomicU64,
}

/// What the client calls; the counts outlive it.
#[derive(Clone, Debug, Default)]
struct Context(Arc<Counting>);

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if result.is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A client that writes.
pub struct Producer {
    client: ThreadedProducer<Context>,
    counting: Arc<Counting>,
}

impl Producer {
    pub fn new(bootstrap: &str) -> Self {
        Producer::with(bootstrap, &[])
    }

    /// With properties of librdkafka, such as `compression.type`.
    pub fn with(bootstrap: &str, properties: &[(&str, &str)]) -> Self {
        let context = Context::default();
        let counting = context.0.clone();
        let client = config(bootstrap, properties).create_with_context(context).expect("a producer");
        Producer { client, counting }
    }

    /// Hands a record over; it waits for room where there is none.
    pub fn send(&self, topic: &str, raw: &Raw) {
        while !offer(raw, topic, |record| self.client.send(record).map_err(|(error, _)| error)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until all that was sent is acknowledged.
    pub fn flush(&self) {
        self.client.flush(LONGEST).expect("everything is acknowledged");
        assert_eq!(self.counting.lost.load(Ordering::Relaxed), 0, "records could not be written");
    }
}

/// Hands a record to a client; `false`: its queue is full.
fn offer(
    raw: &Raw,
    topic: &str,
    send: impl FnOnce(BaseRecord<'_, [u8], [u8], ()>) -> Result<(), KafkaError>,
) -> bool {
    let mut record = BaseRecord::<[u8], [u8], ()>::to(topic);
    record.key = raw.key.as_deref();
    record.payload = raw.value.as_deref();
    record.partition = raw.partition;
    record.timestamp = raw.timestamp;
    if !raw.headers.is_empty() {
        let headers = raw.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_deref() })
        });
        record.headers = Some(headers);
    }
    match send(record) {
        Ok(()) => true,
        Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => false,
        Err(error) => panic!("{topic}: {error}"),
    }
}

fn config(bootstrap: &str, properties: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    // In order, and once but for what librdkafka writes again when a broker dies (its issue 4953; in a transaction it
    // aborts instead): what is expected of the engine is read from the input.
    config.set("enable.idempotence", "true").set("acks", "all");
    config.set("partitioner", "murmur2_random").set("linger.ms", "2");
    config.set("message.max.bytes", "2000000");
    config.set("message.timeout.ms", LONGEST.as_millis().to_string());
    for (key, value) in properties {
        config.set(*key, *value);
    }
    config
}

/// Writes records in a transaction and takes it back: nobody may ever see them.
pub fn send_and_abort(bootstrap: &str, topic: &str, records: &[Raw]) {
    let id = format!("aborts-{topic}");
    let client: BaseProducer =
        config(bootstrap, &[("transactional.id", &id), ("message.timeout.ms", "30000")])
            .create()
            .expect("a producer");
    client.init_transactions(LONGEST).expect("a transactional id");
    client.begin_transaction().expect("a transaction");
    for raw in records {
        assert!(offer(raw, topic, |record| client.send(record).map_err(|(error, _)| error)), "a full queue");
    }
    client.flush(LONGEST).expect("written");
    client.abort_transaction(LONGEST).expect("taken back");
}
