//! Windows that close: in the order of their ends and keys, each row once, whatever the batches and whoever dies.

use crate::support::scenario::{Act, START};
use crate::support::{Outcome, Scenario, Sent, Strictness, World, kinds, world};
use std::fmt::Write;
use std::sync::Arc;
use streamrun::runtime::{Broken, Worker};
use streamrun::time::{Clock, ManualClock};
use streamrun::transport::sim::{Fault, Sim, When};

const KEYS: usize = 25_000;

const MANY: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "float"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"
idle_after = "5s"

[tumble.ten]
from = "in"
by = "k"
every = "10s"
late = "dead-letter"
compute.n = 'count()'

[sink.out]
from = "ten"
topic = "out"

[sink.both]
from = ["in", "ten"]
topic = "both"
"#;

/// A window of more rows than a commit may hold, in no order.
fn many(batch: usize) -> Scenario {
    many_of(MANY, batch)
}

fn many_of(text: &str, batch: usize) -> Scenario {
    let mut scenario = Scenario::new("many", text).batch(batch);
    for at in 0..KEYS {
        let key = format!("k{:05}", at * 7919 % KEYS);
        scenario = scenario.reading("in", &key, 1_000, "1");
    }
    scenario.settle()
}

/// What cannot be reached says nothing, which is no silence: what was written meanwhile is in time.
#[test]
fn an_outage_is_no_silence() {
    let scenario = Scenario::new("an outage", MANY);
    let (cluster, clock) = (world::cluster(&scenario), ManualClock::at(START));
    let (sim, options) = (world::sim(&scenario, &cluster), world::options(&scenario, Broken::Nothing));
    let mut worker = Worker::new(scenario.plan.clone(), sim, Arc::new(clock.clone()), options);
    let mut nth = 0;
    let mut write = |at: i64| {
        nth += 1;
        let value = format!(r#"{{"k":"a","x":1,"at":{}}}"#, START + at);
        let (topic, key) = ("in".to_owned(), Some("a".to_owned()));
        let sent = Sent { topic, partition: 0, key, value: Some(value), timestamp: START + at };
        world::write(&cluster, &sent, nth);
    };
    let work = |worker: &mut Worker<Sim>, until: i64| {
        while clock.now_ms() < START + until {
            clock.advance(500);
            world::settle(worker).unwrap();
        }
    };
    write(1_000);
    work(&mut worker, 1_000);
    worker.transport.cut_off = true;
    work(&mut worker, 31_000);
    write(9_000);
    worker.transport.cut_off = false;
    work(&mut worker, 61_000);
    let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap()).unwrap();
    let out: Vec<String> = cluster.records("out")[0].iter().map(|entry| text(&entry.value)).collect();
    assert!(out.len() == 1 && out[0].contains("\"n\":2"), "{out:?}");
}

/// The window closes exactly when the clock reaches its end, and records of that very time stand behind.
fn closed_by_a_record(batch: usize) -> Scenario {
    let scenario = many(batch).reading("in", "k00001", 10_000, "1").reading("in", "k00002", 10_000, "1");
    scenario.reading("in", "k00003", 9_999, "1").reading("in", "k00004", 10_000, "1")
}

fn check(outcome: &Outcome, late: usize) {
    let mut expected = String::new();
    (0..KEYS).for_each(|key| writeln!(expected, "k{key:05}").unwrap());
    let found = &outcome.topics["out"][0];
    let keys: String =
        found[..KEYS].iter().map(|line| format!("{}\n", line.key.as_deref().unwrap())).collect();
    assert!(keys == expected, "each row once, by key");
    assert!(found[..KEYS].iter().all(|line| line.rest.contains("\"n\":1}")));
    assert_eq!(outcome.topics["dead"][0].len(), late, "late records");
    assert_eq!(outcome.miscounted(outcome), None);
}

fn run(scenario: &Scenario, faults: Vec<Vec<Fault>>) -> Outcome {
    World::run(scenario, faults, Broken::Nothing).unwrap()
}

#[test]
fn a_window_of_many_keys_closes_over_several_commits() {
    let one = run(&closed_by_a_record(1), vec![]);
    let all = run(&closed_by_a_record(1000), vec![]);
    check(&one, 1);
    // The record that the closing has interrupted comes behind all rows of the window.
    let both = &one.topics["both"][0];
    let is_row: Vec<bool> = both.iter().map(|line| line.rest.contains("window_end")).collect();
    assert_eq!(is_row.iter().rposition(|row| *row), Some(2 * KEYS - 1));
    assert_eq!(one.difference(&all, Strictness::Partition), None);
    assert_eq!(one.miscounted(&all), None);
}

#[test]
fn a_crash_between_the_commits_of_a_closing_changes_nothing() {
    let scenario = closed_by_a_record(1000);
    let expected = run(&scenario, vec![]);
    check(&expected, 1);
    for back in [22, 19, 17, 14, 11] {
        let call = expected.calls - back;
        let when = if back % 2 == 0 { When::Before } else { When::After };
        let found = run(&scenario, vec![vec![Fault { call, when, for_good: true }]]);
        assert_eq!(found.difference(&expected, Strictness::Partition), None, "a crash at call {call}");
        assert_eq!(found.miscounted(&expected), None, "a crash at call {call}");
    }
}

/// A window that silence closes stands half closed between two commits: a record of it is late, whenever it comes.
/// The silence has lasted to the millisecond of its end, so that the record finds the clock where it will stand.
#[test]
fn a_record_of_a_window_that_is_half_closed_is_late() {
    for turns in [0, 1, 2, 3, 4, 6, 9] {
        let mut scenario = many(1000);
        scenario.acts.extend([Act::Commit, Act::Clock(9_000), Act::Turns(turns)]);
        let scenario = scenario.reading("in", "k24000", 1_500, "1").wait(200_000);
        check(&run(&scenario, vec![]), 1);
    }
}

