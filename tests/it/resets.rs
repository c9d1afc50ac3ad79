//! Tables that a run starts over: each once, wherever it goes and whoever has it.

use crate::support::counting::Place;
use crate::support::scenario::START;
use crate::support::world::settle;
use streamrun::runtime::{Options, Worker};
use streamrun::time::Clock;
use streamrun::transport::Class;
use streamrun::transport::sim::{Entry, Sim};

/// A worker of a run that was started at a time and wants the table started over.
fn resetting(place: &Place, started: i64) -> Worker<Sim> {
    place.with(Options { reset: vec!["seen".to_owned()], started, ..Options::default() })
}

fn count(place: &Place, worker: &Worker<Sim>) -> Vec<u64> {
    let rows = place.rows(worker);
    let count = |row: &String| row.rsplit_once(':').unwrap().1.trim_end_matches('}').parse().unwrap();
    rows.iter().map(count).collect()
}

/// A key that has been counted three times by a run that is gone, and when the next one starts.
fn counted() -> (Place, i64) {
    let place = Place::new();
    let mut before = place.worker();
    (0..3).for_each(|_| place.count(&mut before, "a"));
    before.finish().unwrap();
    let started = place.clock.now_ms() + 1;
    (place, started)
}

#[test]
fn a_table_that_moves_on_within_the_run_is_not_started_over_again() {
    let (place, started) = counted();
    let mut first = resetting(&place, started);
    place.count(&mut first, "a");
    assert_eq!(count(&place, &first), [1]);
    first.transport.crash();
    let mut second = resetting(&place, started);
    place.count(&mut second, "a");
    assert_eq!(count(&place, &second), [2]);
    second.finish().unwrap();
    let mut third = place.worker();
    place.count(&mut third, "a");
    third.finish().unwrap();
    assert_eq!(count(&place, &third), [3], "one that does not want it leaves it alone");
    let mut back = resetting(&place, started);
    place.count(&mut back, "a");
    assert_eq!(count(&place, &back), [4], "it comes back");
    back.finish().unwrap();
    let mut later = resetting(&place, started + 1);
    place.count(&mut later, "a");
    assert_eq!(count(&place, &later), [1], "another run starts it over again");
}

/// It was found empty: what has been counted since is no reason to start over.
#[test]
fn a_table_that_was_empty_counts_as_started_over() {
    let place = Place::new();
    let started = place.clock.now_ms();
    let mut first = resetting(&place, started);
    place.count(&mut first, "a");
    first.transport.crash();
    let mut second = resetting(&place, started);
    place.count(&mut second, "a");
    assert_eq!(count(&place, &second), [2]);
}

/// What was started over and never committed has not been.
#[test]
fn a_start_over_that_was_not_committed_is_done_again() {
    let (place, started) = counted();
    let mut first = resetting(&place, started);
    settle(&mut first).unwrap();
    place.cluster.expire(first.transport.member());
    settle(&mut first).unwrap();
    place.count(&mut first, "a");
    assert_eq!(count(&place, &first), [1]);
}

/// A file that means something else by its bytes, in a run that was started before the last one that wanted it: by a
/// clock that was ahead, say.
#[test]
fn a_table_of_another_file_is_started_over_whatever_the_clocks_say() {
    let (place, started) = counted();
    let mut ahead = resetting(&place, started + 3_600_000);
    place.count(&mut ahead, "a");
    ahead.finish().unwrap();
    let other = place.by(r#"["k", "l"]"#);
    let mut next = resetting(&other, started + 1);
    other.count(&mut next, "a");
    assert_eq!(count(&other, &next), [1]);
}

/// Where its inputs stand its table has long been written: that it has no rows cannot be.
#[test]
fn a_table_whose_changelog_was_deleted_is_not_taken_for_an_empty_one() {
    let (place, started) = counted();
    place.cluster.remake("p-seen-changelog");
    let mut next = place.worker();
    let stopped = settle(&mut next).unwrap_err();
    next.transport.crash();
    assert_eq!(stopped.class, Class::Fatal);
    let said = stopped.to_string();
    assert!(said.contains("`p-seen-changelog` holds nothing") && said.contains("`--reset seen`"), "{said}");
    let mut over = resetting(&place, started);
    place.count(&mut over, "a");
    assert_eq!(count(&place, &over), [1]);
}

/// A commit that has moved nothing but the positions has said what the table's bytes would mean.
#[test]
fn a_table_without_rows_is_an_empty_one() {
    let place = Place::new();
    let mut first = place.worker();
    place.cluster.write("in", 0, Entry { timestamp: START, key: None, value: None, headers: vec![] });
    settle(&mut first).unwrap();
    first.finish().unwrap();
    assert!(place.cluster.committed("in", 0).is_some());
    let mut second = place.worker();
    place.count(&mut second, "a");
    assert_eq!(count(&place, &second), [1]);
}

/// A file without the node, for a while: what its table held then is of the past when it comes back.
fn taken_out_for_a_while(snapshots: bool) {
    let place = Place::new();
    let folder = snapshots.then(|| place.folder.path().to_path_buf());
    let options = || Options { snapshots: folder.clone(), ..Options::default() };
    let mut before = place.with(options());
    place.count(&mut before, "a");
    place.count(&mut before, "b");
    before.finish().unwrap();
    let place = place.called("other");
    let mut without = place.worker();
    place.count(&mut without, "a");
    without.transport.crash();
    let place = place.called("seen");
    let mut back = place.with(options());
    place.count(&mut back, "a");
    assert_eq!(count(&place, &back), [1]);
    back.transport.crash();
    let mut last = place.worker();
    settle(&mut last).unwrap();
    assert_eq!(count(&place, &last), [1], "and the row of `b` has not come back");
}

#[test]
fn a_table_whose_node_was_taken_out_for_a_while_starts_over() {
    taken_out_for_a_while(false);
}

#[test]
fn a_snapshot_from_before_its_node_was_taken_out_says_nothing_of_a_table() {
    taken_out_for_a_while(true);
}
