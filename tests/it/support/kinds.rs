//! Small scenarios: one for each kind that has state, and for each way in which records meet or are turned away.

use super::scenario::Scenario;

/// The head of a file that reads `in` as `in`, keyed by `k`.
const READS: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "float"
n = "int?"
s = "string?"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"
late_by = "2s"
max_future = "1000d"
"#;

const NO_LATENESS: &str = "late_by = \"2s\"\n";

fn scenario(name: &str, nodes: &str) -> Scenario {
    Scenario::new(name, &format!("{READS}{nodes}"))
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = smallest();
    all.extend([
        windows_with_everything(),
        alert_each_time(),
        alert_once(),
        routes_that_meet_again(),
        two_sources_that_meet(),
        regrouped(),
        regrouped_windows(),
        regrouped_twice(),
        strangers(),
        silence(),
        chain(),
        windows_that_meet(),
        alerts_counted(),
        alerts_in_windows(),
        narrow_queues(),
    ]);
    all
}

/// Those that are small enough for pairs of faults.
pub fn smallest() -> Vec<Scenario> {
    vec![counting(), table_alone(), windows(), turned_away()]
}

pub fn counting() -> Scenario {
    let nodes = r#"
[count.seen]
from = "in"
by = "k"

[sink.out]
from = "seen"
topic = "out"
"#;
    scenario("counting", nodes)
        .reading("in", "a", 0, "1")
        .reading("in", "b", 1, "1")
        .settle()
        .wait(150)
        .reading("in", "a", 2, "2")
        .reading("in", "a", 3, "3")
}

pub fn table_alone() -> Scenario {
    scenario("a table alone", "\n[count.seen]\nfrom = \"in\"\nby = [\"k\", \"x\"]\n")
        .partitions(2)
        .reading("in", "a", 0, "1")
        .reading("in", "b", 1, "1")
        .reading("in", "c", 1, "1")
        .wait(150)
        .reading("in", "a", 2, "1")
        .reading("in", "c", 2, "7")
}

pub fn windows() -> Scenario {
    let nodes = r#"
[tumble.ten]
from = "in"
by = "k"
every = "10s"
compute.n = 'count()'
compute.sum = 'sum(x)'

[sink.out]
from = "ten"
topic = "out"
"#;
    scenario("windows", nodes)
        .reading("in", "b", 1_000, "1")
        .reading("in", "a", 2_000, "1")
        .wait(150)
        .reading("in", "a", 9_000, "2")
        .reading("in", "a", 12_000, "2")
        .reading("in", "b", 3_000, "9")
        .reading("in", "b", 25_000, "9")
}

