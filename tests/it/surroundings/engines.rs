//! Others at the same place: engines, ports, and whoever writes and reads meanwhile.

use super::{PIPELINE, assert_once, counted, produce};
use crate::support::program::Place;
use std::net::TcpListener;

#[test]
fn a_second_engine_is_told_who_runs_the_pipeline() {
    let place = Place::new(PIPELINE);
    produce(&place, 10, 1);
    let mut first = place.engine("");
    first.until("10 records", |_| counted(&place) == 10);
    let words = format!("`p` is already run here by process {}", first.pid());
    place.engine("").ended().saying(1, &[&words, "stop it, or choose another directory"]);
    // Another pipeline on the same log is no second engine.
    place.edit(&PIPELINE.replace(r#"name = "p""#, r#"name = "q""#).replace(r#""out""#, r#""other""#));
    place.run_to_end("").with(0);
    assert_eq!(place.values("other").len(), 10);
    place.edit(PIPELINE);
    // Whoever is killed lets go of the right.
    first.kill();
    produce(&place, 5, 2);
    place.run_to_end("").with(0);
    assert_once(&place, 15);
}

#[test]
fn a_port_in_use_is_named_and_the_demo_takes_the_next() {
    let place = Place::new(PIPELINE);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    place
        .run(&format!("run p.toml --local=log --status {address}"))
        .saying(1, &[&format!("the status address {address} is in use"), "help: `--status HOST:PORT`"]);
    place
        .run("run p.toml --local=log --status nonsense")
        .saying(1, &["the status address `nonsense` is none"]);
    let said = place.run(&format!("demo --for 300ms --status {address}")).with(0);
    let shown = said.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next());
    let port: u16 = shown.and_then(|port| port.parse().ok()).expect(&said);
    assert!(port > address.port() && port <= address.port() + 100, "{said}");
}

#[test]
fn others_write_and_read_while_it_runs() {
    let place = Place::new(PIPELINE);
    let mut engine = place.engine("");
    engine.until_said("starting");
    let follower = place.start("inspect out --local=log --follow --limit 6000 --format json");
    let writers: Vec<_> = (0..3)
        .map(|seed| place.start(&format!("produce p.toml --local=log --count 2000 --seed {seed}")))
        .collect();
    writers.into_iter().for_each(|writer| drop(writer.ended().with(0)));
    let seen = follower.ended();
    assert_eq!((seen.code, seen.out.lines().count()), (Some(0), 6000), "{}", seen.err);
    engine.terminated().with(0);
    assert_once(&place, 6000);
}
