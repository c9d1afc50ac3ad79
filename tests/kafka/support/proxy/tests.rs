//! The proxy itself, tried on a server that answers each request with its correlation id.

use super::{Api, Proxy};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_millis(300);

/// Answers until its client goes.
fn serve(mut stream: TcpStream) {
    let mut frame = [0; 12];
    while stream.read_exact(&mut frame).is_ok() {
        let id = &frame[8..12];
        if stream.write_all(&[&[0, 0, 0, 4], id].concat()).is_err() {
            return;
        }
    }
}

fn proxy() -> Proxy {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let behind = server.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        server.incoming().flatten().for_each(|s| drop(std::thread::spawn(|| serve(s))))
    });
    Proxy::before(TcpListener::bind("127.0.0.1:0").expect("a port"), behind)
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Asks something; the id of the reply, or nothing.
fn ask(stream: &mut TcpStream, api: i16, id: i32) -> Option<i32> {
    let frame = [&8_i32.to_be_bytes()[..], &api.to_be_bytes(), &[0, 0], &id.to_be_bytes()].concat();
    stream.write_all(&frame).ok()?;
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).ok()?;
    Some(i32::from_be_bytes([reply[4], reply[5], reply[6], reply[7]]))
}

pub fn frames_pass_both_ways() {
    let proxy = proxy();
    let mut stream = client(&proxy);
    assert_eq!(ask(&mut stream, 3, 7), Some(7));
    proxy.delay(Duration::from_millis(50));
    let since = Instant::now();
    assert_eq!(ask(&mut stream, 3, 8), Some(8));
    assert!(since.elapsed() >= Duration::from_millis(100), "each way takes longer");
}

pub fn a_reply_is_swallowed_and_its_connection_cut() {
    let proxy = proxy();
    proxy.swallow(Api::EndTxn, 1);
    let mut stream = client(&proxy);
    assert_eq!(ask(&mut stream, Api::Produce as i16, 1), Some(1));
    assert_eq!(ask(&mut stream, Api::EndTxn as i16, 2), None);
    assert_eq!(ask(&mut stream, Api::Produce as i16, 3), None, "the connection is gone");
    assert_eq!(proxy.swallowed(), (1, 0));
    assert_eq!(ask(&mut client(&proxy), Api::EndTxn as i16, 4), Some(4), "once is once");
}

pub fn connections_are_cut_and_come_again() {
    let proxy = proxy();
    let mut stream = client(&proxy);
    assert_eq!(ask(&mut stream, 3, 1), Some(1));
    proxy.cut();
    assert_eq!(ask(&mut stream, 3, 2), None);
    assert_eq!(ask(&mut client(&proxy), 3, 3), Some(3));
}

pub fn a_hole_keeps_what_it_gets_until_it_is_none() {
    let proxy = proxy();
    let mut stream = client(&proxy);
    proxy.hole(true);
    assert_eq!(ask(&mut stream, 3, 1), None);
    proxy.hole(false);
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).expect("it comes after all");
}
