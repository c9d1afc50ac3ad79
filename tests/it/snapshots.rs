//! Snapshots where partitions have owners that change.

use crate::support::counting::Place;
use crate::support::world::settle;
use streamrun::runtime::{Options, Worker};
use streamrun::time::Clock;
use streamrun::transport::sim::Sim;

/// The one that was given up does not know it yet, and has nothing to commit that would tell it.
#[test]
fn a_snapshot_of_one_that_was_given_up_hides_nothing_that_the_next_owner_wrote() {
    let place = Place::new();
    let mut first = place.keeping();
    place.count(&mut first, "a");
    place.cluster.expire(first.transport.member());
    let mut next = place.worker();
    place.count(&mut next, "a");
    first.finish().unwrap();
    next.finish().unwrap();
    let mut last = place.keeping();
    settle(&mut last).unwrap();
    let rows = place.rows(&last);
    assert!(rows.len() == 1 && rows[0].contains("\"count\":2"), "{rows:?}");
}

/// What it stands for was looked up before its commit; what that commit wrote is read once more.
#[test]
fn a_clean_stop_leaves_a_snapshot_of_all_that_was_committed() {
    let place = Place::new();
    let mut first = place.keeping();
    place.count(&mut first, "a");
    place.count(&mut first, "b");
    first.finish().unwrap();
    let expected = place.rows(&first);
    // The last commit was made for nothing but the snapshot, and wrote nothing to the changelog.
    let meta = std::fs::read(std::fs::read_dir(place.folder.path()).unwrap().next().unwrap().unwrap().path());
    let end = place.cluster.end_offset("p-seen-changelog", 0);
    let meta = String::from_utf8_lossy(&meta.unwrap()).into_owned();
    assert!(meta.contains(&format!("[\"p-seen-changelog\",{end}]")), "{meta:?} stands for {end}");
    let mut second = place.keeping();
    settle(&mut second).unwrap();
    assert_eq!(place.rows(&second), expected);
    // Nothing has happened: it is as it was, and known to be.
    let commits = place.cluster.committed("in", 0);
    second.finish().unwrap();
    assert_eq!(place.cluster.committed("in", 0), commits);
}

#[test]
fn changelogs_are_looked_at_only_where_a_snapshot_is_due() {
    let place = Place::new();
    let calls = |worker: &mut Worker<Sim>, key: &str| {
        let before = worker.transport.faults.calls();
        place.count(worker, key);
        worker.transport.faults.calls() - before
    };
    let mut worker = place.keeping();
    calls(&mut worker, "a");
    let usual = calls(&mut worker, "b");
    place.clock.set(place.clock.now_ms() + 60_000);
    assert_eq!(calls(&mut worker, "c"), usual + 1);
    assert_eq!(calls(&mut worker, "d"), usual);
}

/// The changelog was deleted, and another that was made again under its name is by now as long as the old one was.
#[test]
fn a_snapshot_of_a_changelog_that_was_made_again_is_passed_over() {
    let place = Place::new();
    let mut first = place.keeping();
    place.count(&mut first, "a");
    place.count(&mut first, "b");
    first.finish().unwrap();
    let old = place.folder.path().join("part0-0.snapshot");
    let kept = std::fs::read(&old).unwrap();
    place.cluster.remake("p-seen-changelog");
    let started = place.clock.now_ms() + 1;
    let mut second = place.with(Options { reset: vec!["seen".to_owned()], started, ..Options::default() });
    (0..9).for_each(|_| place.count(&mut second, "a"));
    second.finish().unwrap();
    std::fs::write(old, kept).unwrap();
    let mut third = place.keeping();
    settle(&mut third).unwrap();
    let rows = place.rows(&third);
    assert!(rows.len() == 1 && rows[0].contains("\"count\":9"), "{rows:?}");
}
