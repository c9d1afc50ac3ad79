//! The directory of the log: none, full, or somebody else's.

use super::mount::Mount;
use super::{PIPELINE, assert_once, counted, produce};
use crate::support::program::Place;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

#[test]
fn a_directory_that_is_a_file_is_named() {
    let place = Place::new(PIPELINE);
    fs::write(place.log(), "something else").expect("written");
    for line in ["run p.toml --local=log --status off", "produce p.toml --local=log --count 1"] {
        place.run(line).saying(
            1,
            &[
                "error: cannot create `log`: File exists",
                "a directory is needed, choose one with `--local=DIR`",
            ],
        );
    }
    assert_eq!(fs::read_to_string(place.log()).expect("still there"), "something else");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let place = Place::new(PIPELINE);
    let Some(_mount) = Mount::new(&place.log(), "ro,size=1m") else { return };
    for line in ["run p.toml --local=log --status off", "produce p.toml --local=log --count 1"] {
        let said = place.run(line).saying(1, &["error: cannot ", "Read-only file system"]);
        assert!(said.contains("the log needs a directory that it may write to"), "{said}");
    }
}

/// An engine that has records before it and no room for what comes of them.
fn stuck(place: &Place, mount: &Mount) -> (crate::support::program::Program, super::mount::Filler) {
    let mut engine = place.engine("");
    produce(place, 500, 1);
    engine.until("500 records", |_| counted(place) == 500);
    engine.signal("STOP");
    produce(place, 1500, 2);
    let filler = mount.fill();
    engine.signal("CONT");
    engine.until_said("No space left on device");
    (engine, filler)
}

#[test]
fn a_full_disk_is_waited_for() {
    let place = Place::new(PIPELINE);
    let Some(mount) = Mount::new(&place.log(), "size=2m") else { return };
    let (mut engine, filler) = stuck(&place, &mount);
    let said = engine.err();
    assert!(said.contains("make room, nothing is lost; tried again"), "{said}");
    assert_eq!(counted(&place), 500, "without room nothing is written");
    drop(filler);
    engine.until("2000 records", |_| counted(&place) == 2000);
    engine.terminated().with(0);
    assert_once(&place, 2000);
}

/// What a failed commit takes back has not been read: that is no end.
#[test]
fn the_end_is_not_reached_on_a_full_disk() {
    let place = Place::new(PIPELINE);
    let Some(mount) = Mount::new(&place.log(), "size=2m") else { return };
    produce(&place, 3000, 1);
    let filler = mount.fill();
    filler.leave(64 << 10);
    let mut engine = place.engine("--until-end --close-windows");
    engine.until_said("No space left on device");
    drop(filler);
    engine.ended().with(0);
    assert_once(&place, 3000);
}

#[test]
fn a_full_disk_keeps_nobody_from_ending() {
    let place = Place::new(PIPELINE);
    let Some(mount) = Mount::new(&place.log(), "size=2m") else { return };
    let (engine, filler) = stuck(&place, &mount);
    // What could not be committed has been taken back, so nothing is left to do.
    engine.terminated().with(0);
    let line = "produce p.toml --local=log --interval 0s --count 100";
    place.run(line).saying(1, &["error: cannot write ", "make room, nothing is lost"]);
    let parts = fs::read_dir(place.log()).expect("listed").filter_map(Result::ok);
    let parts: Vec<_> =
        parts.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "part")).collect();
    assert!(parts.is_empty(), "half a file keeps room: {parts:?}");
    drop(filler);
    place.run_to_end("").with(0);
    assert_once(&place, 2000);
}

#[test]
fn a_log_of_a_newer_version_is_left_alone() {
    let place = Place::new(PIPELINE);
    produce(&place, 10, 1);
    let segment = place.log().join("00000000000000000000.journal");
    let version = |version: u8| {
        let file = OpenOptions::new().write(true).open(&segment).expect("there");
        file.write_all_at(&[version], 8).expect("written");
    };
    version(2);
    let before = fs::read(&segment).expect("read");
    for line in [
        "run p.toml --local=log --status off",
        "produce p.toml --local=log --count 1",
        "inspect out --local=log",
    ] {
        place.run(line).saying(1, &["has format 2, this build reads up to 1; update streamrun"]);
    }
    assert_eq!(fs::read(&segment).expect("read"), before);
    version(1);
    place.run_to_end("").with(0);
    assert_once(&place, 10);
}
