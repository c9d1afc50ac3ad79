//! How long a record takes from its producer to a reader of committed records, at 5,000 a second.

use super::broker::Broker;
use super::pipeline::Pipeline;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const RATE: u64 = 5_000;
const SECONDS: u64 = 45;
/// The first seconds do not count: so long does a JVM compile what many small batches need, however warm it is for
/// large ones.
const WARM: u64 = 30;

fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}

/// Measures and prints.
pub fn report(broker: &Broker) {
    broker.topic("latency-in", 4);
    let fast = |text: String| format!("{text}\n[run]\nworkers = 1\ncommit_every = \"50ms\"\n");
    let pipeline = Pipeline::new(broker, "latency", "latency-in", fast);
    let mut engine = pipeline.command().spawn().unwrap();
    let stop = AtomicBool::new(false);
    let mut took = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(broker, "latency-enriched-readings", &stop));
        send(broker);
        std::thread::sleep(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    engine.kill().unwrap();
    engine.wait().unwrap();
    took.sort_unstable();
    assert!(
        took.len() as u64 > RATE * (SECONDS - WARM) * 9 / 10,
        "only {} arrived:\n{}",
        took.len(),
        pipeline.said()
    );
    let at = |share: f64| took[(took.len() as f64 * share) as usize] as f64 / 1000.0;
    println!(
        "latency at {RATE} records/s, commit_every = \"50ms\": p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({} records)",
        at(0.5),
        at(0.9),
        at(0.99),
        took[took.len() - 1] as f64 / 1000.0,
        took.len()
    );
}

fn send(broker: &Broker) {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &broker.address)
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "1");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    let since = Instant::now();
    for at in 0..RATE * SECONDS {
        let due = Duration::from_micros(at * 1_000_000 / RATE);
        std::thread::sleep(due.saturating_sub(since.elapsed()));
        let key = format!("sensor-{}", at % 1000);
        let sent = if at < RATE * WARM { 0 } else { now_us() };
        let value = format!(
            r#"{{"sensor_id":"{key}","temperature":21.5,"timestamp":"2026-01-01T00:00:{:02}Z","sent":{sent}}}"#,
            at / RATE % 60
        );
        producer.send(BaseRecord::to("latency-in").key(&key).payload(&value)).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();
}

/// Microseconds that records took.
fn read(broker: &Broker, topic: &str, stop: &AtomicBool) -> Vec<u64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &broker.address).set("group.id", "latency-reader");
    config
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..4 {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut took = vec![];
    while !stop.load(Ordering::Relaxed) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) else { continue };
        let value: serde_json::Value = serde_json::from_slice(message.payload().unwrap()).unwrap();
        match value["sent"].as_u64() {
            Some(sent) if sent > 0 => took.push(now_us().saturating_sub(sent)),
            _ => {}
        }
    }
    took
}
