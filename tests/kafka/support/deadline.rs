//! Waiting: always for something, and never for ever.

use std::time::{Duration, Instant};

/// How often it is looked whether what is waited for has come.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until there is an answer. Nothing is asked once time is up: then this panics with what was waited for.
pub fn until<T>(what: &str, most: Duration, mut answer: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(since.elapsed() < most, "{what}: not within {most:?}");
        std::thread::sleep(PAUSE);
    }
}

/// The same for what is true or not.
pub fn until_true(what: &str, most: Duration, mut holds: impl FnMut() -> bool) {
    until(what, most, || holds().then_some(()));
}
