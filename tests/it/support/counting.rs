//! A counted key on a cluster of its own, for suites about who has a table, and since when.

use super::scenario::START;
use super::world::{cluster, options, settle, sim};
use super::{Scenario, outcome};
use std::sync::Arc;
use streamrun::runtime::{Broken, Options, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::sim::{Cluster, Entry, Sim};

const COUNT: &str = r#"
name = "p"

[schema.reading]
k = "string"
l = "string"

[source.in]
topic = "in"
schema = "reading"
key = "k"

[count.seen]
from = "in"
by = "k"
"#;

/// A cluster, a clock, and a folder for snapshots.
#[derive(Debug)]
pub struct Place {
    pub scenario: Scenario,
    pub cluster: Cluster,
    pub clock: ManualClock,
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let scenario = Scenario::new("snapshots", COUNT);
        let cluster = cluster(&scenario);
        let folder = tempfile::tempdir().unwrap();
        Place { scenario, cluster, clock: ManualClock::at(START), folder }
    }

    /// The same cluster, read by a file that counts by other fields.
    pub fn by(self, fields: &str) -> Self {
        let text = COUNT.replace("by = \"k\"", &format!("by = {fields}"));
        Place { scenario: Scenario::new("by other fields", &text), ..self }
    }

    /// The same cluster, read by a file whose node has a name of its own.
    pub fn called(self, node: &str) -> Self {
        let text = COUNT.replace("[count.seen]", &format!("[count.{node}]"));
        let scenario = Scenario::new("of another name", &text);
        scenario.plan.topics.all().iter().for_each(|topic| self.cluster.create(&topic.name, 1));
        Place { scenario, ..self }
    }

    /// A worker that keeps no snapshots.
    pub fn worker(&self) -> Worker<Sim> {
        self.with(Options::default())
    }

    /// A worker that does.
    pub fn keeping(&self) -> Worker<Sim> {
        self.with(Options { snapshots: Some(self.folder.path().to_path_buf()), ..Options::default() })
    }

    /// A worker with options of its own.
    pub fn with(&self, own: Options) -> Worker<Sim> {
        let Options { limits, commit_every, .. } = options(&self.scenario, Broken::Nothing);
        let options = Options { limits, commit_every, ..own };
        let (sim, clock) = (sim(&self.scenario, &self.cluster), Arc::new(self.clock.clone()));
        Worker::new(self.scenario.plan.clone(), sim, clock, options)
    }

    /// One more record of a key, worked off and committed.
    pub fn count(&self, worker: &mut Worker<Sim>, key: &str) {
        let value = Some(format!(r#"{{"k":"{key}","l":"l"}}"#).into_bytes());
        let entry = Entry { timestamp: START, key: Some(key.as_bytes().to_vec()), value, headers: vec![] };
        self.cluster.write("in", 0, entry);
        settle(worker).unwrap();
        worker.commit_now().unwrap();
    }

    /// The rows of its tables, as they are committed.
    pub fn rows(&self, worker: &Worker<Sim>) -> Vec<String> {
        outcome::tables(&self.scenario.plan, worker.running().map(|(_, task)| task))
    }
}
