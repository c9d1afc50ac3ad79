//! What strangers can do to the status endpoint: nothing that others feel.

use crate::http::shop::{Answer, Shop, ask, connect, order};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use streamrun::http::Limits;

/// Limits that a test can wait for.
fn short() -> Limits {
    let (head, request) = (Duration::from_millis(400), Duration::from_millis(800));
    Limits { head, request, connections: 32, ..Limits::default() }
}

/// Whatever still comes, until the other side has closed.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![];
    match stream.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("it is still open: {error}"),
    }
}

#[test]
fn a_request_that_trickles_in_is_cut() {
    let shop = Shop::with(1, 1, short());
    let mut stream = connect(shop.server.addr);
    let began = Instant::now();
    for byte in b"GET /live HTTP/1.1\r\nx-slow: ".iter().chain(std::iter::repeat(&b'x')) {
        // The other side closes in the midst of it.
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "a byte now and then keeps a connection for ever");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(ask(shop.server.addr, "GET", "/live").status, 200);
}

#[test]
fn a_connection_that_says_nothing_is_cut_before_and_between_requests() {
    let shop = Shop::with(1, 1, short());
    let mut silent = connect(shop.server.addr);
    let mut kept = connect(shop.server.addr);
    write!(kept, "GET /live HTTP/1.1\r\nhost: x\r\n\r\n").expect("a request");
    assert_eq!(Answer::read(&rest(&mut kept)).map(|a| a.status), Some(200));
    rest(&mut silent);
}

#[test]
fn a_request_line_of_ten_megabytes_is_refused() {
    let shop = Shop::with(1, 1, Limits::default());
    for head in ["GET /", "GET / HTTP/1.1\r\nx: "] {
        let mut stream = connect(shop.server.addr);
        stream.write_all(head.as_bytes()).expect("a beginning");
        let chunk = vec![b'a'; 64 << 10];
        let sent = (0..160).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        let answer = Answer::read(&rest(&mut stream));
        assert!(answer.as_ref().is_none_or(|a| [414, 431].contains(&a.status)), "{answer:?}");
        assert!(sent < 160 || answer.is_some(), "all of it was taken, and nothing said");
    }
    let mut stream = connect(shop.server.addr);
    let many: String = (0..200).map(|n| format!("x{n}: y\r\n")).collect();
    write!(stream, "GET /live HTTP/1.1\r\n{many}\r\n").expect("a request");
    assert_eq!(Answer::read(&rest(&mut stream)).map(|a| a.status), Some(431));
    assert_eq!(ask(shop.server.addr, "GET", "/live").status, 200);
}

#[test]
fn a_request_has_no_body() {
    let shop = Shop::with(1, 1, Limits::default());
    for body in ["content-length: 1000000000", "transfer-encoding: chunked"] {
        let mut stream = connect(shop.server.addr);
        write!(stream, "GET /live HTTP/1.1\r\n{body}\r\n\r\n").expect("a request");
        let answer = Answer::read(&rest(&mut stream)).expect("an answer");
        assert_eq!(answer.status, 413, "{body}");
    }
}

#[test]
fn thousands_of_idle_connections_keep_nobody_out() {
    // The usual patience: what makes room is not that the idle ones are cut.
    let shop = Shop::with(1, 1, Limits::default());
    let idle: Vec<_> = (0..2500).map_while(|_| TcpStream::connect(shop.server.addr).ok()).collect();
    // Where the system allows fewer open files, room is left for the one that asks.
    let idle: Vec<_> = idle.into_iter().skip(300).collect();
    assert!(idle.len() > 100, "only {} connections are allowed", idle.len());
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(ask(shop.server.addr, "GET", "/live").status, 200);
    }
    assert!(began.elapsed() < Limits::default().head, "they were served once the idle ones were cut");
    // Those that had to make room are closed, not kept.
    let mut open = idle;
    while open.len() > Limits::default().connections && began.elapsed() < Limits::default().head / 2 {
        open.retain(|stream| !is_closed(stream));
    }
    assert!(open.len() <= Limits::default().connections, "{} are still open", open.len());
}

fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket");
    match stream.peek(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// A shop whose pages are large.
fn large(limits: Limits) -> Shop {
    let mut shop = Shop::with(1, 1, limits);
    let orders: Vec<_> = (0..600).map(|n| order(&format!("{n:0>1000}"), "oslo", 1, 1_000)).collect();
    shop.send(&orders);
    shop.settle();
    shop
}

#[test]
fn who_does_not_read_is_cut() {
    let mut shop = large(short());
    let mut stream = connect(shop.server.addr);
    let request = "GET /tables/per_user?limit=1000 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    stream.write_all(request.as_bytes()).expect("requests");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        shop.workers.iter_mut().for_each(|worker| worker.answer());
        std::thread::sleep(Duration::from_millis(1));
    }
    let read = rest(&mut stream).len();
    assert!((100 << 10..60 << 20).contains(&read), "{read} bytes came");
    assert_eq!(ask(shop.server.addr, "GET", "/live").status, 200);
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    let mut shop = large(Limits { unread_bytes: 100 << 10, ..Limits::default() });
    assert_eq!(shop.get("/tables/per_user?limit=20").status, 200);
    let refused = shop.get("/tables/per_user?limit=500");
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (503, Some("too many large answers wait to be read"))
    );
    let mut shop = large(Limits::default());
    // A page ends behind a megabyte, and goes on behind that.
    let page = shop.get("/tables/per_user?limit=600").json();
    let next = page["next"].as_str().expect("more").to_owned();
    let rest = shop.get(&format!("/tables/per_user?limit=600&after={next}")).json();
    let count = |page: &serde_json::Value| page["rows"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&page) + count(&rest), 600);
}

#[test]
fn workers_that_do_not_answer_are_said_to_be_busy() {
    let limits = Limits { answer: Duration::from_millis(200), ..Limits::default() };
    let shop = Shop::with(1, 1, limits);
    let answer = shop.shout("GET", "/status/");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (503, "{\"error\":\"the workers are busy: ask again\"}\n")
    );
    // What needs no worker goes on; counters are those last heard of.
    assert_eq!(shop.shout("GET", "/metrics").status, 200);
    assert_eq!(shop.shout("GET", "/pipeline").status, 200);
}
