//! The log as those see it who crash, damage and share it.

use super::*;
use std::collections::BTreeMap;
use std::thread;
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(dir: &Path) -> Log {
    Log::open(dir).expect("a sound log")
}

fn append(log: &mut Log, topic: Topic, partition: u32, values: &[&str]) -> Vec<Position> {
    let mut commit = Commit::default();
    for value in values {
        commit.record(topic, partition, 5, Some(b"key"), Some(value.as_bytes()), b"");
    }
    let end = log.end_offset(topic, partition).expect("a partition");
    commit.offset("group", topic, partition, end, value_of(values).as_bytes());
    log.append(&commit).expect("appended")
}

fn value_of(values: &[&str]) -> String {
    values.join("+")
}

fn values(log: &Log, topic: Topic, partition: u32) -> Vec<String> {
    let mut records = Records::default();
    let (mut from, mut all) = (log.start_offset(topic, partition).expect("a partition"), vec![]);
    while from < log.end_offset(topic, partition).expect("a partition") {
        log.read(topic, partition, from, (7, 1 << 20), &mut records).expect("read");
        assert!(!records.is_empty());
        for record in records.iter() {
            assert_eq!((record.offset, record.timestamp), (from, 5));
            all.push(String::from_utf8(record.value.expect("a value").to_vec()).expect("text"));
            from += 1;
        }
    }
    all
}

/// The last segment of a log, and its bytes.
fn last_segment(dir: &Path) -> (PathBuf, Vec<u8>) {
    let number = *segment::list(dir).expect("a directory").last().expect("a segment");
    let path = dir.join(format!("{number:020}.journal"));
    let bytes = fs::read(&path).expect("a segment");
    (path, bytes)
}

#[test]
fn what_was_committed_is_there_when_it_is_opened_again() {
    let dir = dir();
    let mut log = open(dir.path());
    let readings = log.create_topic("readings", 3, false).expect("made");
    let counts = log.create_topic("counts", 1, true).expect("made");
    assert_eq!(log.create_topic("readings", 3, false).expect("there"), readings);
    assert!(matches!(log.create_topic("readings", 4, false), Err(LogError::TopicExists { .. })));

    let mut commit = Commit::default();
    commit.record(readings, 2, 5, Some(b"k"), Some(b"one"), b"");
    commit.record(counts, 0, -6, None, None, b"headers");
    commit.record(readings, 2, 7, Some(b""), Some(b""), b"");
    commit.offset("sensor-metrics", readings, 2, 40, b"meta");
    let position = |topic, partition, base, count| Position { topic, partition, base, count };
    assert_eq!(
        log.append(&commit).expect("appended"),
        [position(readings, 2, 0, 2), position(counts, 0, 0, 1)]
    );
    assert_eq!(log.append(&commit).expect("appended")[0], position(readings, 2, 2, 2));
    commit.clear();
    assert!(log.append(&commit).expect("nothing to do").is_empty());

    let log = open(dir.path());
    assert_eq!(log.topics().map(|topic| log.name(topic)).collect::<Vec<_>>(), ["readings", "counts"]);
    assert_eq!((log.partitions(readings), log.end_offset(readings, 2).expect("there")), (3, 4));
    assert_eq!(log.committed("sensor-metrics", readings, 2), Some((40, &b"meta"[..])));
    assert_eq!(log.committed("sensor-metrics", readings, 1), None);
    let mut records = Records::default();
    log.read(readings, 2, 1, (9, 99), &mut records).expect("read");
    let second = records.iter().next().expect("a record");
    let expected = Record { offset: 1, timestamp: 7, key: Some(b""), value: Some(b""), headers: b"" };
    assert_eq!((second, records.len()), (expected, 3));
    log.read(counts, 0, 0, (1, 99), &mut records).expect("read");
    let tombstone = Record { offset: 0, timestamp: -6, key: None, value: None, headers: b"headers" };
    assert!(records.iter().eq([tombstone]));
    log.read(counts, 0, 2, (9, 99), &mut records).expect("the end is no fault");
    assert!(records.is_empty());
    assert!(matches!(log.read(counts, 0, 3, (9, 99), &mut records), Err(LogError::OutOfRange { .. })));
    assert!(matches!(log.read(counts, 1, 0, (9, 99), &mut records), Err(LogError::NoPartition { .. })));
}

