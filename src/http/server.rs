//! The server around the routes. Warp's own does not bound what strangers may take; hyper, asked directly, can.

use super::Limits;
use super::reply;
use super::seats::{Seat, Seats};
use super::sent::Sent;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time;
use warp::Reply;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Every path there is, with its answer.
pub type Routes = BoxedFilter<(Response,)>;

/// Answers that are smaller are not counted.
const SMALL: u64 = 64 << 10;
/// What answers that wait to be read are counted in.
const UNIT: u64 = 1 << 10;
/// How often a connection is looked at that may be overdue.
const LOOK: Duration = Duration::from_millis(500);
/// What a connection is told that finds no seat. Written if there is room for it, and not waited for.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Serves until it is told to stop.
pub fn run(
    runtime: &Runtime,
    listener: TcpListener,
    routes: Routes,
    limits: Limits,
    stop: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::spawn(accept(listener, routes, limits));
        // Whoever holds the other end drops it to stop us; with the runtime go all connections.
        let _ = stop.await;
    });
}

async fn accept(listener: TcpListener, routes: Routes, limits: Limits) {
    let mut seats = Seats::default();
    let unread = Arc::new(Semaphore::new(limits.unread_bytes / UNIT as usize));
    loop {
        match listener.accept().await {
            Ok((stream, _)) if seats.make_room(limits.connections) => {
                let seat = Arc::new(Seat::default());
                let task = connection(stream, routes.clone(), limits, seat.clone(), unread.clone());
                seats.take(seat, tokio::spawn(task).abort_handle());
            }
            Ok((stream, _)) => drop(stream.try_write(FULL)),
            // Most likely the process is out of file descriptors: without a pause this would spin.
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves one connection, for as long as it does not take too much time.
async fn connection(
    stream: TcpStream,
    routes: Routes,
    limits: Limits,
    seat: Arc<Seat>,
    unread: Arc<Semaphore>,
) {
    let answers = TowerToHyperService::new(warp::service(routes));
    let own = seat.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (busy, unread) = (own.busy(), unread.clone());
        // Nothing here wants a body, and what is not read closes the connection behind the answer.
        let answer = request.body().is_end_stream().then(|| answers.call(request));
        async move {
            let response = match answer {
                Some(answer) => answer.await?,
                None => refused(StatusCode::PAYLOAD_TOO_LARGE, "a request has no body here"),
            };
            let (response, room) = counted(response, unread);
            Ok::<_, Infallible>(response.map(|body| Sent::new(body, (busy, room))))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes);
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    while time::timeout(LOOK, served.as_mut()).await.is_err() {
        if seat.is_overdue(limits.request) {
            return tracing::debug!("a request took too long, or its answer was not read");
        }
    }
}

/// Counts a large answer among those that wait to be read, or refuses it.
fn counted(response: Response, unread: Arc<Semaphore>) -> (Response, Option<OwnedSemaphorePermit>) {
    let size = response.body().size_hint().lower();
    if size <= SMALL {
        return (response, None);
    }
    match unread.try_acquire_many_owned(size.div_ceil(UNIT).min(u64::from(u32::MAX)) as u32) {
        Ok(room) => (response, Some(room)),
        Err(_) => (refused(StatusCode::SERVICE_UNAVAILABLE, "too many large answers wait to be read"), None),
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    reply::error(status, message, None).into_response()
}
