//! Tables of earlier runs under an edited file, and tables that outgrow what they may hold.

use super::{PIPELINE, assert_once, produce};
use crate::support::program::Place;

const WINDOWS: &str = "[tumble.sums]\nfrom = \"readings\"\nby = \"id\"\nevery = \"10s\"";

/// A pipeline that has run, with windows still open.
fn run_before() -> Place {
    let place = Place::new(PIPELINE);
    produce(&place, 300, 1);
    let said =
        place.run_to_end("").saying(0, &["windows that are still open", "--close-windows closes them"]);
    assert_eq!(said.matches("sums (").count(), 1, "{said}");
    place
}

#[test]
fn another_window_stops_it_with_its_ways_out() {
    let place = run_before();
    let edited = PIPELINE.replace(WINDOWS, &WINDOWS.replace("10s", "20s"));
    assert_ne!(edited, PIPELINE);
    place.edit(&edited);
    let ways = ["undo the edit", "another name", "`streamrun run --reset sums`"];
    let said = place.run_to_end("").saying(1, &["the table of `sums` was made by another file"]);
    assert!(said.contains("every 10000 ms") && said.contains("every 20000 ms"), "{said}");
    assert!(ways.iter().all(|way| said.contains(way)), "{said}");
    // Undone, it goes on as if nothing had been.
    place.edit(PIPELINE);
    produce(&place, 50, 2);
    place.run_to_end("").with(0);
    assert_once(&place, 350);
    // Started over, only that table is.
    place.edit(&edited);
    produce(&place, 50, 3);
    place.run_to_end("--reset sums").with(0);
    assert_once(&place, 400);
    place.run_to_end("--close-windows").with(0);
    assert!(!place.values("sums").is_empty());
}

#[test]
fn an_added_aggregate_goes_on_and_is_spoken_of() {
    let place = run_before();
    place.edit(&PIPELINE.replace("sum(n)'", "sum(n)'\ncompute.most = 'max(n)'"));
    let said = place.run_to_end("").saying(0, &["computes more from now on", "max(n)", "sums"]);
    assert_eq!(said.matches("computes more").count(), 1, "once is enough:\n{said}");
    place.run_to_end("--close-windows").with(0);
    // The windows that were open have nothing for the new one: what they have goes to the dead letters, nothing made up.
    assert!(place.values("sums").is_empty());
    let rows = place.values("dead");
    assert!(rows.iter().all(|row| !row.contains("most")), "{rows:?}");
    let total =
        |row: &String| serde_json::from_str::<serde_json::Value>(row).expect("JSON")["total"].as_i64();
    assert!(rows.iter().filter_map(total).sum::<i64>() > 0, "{rows:?}");
    assert_once(&place, 300);
}

#[test]
fn a_node_keeps_its_table_under_another_name() {
    let place = run_before();
    let renamed = PIPELINE.replace("[count.per_id]", "[count.per_user]\nwas = \"per_id\"");
    place.edit(&renamed.replace(r#"from = "per_id""#, r#"from = "per_user""#));
    produce(&place, 100, 2);
    place.run_to_end("").with(0);
    assert_once(&place, 400);
}

#[test]
fn the_bound_of_memory_ends_it_and_nothing_is_lost() {
    let bounded = |memory: &str| PIPELINE.replace("[run]", &format!("[run]\nmemory = \"{memory}\""));
    let place = Place::new(&bounded("40KiB"));
    produce(&place, 5000, 1);
    place.run_to_end("").saying(
        1,
        &[
            "error: the tables hold ",
            "`memory` in `[run]` allows 40",
            "help: nothing is lost",
            "raise `memory`",
        ],
    );
    place.edit(&bounded("64MiB"));
    place.run_to_end("").with(0);
    assert_once(&place, 5000);
}