pub fn turned_away() -> Scenario {
    let nodes = r#"
[map.shaped]
from = "in"
set."deep.er.x" = 'x * 2.0'
set.per = 'n / (n - 3)'
drop = ["s"]

[filter.few]
from = "shaped"
when = 'x < 100.0'

[sink.out]
from = "few"
topic = "out"
"#;
    let nodes = nodes.replace("'n / (n - 3)'", "'coalesce(n, 1) / (coalesce(n, 1) - 3)'");
    scenario("records that are turned away", &nodes)
        .partitions(2)
        .reading("in", "a", 0, "1")
        .send("in", "a", 1, "not json")
        .tombstone("in", "a", 2)
        .send("in", "b", 3, r#"{"k":"a","x":1,"at":1767225600000}"#)
        .send("in", "a", 4, r#"{"k":"a","at":1767225600000}"#)
        .send("in", "a", 5, r#"{"k":"a","x":"hot","at":1767225600000}"#)
        .wait(150)
        .send("in", "a", 6, r#"{"k":"a","x":2.5,"at":1767225600000,"deep":{"y":1},"s":"go"}"#)
        .send("in", "a", 7, r#"{"k":"a","x":2.5,"at":1767225600000,"deep":7}"#)
        .send("in", "a", 8, r#"{"k":"a","x":2.5,"at":1767225600000,"n":3}"#)
        .send("in", "c", 9, r#"{"k":"c","x":250,"at":1767225600000,"n":4}"#)
        .send("in", "c", 9, r#"{"k":"c","x":25,"at":9767225600000000,"n":4}"#)
        .send("in", "c", 10, r#"{"k":"c","x":25,"at":1767225600000,"n":4}"#)
}

fn windows_with_everything() -> Scenario {
    let nodes = r#"
[tumble.ten]
from = "in"
by = "k"
every = "10s"
offset = "3s"
late = "dead-letter"
compute.n = 'count()'
compute.ns = 'count(n)'
compute.sum = 'sum(n)'
compute.low = 'min(x)'
compute.high = 'max(n)'
compute.mean = 'avg(n)'
compute.begin = 'first(s)'
compute.end = 'last(s)'
compute.ratio = '100 / (count() - 3)'

[sink.out]
from = "ten"
topic = "out"
"#;
    let value = |at: i64, more: &str| {
        format!(r#"{{"k":"a","x":{}.5,"at":{}{more}}}"#, at % 7, super::scenario::START + at)
    };
    scenario("windows with everything", nodes)
        .send("in", "a", 0, &value(1_000, r#","s":"zebra","n":4"#))
        .send("in", "a", 0, &value(3_500, r#","s":"ä text that is longer than a few bytes","n":4"#))
        .send("in", "a", 0, &value(4_000, r#","s":"b""#))
        .wait(150)
        .send("in", "a", 0, &value(5_000, r#","n":-9"#))
        .send("in", "a", 0, &value(5_600, r#","s":"a""#))
        .send("in", "a", 0, &value(15_500, r#","s":"c","n":9223372036854775807"#))
        .send("in", "a", 0, &value(15_600, r#","s":"c","n":1"#))
        .send("in", "a", 0, &value(15_700, r#","s":"c","n":-5"#))
        .wait(150)
        .send("in", "a", 0, &value(2_000, r#","s":"late""#))
        .send("in", "a", 0, &value(15_800, ""))
        .send("in", "a", 0, &value(99_000, ""))
        .send("in", "a", 0, &value(100_000, ""))
}

fn alert_each_time() -> Scenario {
    let nodes = r#"
[count.seen]
from = "in"
by = "k"

[alert.busy]
table = "seen"
every = "1s"
when = 'count >= 2 && 12 / (count - 4) != 0'
message = "{k} has {count}"

[sink.out]
from = "busy"
topic = "out"
"#;
    scenario("an alert each time", nodes)
        .reading("in", "b", 0, "1")
        .reading("in", "a", 0, "1")
        .reading("in", "a", 1, "1")
        .wait(2_050)
        .reading("in", "a", 2, "1")
        .reading("in", "a", 2, "1")
        .wait(1_000)
        .reading("in", "a", 2, "1")
        .wait(1_000)
}

fn alert_once() -> Scenario {
    let nodes = r#"
[tumble.ten]
from = "in"
by = "k"
every = "10s"
compute.n = 'count()'
compute.last = 'last(x)'

[alert.odd]
table = "ten"
every = "1s"
once = true
when = 'n > 1 && last > 0.0'
message = "{k} has {n} in {window_start}"

[sink.said]
from = "odd"
topic = "said"

[sink.out]
from = "ten"
topic = "out"
"#;
    scenario("an alert once", nodes)
        .reading("in", "a", 0, "1")
        .reading("in", "a", 1, "1")
        .reading("in", "b", 1, "1")
        .wait(2_050)
        .reading("in", "a", 2, "-1")
        .wait(1_000)
        .reading("in", "a", 3, "1")
        .reading("in", "b", 3, "1")
        .wait(1_000)
        .reading("in", "a", 13_000, "1")
        .wait(1_000)
}

fn routes_that_meet_again() -> Scenario {
    let nodes = r#"
[branch.grade]
from = "in"
reject = [
  { when = 'x < 0.0', reason = "x is negative" },
  { when = '10 / coalesce(n, 1) > 9 && x > 50.0', reason = "n is small" },
]
routes = [
  { to = "hot", when = 'x > 10.0', all = true },
  { to = "odd", when = 'math::is_nan(x / 2.0) || x == 11.0 || x == 3.0' },
]

[map.heated]
from = "grade.hot"
set.hot = 'true'

[count.met]
from = ["heated", "grade.odd", "grade"]
by = "k"

[sink.out]
from = "met"
topic = "out"

[sink.odd_out]
from = "grade.odd"
topic = "odd"
"#;
    let reading = |x: i64, n: i64| format!(r#"{{"k":"a","x":{x},"n":{n},"at":{}}}"#, super::scenario::START);
    scenario("routes that meet again", nodes)
        .send("in", "a", 0, &reading(-1, 1))
        .send("in", "a", 0, &reading(1, 2))
        .send("in", "a", 0, &reading(20, 2))
        .send("in", "a", 0, &reading(11, 0))
        .wait(150)
        .send("in", "a", 0, &reading(11, 2))
        .send("in", "a", 0, &reading(3, 2))
        .send("in", "a", 0, &reading(60, 1))
        .reading("in", "b", 0, "3")
}

/// A second source beside the first.
const OTHER: &str = r#"
[source.other]
topic = "other"
schema = "reading"
key = "k"
event_time = "at"
"#;

fn two_sources_that_meet() -> Scenario {
    let nodes = r#"
[count.both]
from = ["in", "other"]
by = "k"

[tumble.ten]
from = "both"
by = "k"
every = "10s"
compute.n = 'count()'
compute.first = 'first(x)'

[sink.out]
from = "both"
topic = "out"

[sink.tens]
from = "ten"
topic = "tens"
"#;
    scenario("two sources that meet", &format!("{OTHER}{nodes}"))
        .partitions(2)
        .reading("in", "a", 1_000, "1")
        .reading("in", "a", 11_000, "2")
        .reading("other", "a", 5_000, "3")
        .reading("other", "b", 6_000, "4")
        .wait(150)
        .reading("in", "a", 13_000, "5")
        .reading("other", "a", 14_000, "6")
        .reading("in", "b", 21_000, "5")
        .send("other", "b", 30_000, "no json")
        .reading("other", "b", 24_000, "6")
        .wait(45_000)
}

/// Grouped by another field than the key: what is written to the repartition is read a commit later.
fn regrouped() -> Scenario {
    let nodes = r#"
[map.graded]
from = "in"
set.grade = 'if(x >= 3.0, "high", "low")'

[count.per_grade]
from = "graded"
by = "grade"

[map.odd]
from = "per_grade"
set.share = '12 / (count - 2)'

[sink.out]
from = "odd"
topic = "out"
"#;
    scenario("regrouped", nodes)
        .reading("in", "a", 1_000, "1")
        .reading("in", "b", 2_000, "3")
        .wait(150)
        .reading("in", "a", 3_000, "4")
        .send("in", "a", 4_000, "no json")
        .reading("in", "c", 5_000, "0")
        .wait(150)
        .reading("in", "c", 6_000, "0")
        .reading("in", "b", 6_500, "9")
        .wait(400)
}

/// Windows behind a repartition, of several partitions: which runs first is free, what closes is not.
fn regrouped_windows() -> Scenario {
    let nodes = r#"
[map.graded]
from = "in"
set.grade = 'if(x >= 3.0, "high", "low")'

[tumble.per_grade]
from = "graded"
by = "grade"
every = "10s"
late = "dead-letter"
compute.c = 'count()'
compute.least = 'min(x)'

[sink.out]
from = "per_grade"
topic = "out"
"#;
    scenario("windows behind a repartition", nodes)
        .partitions(2)
        .reading("in", "a", 1_000, "1")
        .reading("in", "b", 2_000, "3")
        .reading("in", "c", 8_000, "3")
        .wait(150)
        .reading("in", "a", 13_000, "4")
        .reading("in", "a", 9_000, "4")
        .wait(12_000)
        .reading("in", "b", 23_000, "4")
        .reading("in", "c", 24_000, "4")
        .reading("in", "a", 25_000, "4")
        .wait(400)
        .reading("in", "a", 45_000, "4")
        .wait(25_000)
}

/// A window behind a repartition feeds one behind another.
pub fn regrouped_twice() -> Scenario {
    let nodes = r#"
[map.graded]
from = "in"
set.grade = 'if(x >= 3.0, "high", "low")'

[tumble.per_grade]
from = "graded"
by = "grade"
every = "10s"
compute.c = 'count()'

[map.sized]
from = "per_grade"
set.size = 'if(c > 1, "many", "one")'

[tumble.per_size]
from = "sized"
by = "size"
every = "1m"
compute.windows = 'count()'
compute.records = 'sum(c)'

[sink.tens]
from = "per_grade"
topic = "tens"

[sink.minutes]
from = "per_size"
topic = "minutes"
"#;
    scenario("a window behind a repartition feeds another", nodes)
        .reading("in", "a", 1_000, "1")
        .reading("in", "b", 2_000, "3")
        .reading("in", "c", 8_000, "3")
        .wait(150)
        .reading("in", "a", 200_000_000, "4")
        .reading("in", "a", 200_001_000, "4")
        .wait(150)
        .reading("in", "b", 400_000_000, "4")
        .wait(400)
}

fn strangers() -> Scenario {
    let nodes = r#"
[count.here]
from = "in"
by = "k"

[count.there]
from = "other"
by = "k"

[filter.few]
from = "there"
when = 'count != 2'

[sink.out]
from = "few"
topic = "out"
"#;
    scenario("sources that never meet", &format!("{OTHER}{nodes}"))
        .reading("in", "a", 1_000, "1")
        .reading("other", "a", 1_000, "1")
        .reading("other", "a", 1_000, "1")
        .wait(150)
        .reading("in", "a", 1_000, "1")
        .reading("other", "a", 1_000, "1")
}

fn silence() -> Scenario {
    let nodes = r#"
[tumble.ten]
from = "in"
by = "k"
every = "10s"
compute.n = 'count()'

[sink.out]
from = "ten"
topic = "out"
"#;
    let text = format!("{READS}{nodes}").replace(NO_LATENESS, "late_by = \"2s\"\nidle_after = \"5s\"\n");
    Scenario::new("silence", &text)
        .reading("in", "a", 1_000, "1")
        .reading("in", "b", 2_000, "1")
        .wait(150)
        .reading("in", "a", 12_000, "1")
        .wait(60_000)
        .reading("in", "a", 13_000, "late")
        .reading("in", "a", 13_000, "7")
        .wait(1_000)
}

pub fn chain() -> Scenario {
    let nodes = r#"
[tumble.ten]
from = "in"
by = ["k", "x"]
every = "10s"
compute.n = 'count()'

[tumble.same]
from = "ten"
by = "k"
every = "10s"
compute.rows = 'count()'
compute.n = 'sum(n)'

[tumble.hour]
from = "same"
by = "k"
every = "1h"
compute.windows = 'count()'
compute.n = 'sum(n)'

[sink.tens]
from = "same"
topic = "tens"

[sink.hours]
from = "hour"
topic = "hours"
"#;
    let hour = 3_600_000;
    scenario("windows behind windows", nodes)
        .reading("in", "a", 1_000, "1")
        .reading("in", "a", 2_000, "2")
        .reading("in", "b", 59 * 60_000 + 55_000, "1")
        .wait(150)
        .reading("in", "a", hour + 11_000, "1")
        .reading("in", "b", hour + 12_000, "1")
        .send("in", "a", 0, r#"{"k":"a","x":1,"at":1767398400000}"#)
        .wait(150)
        .send("in", "a", 0, r#"{"k":"a","x":1,"at":1767398400000}"#)
}

fn windows_that_meet() -> Scenario {
    let nodes = r#"
[tumble.three]
from = "in"
by = ["k", "x"]
every = "3s"
compute.n = 'count()'

[tumble.five]
from = "in"
by = ["k", "x"]
every = "5s"
compute.n = 'count()'

[count.rows]
from = ["five", "three"]
by = "k"

[tumble.fifteen]
from = "rows"
by = "k"
every = "15s"
compute.rows = 'count()'
compute.n = 'sum(n)'

[sink.out]
from = "rows"
topic = "out"

[sink.fifteens]
from = "fifteen"
topic = "fifteens"
"#;
    scenario("windows that meet", nodes)
        .reading("in", "b", 1_000, "1")
        .reading("in", "a", 2_000, "2")
        .reading("in", "a", 2_001, "1")
        .reading("in", "a", 14_999, "1")
        .wait(150)
        .reading("in", "b", 17_001, "1")
        .reading("in", "a", 17_002, "1")
        .reading("in", "a", 60_000, "1")
}

fn alerts_counted() -> Scenario {
    let nodes = r#"
[count.seen]
from = "in"
by = "k"

[alert.busy]
table = "seen"
every = "1s"
when = 'count >= 2'
message = "{k}"

[count.alerts]
from = "busy"
by = "k"

[sink.out]
from = "alerts"
topic = "out"
"#;
    scenario("alerts that are counted", nodes)
        .reading("in", "a", 0, "1")
        .reading("in", "a", 1, "1")
        .wait(2_050)
        .reading("in", "b", 2, "1")
        .reading("in", "b", 2, "1")
        .wait(1_000)
}

fn alerts_in_windows() -> Scenario {
    let nodes = r#"
[count.seen]
from = "in"
by = "k"

[alert.busy]
table = "seen"
every = "1s"
when = 'count >= 2'
message = "{k}"

[tumble.five]
from = "busy"
by = "k"
every = "5s"
compute.n = 'count()'

[sink.out]
from = "five"
topic = "out"
"#;
    scenario("alerts in windows", nodes)
        .reading("in", "a", 0, "1")
        .reading("in", "a", 1, "1")
        .wait(2_050)
        .reading("in", "b", 2, "1")
        .reading("in", "b", 2, "1")
        .wait(1_000)
        .reading("in", "b", 8_000, "1")
}

/// Queues so short that inputs are stopped and read on.
fn narrow_queues() -> Scenario {
    let nodes = r#"
[run]
merge_buffer = "1KiB"

[count.both]
from = ["in", "other"]
by = "k"

[sink.out]
from = "both"
topic = "out"
"#;
    let mut made = scenario("narrow queues", &format!("{OTHER}{nodes}")).batch(3);
    for at in 0..12 {
        made = made.reading("in", "a", at, "1").reading("other", "b", 1_000 + at, "2");
    }
    made.wait(150).reading("in", "a", 2_000, "1")
}
