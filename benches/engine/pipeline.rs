//! What is driven, by hand or the engine, and how: in batches, with a commit now and then.

use super::hand::Hand;
use streamrun::outbox::Outbox;
use streamrun::runtime::Task;
use streamrun::transport::Record;

const BATCH: usize = 1_000;
const COMMIT_EVERY: usize = 10_000;

pub trait Pipeline {
    /// How many records were processed before a commit is needed.
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize;
    fn commit(&mut self, out: &mut Outbox);
}

impl Pipeline for Hand {
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize {
        Hand::process(self, records, out)
    }

    fn commit(&mut self, out: &mut Outbox) {
        self.prepare(out);
        self.committed();
    }
}

impl Pipeline for Task {
    fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize {
        Task::process(self, 0, records, i64::MAX, out).records
    }

    fn commit(&mut self, out: &mut Outbox) {
        self.prepare(out);
        self.committed();
    }
}

/// Runs all records through, and hands each filled outbox to `sent`.
pub fn drive(
    pipeline: &mut impl Pipeline,
    records: &[Record<'_>],
    out: &mut Outbox,
    mut sent: impl FnMut(&Outbox),
) {
    let (mut done, mut uncommitted) = (0, 0);
    while done < records.len() {
        let batch = &records[done..records.len().min(done + BATCH)];
        let processed = pipeline.process(batch, out);
        done += processed;
        uncommitted += processed;
        sent(out);
        out.clear();
        if processed < batch.len() || uncommitted >= COMMIT_EVERY || done == records.len() {
            pipeline.commit(out);
            uncommitted = 0;
            sent(out);
            out.clear();
        }
    }
}
