//! The demo, as a pipe and an impatient person have it.

use super::PIPELINE;
use crate::support::program::{Ended, Place};

/// The demo's summary, and that nothing of it is left.
fn summary(place: &Place, ended: Ended) -> String {
    let left: Vec<_> = std::fs::read_dir(place.path()).expect("listed").filter_map(Result::ok).collect();
    let left: Vec<_> = left.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with("streamrun-demo")), "{left:?}");
    let out = ended.out.clone();
    ended.with(0);
    assert!(!out.contains('\u{1b}'), "no colours in a pipe:\n{out}");
    assert!(out.contains("dead letters\n"), "{out}");
    out
}

#[test]
fn the_demo_ends_by_itself_and_leaves_nothing() {
    let place = Place::new(PIPELINE);
    let out = summary(&place, place.run("demo --for 3s --status off"));
    assert!(out.starts_with("sensor-metrics: ") && out.contains("Ctrl-C ends it"), "{out}");
    assert!(out.contains(" records read (+"), "{out}");
    assert!(out.contains(" enriched-readings\n") || out.contains("  enriched-readings\n"), "{out}");
}

#[test]
fn the_demo_is_ended_by_a_signal_with_its_summary() {
    let place = Place::new(PIPELINE);
    let mut demo = place.start("demo --status off");
    demo.until_said("records read");
    demo.signal("INT");
    let out = summary(&place, demo.ended());
    assert!(out.contains(" records in "), "{out}");
}

#[test]
fn the_demo_runs_a_file() {
    let place = Place::new(PIPELINE);
    let out = summary(&place, place.run("demo p.toml --for 1s --status off"));
    assert!(out.starts_with("p: "), "{out}");
}

#[test]
fn a_demo_that_nobody_reads_any_more_ends() {
    let place = Place::new(PIPELINE);
    let mut demo = place.piped("demo --status off");
    demo.close_output();
    demo.ended().with(0);
}
