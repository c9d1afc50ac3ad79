//! One connection through the proxy: frames of requests one way, frames of replies the other.

use super::Network;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

/// Which request each reply that is still to come answers.
type Asked = Arc<Mutex<HashMap<i32, i16>>>;

/// Two streams, and a thread for each direction; both end with either.
pub struct Connection;

impl Connection {
    pub fn open(client: TcpStream, broker: TcpStream, network: &Arc<Network>) {
        let asked = Asked::default();
        for stream in [&client, &broker] {
            let _ = stream.set_nodelay(true);
            network.orders().open.extend(stream.try_clone());
        }
        let (Ok(to_client), Ok(to_broker)) = (client.try_clone(), broker.try_clone()) else { return };
        let (requests, replies) = ((network.clone(), asked.clone()), (network.clone(), asked));
        std::thread::spawn(move || pass(client, to_broker, |frame| request(frame, &requests.0, &requests.1)));
        std::thread::spawn(move || pass(broker, to_client, |frame| reply(frame, &replies.0, &replies.1)));
    }
}

/// Passes frames on until there are no more, or one is not to be passed on.
fn pass(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8]) -> bool) {
    while let Ok(frame) = read_frame(&mut from) {
        if !look(&frame[4..]) || to.write_all(&frame).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// A frame with the four bytes of its length before it.
fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = length.to_vec();
    frame.resize(4 + u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}

/// Remembers what is asked: api key, api version, correlation id.
fn request(frame: &[u8], network: &Network, asked: &Asked) -> bool {
    network.hold();
    if let ([a, b, _, _, rest @ ..], Some(id)) = (frame, number(frame.get(4..8))) {
        debug_assert!(rest.len() >= 4, "an id follows");
        asked.lock().expect("nobody panics with it").insert(id, i16::from_be_bytes([*a, *b]));
    }
    true
}

fn reply(frame: &[u8], network: &Network, asked: &Asked) -> bool {
    let api = number(frame.get(..4)).and_then(|id| asked.lock().expect("nobody panics with it").remove(&id));
    network.hold();
    !api.is_some_and(|api| network.swallows(api))
}

fn number(bytes: Option<&[u8]>) -> Option<i32> {
    Some(i32::from_be_bytes(bytes?.try_into().ok()?))
}