#[test]
fn windows_behind_windows_do_not_depend_on_batches() {
    for scenario in kinds::all() {
        let one = run(&scenario.clone().batch(1), vec![]);
        let all = run(&scenario.clone().batch(1000), vec![]);
        assert_eq!(one.difference(&all, scenario.strictness), None, "{}", scenario.name);
        assert_eq!(one.miscounted(&all), None, "{}", scenario.name);
    }
}

/// Days pass between two records: every window in between closes when it ends, and hands on what it has.
#[test]
fn a_chain_of_windows_loses_nothing_in_a_jump_of_days() {
    let found = run(&kinds::chain(), vec![]);
    let rows = |topic: &str, part: &str| -> usize {
        found.topics[topic][0].iter().filter(|line| line.rest.contains(part)).count()
    };
    assert!(found.topics["dead"][0].is_empty(), "{:?}", found.topics["dead"]);
    assert_eq!((rows("tens", ""), rows("hours", "")), (4, 4), "{:#?}", found.topics);
    assert_eq!((rows("tens", "\"rows\":2,\"n\":2"), rows("hours", "\"windows\":1,\"n\":2")), (1, 1));
    for topic in ["tens", "hours"] {
        let ends: Vec<_> = found.topics[topic][0].iter().map(|l| (l.rest.rsplit_once('@'), &l.key)).collect();
        let ends: Vec<_> =
            ends.into_iter().map(|(end, key)| (end.unwrap().1.to_owned(), key.clone())).collect();
        assert!(ends.is_sorted(), "{ends:?}");
    }
}

/// The rows of the window reach no topic: nothing but the closing itself says that there is something to commit.
#[test]
fn a_window_of_many_keys_closes_though_none_of_its_rows_is_written() {
    let text = MANY
        .replace("from = \"ten\"", "from = \"large\"")
        .replace("[\"in\", \"ten\"]", "[\"in\", \"large\"]")
        + "\n[filter.large]\nfrom = \"ten\"\nwhen = 'n > 1000'\n";
    let scenario = many_of(&text, 1000);
    let outcome =
        run(&scenario.reading("in", "k00001", 10_000, "1").reading("in", "k00002", 30_000, "1"), vec![]);
    assert_eq!(outcome.topics["out"].iter().map(Vec::len).sum::<usize>(), 0);
    assert_eq!(outcome.topics["both"].iter().map(Vec::len).sum::<usize>(), KEYS + 2);
}

/// What can stand behind a window: a row that fails, ways that part and meet, a table, another window.
const BEHIND: &str = r#"
[filter.some]
from = "ten"
when = '12 % (n - 1) < 2'

[branch.size]
from = "some"
reject = [{ when = 'k == "k00040"', reason = "that one" }]
routes = [{ to = "small", when = 'n == 2', all = true }, { to = "all", when = 'n > 0', all = true }]

[sink.small]
from = "size.small"
topic = "sizes"

[sink.all]
from = "size.all"
topic = "sizes"

[count.smalls]
from = "size.small"
by = "k"

[tumble.minute]
from = "some"
by = "k"
every = "1m"
compute.rows = 'count()'

[sink.minutes]
from = "minute"
topic = "minutes"

[alert.seen]
table = "smalls"
every = "1s"
when = 'count > 0'
message = "{k} has {count}"

[sink.said]
from = "seen"
topic = "said"
"#;

/// On two ways to a table, the second behind the first: those that come this way go one at a time.
const ON_TWO_WAYS: &str = r#"
[filter.again]
from = "ten"
when = 'n > 0'

[count.twice]
from = ["ten", "again"]
by = "k"
"#;

#[test]
fn rows_side_by_side_are_as_rows_one_by_one() {
    let outcome = |more: &str| {
        // One row in forty fails before it is one.
        let many = MANY.replace("count()'", "count()'\ncompute.part = '12 / (max(int(x)) - 7)'");
        let mut scenario = Scenario::new("behind a window", &format!("{many}{BEHIND}{more}")).batch(1000);
        for at in 0..400 {
            let key = format!("k{:05}", at * 7919 % 100);
            // One, two, three readings and so on of a key in each of the windows.
            for nth in 0..=at % 7 {
                let x = if at % 40 == 3 { "7" } else { "1" };
                scenario = scenario.reading("in", &key, 1_000 + at / 100 * 10_000 + nth, x);
            }
        }
        run(&scenario.reading("in", "last", 200_000, "1").settle(), vec![])
    };
    let (side_by_side, one_by_one) = (outcome(""), outcome(ON_TWO_WAYS));
    for topic in ["out", "both", "sizes", "minutes", "dead", "said"] {
        let (found, expected) = (&side_by_side.topics[topic], &one_by_one.topics[topic]);
        assert!(expected[0].len() >= 30, "{topic}: {}", expected[0].len());
        assert!(found == expected, "{topic}\n{found:#?}\n{expected:#?}");
    }
    let counts = |of: &Outcome| -> Vec<String> {
        of.tables.iter().filter(|row| row.contains("smalls")).cloned().collect()
    };
    assert!(counts(&side_by_side).len() >= 30, "{:?}", side_by_side.tables);
    assert_eq!(counts(&side_by_side), counts(&one_by_one));
    let emitted = |of: &Outcome| of.tallies.nodes.iter().map(|node| node.emitted).sum::<u64>();
    assert!(emitted(&side_by_side) > 500, "those of both windows, and what was said");
    assert_eq!(emitted(&side_by_side), emitted(&one_by_one));
}
