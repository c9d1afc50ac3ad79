//! What a worker counts of its own work, in plain fields.
//!
//! Records are counted when they are committed: each commit adds what its tasks have counted since the last one. So
//! the sums only go up, whatever is rolled back, and outlive the tasks that come and go.

use super::tally::Tallies;
use super::task::Task;
use crate::metrics::Histogram;
use crate::plan::Plan;
use crate::transport::Class;

/// A worker's counters.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// What became of records.
    pub tallies: Tallies,
    /// How long commits took.
    pub commits: Histogram,
    /// How often stores, clocks and inputs went back to the last commit.
    pub rollbacks: u64,
    /// How often a call to the transport failed, as in [`Counters::CLASSES`].
    pub errors: [u64; Counters::CLASSES.len()],
}

impl Counters {
    /// The classes of errors.
    pub const CLASSES: [&'static str; 6] = ["retry", "abort", "fenced", "unknown", "refused", "fatal"];

    /// Nothing counted yet.
    pub fn new(plan: &Plan) -> Self {
        let tallies = Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len());
        Counters { tallies, ..Counters::default() }
    }

    /// What a task has done since its last commit is about to be permanent.
    pub fn count(&mut self, task: &Task) {
        self.tallies.add_since(&task.tallies, task.committed_tallies());
    }

    /// A commit has happened.
    pub fn commit_took(&mut self, ms: i64) {
        self.commits.observe(ms.max(0) as u64);
    }

    /// A call has failed.
    pub fn failed(&mut self, class: Class) {
        let at = match class {
            Class::Retry => 0,
            Class::Abort => 1,
            Class::Fenced => 2,
            Class::Unknown => 3,
            Class::Refused => 4,
            Class::Fatal => 5,
        };
        self.errors[at] += 1;
    }

    /// Adds what another worker has counted.
    pub fn add(&mut self, other: &Self) {
        self.tallies.add(&other.tallies);
        self.commits.add(&other.commits);
        self.rollbacks += other.rollbacks;
        self.errors.iter_mut().zip(other.errors).for_each(|(a, b)| *a += b);
    }
}
