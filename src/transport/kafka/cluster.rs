//! The cluster as a whole: which topics there are, what they are like, where they begin and end. One client of a
//! process asks for all its workers; it belongs to no group, and sees open transactions.

use super::Outcome;
use super::deletions::Deletions;
use super::ear::Ear;
use super::fault;
use super::native::describe;
use super::settings::Settings;
use crate::transport::{Class, TransportError};
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a start waits for a cluster that may be starting, too.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one question may take.
pub(super) const QUESTION: Duration = Duration::from_secs(5);

/// A topic's settings, by name.
pub type TopicConfig = BTreeMap<String, String>;

/// A topic as the cluster has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSeen {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
}

/// A cluster.
pub struct Cluster {
    settings: Settings,
    asker: BaseConsumer<Ear>,
    pub(super) admin: AdminClient<Ear>,
    ear: Ear,
    pub(super) deletions: Deletions,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects, once the cluster answers. One that is just starting is waited for; what no waiting heals is said at
    /// once.
    pub fn connect(settings: Settings) -> Outcome<Arc<Self>> {
        let ear = Ear::default();
        let config = settings.asker();
        let asker = config.create_with_context(ear.clone()).map_err(|e| fault::unmade(&e))?;
        let admin = config.create_with_context(ear.clone()).map_err(|e| fault::unmade(&e))?;
        let cluster = Cluster { settings, asker, admin, ear, deletions: Deletions::default() };
        cluster.wait()?;
        Ok(Arc::new(cluster))
    }

    fn wait(&self) -> Outcome<()> {
        let (since, mut said) = (Instant::now(), false);
        loop {
            let answer = self.asker.client().fetch_cluster_id(Duration::from_millis(500));
            // Serves what ails the connection to the ear.
            let _ = self.asker.poll(Duration::ZERO);
            if answer.is_some() {
                return Ok(());
            }
            let ailment = self.ear.ailment();
            let unreachable = fault::unreachable(&self.settings.address(), ailment.as_ref());
            let is_over = since.elapsed() >= PATIENCE || unreachable.class == Class::Fatal;
            if is_over {
                return Err(TransportError { class: Class::Fatal, ..unreachable });
            }
            if !said && since.elapsed() >= Duration::from_secs(1) {
                tracing::warn!("{}; waiting for it", unreachable.message);
                said = true;
            }
        }
    }

    /// How its clients are set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The client that asks.
    pub(super) fn asker(&self) -> &BaseConsumer<Ear> {
        &self.asker
    }

    /// Who hears what ails the connection.
    pub(super) fn ear(&self) -> &Ear {
        &self.ear
    }

    /// All topics, by name.
    pub fn topics(&self) -> Outcome<Vec<TopicSeen>> {
        let metadata = self.asker.client().fetch_metadata(None, QUESTION);
        let metadata = metadata.map_err(|e| fault::asking("the topics cannot be listed", &e))?;
        let topics = metadata.topics().iter();
        let mut seen: Vec<TopicSeen> = topics
            .map(|t| TopicSeen { name: t.name().to_owned(), partitions: t.partitions().len() as u32 })
            .collect();
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(seen)
    }

    /// How many partitions a topic has; none: there is no such topic.
    pub fn partitions(&self, topic: &str) -> Outcome<Option<u32>> {
        let doing = || format!("topic `{topic}` cannot be looked up");
        let metadata = self.asker.client().fetch_metadata(Some(topic), QUESTION);
        let metadata = metadata.map_err(|e| fault::asking(&doing(), &e))?;
        let Some(found) = metadata.topics().first() else { return Ok(None) };
        match found.error() {
            None => Ok(Some(found.partitions().len() as u32).filter(|count| *count > 0)),
            Some(
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            ) => Ok(None),
            Some(code) => {
                let error = rdkafka::error::KafkaError::MetadataFetch(code.into());
                Err(fault::asking(&doing(), &error))
            }
        }
    }

