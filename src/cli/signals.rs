//! SIGINT and SIGTERM: the first asks for an end, the second is one.

use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often there is a look at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// The signals of a process. From the moment that this is made they no longer end it by themselves.
#[derive(Debug)]
pub struct Signals {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// To be made before there is anything to be tidied up.
    pub fn new() -> Result<Self, ExitCode> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(super::failed)?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(super::failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(super::failed)?;
        drop(entered);
        Ok(Signals { runtime, interrupt, terminate })
    }

    /// Calls `look` again and again until it has something, and `stop` at the first signal. After a second one the
    /// program ends at once, with what `look` may still have had to say unsaid.
    pub fn until<A>(
        mut self,
        mut look: impl FnMut() -> Option<A>,
        mut stop: impl FnMut(),
    ) -> Result<A, ExitCode> {
        let mut asked = false;
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            match (self.wait(), asked) {
                (true, true) => {
                    super::output::note("ended at once: what was not committed is done again next time\n");
                    return Err(super::FAILED);
                }
                (true, false) => {
                    asked = true;
                    stop();
                }
                _ => {}
            }
        }
    }

    /// Waits a moment; whether there was a signal.
    fn wait(&mut self) -> bool {
        let Signals { runtime, interrupt, terminate } = self;
        let either = std::future::poll_fn(|cx| {
            match interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        runtime.block_on(async { tokio::time::timeout(LOOK, either).await.is_ok() })
    }
}
