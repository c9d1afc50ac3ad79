//! SIGINT and SIGTERM: the first asks for an end, the second is one.

use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Calls `look` again and again until it has something, and `stop` at the first signal. After a second one the
/// program ends at once, with what `look` may still have had to say unsaid.
pub fn until<A>(mut look: impl FnMut() -> Option<A>, mut stop: impl FnMut()) -> Result<A, ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(super::failed)?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(super::failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(super::failed)?;
        let mut asked = false;
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            let either = std::future::poll_fn(|cx| {
                match interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            });
            let signalled = tokio::time::timeout(Duration::from_millis(20), either).await.is_ok();
            match (signalled, asked) {
                (true, true) => return Err(super::FAILED),
                (true, false) => {
                    asked = true;
                    stop();
                }
                _ => {}
            }
        }
    })
}
