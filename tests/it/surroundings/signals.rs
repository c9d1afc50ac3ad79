//! Being asked to end: at rest, at work, while tables are restored, and twice.

use super::{PIPELINE, assert_once, counted, produce};
use crate::support::program::Place;
use std::fs::{self, OpenOptions};
use std::time::Duration;

#[test]
fn a_signal_ends_it_behind_a_commit() {
    let place = Place::new(PIPELINE);
    let mut sent = 0;
    for (seed, signal) in ["TERM", "INT"].into_iter().enumerate() {
        let mut engine = place.engine("");
        produce(&place, 3000, seed as u64);
        engine.until("some records", |_| counted(&place) > sent);
        sent += 3000;
        engine.signal(signal);
        engine.ended().saying(0, &["what is at hand is finished and committed", "ended pipeline=\"p\""]);
    }
    place.run_to_end("").with(0);
    assert_once(&place, sent);
}

#[test]
fn a_signal_while_tables_are_restored_ends_it_in_peace() {
    let place = Place::new(&PIPELINE.replace("random_int(1, 400)", "random_int(1, 1000000)"));
    produce(&place, 20_000, 1);
    place.run_to_end("").with(0);
    for delay in [0, 10, 40, 80] {
        fs::remove_dir_all(place.log().join("state")).expect("snapshots were there");
        let mut engine = place.engine("");
        engine.until_said("starting");
        std::thread::sleep(Duration::from_millis(delay));
        let ended = engine.terminated();
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
        ended.with(0);
        fs::create_dir_all(place.log().join("state")).expect("a directory");
    }
    produce(&place, 1000, 2);
    place.run_to_end("").with(0);
    assert_once(&place, 21_000);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new(PIPELINE);
    let mut engine = place.engine("");
    engine.until_said("starting");
    engine.signal("STOP");
    produce(&place, 500, 1);
    // Whoever holds this keeps all others from writing, as a disk does that hangs.
    let path = place.log().join("append.lock");
    let lock = OpenOptions::new().read(true).write(true).open(path).expect("there");
    lock.lock().expect("held");
    engine.signal("CONT");
    engine.signal("TERM");
    engine.until_said("ending");
    std::thread::sleep(Duration::from_millis(200));
    assert!(engine.is_over().is_none(), "it waits for its commit");
    engine.terminated().saying(1, &["ended at once"]);
    lock.unlock().expect("let go");
    place.run_to_end("").with(0);
    assert_once(&place, 500);
}
