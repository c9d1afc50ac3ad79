//! What is done when the world does not do as it should.
//!
//! Mending makes calls of its own, and those fail like others do. So what has to be put right is written down first
//! and owed until it is done: a commit that nobody knows of is never taken for one that failed, and inputs that have
//! to be rewound are not read on before they all are.

use super::commit::Decided;
use super::worker::{Membership, Stopped, TaskId, TaskState, Turn, Worker};
use crate::transport::{Class, Transport, TransportError};

/// What has to be put right before anything else is done; the graver comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owed {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything back to the last commit.
    RollBack,
    /// To find out whether the last commit happened.
    Decision,
    /// All tasks are to be let go of: others have them.
    Discard,
}

/// The longest pause before the next attempt, in milliseconds.
const LONGEST_PAUSE: u64 = 5_000;
/// Before a pause as long as this, in milliseconds, the log says why.
const WORTH_A_WORD: u64 = 500;

impl<T: Transport> Worker<T> {
    /// Notes what an error asks for. Too many in a row are the end.
    pub(super) fn failed(&mut self, error: TransportError) -> Result<Turn, Stopped> {
        self.watch.counters.failed(error.class);
        tracing::debug!(class = ?error.class, message = %error.message, "recovering");
        let unharmed = std::mem::take(&mut self.polling) || !self.has_begun();
        let owed = match error.class {
            Class::Fatal => return Err(error),
            Class::Refused if self.is_refused_again() => {
                return Err(TransportError { class: Class::Fatal, ..error });
            }
            Class::Retry if unharmed => Owed::Nothing,
            // What was sent may or may not have arrived: it is taken back and done again.
            Class::Retry | Class::Abort | Class::Refused => Owed::RollBack,
            Class::Unknown => Owed::Decision,
            Class::Fenced => {
                self.membership = Membership::Out;
                Owed::Discard
            }
        };
        self.owed = self.owed.max(owed);
        self.failures += 1;
        self.undone += u32::from(owed != Owed::Nothing);
        let most = self.failures.max(self.undone);
        if most > self.options.retries {
            return Err(error);
        }
        let after_ms = (5u64 << most.min(16)).min(LONGEST_PAUSE);
        if after_ms >= WORTH_A_WORD {
            tracing::warn!(after_ms, "{}; tried again", error.message);
        }
        Ok(Turn::Again { after_ms })
    }

    /// Whether a record is refused although everything was done again since the last time, and that has taught nobody
    /// what its topic takes: it would be refused for ever.
    fn is_refused_again(&mut self) -> bool {
        let learned = self.ask_sizes();
        std::mem::replace(&mut self.refused, true) && !learned
    }

    /// Whether anything has been done that a commit has not made permanent.
    fn has_begun(&self) -> bool {
        self.is_dirty() || self.must_commit || !self.out.is_empty()
    }

    /// Puts right what has to be.
    pub(super) fn mend(&mut self) -> Result<(), TransportError> {
        if self.owed == Owed::Decision {
            match self.decide()? {
                Decided::Happened => {
                    self.settled();
                    self.owed = Owed::Nothing;
                }
                Decided::NeverHappened => self.owed = Owed::RollBack,
                Decided::Overtaken => {
                    self.membership = Membership::Out;
                    self.owed = Owed::Discard;
                }
            }
        }
        match self.owed {
            Owed::RollBack => self.roll_back()?,
            Owed::Discard => self.discard()?,
            Owed::Nothing | Owed::Decision => {}
        }
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// Forgets all tasks: others have them. What was sent is taken back, so that no later commit carries it along.
    fn discard(&mut self) -> Result<(), TransportError> {
        match self.membership {
            Membership::Out => self.transport.recover()?,
            Membership::Waiting | Membership::Assigned => self.transport.abort()?,
        }
        let all: Vec<TaskId> = self.tasks.keys().chain(self.parked.keys()).copied().collect();
        all.into_iter().for_each(|id| self.let_go(id));
        self.to_open.clear();
        self.to_release.clear();
        self.out.clear();
        (self.sent, self.must_commit, self.refused) = (false, false, false);
        Ok(())
    }

    /// A task is no longer ours; what it has counted stays counted.
    pub(super) fn let_go(&mut self, id: TaskId) {
        let running = self.tasks.remove(&id).into_iter().filter_map(|state| match state {
            TaskState::Running(running) => Some(running),
            TaskState::Restoring(_) => None,
        });
        for running in running.chain(self.parked.remove(&id)) {
            self.counted.add(running.task.committed_tallies());
        }
    }
}
