//! What is asked for by mistake.

use super::{PIPELINE, assert_once, produce};
use crate::support::program::Place;

#[test]
fn a_file_alone_is_run() {
    let place = Place::new(PIPELINE);
    produce(&place, 20, 1);
    place.run("p.toml --local=log --status off --until-end").with(0);
    assert_once(&place, 20);
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    let place = Place::new(PIPELINE);
    for (line, words) in [
        ("run p.toml --local=log --kafka localhost:1", &["--kafka", "--local"][..]),
        ("run p.toml --kafka=,", &["expected HOST:PORT"]),
        ("run p.toml --local=log --instance a", &["--instance"]),
        (
            "run p.toml --local=log --reset pre_id",
            &["no node `pre_id` has a table", "did you mean `per_id`?"],
        ),
        (
            "run p.toml --local=log --reset out",
            &["no node `out` has a table", "nodes with a table: per_id, sums"],
        ),
        ("run p.toml --local=log --close-windows", &["--until-end"]),
        ("run nothing.toml --local=log", &["there is no such file"]),
    ] {
        place.run(line).saying(2, words);
        assert!(!place.log().exists(), "{line}: who is told of a mistake has made nothing");
    }
}

#[test]
fn an_unknown_param_is_a_fault() {
    let place = Place::new(&format!("{PIPELINE}\n[params]\nlargest = 10\n"));
    place.run("run p.toml --local=log --set larges=5").saying(1, &["larges", "did you mean `largest`?"]);
    assert!(!place.log().exists());
}