#[test]
fn a_commit_to_a_partition_that_is_not_there_changes_nothing() {
    let dir = dir();
    let mut log = open(dir.path());
    let topic = log.create_topic("readings", 1, false).expect("made");
    let mut commit = Commit::default();
    commit.record(topic, 0, 5, None, Some(b"one"), b"");
    commit.offset("group", topic, 1, 0, b"");
    assert!(matches!(log.append(&commit), Err(LogError::NoPartition { partition: 1, .. })));
    commit.clear();
    commit.record(topic, 9, 5, None, Some(b"one"), b"");
    assert!(log.append(&commit).is_err());
    append(&mut log, topic, 0, &["two"]);
    assert_eq!(values(&open(dir.path()), topic, 0), ["two"]);
}

/// A log of three commits behind a topic, and where each ends.
fn three_commits(dir: &Path) -> (Topic, Vec<usize>) {
    let mut log = open(dir);
    let topic = log.create_topic("readings", 1, false).expect("made");
    let mut ends = vec![log.at as usize];
    for commit in [&["a", "b"][..], &["c"], &["d", "e", "f"]] {
        append(&mut log, topic, 0, commit);
        ends.push(log.at as usize);
    }
    (topic, ends)
}

const AFTER: [&[&str]; 4] = [&[], &["a", "b"], &["a", "b", "c"], &["a", "b", "c", "d", "e", "f"]];

#[test]
fn a_torn_end_is_cut_at_the_last_whole_commit() {
    let dir = dir();
    let (topic, ends) = three_commits(dir.path());
    let (path, bytes) = last_segment(dir.path());
    for cut in ends[0]..bytes.len() {
        fs::write(&path, &bytes[..cut]).expect("written");
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let mut log = open(dir.path());
        assert_eq!(values(&log, topic, 0), AFTER[whole], "cut at {cut}");
        let committed = log.committed("group", topic, 0).map(|(offset, _)| offset as usize);
        assert_eq!(committed, whole.checked_sub(1).map(|before| AFTER[before].len()));
        assert_eq!(fs::metadata(&path).expect("there").len() as usize, ends[whole]);
        // It goes on from there.
        append(&mut log, topic, 0, &["x"]);
        let log = open(dir.path());
        assert_eq!(values(&log, topic, 0).last().map(String::as_str), Some("x"));
    }
}

#[test]
fn a_torn_end_of_zeros_or_junk_is_cut() {
    let dir = dir();
    let (topic, _) = three_commits(dir.path());
    let (path, bytes) = last_segment(dir.path());
    for junk in [&[0; 5000][..], &[0xff; 13], b"\xf7SR\x1a", b"\xf7SR\x1a\xff\xff\xff\x3fcrc."] {
        fs::write(&path, [&bytes[..], junk].concat()).expect("written");
        assert_eq!(values(&open(dir.path()), topic, 0), AFTER[3]);
        assert_eq!(fs::read(&path).expect("there"), bytes);
    }
}

#[test]
fn a_flipped_byte_is_the_end_or_is_reported_with_its_place() {
    let dir = dir();
    let (topic, ends) = three_commits(dir.path());
    let (path, bytes) = last_segment(dir.path());
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        fs::write(&path, &flipped).expect("written");
        let frame = ends.iter().filter(|end| **end <= at).count();
        match Log::open(dir.path()) {
            // The last commit cannot be told from one that was being written.
            Ok(log) => {
                assert_eq!(frame, 3, "flipped at {at}");
                assert_eq!(values(&log, topic, 0), AFTER[2]);
            }
            Err(LogError::Corrupt { file, at: place, .. }) => {
                assert!(frame < 3, "flipped at {at}");
                assert_eq!(file, path);
                let start = if frame == 0 { place } else { ends[frame - 1] as u64 };
                assert_eq!(place, start, "flipped at {at}");
            }
            Err(LogError::NewerVersion { .. }) => assert!((8..12).contains(&at)),
            Err(error) => panic!("{error}"),
        }
        assert!(fs::read(&path).expect("there").len() >= ends[2], "nothing else is cut");
    }
}

#[test]
fn a_record_that_holds_a_journal_is_no_frame() {
    let dir = dir();
    let (topic, ends) = three_commits(dir.path());
    let (path, bytes) = last_segment(dir.path());
    let mut log = open(dir.path());
    let mut commit = Commit::default();
    commit.record(topic, 0, 5, None, Some(&bytes), b"");
    log.append(&commit).expect("appended");
    let whole = fs::read(&path).expect("there");
    // The commit is cut short behind the frames in its record: a torn end, not damage.
    fs::write(&path, &whole[..whole.len() - 1]).expect("written");
    assert_eq!(values(&open(dir.path()), topic, 0), AFTER[3]);
    assert_eq!(fs::read(&path).expect("there").len(), ends[3]);
}

