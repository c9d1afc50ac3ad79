//! The topics of a pipeline and what it does with each.

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::outbox::TopicId;

/// What the pipeline does with a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads it.
    Input,
    /// Writes it, from a sink.
    Output,
    /// Writes it: what cannot be used.
    DeadLetters,
    /// Keeps a node's table in it.
    Changelog,
    /// Writes records to it and reads them again, so that those of one group meet in one partition.
    Repartition,
}

impl Role {
    /// Topics that belong to the pipeline alone, and that it makes.
    pub fn is_internal(&self) -> bool {
        matches!(self, Role::Changelog | Role::Repartition)
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The node, source or sink it belongs to.
    pub owner: String,
    /// How many partitions it gets when it is made; none: as many as the inputs have.
    pub partitions: Option<u32>,
    /// Kafka's settings for it when it is made.
    pub config: Vec<(String, String)>,
    /// Where it is named.
    pub place: Option<Place>,
}

/// All topics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topics {
    all: Vec<TopicPlan>,
}

impl Topics {
    /// The topic of this name and role, added if it is new. One that several sinks write is one; a changelog belongs to
    /// one node.
    pub fn add(&mut self, topic: TopicPlan) -> TopicId {
        let shared = |t: &TopicPlan| t.owner == topic.owner || !topic.role.is_internal();
        let known = self.all.iter().position(|t| t.name == topic.name && t.role == topic.role && shared(t));
        let index = known.unwrap_or_else(|| {
            self.all.push(topic);
            self.all.len() - 1
        });
        TopicId(index as u16)
    }

    /// A topic.
    pub fn get(&self, id: TopicId) -> &TopicPlan {
        &self.all[id.0 as usize]
    }

    /// All of them, in the order of their ids.
    pub fn all(&self) -> &[TopicPlan] {
        &self.all
    }
}

/// What is wrong with one topic in two roles.
pub fn conflict(a: &TopicPlan, b: &TopicPlan) -> Option<Diagnostic> {
    let (message, help) = match (&a.role, &b.role) {
        (Role::Output | Role::DeadLetters, Role::Output | Role::DeadLetters) => return None,
        (Role::Input, Role::Input) => return None,
        (Role::Changelog, Role::Changelog) => (
            format!("`{}` and `{}` would share one changelog", a.owner, b.owner),
            "only one node can take over a table: leave out `was`, or give the node another name",
        ),
        (Role::Repartition, Role::Repartition) => (
            format!("`{}` and `{}` would share one repartition topic", a.owner, b.owner),
            "only one node can take over from another: leave out `was`, or give the node another name",
        ),
        (Role::Changelog, _) | (_, Role::Changelog) => {
            (format!("\"{}\" is the changelog of a table", a.name), "name another topic")
        }
        (Role::Repartition, _) | (_, Role::Repartition) => {
            (format!("\"{}\" is the repartition topic of a node", a.name), "name another topic")
        }
        (Role::DeadLetters, _) | (_, Role::DeadLetters) => (
            format!("\"{}\" is read, and dead letters are written to it", a.name),
            "records would go in a circle: name another topic",
        ),
        _ => (
            format!("\"{}\" is both read and written", a.name),
            "records would go in a circle: name another topic",
        ),
    };
    let fault = Diagnostic::file(Code::TopicConflict, message).help(help);
    Some(match (a.place, b.place) {
        (Some(first), Some(second)) => fault.at(second, says(b)).also(first, says(a)),
        (Some(place), None) => fault.at(place, says(a)),
        (None, Some(place)) => fault.at(place, says(b)),
        (None, None) => fault,
    })
}

/// What the pipeline does with a topic, at the place that says so.
fn says(topic: &TopicPlan) -> String {
    match topic.role {
        Role::Input => "read here".to_owned(),
        Role::Output => "written here".to_owned(),
        Role::DeadLetters => "dead letters are written here".to_owned(),
        Role::Changelog => format!("the table of `{}`", topic.owner),
        Role::Repartition => format!("the repartition of `{}`", topic.owner),
    }
}
