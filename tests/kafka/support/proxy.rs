//! A network that can be made to fail: a proxy on loopback between an engine and a broker.
//!
//! The broker has two listeners. One is advertised as the proxy's port, so that a client which begins there stays
//! there; everybody else uses the other. The proxy reads the frames of Kafka's protocol as far as it must to know
//! which reply is the answer to what: length, api key, correlation id.

use super::broker::{Cluster, ports};
use connection::Connection;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

mod connection;

/// Requests whose replies can be swallowed, by their numbers in Kafka's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    Produce = 0,
    EndTxn = 26,
    TxnOffsetCommit = 28,
}

/// What is to be done to frames.
#[derive(Debug, Default)]
struct Orders {
    delay: Duration,
    hole: bool,
    /// How many replies to a request are still to be swallowed.
    swallow: BTreeMap<i16, u32>,
    swallowed: u32,
    open: Vec<TcpStream>,
}

/// What all connections share.
#[derive(Debug, Default)]
struct Network {
    orders: Mutex<Orders>,
    changed: Condvar,
    over: AtomicBool,
}

impl Network {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits as a frame has to wait; what swallows everything keeps it for as long as it is there.
    fn hold(&self) {
        let mut orders = self.orders();
        let delay = orders.delay;
        while orders.hole && !self.over.load(Ordering::Relaxed) {
            let waited = self.changed.wait_timeout(orders, Duration::from_millis(200));
            orders = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        drop(orders);
        std::thread::sleep(delay);
    }

    /// Whether the reply to a request is to be lost, and the connection with it.
    fn swallows(&self, api: i16) -> bool {
        let mut orders = self.orders();
        let left = orders.swallow.get_mut(&api).filter(|left| **left > 0);
        let Some(left) = left else { return false };
        *left -= 1;
        orders.swallowed += 1;
        true
    }
}

/// The proxy; with it all its connections end.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A broker of its own, and a proxy in front of it.
    pub fn start() -> (Cluster, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let direct = ports(4);
        let behind = direct + 3;
        let settings = [
            format!(
                "listeners=PLAINTEXT://127.0.0.1:{direct},CONTROLLER://127.0.0.1:{},\
                 PROXIED://127.0.0.1:{behind}",
                direct + 1
            ),
            format!("advertised.listeners=PLAINTEXT://127.0.0.1:{direct},PROXIED://127.0.0.1:{port}"),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT"
                .to_owned(),
        ];
        let mut flags = vec!["--port".to_owned(), direct.to_string()];
        flags.extend(settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]));
        (Cluster::start_with(1, &flags), Proxy::before(listener, behind))
    }

    /// A proxy in front of any port.
    fn before(listener: TcpListener, behind: u16) -> Self {
        let port = listener.local_addr().expect("it is bound").port();
        let network = Arc::new(Network::default());
        let shared = network.clone();
        let accepting = std::thread::spawn(move || accept(&listener, behind, &shared));
        Proxy { port, network, accepting: Some(accepting) }
    }

    /// Where a client begins that is to go through here.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends every connection, wherever in a frame it is.
    pub fn cut(&self) {
        let open = std::mem::take(&mut self.network.orders().open);
        open.iter().for_each(|stream| drop(stream.shutdown(std::net::Shutdown::Both)));
    }

    /// Every frame takes so much longer, in both directions.
    pub fn delay(&self, delay: Duration) {
        self.network.orders().delay = delay;
    }

    /// Connections stay, and nothing comes through any more, until it does again.
    pub fn hole(&self, hole: bool) {
        self.network.orders().hole = hole;
        self.network.changed.notify_all();
    }

    /// The next so many replies to a request are lost, and each time the connection with them.
    pub fn swallow(&self, api: Api, times: u32) {
        self.network.orders().swallow.insert(api as i16, times);
    }

    /// How many replies were lost so far, and how many are still to be.
    pub fn swallowed(&self) -> (u32, u32) {
        let orders = self.network.orders();
        (orders.swallowed, orders.swallow.values().sum())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.network.over.store(true, Ordering::Relaxed);
        self.hole(false);
        self.cut();
        // The listener is woken by a last connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.accepting.take().map(JoinHandle::join);
        self.cut();
    }
}

fn accept(listener: &TcpListener, behind: u16, network: &Arc<Network>) {
    for client in listener.incoming() {
        if network.over.load(Ordering::Relaxed) {
            return;
        }
        // A broker that is away is one that refuses.
        let Ok(client) = client else { continue };
        let Ok(broker) = TcpStream::connect(("127.0.0.1", behind)) else { continue };
        Connection::open(client, broker, network);
    }
}

/// The proxy itself, tried on a server that answers each request with its own bytes.
pub mod tests;
