//! Reads changelogs for a restore: a client of its own that joins nothing, a queue a partition, so that many are
//! fetched side by side while the worker takes a chunk of each in turn.

use super::Outcome;
use super::cluster::QUESTION;
use super::ear::Ear;
use super::fault;
use super::native::{Closing, Inbox};
use super::settings::Settings;
use crate::transport::{Chunk, Class, Partition, TransportError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most records of a chunk.
const CHUNK: usize = 10_000;
/// How long a chunk waits for its first record.
const WAIT: Duration = Duration::from_millis(10);
/// After so long without a record a client is asked whether it reaches anybody.
const SILENCE: Duration = Duration::from_secs(30);

/// A reader of changelogs.
pub struct Reader {
    logs: BTreeMap<Partition, Log>,
    consumer: Arc<Closing<Ear>>,
    ails: bool,
}

/// A changelog that is read.
struct Log {
    inbox: Inbox<Ear>,
    topic: String,
    next: i64,
    end: i64,
    /// When it was last known to be within reach.
    reached: Instant,
}

impl Reader {
    /// A reader that reads nothing yet.
    pub fn new(settings: &Settings) -> Outcome<Self> {
        let consumer: BaseConsumer<Ear> =
            settings.reader().create_with_context(Ear::default()).map_err(|e| fault::unmade(&e))?;
        Ok(Reader { logs: BTreeMap::new(), consumer: Arc::new(Closing::new(consumer)), ails: false })
    }

    /// Whether its client could not ask for a topic. One that has lost all its brokers may look for none of them again,
    /// however long they have been back, so another has to take its place.
    pub fn ails(&self) -> bool {
        self.ails
    }

    /// Committed records of a partition from an offset on, up to an end. The offset behind them may be the same: an
    /// open transaction is waited for.
    pub fn chunk(&mut self, partition: Partition, topic: &str, from: i64, end: i64) -> Outcome<Chunk<'_>> {
        // Served for what ails the connection.
        let _ = self.consumer.poll(Duration::ZERO);
        if self.logs.get(&partition).is_none_or(|log| log.next != from) {
            self.stop(partition)?;
            self.start(partition, topic, from)?;
        }
        self.look_around(partition, topic)?;
        let log = self.logs.get_mut(&partition).expect("it has just been started");
        log.end = end;
        log.inbox.clear();
        log.inbox.wait(WAIT);
        log.inbox.take(CHUNK, Duration::ZERO);
        let mut records = vec![];
        for message in log.inbox.messages() {
            match message.error() {
                None if message.offset() >= end => log.next = end,
                None => {
                    records.push((message.key().unwrap_or_default(), message.value()));
                    log.next = message.offset() + 1;
                }
                // Markers and what was taken back lie before it, too.
                Some(RDKafkaErrorCode::PartitionEOF) => log.next = log.next.max(message.offset()),
                // Said also when a broker dies at the wrong moment. What is really gone is missing the next time, too.
                Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                    let index = partition.index;
                    let message =
                        format!("the changelog `{topic}` has no offset {from} in partition {index}");
                    log.next = i64::MIN;
                    return Err(TransportError::new(Class::Retry, message)
                        .hint("was it deleted and made again? `run --reset NODE` starts the table over"));
                }
                Some(code) if fault::is_final(code) => {
                    let error = rdkafka::error::KafkaError::MessageConsumption(code);
                    return Err(fault::asking(&format!("the changelog `{topic}` cannot be read"), &error));
                }
                Some(code) => tracing::debug!(?code, topic, "a changelog cannot be read at the moment"),
            }
        }
        if log.next != from {
            log.reached = Instant::now();
        }
        Ok(Chunk { records, next: log.next.min(end) })
    }

    /// Whether all has been read that was asked for.
    pub fn is_done(&self) -> bool {
        self.logs.values().all(|log| log.next >= log.end)
    }

    fn start(&mut self, partition: Partition, topic: &str, from: i64) -> Outcome<()> {
        // A topic that the client has not met would be asked for with its next round only, a second later.
        self.ask(topic)?;
        let inbox = Inbox::new(&self.consumer);
        inbox.collect(topic, partition.index);
        let list = list(topic, partition, from)?;
        self.consumer
            .incremental_assign(&list)
            .map_err(|e| fault::asking(&format!("the changelog `{topic}` cannot be read"), &e))?;
        self.logs.insert(
            partition,
            Log { inbox, topic: topic.to_owned(), next: from, end: i64::MAX, reached: Instant::now() },
        );
        Ok(())
    }

    /// A log of which nothing comes may wait for a transaction, or for brokers that nobody looks for.
    fn look_around(&mut self, partition: Partition, topic: &str) -> Outcome<()> {
        let Some(log) = self.logs.get_mut(&partition) else { return Ok(()) };
        if log.reached.elapsed() < SILENCE {
            return Ok(());
        }
        log.reached = Instant::now();
        self.ask(topic)
    }

    fn ask(&mut self, topic: &str) -> Outcome<()> {
        let met = self.consumer.client().fetch_metadata(Some(topic), QUESTION);
        self.ails = met.is_err();
        let doing = || format!("the changelog `{topic}` cannot be found");
        met.map(drop).map_err(|e| fault::asking(&doing(), &e))
    }

    fn stop(&mut self, partition: Partition) -> Outcome<()> {
        let Some(log) = self.logs.remove(&partition) else { return Ok(()) };
        let list = list(&log.topic, partition, 0)?;
        self.consumer
            .incremental_unassign(&list)
            .map_err(|e| fault::asking(&format!("the changelog `{}` cannot be let go of", log.topic), &e))
    }
}

fn list(topic: &str, partition: Partition, offset: i64) -> Outcome<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition.index as i32, Offset::Offset(offset))
        .map_err(|e| fault::asking("a changelog cannot be found", &e))?;
    Ok(list)
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("logs", &self.logs.len()).finish_non_exhaustive()
    }
}
