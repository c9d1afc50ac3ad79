//! What is seen from outside of a pipeline on the embedded log: its changelogs as rows, and how far it is.

use super::{PIPELINE, produce};
use crate::support::program::Place;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn a_changelog_is_shown_as_the_rows_it_means() {
    let place = Place::new(PIPELINE);
    produce(&place, 300, 1);
    place.run_to_end("").with(0);
    let rows = |table: &str| -> Vec<Value> {
        let line = format!("inspect p-{table}-changelog --local=log --limit all --format json");
        let said = place.run(&line).with(0);
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows("per_id") {
        if let Some(count) = row["value"]["count"].as_i64() {
            counts.insert(row["key"].to_string(), count);
        }
    }
    assert_eq!(counts.values().sum::<i64>(), 300);
    let sums = rows("sums");
    assert!(sums.iter().any(|row| row["value"]["sum(n)"].is_i64()), "{sums:?}");
    assert!(
        sums.iter().any(|row| row["key"].as_str().is_some_and(|key| key.contains(" until "))),
        "{sums:?}"
    );
    assert!(
        sums.iter()
            .any(|row| row["value"] == "tumble\nby id string\nevery 10000 ms, offset 0 ms\nsum(n) int")
    );
}

#[test]
fn how_far_a_pipeline_is_can_be_asked() {
    let place = Place::new(PIPELINE);
    place.run("lag p.toml --local=log").saying(1, &["there is no log in `log`"]);
    produce(&place, 50, 1);
    let lag = || -> Vec<Value> {
        let said = place.run("lag p.toml --local=log --format json").with(0);
        serde_json::from_str::<Value>(&said).expect("JSON").as_array().expect("an array").clone()
    };
    let before = lag();
    assert_eq!(before.iter().filter_map(|input| input["lag_records"].as_i64()).sum::<i64>(), 50);
    assert!(before.iter().all(|input| input["committed"].is_null() && input["owner"].is_null()));
    place.run_to_end("").with(0);
    assert!(lag().iter().all(|input| input["lag_records"] == 0 && input["committed"] == input["end"]));
    let text = place.run("lag p.toml --local=log").with(0);
    assert!(text.starts_with("TOPIC     PARTITION") && text.ends_with("0 behind in all\n"), "{text}");
}
