//! Who knows which topics there are and can make more: a transport, or a cluster as a whole.

use crate::outbox::TopicId;
use crate::transport::kafka::Cluster;
use crate::transport::{Class, TopicWish, Transport, TransportError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A topic's settings, in the cluster's words.
pub type TopicConfig = Vec<(String, String)>;

/// Topics, before anything is read or written.
pub trait Catalog {
    /// How many partitions a topic of the plan has; none: there is no such topic.
    fn partitions(&mut self, topic: TopicId, name: &str) -> Result<Option<u32>, TransportError>;

    /// Makes a topic that is not there yet.
    fn create(&mut self, wish: &TopicWish) -> Result<(), TransportError>;

    /// The names of all topics, for who has misspelt one.
    fn names(&mut self) -> Vec<String> {
        vec![]
    }

    /// A setting of a topic; none: that is not to be seen.
    fn setting(&mut self, _name: &str, _setting: &str) -> Result<Option<String>, TransportError> {
        Ok(None)
    }

    /// What becomes of old records of a topic: `delete`, `compact` or both; none: that is not to be seen.
    fn cleanup(&mut self, name: &str) -> Result<Option<String>, TransportError> {
        self.setting(name, "cleanup.policy")
    }
}

impl<T: Transport> Catalog for T {
    fn partitions(&mut self, topic: TopicId, _: &str) -> Result<Option<u32>, TransportError> {
        Transport::partitions(self, topic)
    }

    fn create(&mut self, wish: &TopicWish) -> Result<(), TransportError> {
        Transport::create(self, wish)
    }
}

/// The cluster of a process that starts. What may work the next time is tried again for a while: a cluster that has
/// just come up does not know all of itself yet.
#[derive(Debug)]
pub struct Starting<'c>(pub &'c Arc<Cluster>);

/// How long a cluster may take to find its feet.
const PATIENCE: Duration = Duration::from_secs(15);

fn patiently<A>(mut call: impl FnMut() -> Result<A, TransportError>) -> Result<A, TransportError> {
    let since = Instant::now();
    loop {
        match call() {
            Err(error) if error.class == Class::Retry && since.elapsed() < PATIENCE => {
                tracing::debug!(%error, "once more");
                std::thread::sleep(Duration::from_millis(100));
            }
            answer => return answer,
        }
    }
}

impl Catalog for Starting<'_> {
    fn partitions(&mut self, _: TopicId, name: &str) -> Result<Option<u32>, TransportError> {
        patiently(|| self.0.partitions(name))
    }

    fn create(&mut self, wish: &TopicWish) -> Result<(), TransportError> {
        let config = settings(wish);
        let made = patiently(|| self.0.create(&wish.name, wish.partitions, &config));
        match made {
            // Clusters before 3.6 do not know of this setting, and do not refuse what it is there to allow.
            Err(error)
                if error.class == Class::Fatal && config.iter().any(|(n, _)| n == super::MAX_FUTURE) =>
            {
                let config: TopicConfig =
                    config.into_iter().filter(|(name, _)| name != super::MAX_FUTURE).collect();
                self.0.create(&wish.name, wish.partitions, &config)
            }
            made => made,
        }
    }

    fn names(&mut self) -> Vec<String> {
        self.0.topics().unwrap_or_default().into_iter().map(|topic| topic.name).collect()
    }

    fn setting(&mut self, name: &str, setting: &str) -> Result<Option<String>, TransportError> {
        let found = patiently(|| self.0.configs(&[name]))?;
        Ok(found.into_iter().next().and_then(|mut config| config.remove(setting)))
    }
}

/// What a topic is set to when it is made. A changelog keeps the last value of each key, however old; that a key was
/// removed it may forget after a week, and snapshots older than half of that are not believed.
fn settings(wish: &TopicWish) -> TopicConfig {
    const CHANGELOG: [(&str, &str); 4] = [
        ("cleanup.policy", "compact"),
        ("retention.ms", "-1"),
        (super::KEEPS_REMOVALS, "604800000"),
        (super::MAX_FUTURE, "9223372036854775807"),
    ];
    let own = CHANGELOG.iter().filter(|_| wish.compacted);
    let own = own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    own.chain(wish.config.iter().cloned()).collect()
}
