//! The embedded log, written and read by somebody who is not the engine.

use super::producer::Raw;
use super::reader::Found;
use std::path::Path;
use streamrun::headers;
use streamrun::transport::local::Client;
use streamrun::transport::local::journal::Records;

/// Writes records to a topic.
pub fn send(log: &Path, topic: &str, partitions: u32, records: &[Raw]) {
    let mut client = Client::open(log).expect("the log opens");
    client.ensure_topic(topic, partitions).expect("a topic");
    for raw in records {
        let timestamp = raw.timestamp.unwrap_or(0);
        client.send(topic, timestamp, raw.key.as_deref(), raw.value.as_deref()).expect("sent");
    }
    client.flush().expect("written");
}

/// All records of a topic, by partition and offset.
pub fn read(log: &Path, topic: &str) -> Vec<Found> {
    let client = Client::open_existing(log).expect("the log opens");
    let partitions = client.partitions(topic).unwrap_or(0);
    (0..partitions).flat_map(|partition| read_partition(&client, topic, partition)).collect()
}

fn read_partition(client: &Client, topic: &str, partition: u32) -> Vec<Found> {
    let (mut next, end) = client.bounds(topic, partition).expect("bounds");
    let (mut all, mut records) = (vec![], Records::default());
    while next < end {
        for record in client.read(topic, partition, next, (10_000, 1 << 22), &mut records).expect("read") {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let headers = headers::iter(record.headers).map(|(k, v)| (text(k), v.map(<[u8]>::to_vec)));
            all.push(Found {
                partition: partition as i32,
                offset: record.offset,
                timestamp: Some(record.timestamp),
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
                headers: headers.collect(),
            });
            next = record.offset + 1;
        }
    }
    all
}
