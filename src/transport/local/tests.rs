//! The log as a worker sees it, alone and beside others.

use super::*;
use crate::outbox::{Outbox, Target};
use crate::transport::{Class, Event, Limits, Position, TopicWish, Transport};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const IN: TopicId = TopicId(0);
const OUT: TopicId = TopicId(1);
const TABLE: TopicId = TopicId(2);
const LIMITS: Limits = Limits { records: 100, bytes: 1 << 20 };

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn names() -> Vec<String> {
    ["readings", "out", "p-table-changelog"].map(str::to_owned).to_vec()
}

fn engine(dir: &TempDir) -> Engine {
    Engine::start(dir.path(), "p").expect("the only one")
}

/// A worker on a log whose topics are there.
fn worker(engine: &Engine) -> Local {
    let mut local = Local::open(engine, names(), 0, 1).expect("open");
    for (topic, name, partitions) in [(IN, "readings", 3), (OUT, "out", 2), (TABLE, "p-table-changelog", 3)] {
        let wish =
            TopicWish { topic, name: name.to_owned(), partitions, compacted: topic == TABLE, config: vec![] };
        local.create(&wish).expect("made");
    }
    local
}

fn partition(topic: TopicId, index: u32) -> Partition {
    Partition { topic, index }
}

fn write(client: &mut Client, values: impl IntoIterator<Item = String>) {
    for value in values {
        client.send("readings", 7, None, Some(value.as_bytes())).expect("sent");
    }
    client.flush().expect("written");
}

fn outbox_of(own: u32) -> Outbox {
    let mut outbox = Outbox::default();
    outbox.own = own;
    outbox
}

fn outbox(topic: TopicId, target: Target, values: &[&str]) -> Outbox {
    let mut outbox = outbox_of(0);
    fill(&mut outbox, topic, target, values);
    outbox
}

fn fill(outbox: &mut Outbox, topic: TopicId, target: Target, values: &[&str]) {
    for value in values {
        let put = |text: &str| {
            let text = text.as_bytes().to_vec();
            move |out: &mut Vec<u8>| {
                out.extend_from_slice(&text);
                true
            }
        };
        outbox.record(topic, target, 9, put("key"), put(value), b"");
    }
}

/// What a poll brings: partition, offset and value of each record.
fn polled(local: &mut Local, limits: Limits) -> Vec<(u32, i64, String)> {
    let Event::Records(runs) = local.poll(limits).expect("polled") else { return vec![] };
    let mut all = vec![];
    for run in runs {
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        all.extend(run.records.iter().map(|r| (run.partition.index, r.offset, text(r.value))));
    }
    all
}

fn begin_all(local: &mut Local) {
    (0..3).for_each(|index| local.begin(partition(IN, index), 0).expect("begun"));
}

fn position(index: u32, offset: i64, metadata: &str) -> Position {
    Position { partition: partition(IN, index), offset, metadata: metadata.to_owned() }
}

#[test]
fn partitions_are_shared_by_number_and_never_revoked() {
    let dir = dir();
    let engine = engine(&dir);
    drop(worker(&engine));
    for (number, expected) in [(0, vec![0, 2]), (1, vec![1]), (2, vec![])] {
        let mut local = Local::open(&engine, names(), number, if number == 2 { 9 } else { 2 }).expect("open");
        if number == 2 {
            local.worker = (5, 9);
        }
        local.join(&[IN]).expect("joined");
        let Event::Assigned(ours) = local.poll(LIMITS).expect("polled") else { panic!("nothing assigned") };
        assert_eq!(ours.iter().map(|p| p.index).collect::<Vec<_>>(), expected);
        assert!(matches!(local.poll(LIMITS), Ok(Event::Idle)));
    }
}

#[test]
fn one_process_runs_a_pipeline() {
    let dir = dir();
    let first = engine(&dir);
    let error = Engine::start(dir.path(), "p").expect_err("taken");
    assert_eq!(error.class, Class::Fatal);
    assert!(error.message.contains("is already run here by process"), "{error}");
    Engine::start(dir.path(), "another").expect("free");
    drop((first.clone(), first));
    Engine::start(dir.path(), "p").expect("free again");
}