    /// Makes a topic, unless it is there, and waits until it can be used.
    pub fn create(&self, topic: &str, partitions: u32, config: &[(String, String)]) -> Outcome<()> {
        let copies = self.settings.replication.map_or(-1, |n| n as i32);
        let mut new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(copies));
        for (name, value) in config {
            new = new.set(name, value);
        }
        let made = block_on(self.admin.create_topics([&new], &options()));
        let made = made.map_err(|e| fault::asking(&format!("topic `{topic}` cannot be created"), &e))?;
        for result in made {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(uncreated(topic, partitions, config, code)),
            }
        }
        self.wait_for(topic, partitions)
    }

    /// A topic that was just made is not known everywhere at once.
    fn wait_for(&self, topic: &str, partitions: u32) -> Outcome<()> {
        let since = Instant::now();
        loop {
            match self.partitions(topic) {
                Ok(Some(count)) if count >= partitions => return Ok(()),
                // Somebody else has made it, with fewer.
                Ok(Some(_)) if since.elapsed() > Duration::from_secs(1) => return Ok(()),
                Err(error) if error.class == Class::Fatal => return Err(error),
                _ if since.elapsed() > PATIENCE => {
                    let message = format!("topic `{topic}` was created and is not there");
                    return Err(TransportError::new(Class::Retry, message));
                }
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// What topics are set to, in the order asked for. One whose settings may not be seen has none.
    pub fn configs(&self, topics: &[&str]) -> Outcome<Vec<TopicConfig>> {
        if topics.is_empty() {
            return Ok(vec![]);
        }
        let wanted: Vec<ResourceSpecifier<'_>> = topics.iter().map(|t| ResourceSpecifier::Topic(t)).collect();
        let found = block_on(self.admin.describe_configs(&wanted, &options()));
        let found = found.map_err(|e| fault::asking("the topics' settings cannot be read", &e))?;
        let entries = |found: Result<rdkafka::admin::ConfigResource, _>| {
            let entries = found.map(|resource| resource.entries).unwrap_or_default();
            entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect()
        };
        Ok(found.into_iter().map(entries).collect())
    }

    /// The id of a topic, which one that is made again under its name does not have; none: that is not to be known.
    pub fn topic_id(&self, topic: &str) -> Outcome<Option<String>> {
        match describe(self.asker.client(), topic, QUESTION) {
            Ok(described) => Ok(described.id),
            Err(RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::BrokerTransportFailure) => {
                Err(TransportError::new(Class::Retry, format!("the id of `{topic}` cannot be asked for")))
            }
            // Clusters before 3.1 do not tell.
            Err(code) => {
                tracing::debug!(?code, topic, "its id is not to be known");
                Ok(None)
            }
        }
    }

    /// The offsets of the first record of a partition and behind the last one, open transactions included.
    pub fn bounds(&self, topic: &str, partition: u32) -> Outcome<(i64, i64)> {
        let bounds = self.asker.client().fetch_watermarks(topic, partition as i32, QUESTION);
        bounds.map_err(|e| fault::asking(&format!("the end of {topic}-{partition} cannot be asked for"), &e))
    }

    /// What is committed by a group, with its metadata, once nothing is pending that may still change it.
    pub fn committed(
        &self,
        group: &str,
        partitions: &[(String, u32)],
    ) -> Outcome<Vec<Option<(i64, String)>>> {
        let mut config = self.settings.reader();
        config.set("group.id", group);
        let reader: BaseConsumer<Ear> =
            config.create_with_context(self.ear.clone()).map_err(|e| fault::unmade(&e))?;
        committed(&reader, partitions)
    }
}

/// What is committed by the group of a consumer.
pub(super) fn committed<C: rdkafka::consumer::ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &[(String, u32)],
) -> Outcome<Vec<Option<(i64, String)>>> {
    let mut wanted = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        wanted.add_partition(topic, *partition as i32);
    }
    let found = consumer.committed_offsets(wanted, QUESTION * 2);
    let found = found.map_err(|e| fault::asking("what is committed cannot be read", &e))?;
    let mut all = vec![];
    for element in found.elements() {
        element.error().map_err(|e| fault::asking("what is committed cannot be read", &e))?;
        all.push(match element.offset() {
            Offset::Offset(offset) => Some((offset, element.metadata().to_owned())),
            _ => None,
        });
    }
    Ok(all)
}

pub(super) fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(QUESTION * 2)).operation_timeout(Some(QUESTION * 2))
}

fn uncreated(
    topic: &str,
    partitions: u32,
    config: &[(String, String)],
    code: RDKafkaErrorCode,
) -> TransportError {
    let message = format!("topic `{topic}` cannot be created: {}", fault::words(code));
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => TransportError::fatal(message)
            .hint("set `replication` in `[kafka]` to at most the number of brokers"),
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            let set: String =
                config.iter().map(|(name, value)| format!(" --config {name}={value}")).collect();
            TransportError::fatal(message).hint(format!(
                "give the user Create on the topic, or have it made: `kafka-topics --create --topic {topic} \
                 --partitions {partitions}{set}`"
            ))
        }
        RDKafkaErrorCode::PolicyViolation
        | RDKafkaErrorCode::InvalidConfig
        | RDKafkaErrorCode::InvalidPartitions => TransportError::fatal(message),
        _ => TransportError::new(Class::Retry, message),
    }
}

/// Wakes a thread that waits for an answer.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer of the admin client, which has a thread of its own.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_a_topic_by_hand_is_told_what_it_is_set_to() {
        let config = [("cleanup.policy", "compact"), ("delete.retention.ms", "604800000")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let said =
            uncreated("p-seen-changelog", 4, &config, RDKafkaErrorCode::TopicAuthorizationFailed).to_string();
        let command = "`kafka-topics --create --topic p-seen-changelog --partitions 4 --config \
                       cleanup.policy=compact --config delete.retention.ms=604800000`";
        assert!(said.ends_with(command), "{said}");
    }
}
