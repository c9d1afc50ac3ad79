//! What all contestants read: readings in a topic of four partitions.

use super::broker::Broker;
use super::readings::Readings;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use std::time::{Duration, Instant};

/// How many readings are made at a time.
const PART: usize = 500_000;

/// Sends so many readings of so many sensors.
pub fn fill(broker: &Broker, topic: &str, count: usize, sensors: u64) {
    let since = Instant::now();
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", &broker.address).set("partitioner", "murmur2_random");
    config.set("batch.size", "1048576").set("queue.buffering.max.messages", "1000000").set("linger.ms", "20");
    config.set("enable.idempotence", "true");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    for first in (0..count).step_by(PART) {
        let readings = Readings::part(first, PART.min(count - first), sensors);
        for record in readings.records() {
            let mut send = BaseRecord::to(topic).key(record.key.unwrap()).payload(record.value.unwrap());
            while let Err((error, again)) = producer.send(send) {
                assert_eq!(error.rdkafka_error_code(), Some(rdkafka::error::RDKafkaErrorCode::QueueFull));
                std::thread::sleep(Duration::from_millis(1));
                send = again;
            }
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    println!("  {count} readings of {sensors} sensors written in {:.1} s", since.elapsed().as_secs_f64());
}