#[test]
fn records_of_others_come_in_shares_and_in_order() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    let mut client = Client::open(dir.path()).expect("open");
    begin_all(&mut local);
    assert!(polled(&mut local, LIMITS).is_empty());
    write(&mut client, (0..30).map(|n| n.to_string()));
    client.send("readings", 7, Some(b"21"), Some(b"keyed")).expect("sent");
    client.flush().expect("written");
    let first = polled(&mut local, Limits { records: 6, bytes: 1 << 20 });
    for index in 0..3 {
        assert_eq!(first.iter().filter(|(p, _, _)| *p == index).count(), 2, "{first:?}");
        assert!(!local.at_end(partition(IN, index)).expect("known"));
    }
    assert_eq!(first[0], (0, 0, "0".to_owned()));
    let rest = polled(&mut local, LIMITS);
    assert_eq!(rest.len(), 25);
    assert!((0..3).all(|index| local.at_end(partition(IN, index)) == Ok(true)));
    let keyed = rest.iter().find(|(_, _, value)| value == "keyed").expect("there");
    assert_eq!(keyed.0, crate::partitioner::partition_of(b"21", 3));
}

#[test]
fn few_bytes_are_shared_too_and_one_record_always_comes() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    begin_all(&mut local);
    write(&mut Client::open(dir.path()).expect("open"), (0..30).map(|_| "x".repeat(1000)));
    let found = polled(&mut local, Limits { records: 100, bytes: 6000 });
    assert!((6..=9).contains(&found.len()), "{}", found.len());
    let mut seen = found.len();
    while seen < 30 {
        let found = polled(&mut local, Limits { records: 100, bytes: 1 });
        assert_eq!(found.len(), 1);
        seen += 1;
    }
}

#[test]
fn who_is_paused_is_not_read_and_goes_on_where_it_was() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    begin_all(&mut local);
    write(&mut Client::open(dir.path()).expect("open"), (0..9).map(|n| n.to_string()));
    local.pause(partition(IN, 1), true).expect("paused");
    assert!(polled(&mut local, LIMITS).iter().all(|(p, _, _)| *p != 1));
    assert_eq!(local.at_end(partition(IN, 1)), Ok(false));
    local.pause(partition(IN, 1), false).expect("goes on");
    assert_eq!(
        polled(&mut local, LIMITS).iter().map(|r| (r.0, r.1)).collect::<Vec<_>>(),
        [(1, 0), (1, 1), (1, 2)]
    );
    local.begin(partition(IN, 1), 1).expect("back");
    assert_eq!(polled(&mut local, LIMITS).len(), 2);
    local.release(&[partition(IN, 1)]).expect("released");
    local.begin(partition(IN, 0), 0).expect("back");
    assert!(polled(&mut local, LIMITS).iter().all(|(p, _, _)| *p == 0));
}

#[test]
fn a_commit_is_all_or_nothing_and_a_crash_leaves_what_was_before() {
    let dir = dir();
    {
        let engine = engine(&dir);
        let mut local = worker(&engine);
        local.send(&outbox(OUT, Target::Key, &["one", "two"])).expect("sent");
        let mut row = outbox_of(2);
        fill(&mut row, TABLE, Target::Own, &["row"]);
        local.send(&row).expect("sent");
        assert_eq!(local.bounds(partition(TABLE, 2)), Ok((0, 0)), "nothing is seen before the commit");
        local.commit(&[position(0, 5, "meta"), position(2, 6, "")]).expect("committed");
        local.send(&outbox(OUT, Target::Key, &["taken back"])).expect("sent");
        local.abort().expect("aborted");
        local.commit(&[position(1, 7, "seven")]).expect("committed");
        local.send(&outbox(OUT, Target::Key, &["lost"])).expect("sent");
        // A crash: nobody commits, nobody leaves.
    }
    let engine = engine(&dir);
    let mut local = Local::open(&engine, names(), 0, 1).expect("open");
    let inputs: Vec<_> = (0..3).map(|index| partition(IN, index)).collect();
    let committed = local.committed(&inputs).expect("known");
    let expected = [position(0, 5, "meta"), position(1, 7, "seven"), position(2, 6, "")].map(Some);
    assert_eq!(committed, expected);
    let home = crate::partitioner::partition_of(b"key", 2);
    assert_eq!(local.bounds(partition(OUT, home)), Ok((0, 2)));
    assert_eq!(local.bounds(partition(TABLE, 2)), Ok((0, 1)));
}

