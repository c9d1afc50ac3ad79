//! Kafka: what the product is for.
//!
//! A process has one [`Cluster`], which asks about topics, and a [`Kafka`] for each worker: a member of the group that
//! reads, a producer that writes in transactions, and for as long as tables are restored a reader of changelogs. All
//! of it is librdkafka, through its Rust binding where that does, and through [`native`] where it does not.
//!
//! A commit is one transaction: outputs, changelogs, dead letters, then the offsets of all inputs that are owned, with
//! the generation of the membership. Nothing else keeps a zombie out, so there is no commit without offsets.

mod client;
mod cluster;
mod deletions;
mod deliveries;
mod ear;
mod fault;
mod limits;
mod member;
mod native;
mod owners;
mod producer;
mod reader;
mod reports;
mod rights;
mod settings;
mod trial;
mod watchdog;
mod worker;

pub use client::Client;
pub use cluster::{Cluster, TopicConfig, TopicSeen};
pub use owners::Owners;
pub use rights::{Right, Rights, lacking};
pub use settings::{Property, Settings};
pub use watchdog::Watchdog;

use super::TransportError;
use crate::outbox::TopicId;
use limits::Limits;
use member::Member;
use producer::Producer;
use reader::Reader;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long the group is listened to before we insist on our place: more than two heartbeats.
const HEARING: Duration = Duration::from_millis(2_500);
/// How often it is asked for an offset that is in doubt.
const DOUBTING: Duration = Duration::from_millis(500);

type Outcome<T> = Result<T, TransportError>;

/// The cluster as a worker has it.
#[derive(Debug)]
pub struct Kafka {
    cluster: Arc<Cluster>,
    instance: String,
    /// The names of the plan's topics.
    names: Vec<String>,
    member: Member,
    producer: Producer,
    reader: Option<Reader>,
    joined: bool,
    /// Whether the batch that was handed out last may go.
    dealt_with: bool,
    watchdog: Watchdog,
    /// When it was last asked for offsets in doubt.
    doubted: Option<Instant>,
}

/// A topic of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Whether it is written.
    pub written: bool,
}

impl Kafka {
    /// The cluster for a worker whose plan names these topics. `instance` is the place that it takes again after a
    /// restart, in the group and among producers.
    pub fn open(cluster: &Arc<Cluster>, topics: &[Topic], instance: String) -> Outcome<Self> {
        let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
        let watchdog = Watchdog::default();
        let mut limits = Limits::of_all(cluster, &names)?;
        for (topic, limits) in topics.iter().zip(&mut limits).filter(|(topic, _)| !topic.written) {
            tracing::trace!(topic = topic.name, "is only read");
            *limits = Limits::of(&TopicConfig::new());
        }
        let producer = Producer::new(cluster, instance.clone(), names.clone(), limits, watchdog.clone());
        let member = Member::new(cluster.settings(), names.clone(), &instance)?;
        Ok(Kafka {
            cluster: cluster.clone(),
            instance,
            names,
            member,
            producer,
            reader: None,
            joined: false,
            dealt_with: false,
            watchdog,
            doubted: None,
        })
    }

    /// By which others see whether a call hangs.
    pub fn watchdog(&self) -> Watchdog {
        self.watchdog.clone()
    }

    fn name(&self, topic: TopicId) -> &str {
        &self.names[topic.0 as usize]
    }

    /// Our producer was fenced off by another with our id. If that is a process which has taken our place in the group
    /// as well, the group says so with one of the next heartbeats, and we must not take the place back.
    fn hear_the_group(&mut self) -> Outcome<()> {
        let since = Instant::now();
        while self.joined && self.producer.take_suspicion() {
            while since.elapsed() < HEARING {
                self.member.is_alive()?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// Looks after inputs that librdkafka has given up on: what is still there is read on, and a gap is for a person
    /// to decide.
    fn settle_doubts(&mut self) -> Outcome<()> {
        let doubts = self.member.in_doubt();
        if doubts.is_empty() || self.doubted.is_some_and(|at| at.elapsed() < DOUBTING) {
            return Ok(());
        }
        for (partition, next) in doubts {
            match self.cluster.bounds(self.name(partition.topic), partition.index) {
                Ok((first, end)) if (first..=end).contains(&next) => self.member.begin(partition, next),
                Ok((first, end)) => {
                    return Err(gone(self.name(partition.topic), partition.index, next, first, end));
                }
                Err(error) => tracing::debug!(%error, "an offset stays in doubt"),
            }
        }
        self.doubted = Some(Instant::now());
        Ok(())
    }

    fn replace_member(&mut self) -> Outcome<()> {
        self.dealt_with = false;
        self.member = Member::new(self.cluster.settings(), self.names.clone(), &self.instance)?;
        Ok(())
    }
}

/// What was to be read next is not there.
fn gone(topic: &str, index: u32, next: i64, first: i64, end: i64) -> TransportError {
    let message =
        format!("{topic}-{index} has no offset {next} any more: it begins at {first} and ends at {end}");
    TransportError::fatal(message).hint(
        "records were deleted before they were read, or the topic was made anew. To go on with what is there: \
         `kafka-consumer-groups --reset-offsets --to-earliest --execute` for the group, which is named as the pipeline",
    )
}
