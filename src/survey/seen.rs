//! What is found on a cluster: topics with their settings, whether transactions begin, and a few records of each input.

use super::keys::{self, Sample};
use crate::plan::{Plan, Role};
use crate::transport::kafka::{Client, Cluster, Rights, TopicConfig};
use crate::transport::{Class, TransportError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A topic that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicFacts {
    /// How many partitions.
    pub partitions: u32,
    /// What it is set to; empty where that may not be seen.
    pub config: TopicConfig,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where the cluster is.
    pub address: String,
    /// When it was looked at, in milliseconds.
    pub now_ms: i64,
    /// The names of all topics.
    pub names: Vec<String>,
    /// Those of the plan that are there.
    pub topics: BTreeMap<String, TopicFacts>,
    /// Those that the user may not even see, and in what words.
    pub denied: BTreeMap<String, TransportError>,
    /// What the user may do with those that are there, as far as the cluster says.
    pub rights: BTreeMap<String, Rights>,
    /// The same of the group.
    pub group_rights: Option<Rights>,
    /// Whether a transaction could begin; none: none is needed.
    pub transactions: Option<Result<(), TransportError>>,
    /// For how many partitions something is committed.
    pub group: Result<usize, TransportError>,
    /// The newest records of each source.
    pub samples: Vec<Sample>,
    /// What could not be looked at, and why.
    pub left_out: Vec<String>,
}

impl Seen {
    /// Looks around. Nothing is written but the name of a transactional id, which the cluster forgets after a week.
    pub fn gather(plan: &Plan, cluster: &Arc<Cluster>, now_ms: i64) -> Result<Self, TransportError> {
        let names: Vec<String> = cluster.topics()?.into_iter().map(|topic| topic.name).collect();
        let mut seen = Seen {
            address: cluster.settings().address(),
            now_ms,
            topics: BTreeMap::new(),
            denied: BTreeMap::new(),
            rights: BTreeMap::new(),
            group_rights: None,
            transactions: plan
                .settings
                .exactly_once
                .then(|| cluster.begins_transactions(&format!("{}-check", plan.settings.name))),
            group: Ok(0),
            samples: vec![],
            left_out: vec![],
            names,
        };
        seen.look_at_topics(plan, cluster)?;
        seen.group = seen.committed(plan, cluster);
        seen.look_at_rights(plan, cluster);
        let mut client = Client::new(cluster);
        for source in (0..plan.sources.len()).filter(|at| plan.sources[*at].cut.is_none()) {
            match keys::sample(plan, source, &mut client, now_ms) {
                Ok(sample) => seen.samples.push(sample),
                Err(error) => {
                    let name = &plan.sources[source].name;
                    seen.left_out.push(format!("records of `{name}`: {}", error.message));
                }
            }
        }
        Ok(seen)
    }

    fn look_at_topics(&mut self, plan: &Plan, cluster: &Cluster) -> Result<(), TransportError> {
        for topic in plan.topics.all() {
            match cluster.partitions(&topic.name) {
                Ok(None) => {}
                Ok(Some(partitions)) => {
                    let facts = TopicFacts { partitions, ..TopicFacts::default() };
                    self.topics.insert(topic.name.clone(), facts);
                }
                Err(error) if error.class == Class::Fatal => {
                    self.denied.insert(topic.name.clone(), error);
                }
                Err(error) => return Err(error),
            }
        }
        let there: Vec<String> = self.topics.keys().cloned().collect();
        let wanted: Vec<&str> = there.iter().map(String::as_str).collect();
        let configs = cluster.configs(&wanted).unwrap_or_else(|error| {
            self.left_out.push(format!("settings of topics: {}", error.message));
            vec![]
        });
        for (topic, config) in there.iter().zip(configs) {
            if config.is_empty() {
                self.left_out.push(format!("settings of `{topic}`: the user may not see them"));
            }
            if let Some(facts) = self.topics.get_mut(topic) {
                facts.config = config;
            }
        }
        Ok(())
    }

    /// A cluster that does not tell is not asked to prove it: what is forbidden shows when it is done.
    fn look_at_rights(&mut self, plan: &Plan, cluster: &Cluster) {
        let there: Vec<&str> = self.topics.keys().map(String::as_str).collect();
        match cluster.topic_rights(&there) {
            Ok(rights) => self.rights = rights,
            Err(error) => self.left_out.push(format!("what the user may do: {}", error.message)),
        }
        self.group_rights = cluster.group_rights(&plan.settings.name).ok().flatten();
    }

    fn committed(&self, plan: &Plan, cluster: &Cluster) -> Result<usize, TransportError> {
        let inputs = plan.topics.all().iter().filter(|topic| topic.role == Role::Input);
        let there = inputs.filter_map(|topic| Some((&topic.name, self.topics.get(&topic.name)?.partitions)));
        let places: Vec<(String, u32)> =
            there.flat_map(|(name, count)| (0..count).map(move |index| (name.clone(), index))).collect();
        if places.is_empty() {
            return Ok(0);
        }
        let found = cluster.committed(&plan.settings.name, &places)?;
        Ok(found.iter().flatten().count())
    }

    /// A number among the settings of a topic.
    pub fn number(&self, topic: &str, setting: &str) -> Option<i64> {
        self.topics.get(topic)?.config.get(setting)?.parse().ok()
    }

    /// A setting of a topic.
    pub fn setting(&self, topic: &str, setting: &str) -> Option<&str> {
        self.topics.get(topic)?.config.get(setting).map(String::as_str)
    }
}
