//! A task that is driven as a worker would drive it, and timed.

use super::common;
use super::readings::Readings;
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::outbox::Outbox;
use streamrun::plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

pub const BATCH: usize = 1_000;
const COMMIT_EVERY: usize = 10_000;

/// What all pipelines here begin with.
pub const SOURCE: &str = r#"
name = "sizes"

[schema.reading]
sensor_id = "string"
temperature = "float"
timestamp = "timestamp"

[source.readings]
topic = "readings"
schema = "reading"
key = "sensor_id"
event_time = "timestamp"
"#;

pub struct Rig {
    pub task: Task,
    out: Outbox,
    uncommitted: usize,
    /// The longest that it has processed without looking up.
    pub longest: Duration,
    /// The longest commit.
    pub longest_commit: Duration,
    pub commits: u64,
}

impl Rig {
    pub fn new(pipeline: &str) -> Self {
        let checked = plan::check(pipeline, &[]);
        let plan = checked.plan.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        let task = Task::new(Arc::new(plan), 0, 0, false);
        let (longest, longest_commit) = (Duration::ZERO, Duration::ZERO);
        Rig { task, out: Outbox::default(), uncommitted: 0, longest, longest_commit, commits: 0 }
    }

    /// Processes readings and commits as often as it is time to; nanoseconds on a core a record.
    pub fn ns(&mut self, readings: &Readings) -> f64 {
        let records = readings.records();
        let before = common::on_core().unwrap_or_default();
        let since = Instant::now();
        self.run(&records);
        let took = common::on_core().map_or_else(|| since.elapsed(), |after| after - before);
        took.as_nanos() as f64 / records.len() as f64
    }

    pub fn run(&mut self, records: &[Record<'_>]) {
        let mut done = 0;
        while done < records.len() {
            let batch = &records[done..records.len().min(done + BATCH)];
            let since = Instant::now();
            let progress = self.task.process(0, batch, i64::MAX, &mut self.out);
            self.longest = self.longest.max(since.elapsed());
            self.out.clear();
            done += progress.records;
            self.uncommitted += progress.records;
            if progress.full || self.uncommitted >= COMMIT_EVERY {
                self.commit();
            }
        }
    }

    /// Commits, and keeps no room for outputs: for those who want to know what tables take.
    pub fn settle(&mut self) {
        self.commit();
        self.out = Outbox::default();
    }

    pub fn commit(&mut self) {
        let since = Instant::now();
        self.task.prepare(&mut self.out);
        self.task.committed();
        self.out.clear();
        self.longest_commit = self.longest_commit.max(since.elapsed());
        (self.uncommitted, self.commits) = (0, self.commits + 1);
    }
}
