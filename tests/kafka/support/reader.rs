//! Whoever reads topics: a plain consumer that shares nothing with the engine, and so may judge it.

use super::deadline::{until, until_true};
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// For one question to a cluster of which a broker may have just come back.
const ANSWER: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);

/// A record as it stands in a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub partition: i32,
    pub offset: i64,
    /// In milliseconds, if it has one.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Found {
    /// The key as text.
    pub fn key(&self) -> String {
        self.key.as_deref().map_or_else(String::new, |key| String::from_utf8_lossy(key).into_owned())
    }

    /// The value as JSON, `null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        self.value.as_deref().and_then(|value| serde_json::from_slice(value).ok()).unwrap_or_default()
    }

    /// A header's value as text.
    pub fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(found, _)| found == name);
        let value = found.and_then(|(_, value)| value.as_deref());
        value.map_or_else(String::new, |value| String::from_utf8_lossy(value).into_owned())
    }
}

/// A consumer that does nothing by itself.
pub fn consumer(bootstrap: &str, isolation: &str, group: Option<&str>) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("isolation.level", isolation);
    config.set("group.id", group.unwrap_or("whoever reads")).set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false").set("auto.offset.reset", "error");
    config.set("fetch.wait.max.ms", "20").set("check.crcs", "true").set("log_level", "0");
    config.set("enable.partition.eof", "true").set("receive.message.max.bytes", "200000000");
    config.create().expect("a consumer")
}

/// Reads a cluster's topics.
pub struct Reader {
    committed: BaseConsumer,
    uncommitted: BaseConsumer,
    bootstrap: String,
}

impl Reader {
    pub fn new(bootstrap: &str) -> Self {
        let of = |isolation| consumer(bootstrap, isolation, None);
        Reader {
            committed: of("read_committed"),
            uncommitted: of("read_uncommitted"),
            bootstrap: bootstrap.to_owned(),
        }
    }

    /// How many partitions a topic has; none: there is no such topic.
    pub fn partitions(&self, topic: &str) -> i32 {
        until(&format!("partitions of {topic}"), LONGEST, || {
            let found = self.committed.fetch_metadata(Some(topic), ANSWER).ok()?;
            Some(found.topics().first().map_or(0, |topic| topic.partitions().len() as i32))
        })
    }

    /// For each partition the end of what is committed, and of what there is.
    pub fn ends(&self, topic: &str) -> Vec<(i64, i64)> {
        let end = |usual: &BaseConsumer, partition| {
            let mut other = None;
            until(&format!("the end of {topic}"), LONGEST, || {
                let asked = other.as_ref().unwrap_or(usual).fetch_watermarks(topic, partition, ANSWER);
                if asked.is_err() {
                    // A client that knew a broker which is gone may believe in it for minutes.
                    other = Some(self.another_of(usual));
                }
                asked.ok().map(|(_, end)| end)
            })
        };
        let both = |partition| (end(&self.committed, partition), end(&self.uncommitted, partition));
        (0..self.partitions(topic)).map(both).collect()
    }

    /// A consumer that knows nothing yet and sees what this one sees.
    fn another_of(&self, usual: &BaseConsumer) -> BaseConsumer {
        let isolation =
            if std::ptr::eq(usual, &self.committed) { "read_committed" } else { "read_uncommitted" };
        consumer(&self.bootstrap, isolation, None)
    }

    /// All committed records of a topic by partition and offset, from its start to the end it has now.
    ///
    /// The end is that of all that was written: a transaction which is still open is waited for, and its records are
    /// read or not as it is decided.
    pub fn read(&self, topic: &str) -> Vec<Found> {
        let ends: Vec<i64> = self.ends(topic).into_iter().map(|(_, all)| all).collect();
        let decided = || self.ends(topic).iter().zip(&ends).all(|((committed, _), end)| committed >= end);
        until_true(&format!("transactions of {topic} are decided"), LONGEST, decided);
        let consumer = consumer(&self.bootstrap, "read_committed", None);
        let mut all_of_it = TopicPartitionList::new();
        for partition in 0..ends.len() as i32 {
            all_of_it.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&all_of_it).expect("its partitions");
        let mut all = to_the_ends(&consumer, topic, ends.len());
        all.retain(|found| found.offset < ends[found.partition as usize]);
        all.sort_by_key(|found| (found.partition, found.offset));
        all
    }
}

/// Polls until each partition has said that this is all.
fn to_the_ends(consumer: &BaseConsumer, topic: &str, partitions: usize) -> Vec<Found> {
    let (mut all, mut ended, since) = (vec![], BTreeSet::new(), Instant::now());
    while ended.len() < partitions {
        assert!(since.elapsed() < LONGEST, "{topic}: not read within {LONGEST:?}, but for {ended:?}");
        match consumer.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => all.push(found(&message)),
            // Markers of transactions have offsets, too: a position would not say that nothing more comes.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(KafkaError::MessageConsumption(_))) | None => {}
            Some(Err(error)) => panic!("{topic}: {error}"),
        }
    }
    all
}

fn found(message: &impl Message) -> Found {
    let headers = message.headers().map(|headers| {
        let all = headers.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec)));
        all.collect()
    });
    Found {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// What a group has committed for a topic, once nothing is pending; none: that could not be had at the moment.
pub fn committed(consumer: &BaseConsumer, topic: &str, partitions: i32) -> Option<Vec<Option<i64>>> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    let answer = consumer.committed_offsets(asked, ANSWER).ok()?;
    let offset = |partition| match answer.find_partition(topic, partition)?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    if answer.elements().iter().any(|element| element.error().is_err()) {
        return None;
    }
    Some((0..partitions).map(offset).collect())
}