#[test]
fn a_partition_that_is_not_there_stages_nothing() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    let mut both = outbox(OUT, Target::Own, &["fine"]);
    let with = |text: &'static [u8]| {
        move |out: &mut Vec<u8>| {
            out.extend_from_slice(text);
            true
        }
    };
    both.own = 2;
    both.record(OUT, Target::Own, 9, with(b"k"), with(b"v"), b"");
    let error = local.send(&both).expect_err("two partitions only");
    assert_eq!((error.class, error.message.as_str()), (Class::Fatal, "topic `out` has no partition 2"));
    local.commit(&[position(0, 1, "")]).expect("committed");
    assert_eq!(local.bounds(partition(OUT, 0)), Ok((0, 0)));
}

#[test]
fn an_unknown_outcome_is_told_by_the_log_that_was_opened_again() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    begin_all(&mut local);
    write(&mut Client::open(dir.path()).expect("open"), ["a".to_owned()]);
    local.commit(&[position(0, 1, "one")]).expect("committed");
    local.send(&outbox(OUT, Target::Key, &["of a commit that failed"])).expect("sent");
    local.recover().expect("recovered");
    assert_eq!(local.committed(&[partition(IN, 0)]), Ok(vec![Some(position(0, 1, "one"))]));
    assert_eq!(polled(&mut local, LIMITS).len(), 1, "it reads on where it was");
    local.commit(&[position(0, 2, "two")]).expect("committed");
    let ends = (0..2).map(|index| local.bounds(partition(OUT, index)).expect("known").1);
    assert_eq!(ends.sum::<i64>(), 0);
}

#[test]
fn a_changelog_is_read_in_chunks_up_to_its_end() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    let large = "x".repeat(100_000);
    let rows: Vec<&str> = (0..50).map(|_| large.as_str()).collect();
    let mut changes = outbox_of(1);
    fill(&mut changes, TABLE, Target::Own, &rows);
    local.send(&changes).expect("sent");
    local.commit(&[]).expect("committed");
    let (mut from, mut chunks, mut read) = (3, 0, 0);
    while from < 45 {
        let chunk = local.changelog(partition(TABLE, 1), from, 45).expect("read");
        assert!(!chunk.records.is_empty() && chunk.records.len() < 20);
        (from, chunks, read) = (chunk.next, chunks + 1, read + chunk.records.len());
    }
    assert_eq!((from, read), (45, 42));
    assert!(chunks > 3);
    assert_eq!(local.changelog(partition(TABLE, 1), 45, 45).expect("read").next, 45);
    assert_eq!(local.changelog(partition(TABLE, 1), 0, 51).expect_err("no such end").class, Class::Fatal);
}

#[test]
fn what_a_snapshot_stands_for_may_go() {
    let dir = dir();
    let engine = engine(&dir);
    let mut local = worker(&engine);
    local.log = Log::open_with(dir.path(), 2000).expect("open");
    for round in 0..40 {
        local.send(&outbox(TABLE, Target::Own, &["x".repeat(200).as_str()])).expect("sent");
        local.commit(&[position(0, round, "")]).expect("committed");
    }
    assert_eq!(local.trim(0, &[]), Ok(0), "no snapshot, so all of it is needed");
    let mark = partition(TABLE, 0);
    assert!(local.trim(0, &[(mark, 20)]).expect("trimmed") >= 2);
    let (start, end) = local.bounds(mark).expect("known");
    assert!((1..=20).contains(&start) && end == 40, "{start}");
    assert_eq!(local.changelog(mark, 0, end).expect_err("gone").class, Class::Fatal);
    assert_eq!(local.changelog(mark, start, end).expect("there").records.len() as i64, end - start);
    // The mark is in the log: another worker need not know it.
    let mut other = Local::open(&engine, names(), 1, 2).expect("open");
    let mut changes = outbox_of(1);
    fill(&mut changes, TABLE, Target::Own, &["y"]);
    other.send(&changes).expect("sent");
    other.commit(&[]).expect("committed");
    assert!(other.trim(0, &[(mark, 30), (partition(TABLE, 1), 0)]).expect("trimmed") > 0);
    assert_eq!(other.trim(u64::MAX, &[(mark, 40)]), Ok(0), "there is room");
}

#[test]
fn waiting_ends_soon_after_somebody_writes() {
    let dir = dir();
    let mut local = worker(&engine(&dir));
    begin_all(&mut local);
    let since = Instant::now();
    local.wait(Duration::from_millis(20));
    assert!(since.elapsed() >= Duration::from_millis(20), "nothing came");
    let mut client = Client::open(dir.path()).expect("open");
    let most = Duration::from_secs(60);
    let waited = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            local.wait(most);
            let since = Instant::now();
            local.wait(most);
            (polled(&mut local, LIMITS).len(), since.elapsed())
        });
        write(&mut client, ["a".to_owned()]);
        waiter.join().expect("no panic")
    });
    assert_eq!(waited.0, 1);
    assert!(waited.1 < most, "what is there is not waited for");
}