#[test]
fn a_reader_waits_at_a_torn_end_and_cuts_nothing() {
    let dir = dir();
    let (topic, ends) = three_commits(dir.path());
    let (path, bytes) = last_segment(dir.path());
    fs::write(&path, &bytes[..ends[2]]).expect("written");
    let mut reader = open(dir.path());
    for cut in ends[2]..bytes.len() {
        fs::write(&path, &bytes[..cut]).expect("written");
        assert!(!reader.refresh().expect("no fault"), "{cut}");
        assert_eq!(fs::metadata(&path).expect("there").len() as usize, cut);
    }
    fs::write(&path, &bytes).expect("written");
    assert!(reader.refresh().expect("no fault"));
    assert_eq!(values(&reader, topic, 0), AFTER[3]);
}

#[test]
fn a_newer_version_is_refused_with_a_hint() {
    let dir = dir();
    three_commits(dir.path());
    let (path, mut bytes) = last_segment(dir.path());
    bytes[8] = 2;
    fs::write(&path, bytes).expect("written");
    let error = Log::open(dir.path()).expect_err("a newer version");
    assert!(matches!(error, LogError::NewerVersion { version: 2, .. }));
    assert!(
        error.to_string().ends_with("has format 2, this build reads up to 1; update streamrun"),
        "{error}"
    );
}

#[test]
fn a_place_that_is_no_directory_is_refused_with_a_hint() {
    let dir = dir();
    let file = dir.path().join("file");
    fs::write(&file, "").expect("written");
    for path in [&file, &file.join("below")] {
        let error = Log::open(path).expect_err("no directory").to_string();
        assert!(error.contains("choose one with `--local=DIR`"), "{error}");
    }
}

#[test]
fn a_full_disk_says_what_to_do() {
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = LogError::io("write", Path::new("00.journal"))(full).to_string();
    assert_eq!(error, "cannot write `00.journal`: no storage space; make room, nothing is lost");
}

#[test]
fn one_engine_a_pipeline_and_the_other_is_named() {
    let dir = dir();
    let (one, other) = (open(dir.path()), open(dir.path()));
    let lock = one.lock_engine("sensor metrics/1").expect("free");
    let error = other.lock_engine("sensor metrics/1").expect_err("held");
    assert!(error.to_string().contains(&format!("by process {};", std::process::id())), "{error}");
    other.lock_engine("another").expect("free");
    drop(lock);
    other.lock_engine("sensor metrics/1").expect("free again");
}

#[test]
fn old_segments_go_when_nobody_needs_them() {
    let dir = dir();
    let mut log = Log::open_with(dir.path(), 400).expect("open");
    let topic = log.create_topic("readings", 1, false).expect("made");
    let table = log.create_topic("changelog", 1, true).expect("made");
    let mut reader = open(dir.path());
    let mut slow = open(dir.path());
    append(&mut log, table, 0, &["row"]);
    for number in 0..40 {
        append(&mut log, topic, 0, &[&format!("value {number}")]);
        reader.refresh().expect("no fault");
    }
    let segments = log.segments.len();
    assert!(segments > 5);
    let mut commit = Commit::default();
    commit.offset("group", topic, 0, 20, b"");
    commit.offset("group", table, 0, 1, b"");
    log.append(&commit).expect("appended");
    assert_eq!(log.trim(u64::MAX, |_, _| Some(i64::MAX)).expect("trimmed"), 0, "there is room");
    assert_eq!(log.trim(0, |_, _| None).expect("trimmed"), 0, "a table is needed until it is said not to be");

    let deleted = log.trim(0, |name, _| (name == "changelog").then_some(1)).expect("trimmed");
    assert!(deleted > 2 && log.segments.len() + deleted >= segments);
    let start = log.start_offset(topic, 0).expect("there");
    assert!((1..=20).contains(&start), "{start}");
    let all: Vec<String> = (start..40).map(|number| format!("value {number}")).collect();
    assert_eq!(values(&log, topic, 0), all);
    assert_eq!(log.start_offset(table, 0).expect("there"), 1);
    let mut records = Records::default();
    assert!(matches!(log.read(topic, 0, 0, (1, 1), &mut records), Err(LogError::OutOfRange { .. })));

    // Who had it open finds the same, sooner or later; so does who comes new.
    (40..48).for_each(|number| drop(append(&mut log, topic, 0, &[&format!("value {number}")])));
    for log in [&mut reader, &mut slow, &mut open(dir.path())] {
        log.refresh().expect("no fault");
        assert_eq!(log.start_offset(topic, 0).expect("there"), start);
        assert_eq!(log.end_offset(topic, 0).expect("there"), 48);
        assert_eq!(values(log, topic, 0).last().map(String::as_str), Some("value 47"));
        assert_eq!(log.committed("group", table, 0), Some((1, &b""[..])));
    }
}

