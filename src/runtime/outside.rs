//! What can be seen of a worker from outside, between two turns.

use super::tally::Tallies;
use super::task::Task;
use super::worker::{Membership, TaskId, TaskState, Worker};
use crate::transport::Transport;

impl<T: Transport> Worker<T> {
    /// Everything that runs, for those who look at it from outside.
    pub fn running(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks.iter().filter_map(|(id, state)| match state {
            TaskState::Running(running) => Some((*id, &running.task)),
            TaskState::Restoring(_) => None,
        })
    }

    /// What has been counted and committed.
    pub fn tallies(&self) -> Tallies {
        let mut all = self.counted.clone();
        let parked = self.parked.values().map(|running| &running.task);
        self.running().map(|(_, task)| task).chain(parked).for_each(|task| all.add(task.committed_tallies()));
        all
    }

    /// The same with what the next commit is to make permanent.
    pub fn tallies_so_far(&self) -> Tallies {
        let mut all = self.counted.clone();
        let parked = self.parked.values().map(|running| &running.task);
        self.running().map(|(_, task)| task).chain(parked).for_each(|task| all.add(&task.tallies));
        all
    }

    /// Whether it knows which inputs are its, and all tasks of these run.
    pub fn is_ready(&self) -> bool {
        let settled = self.to_open.is_empty() && self.to_release.is_empty();
        let runs = |state: &TaskState| matches!(state, TaskState::Running(_));
        self.membership == Membership::Assigned && settled && self.tasks.values().all(runs)
    }
}
