//! The whole way through a broker that asks, with no more rights than the README names, and the secret nowhere on it.

use super::permissions::grant;
use crate::support::engine::DEADLINE;
use crate::support::secured::{self, Door, PASSWORD, Secured, USERS};
use crate::support::{Engine, Place, until};
use crate::trials::Flow;
use crate::verify;
use crate::workload::Workload;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// What is told to whoever asks.
const PAGES: [&str; 6] = ["/pipeline", "/metrics", "/status/", "/live", "/ready", "/tables/per_key"];

pub fn by_password() {
    goes_through(|secured| secured.by_password(USERS[0]));
}

pub fn by_scram_over_tls() {
    goes_through(|secured| secured.by_both("SCRAM-SHA-512", USERS[0]));
}

/// Records go through exactly once, a process that is killed on the way included, and nobody hears the password.
fn goes_through(door: impl FnOnce(&Secured) -> Door) {
    let secured = secured::shared();
    let place = Place::on(secured.cluster.clone(), "secret").by(door(&secured));
    grant(&secured, &place.name, USERS[0]);
    let flow = Flow::start(place, &Workload::default());
    check(&flow.place);
    let engine = start(&flow.place);
    until("outputs", DEADLINE, || (flow.written() > 500).then_some(()));
    let pages = PAGES.map(|page| get(&address(&engine), page));
    engine.kill();
    let again = start(&flow.place);
    let (place, logs) = flow.ended(vec![("a".to_owned(), again)]);
    let faults = verify::faults(&logs);
    assert!(faults.is_empty(), "{}: {}", place.name, faults.join("\n"));
    for page in pages {
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(!page.contains(PASSWORD), "{page}");
    }
    // What was said on standard output and error lies here as well as the state.
    let looked_at = nowhere_in(place.path());
    assert!(looked_at > 5, "{looked_at} files");
}

fn start(place: &Place) -> Engine {
    let flags = "--state-dir state-a --status 127.0.0.1:0 --log-level trace";
    Engine::spawn(place, &format!("run p.toml --kafka {} {flags}", place.address()), "a")
}

fn check(place: &Place) {
    for format in ["text", "json"] {
        let line = format!("check p.toml --kafka={} --format {format}", place.address());
        Engine::spawn(place, &line, "check").ended(DEADLINE).with(0);
    }
}

/// Where the status endpoint is.
fn address(engine: &Engine) -> String {
    until("the status endpoint", DEADLINE, || {
        let said = engine.said();
        let (_, behind) = said.split_once("http://")?;
        Some(behind.split_once('/')?.0.to_owned())
    })
}

/// What a page says, with its head.
fn get(address: &str, page: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {page} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The password stands in no file of a folder; how many files there are.
fn nowhere_in(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files += nowhere_in(&entry);
            continue;
        }
        let bytes = std::fs::read(&entry).unwrap_or_default();
        let found = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "the password stands in {}", entry.display());
        files += 1;
    }
    files
}
