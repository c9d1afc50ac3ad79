//! Repartition topics keep what nobody will read again only until now and then it is deleted: they would grow for ever.
//!
//! Only what lies before committed positions goes, so a record that has to be read again is there. Whether it worked is
//! of no interest: the next time more is deleted.

use super::worker::{Worker, running};
use crate::transport::{Partition, Transport};

/// How often, in milliseconds.
pub const EVERY: i64 = 30_000;

impl<T: Transport> Worker<T> {
    /// Deletes what has been read of repartitions, behind a commit.
    pub(super) fn purge(&mut self) {
        let now = self.clock.now_ms();
        if now < self.purge_at {
            return;
        }
        self.purge_at = now.saturating_add(EVERY);
        let mut read = vec![];
        for (id, running) in running(&mut self.tasks) {
            let inputs = running.task.inputs.iter_mut().filter(|input| input.is_told());
            for input in inputs.filter(|input| input.committed.position > input.purged) {
                input.purged = input.committed.position;
                read.push((Partition { topic: input.topic, index: id.partition }, input.purged));
            }
        }
        if !read.is_empty() {
            self.transport.purge(&read);
        }
    }
}
