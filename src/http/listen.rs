//! Taking a port, and saying clearly why one cannot be taken.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::net::{TcpListener, TcpSocket};

/// How many ports are tried behind one that is in use.
const NEXT: u16 = 100;
/// How many connections may wait to be taken. Where fewer may, those who come with many others wait a second.
const WAITING: u32 = 1024;

/// Why nothing is served.
#[derive(Debug)]
pub struct ServeError {
    listen: String,
    error: io::Error,
}

impl ServeError {
    pub(super) fn new(listen: &str, error: io::Error) -> Self {
        ServeError { listen: listen.to_owned(), error }
    }

    /// Whether somebody else has the port.
    pub fn is_in_use(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServeError { listen, error } = self;
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "the status address {listen} is in use, perhaps by another pipeline\n\
                 help: `--status HOST:PORT` takes another one, `--status off` does without"
            ),
            io::ErrorKind::InvalidInput => write!(
                f,
                "the status address `{listen}` is none\n\
                 help: expected a host and a port, such as `127.0.0.1:6066`"
            ),
            _ => write!(f, "the status address {listen} cannot be listened at: {error}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Listens at an address, or at the next free port behind it. Called inside of a runtime.
pub(super) fn listen(listen: &str, next_free: bool) -> Result<TcpListener, ServeError> {
    let error = |error| ServeError::new(listen, error);
    let addresses: Vec<SocketAddr> = listen.to_socket_addrs().map_err(error)?.collect();
    let mut tried = bind(&addresses, 0);
    for further in 1..=if next_free { NEXT } else { 0 } {
        match &tried {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => tried = bind(&addresses, further),
            _ => break,
        }
    }
    let listener = tried.map_err(error)?;
    if let Ok(address) = listener.local_addr()
        && !address.ip().is_loopback()
    {
        tracing::warn!(%address, "tables are shown to everyone who can reach this address");
    }
    Ok(listener)
}

fn bind(addresses: &[SocketAddr], further: u16) -> io::Result<TcpListener> {
    let mut bound = Err(io::ErrorKind::InvalidInput.into());
    for address in addresses {
        let mut address = *address;
        address.set_port(address.port().saturating_add(further));
        bound = bind_one(address);
        if bound.is_ok() {
            break;
        }
    }
    bound
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections that have just ended must not keep the port from whoever starts again. On Windows this would let
    // two listen at once, and is not needed.
    socket.set_reuseaddr(cfg!(not(windows)))?;
    socket.bind(address)?;
    socket.listen(WAITING)
}