#[test]
fn a_missing_segment_is_reported() {
    let dir = dir();
    let mut log = Log::open_with(dir.path(), 100).expect("open");
    let topic = log.create_topic("readings", 1, false).expect("made");
    (0..9).for_each(|_| drop(append(&mut log, topic, 0, &["value"])));
    fs::remove_file(&log.segments[2].path).expect("there");
    assert!(matches!(Log::open(dir.path()), Err(LogError::Corrupt { .. })));
}

#[test]
fn many_append_and_tail_at_once() {
    const WRITERS: usize = 4;
    const COMMITS: usize = 60;
    let dir = dir();
    let topic = open(dir.path()).create_topic("readings", 2, false).expect("made");
    let path = dir.path();
    let all = thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                // Segments are small, so that rolling happens under everybody's feet.
                let mut log = Log::open_with(path, 2000).expect("open");
                for commit in 0..COMMITS {
                    let value = format!("{writer}:{commit}");
                    append(&mut log, topic, commit as u32 % 2, &[&value, &value]);
                }
            });
        }
        let reader = scope.spawn(move || {
            let mut log = open(path);
            let mut seen = BTreeMap::new();
            while seen.values().map(Vec::len).sum::<usize>() < WRITERS * COMMITS * 2 {
                if !log.refresh().expect("no fault") {
                    thread::yield_now();
                }
                for partition in 0..2 {
                    let seen: &mut Vec<String> = seen.entry(partition).or_default();
                    let mut records = Records::default();
                    log.read(topic, partition, seen.len() as i64, (100, 1 << 20), &mut records)
                        .expect("read");
                    assert!(records.iter().zip(seen.len() as i64..).all(|(record, at)| record.offset == at));
                    let values = records.iter().filter_map(|record| record.value);
                    seen.extend(values.map(|value| String::from_utf8_lossy(value).into_owned()));
                }
            }
            seen
        });
        reader.join().expect("a reader that does not fail")
    });
    let log = open(path);
    for (partition, seen) in all {
        assert_eq!(values(&log, topic, partition), seen);
        // Commits are whole, and each writer's are in its order.
        assert!(seen.chunks(2).all(|pair| pair[0] == pair[1]));
        for writer in 0..WRITERS {
            let prefix = format!("{writer}:");
            let commits =
                seen.iter().step_by(2).filter_map(|value| value.strip_prefix(&prefix)?.parse::<usize>().ok());
            let expected = (0..COMMITS).filter(|commit| commit % 2 == partition as usize);
            assert!(commits.eq(expected));
        }
    }
}

#[test]
fn frames_larger_than_a_chunk_are_read() {
    let dir = dir();
    let mut log = open(dir.path());
    let topic = log.create_topic("readings", 1, false).expect("made");
    let large = "x".repeat(CHUNK as usize - 100);
    append(&mut log, topic, 0, &["a", &large, &large, "b"]);
    append(&mut log, topic, 0, &["c"]);
    let found = values(&open(dir.path()), topic, 0);
    assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [1, large.len(), large.len(), 1, 1]);
}

#[test]
fn no_log_has_more_partitions_than_memory_has_room_for() {
    let dir = dir();
    let mut log = open(dir.path());
    let refused = log.create_topic("wide", 1_000_000, false);
    assert!(matches!(refused, Err(LogError::TooManyPartitions { wanted: 1_000_000, .. })));
    log.create_topic("narrow", 1, false).expect("made");
    // A frame that is whole and says what no log of ours says.
    let (place, mut hostile) = (log.place(), vec![0; frame::HEAD]);
    frame::put_topic(&mut hostile, Topic(1), u32::MAX, false, "wide");
    frame::seal(&mut hostile, place);
    drop(log);
    let (path, mut bytes) = last_segment(dir.path());
    bytes.extend_from_slice(&hostile);
    fs::write(&path, &bytes).expect("written");
    let opened = Log::open(dir.path());
    assert!(matches!(opened, Err(LogError::Corrupt { .. })), "{opened:?}");
}
