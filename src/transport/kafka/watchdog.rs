//! A look from outside at calls that have to end: librdkafka can hang in one for ever when the coordinator of a group
//! dies with the broker it lived on. Whoever sees that ends the process, which exactly once makes safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is under way, for others to see. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Watchdog(Arc<Mutex<Option<Call>>>);

#[derive(Clone, Debug)]
struct Call {
    what: &'static str,
    until: Instant,
}

impl Watchdog {
    /// Makes a call that has to end within a time.
    pub(super) fn watched<T>(&self, what: &'static str, within: Duration, call: impl FnOnce() -> T) -> T {
        self.set(Some(Call { what, until: Instant::now() + within }));
        let result = call();
        self.set(None);
        result
    }

    fn set(&self, call: Option<Call>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    /// What is under way.
    pub fn current(&self) -> Option<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|call| call.what)
    }

    /// What has been under way for longer than it may.
    pub fn overrun(&self) -> Option<&'static str> {
        let call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        call.as_ref().filter(|call| Instant::now() > call.until).map(|call| call.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_overruns_is_seen_until_it_ends() {
        let watchdog = Watchdog::default();
        let outside = watchdog.clone();
        assert_eq!(outside.overrun(), None);
        watchdog.watched("a commit", Duration::ZERO, || {
            while outside.overrun().is_none() {
                std::thread::yield_now();
            }
            assert_eq!((outside.overrun(), outside.current()), (Some("a commit"), Some("a commit")));
        });
        assert_eq!((outside.overrun(), outside.current()), (None, None));
    }
}
