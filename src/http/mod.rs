//! What a running pipeline shows of itself over HTTP: its tables, its counters, whether it is well.
//!
//! Read-only. Everything is asked of the workers, who answer from what is committed; nothing of theirs is held or
//! locked meanwhile. It has a thread of its own, and what strangers can take from it is bounded: connections, what a
//! request may be, how long one may last, what lies in memory for those who read slowly. See [`Limits`].

mod ask;
mod listen;
mod percent;
mod pipeline;
mod prometheus;
mod reply;
mod routes;
mod seats;
mod sent;
mod server;
mod tables;

pub use listen::ServeError;

use crate::plan::Plan;
use crate::runtime::ControlHandle;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Where to listen, and how much to bear.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address, such as `127.0.0.1:6066`.
    pub listen: String,
    /// Whether the next free port is taken where that one is in use.
    pub next_free: bool,
    /// How much to bear.
    pub limits: Limits,
}

/// How much to bear of those who ask.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time. One more takes the place of the one that has been quiet for longest.
    pub connections: usize,
    /// Bytes of a request's line and headers.
    pub head_bytes: usize,
    /// How long a connection may be quiet, or take to say what it wants.
    pub head: Duration,
    /// How long a request may last until its answer has been read.
    pub request: Duration,
    /// How long workers may take to answer.
    pub answer: Duration,
    /// Bytes of answers that wait to be read; small ones do not count.
    pub unread_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 256,
            head_bytes: 16 << 10,
            head: Duration::from_secs(10),
            request: Duration::from_secs(20),
            answer: Duration::from_secs(5),
            unread_bytes: 64 << 20,
        }
    }
}

impl Options {
    /// Listening at an address, with the limits that are usual.
    pub fn at(listen: impl Into<String>) -> Self {
        Options { listen: listen.into(), next_free: false, limits: Limits::default() }
    }
}

/// A server that runs, until it is dropped.
pub struct Bound {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bound {
    /// Stops and waits until nothing of it is left.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({})", self.addr)
    }
}

/// Listens, and answers on a thread of its own for these workers.
pub fn serve(options: &Options, workers: Vec<ControlHandle>, plan: Arc<Plan>) -> Result<Bound, ServeError> {
    let error = |error| ServeError::new(&options.listen, error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(error)?;
    let listener = {
        let _inside = runtime.enter();
        listen::listen(&options.listen, options.next_free)?
    };
    let addr = listener.local_addr().map_err(error)?;
    let (stop, stopped) = oneshot::channel();
    let limits = options.limits;
    let routes = routes::routes(Arc::new(ask::Workers::new(plan, workers, limits.answer)));
    let run = move || server::run(&runtime, listener, routes, limits, stopped);
    let thread = std::thread::Builder::new().name("http".to_owned()).spawn(run).map_err(error)?;
    Ok(Bound { addr, stop: Some(stop), thread: Some(thread) })
}
