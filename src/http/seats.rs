//! Who may be connected: a fixed number of seats.
//!
//! When all are taken, a newcomer gets that of the connection that came first among those that want nothing at the
//! moment. So thousands of idle connections keep nobody out, and only as many requests at a time as there are seats.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// What a connection is doing: how many answers it has not read yet, and since when.
#[derive(Debug, Default)]
pub struct Seat(Mutex<Option<(usize, Instant)>>);

/// A request, from its beginning until its answer has been written.
#[derive(Debug)]
pub struct Busy(Arc<Seat>);

impl Seat {
    /// A request begins.
    pub fn busy(self: &Arc<Self>) -> Busy {
        let mut state = self.state();
        let (count, since) = state.unwrap_or((0, Instant::now()));
        *state = Some((count + 1, since));
        Busy(self.clone())
    }

    /// Whether it has been busy for longer than that.
    pub fn is_overdue(&self, limit: Duration) -> bool {
        self.state().is_some_and(|(_, since)| since.elapsed() > limit)
    }

    fn is_idle(&self) -> bool {
        self.state().is_none()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<(usize, Instant)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        *state = state.filter(|(count, _)| *count > 1).map(|(count, since)| (count - 1, since));
    }
}

/// The seats that are taken, in the order in which they were.
#[derive(Debug, Default)]
pub struct Seats(VecDeque<(Arc<Seat>, AbortHandle)>);

impl Seats {
    /// Makes room for one more; `false` if everybody is busy.
    pub fn make_room(&mut self, most: usize) -> bool {
        if self.0.len() < most {
            return true;
        }
        self.0.retain(|(_, task)| !task.is_finished());
        if self.0.len() < most {
            return true;
        }
        let idle = self.0.iter().position(|(seat, _)| seat.is_idle());
        match idle.and_then(|at| self.0.remove(at)) {
            Some((_, task)) => {
                task.abort();
                true
            }
            None => false,
        }
    }

    /// Somebody sits down.
    pub fn take(&mut self, seat: Arc<Seat>, task: AbortHandle) {
        self.0.push_back((seat, task));
    }
}
