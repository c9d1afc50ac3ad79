//! What the user may do with topics and groups, asked of the cluster: no record has to be written to find out.

use super::cluster::{Cluster, QUESTION};
use super::{Outcome, Topic, fault, native};
use crate::transport::TransportError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;

pub use native::Rights;

/// What somebody does with a topic or a group, in Kafka's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Read a topic, or be one of a group.
    Read,
    /// Write a topic.
    Write,
    /// Delete records of a topic.
    Delete,
}

impl Rights {
    /// Whether one is among them.
    pub fn have(self, right: Right) -> bool {
        match right {
            Right::Read => self.read,
            Right::Write => self.write,
            Right::Delete => self.delete,
        }
    }
}

/// The user lacks a right on something, which is named with what it is.
pub fn lacking(right: Right, what: &str) -> TransportError {
    let verb = match right {
        Right::Read => "read",
        Right::Write => "write",
        Right::Delete => "delete records of",
    };
    TransportError::fatal(format!("the user may not {verb} {what}"))
        .hint(format!("the user needs {right:?} on {what}"))
}

impl Cluster {
    /// Fails if the user may not read or write what is. A cluster that does not tell will say so when it is done.
    pub fn permits(&self, topics: &[Topic]) -> Outcome<()> {
        let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let rights = self.topic_rights(&names).unwrap_or_else(|error| {
            tracing::debug!(%error, "what is permitted is not known");
            BTreeMap::new()
        });
        for Topic { name, written } in topics {
            let right = if *written { Right::Write } else { Right::Read };
            if rights.get(name).is_some_and(|rights| !rights.have(right)) {
                return Err(lacking(right, &format!("the topic `{name}`")));
            }
        }
        Ok(())
    }

    /// What may be done with topics, as far as the cluster says.
    pub fn topic_rights(&self, topics: &[&str]) -> Outcome<BTreeMap<String, Rights>> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = native::topic_rights(self.asker(), topics, QUESTION).map_err(unsaid)?;
        Ok(found.into_iter().filter_map(|(name, rights)| Some((name, rights?))).collect())
    }

    /// What may be done with a group, if the cluster says.
    pub fn group_rights(&self, group: &str) -> Outcome<Option<Rights>> {
        native::group_rights(self.asker(), group, QUESTION).map_err(unsaid)
    }
}

fn unsaid(code: RDKafkaErrorCode) -> TransportError {
    fault::asking("what the user may do cannot be asked for", &KafkaError::AdminOp(code))
}
