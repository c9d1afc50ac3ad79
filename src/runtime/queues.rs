//! Tasks with several inputs: what waits in their queues, taken in the order of its time.
//!
//! An input that has too much waiting is read no further until there is room again.

use super::worker::{Running, TaskState, Worker, running};
use crate::outbox::Outbox;
use crate::transport::{Partition, Transport, TransportError};

impl<T: Transport> Worker<T> {
    /// Inputs that have too much waiting are read no further for the time being.
    pub(super) fn pause_full(&mut self) -> Result<(), TransportError> {
        let mut changes = vec![];
        for (id, running) in running(&mut self.tasks) {
            let Some(merge) = &running.merge else { continue };
            for (at, input) in running.task.inputs.iter_mut().enumerate() {
                if merge.is_full(at) != input.paused {
                    changes.push((Partition { topic: input.topic, index: id.partition }, input));
                }
            }
        }
        for (partition, input) in changes {
            self.transport.pause(partition, !input.paused)?;
            input.paused = !input.paused;
        }
        Ok(())
    }

    /// Lets tasks with several inputs take what waits in their queues.
    pub(super) fn work_queues(&mut self) -> Result<bool, TransportError> {
        let now = self.clock.now_ms();
        let mut busy = false;
        let ids: Vec<_> = self.tasks.keys().copied().collect();
        for id in ids {
            let Some(TaskState::Running(running)) = self.tasks.get_mut(&id) else { continue };
            if running.merge.is_none() || self.must_commit {
                continue;
            }
            let mut more = vec![false; running.task.inputs.len()];
            for (at, input) in running.task.inputs.iter().enumerate() {
                let partition = Partition { topic: input.topic, index: id.partition };
                more[at] = !self.transport.at_end(partition)? && (!input.idle || input.is_told());
            }
            self.out.own = id.partition;
            let done = running.work(&more, now, self.options.limits.records, &mut self.out);
            busy |= done.0;
            self.must_commit |= done.1;
            self.flush()?;
        }
        if busy {
            self.pause_full()?;
        }
        Ok(busy)
    }
}

impl Running {
    /// Takes records out of the queues in the order of their times, as many as are allowed: whether there were any,
    /// and whether a commit is needed before the rest.
    fn work(&mut self, more: &[bool], now: i64, most: usize, out: &mut Outbox) -> (bool, bool) {
        let Some(merge) = &mut self.merge else { return (false, false) };
        for done in 0..most {
            let Some(input) = merge.next(|input| more[input]) else { return (done > 0, false) };
            let Some(record) = merge.front(input) else { return (done > 0, false) };
            let full = self.task.process(input, &[record], now, out).full;
            self.quiet.stands(self.task.clock(), now);
            if full {
                return (true, true);
            }
            merge.pop(input);
        }
        (true, false)
    }
}