#[test]
fn a_client_takes_topics_as_they_are() {
    let dir = dir();
    assert!(Client::open_existing(dir.path()).is_err());
    let mut client = Client::open(dir.path()).expect("open");
    assert_eq!(client.ensure_topic("readings", 3), Ok(3));
    let mut other = Client::open_existing(dir.path()).expect("open");
    assert_eq!(other.ensure_topic("readings", 8), Ok(3));
    write(&mut client, (0..4).map(|n| n.to_string()));
    assert!(other.refresh().expect("read"));
    assert_eq!(other.topics().collect::<Vec<_>>(), ["readings"]);
    assert_eq!((other.bounds("readings", 0), other.bounds("readings", 2)), (Ok((0, 2)), Ok((0, 1))));
    let mut records = Records::default();
    let read = other.read("readings", 0, 1, (10, 1000), &mut records).expect("read");
    assert_eq!(read.map(|r| (r.offset, r.value)).collect::<Vec<_>>(), [(1, Some(&b"3"[..]))]);
    assert!(other.bounds("nothing", 0).is_err());
}

/// Copies what it reads to `out` until all is there, and dies twice on the way with records sent and not committed.
fn copy(engine: &Engine, number: u32, until: i64) {
    let mut lives = 0;
    'life: loop {
        let mut local = Local::open(engine, names(), number, 2).expect("open");
        local.join(&[IN]).expect("joined");
        let mut ends: BTreeMap<Partition, i64> = BTreeMap::new();
        lives += 1;
        for commits in 0.. {
            let (mut outbox, mut begin) = (Outbox::default(), vec![]);
            match local.poll(Limits { records: 50, bytes: 1 << 20 }).expect("polled") {
                Event::Assigned(ours) => begin = ours,
                Event::Records(runs) => {
                    for run in runs {
                        for record in &run.records {
                            let copied = |out: &mut Vec<u8>| {
                                out.extend_from_slice(record.value.unwrap_or_default());
                                true
                            };
                            outbox.record(OUT, Target::Key, 1, |_| false, copied, b"");
                            ends.insert(run.partition, record.offset + 1);
                        }
                    }
                }
                _ => {}
            }
            for (ours, at) in begin.iter().zip(local.committed(&begin).expect("known")) {
                let offset = at.map_or(0, |at| at.offset);
                local.begin(*ours, offset).expect("begun");
                ends.insert(*ours, offset);
            }
            local.send(&outbox).expect("sent");
            if lives < 3 && commits == 7 {
                continue 'life;
            }
            let metadata = String::new();
            let at = ends.iter();
            let at =
                at.map(|(p, offset)| Position { partition: *p, offset: *offset, metadata: metadata.clone() });
            local.commit(&at.collect::<Vec<_>>()).expect("committed");
            if ends.values().all(|end| *end >= until) {
                return local.leave();
            }
            local.wait(Duration::from_millis(50));
        }
    }
}

#[test]
fn workers_that_die_on_the_way_copy_everything_once() {
    const EACH: i64 = 600;
    let dir = dir();
    let engine = engine(&dir);
    drop(worker(&engine));
    thread::scope(|scope| {
        for number in 0..2 {
            let engine = &engine;
            scope.spawn(move || copy(engine, number, EACH));
        }
        let mut client = Client::open(dir.path()).expect("open");
        (0..EACH).for_each(|n| write(&mut client, (0..3).map(|p| format!("{p}:{n}"))));
    });
    let client = Client::open(dir.path()).expect("open");
    let (mut records, mut all) = (Records::default(), vec![]);
    for index in 0..2 {
        let read = client.read("out", index, 0, (usize::MAX, usize::MAX), &mut records).expect("read");
        all.extend(read.map(|r| String::from_utf8_lossy(r.value.unwrap_or_default()).into_owned()));
    }
    all.sort();
    let mut expected: Vec<_> = (0..EACH).flat_map(|n| (0..3).map(move |p| format!("{p}:{n}"))).collect();
    expected.sort();
    assert_eq!(all, expected);
}
