//! What the words of a `[[test]]` mean: TOML in, what differs out.

use streamrun::diagnostic::Diagnostic;
use streamrun::plan;
use streamrun::testing;

const HEAD: &str = r#"
name = "p"

[params]
least = 1

[schema.reading]
k = "string"
x = "float"
at = "timestamp"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"
idle_after = "10s"

[filter.fine]
from = "in"
when = 'x > -100.0'

[count.seen]
from = "fine"
by = "k"

[alert.busy]
table = "seen"
every = "30s"
when = 'count > least'
message = "{k}"

[tumble.minute]
from = "fine"
by = "k"
every = "1m"
compute.n = 'count()'

[sink.out]
from = "seen"
topic = "out"

[sink.minutes]
from = "minute"
topic = "minutes"
"#;

/// A record of a key at a second.
fn at(key: &str, second: i64) -> String {
    let time = format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
    format!("{{ k = \"{key}\", x = 1.5, at = \"{time}\" }}")
}

fn send(records: &[(&str, i64)]) -> String {
    let records: Vec<_> = records.iter().map(|(key, second)| at(key, *second)).collect();
    format!("send.in = [{}]", records.join(", "))
}

fn steps(steps: &[&str]) -> String {
    let steps: Vec<_> = steps.iter().map(|step| format!("{{ {step} }}")).collect();
    format!("steps = [\n{}\n]", steps.join(",\n"))
}

/// What differs in a test.
fn differs(test: &str) -> Vec<Diagnostic> {
    let source = format!("{HEAD}\n[[test]]\nname = \"t\"\n{test}\n");
    let checked = plan::check(&source, &[]);
    let plan = checked.plan.unwrap_or_else(|| panic!("{test}: {:#?}", checked.diagnostics));
    testing::run(&source, &[], &plan.cases[0]).faults
}

#[track_caller]
fn passes(test: &str) {
    let faults = differs(test);
    assert!(faults.is_empty(), "{test}: {faults:#?}");
}

#[track_caller]
fn fails(test: &str, message: &str) {
    let faults = differs(test);
    assert_eq!(faults.first().map(|f| f.message.as_str()), Some(message), "{test}: {faults:#?}");
}

/// What `check` says of a test.
#[track_caller]
fn refused(test: &str, message: &str) {
    let source = format!("{HEAD}\n[[test]]\nname = \"t\"\n{test}\n");
    let faults = plan::check(&source, &[]).diagnostics;
    assert_eq!(faults.first().map(|f| f.message.as_str()), Some(message), "{test}: {faults:#?}");
}

#[test]
fn the_key_is_the_key_field_unless_the_test_says_else() {
    let tail = "x = 1.5, at = \"2026-01-01T00:00:10Z\" }]";
    let with = |fields: &str, expect: &str| passes(&format!("send.in = [{{ {fields}, {tail}\n{expect}"));
    with("k = \"a\"", "expect.out = [{ k = \"a\" }]");
    with("k = 7", "expect.dead_letters = [{ _key = \"7\", _node = \"in\" }]");
    with("_key = \"b\", y = 1", "expect.dead_letters = [{ _key = \"b\" }]");
    with("_key = false, y = 1", "expect.dead_letters = [{ _key = false }]");
    with("y = 1", "expect.dead_letters = [{ _key = false, _node = \"in\" }]");
    passes(
        "send.in = ['{\"k\":\"raw\"}', 'raw']\nexpect.dead_letters = [{ _key = \"raw\" }, { _key = false, _value = \"raw\" }]",
    );
    passes(
        "send.in = [{ k = \"a\", _tombstone = true }]\nexpect.dead_letters = [{ _key = \"a\", _tombstone = true }]",
    );
    passes(
        "send.in = [{ k = \"a\", _value = \"no\" }]\nexpect.dead_letters = [{ _key = \"a\", _value = \"no\" }]",
    );
    refused(
        "send.in = [{ x = 1.0, _tombstone = true }]",
        "this record has a value of its own and no field `x`",
    );
    // Where there are several partitions a wrong key is a broken promise.
    let wrong = format!("{{ _key = \"b\", k = \"a\", {tail}");
    passes(&format!(
        "partitions = 2\nsend.in = [{wrong}\nexpect.dead_letters = [{{ _reason = \"record key is not k\" }}]"
    ));
}

#[test]
fn what_stands_beside_the_fields_goes_along() {
    let beside =
        "_timestamp = \"2026-01-01T00:00:05Z\", _partition = 1, _headers = { trace = \"1\", id = \"2\" }";
    passes(&format!(
        "partitions = 2\nsend.in = [{{ {beside}, _key = \"a\", _value = \"no\" }}]\n\
         expect.dead_letters = [{{ _timestamp = \"2026-01-01T01:00:05+01:00\", _headers = {{ trace = \"1\", \
         streamrun-partition = \"1\" }} }}]"
    ));
    passes(
        "send.in = [{ _timestamp = 1000, _value = \"no\" }]\nexpect.dead_letters = [{ _timestamp = 1000 }]",
    );
    refused(
        "partitions = 2\nsend.in = [{ _partition = 2 }]",
        "there is no partition 2: the topics of this test have 2",
    );
    refused("send.in = [{ _headers = { a = 1 } }]", "`a` needs a text, found an integer");
    refused("partitions = 1001\nsend.in = []", "a test has at most 1000 partitions");
    refused(
        "send.in = []\nexpect_late.minute = -1",
        "`minute` needs a number that is not negative, found an integer",
    );
}

#[test]
fn exactly_these_rows_are_expected_in_their_order_per_key() {
    let sent = send(&[("a", 1), ("b", 2), ("a", 3)]);
    let with = |rows: &str| format!("{sent}\nexpect.out = [{rows}]");
    let (a1, a2, b1) = ("{ k = \"a\", count = 1 }", "{ k = \"a\", count = 2.0 }", "{ count = 1, k = \"b\" }");
    passes(&with(&format!("{a1}, {a2}, {b1}")));
    passes(&with(&format!("{b1}, {a1}, {a2}")));
    // Rows that name little stand for those that nobody else can stand for.
    passes(&with(&format!("{{ count = 1 }}, {{ count = 1, k = \"a\" }}, {a2}")));
    fails(&with(&format!("{a1}, {b1}")), "`out` has a row that nobody expected");
    fails(&with(&format!("{a1}, {a2}, {b1}, {b1}")), "`out` has no such row");
    let faults = differs(&with(&format!("{a2}, {a1}, {b1}")));
    let notes = &faults[0].notes;
    assert_eq!(notes[0], "every field is as expected, but another row of its key comes first");
    assert!(notes[1].starts_with("that row is a: ") && notes[1].contains("\"count\":1"), "{notes:?}");
    // Since the last time.
    passes(&steps(&[
        &send(&[("a", 1)]),
        &format!("expect.out = [{a1}]"),
        "expect.out = []",
        &send(&[("a", 2)]),
        &format!("expect.out = [{a2}]"),
    ]));
}

#[test]
fn without_steps_what_is_sent_comes_first() {
    passes(&format!("expect.seen = [{{ k = \"a\" }}]\nexpect_late.minute = 0\n{}", send(&[("a", 1)])));
}

#[test]
fn a_table_shows_its_rows_now_windows_too() {
    let open = "{ k = \"a\", n = 2, window_start = \"2026-01-01T00:00:00Z\" }, { k = \"b\", n = 1 }";
    passes(&steps(&[
        &send(&[("a", 1), ("b", 2), ("a", 3)]),
        &format!("expect.minute = [{open}]"),
        &format!("expect.minute = [{open}]"),
        "expect.seen = [{ k = \"b\", count = 1 }, { k = \"a\", count = 2 }]",
        &send(&[("b", 61)]),
        "expect.minute = [{ k = \"b\", window_end = \"2026-01-01T00:02:00Z\" }]",
        "expect.minutes = [{ k = \"b\", n = 1, _timestamp = \"2026-01-01T00:00:59.999Z\" }, { _key = \"a\", n = 2 }]",
    ]));
    refused("send.in = []\nexpect.minute = [{ m = 1 }]", "no such row has a field `m`");
}

#[test]
fn nothing_closes_windows_at_the_end() {
    passes(&format!("{}\nexpect.minutes = []", send(&[("a", 1), ("a", 59)])));
}

#[test]
fn an_alert_speaks_at_every_tick_of_a_wait() {
    let says = "{ k = \"a\", count = 2, message = \"a\" }";
    passes(&steps(&[
        &send(&[("a", 10), ("a", 11)]),
        "expect.busy = []",
        "wait = \"90s\"",
        &format!("expect.busy = [{says}, {says}, {says}]"),
        "wait = \"29s\"",
        &format!("expect.busy = [{says}]"),
        "expect.busy = []",
    ]));
    passes(&format!(
        "params = {{ least = 2 }}\n{}",
        steps(&[&send(&[("a", 1), ("a", 2)]), "wait = \"1h\"", "expect.busy = []"])
    ));
}

#[test]
fn alerts_are_expected_in_order_per_key() {
    let test = |rows: &str| {
        steps(&[
            &send(&[("a", 1), ("a", 2)]),
            "wait = \"30s\"",
            &send(&[("a", 35)]),
            "wait = \"30s\"",
            &format!("expect.busy = [{rows}]"),
        ])
    };
    passes(&test("{ count = 2 }, { count = 3 }"));
    fails(&test("{ count = 3 }, { count = 2 }"), "a row of `busy` is not as expected");
}

#[test]
fn late_records_are_counted() {
    let sent = send(&[("a", 1), ("a", 61), ("a", 2), ("b", 3)]);
    passes(&format!("{sent}\nexpect_late.minute = 2"));
    fails(&format!("{sent}\nexpect_late.minute = 1"), "`minute` had 2 late records, expected 1");
    passes(&steps(&[&sent, "commit = true", "crash = true", "expect_late.minute = 2"]));
    passes(&steps(&[&sent, "crash = true", "expect_late.minute = 2"]));
}

#[test]
fn the_clock_starts_at_the_first_event_time_and_is_never_behind_a_record() {
    // A day ahead of the first: the send itself moves the clock there.
    let far = "{ k = \"a\", x = 1.5, at = \"2026-01-02T00:00:00Z\" }";
    passes(&format!("send.in = [{}, {far}]\nexpect.dead_letters = []", at("a", 1)));
    passes(&steps(&[&send(&[("a", 1)]), &format!("send.in = [{far}]"), "expect.dead_letters = []"]));
}

#[test]
fn with_a_start_of_its_own_only_waiting_moves_the_clock() {
    let far =
        |hour: i64| format!("send.in = [{{ k = \"a\", x = 1.5, at = \"2026-01-01T{hour:02}:00:00Z\" }}]");
    let ahead = "expect.dead_letters = [{ _node = \"in\" }]";
    let start = "at = \"2026-01-01T00:00:00Z\"";
    passes(&format!("{start}\n{}\n{ahead}\nexpect.out = []", far(2)));
    passes(&format!(
        "{start}\n{}",
        steps(&["wait = \"1h\"", &far(2), "expect.dead_letters = []", &far(3), ahead])
    ));
    refused("at = \"today\"\nsend.in = []", "`today` is no time");
}

#[test]
fn a_silence_goes_on_by_the_wall_clock() {
    let sent = send(&[("a", 1), ("b", 2)]);
    passes(&steps(&[
        &sent,
        "wait = \"57s\"",
        "expect.minutes = []",
        "wait = \"1s\"",
        "expect.minutes = [{ k = \"a\" }, { k = \"b\" }]",
    ]));
}

/// The clock of a merge goes on from where it stands once the input that has never spoken is waited for no more.
#[test]
fn a_silence_goes_on_behind_an_input_that_was_never_heard() {
    let head = HEAD.replace("from = \"in\"", "from = [\"in\", \"other\"]");
    let start = head.find("[source.in]").unwrap();
    let source = head[start..].split("\n\n").next().unwrap().to_owned();
    let other =
        source.replace("[source.in]", "[source.other]").replace("topic = \"in\"", "topic = \"other\"");
    let test = steps(&[
        &send(&[("a", 1), ("a", 30)]),
        "wait = \"29s\"",
        "expect.minutes = []",
        "wait = \"1s\"",
        "expect.minutes = [{ k = \"a\", n = 2 }]",
    ]);
    let source = format!("{head}\n{other}\n\n[[test]]\nname = \"t\"\n{test}\n");
    let case = plan::check(&source, &[]).plan.unwrap().cases.remove(0);
    let faults = testing::run(&source, &[], &case).faults;
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_crash_loses_what_is_not_committed() {
    let lost = |between: &[&str], again: bool| {
        let first = send(&[("a", 1)]);
        let mut all = vec![first.as_str()];
        all.extend(between);
        all.extend(["crash = true", "expect.out = [{ k = \"b\" }]"]);
        let source = format!("{HEAD}\n[[test]]\nname = \"t\"\n{}\n", steps(&all));
        let case = plan::check(&source, &[]).plan.unwrap().cases.remove(0);
        let trace = testing::run(&source, &[], &case).trace;
        assert_eq!(
            trace.iter().any(|line| line.starts_with("in #1, again")),
            again,
            "{between:?}: {trace:#?}"
        );
    };
    lost(&[], true);
    // However much time passes between what is sent: only the test commits.
    lost(&[&send(&[("a", 20)])], true);
    lost(&["commit = true"], false);
    lost(&["wait = \"1ms\""], false);
    lost(&["expect.dead_letters = []"], false);
}

#[test]
fn rows_come_out_once_however_often_it_crashes() {
    passes(&steps(&[
        &send(&[("a", 1)]),
        "crash = true",
        "crash = true",
        "expect.out = [{ count = 1 }]",
        "crash = true",
        "expect.out = []",
        &send(&[("a", 61)]),
        "crash = true",
        "expect.out = [{ count = 2 }], expect.minutes = [{ n = 1 }]",
    ]));
}

#[test]
fn keys_are_spread_and_everything_comes_together_again() {
    let sent = send(&[("a", 1), ("b", 2), ("c", 3), ("d", 4), ("a", 5)]);
    passes(&format!(
        "partitions = 5\n{sent}\nexpect.seen = [{{ k = \"a\", count = 2 }}, {{ k = \"b\" }}, {{ k = \"c\" }}, {{ k = \"d\" }}]"
    ));
}

#[test]
fn a_trace_tells_what_every_node_did_in_order() {
    let source = format!(
        "{HEAD}\n[[test]]\nname = \"t\"\n{}\n",
        steps(&[
            "send.in = [{ k = \"a\", x = -200.0, at = \"2026-01-01T00:00:10Z\" }, 'junk', { k = \"a\", at = \"2026-01-01T00:00:10Z\" }]",
            &send(&[("a", 10)]),
            "crash = true",
            "commit = true",
            "wait = \"1m\"",
            "expect.out = []",
        ])
    );
    let case = plan::check(&source, &[]).plan.unwrap().cases.remove(0);
    let trace = testing::run(&source, &[], &case).trace.join("\n");
    let expected = "\
in #1  {\"k\":\"a\",\"x\":-200.0,\"at\":\"2026-01-01T00:00:10Z\"}
  fine          filtered
in #2  junk
  in            dead letter: not JSON
in #3  {\"k\":\"a\",\"at\":\"2026-01-01T00:00:10Z\"}
  in            dead letter: a field is missing
in #4  {\"k\":\"a\",\"x\":1.5,\"at\":\"2026-01-01T00:00:10Z\"}
  fine          passed
  seen          counted
  minute        kept in its window
  out           written
crash
in #1, again  {\"k\":\"a\",\"x\":-200.0,\"at\":\"2026-01-01T00:00:10Z\"}
  fine          filtered
";
    assert!(trace.starts_with(expected), "{trace}");
    let end = "\
wait 1m
at 2026-01-01T00:01:00Z
  minute        emitted 1 row
  minutes       written
commit
  minutes       got {\"k\":\"a\",\"window_start\":\"2026-01-01T00:00:00Z\",\"window_end\":\"2026-01-01T00:01:00Z\",\"n\":1}
";
    assert!(trace.contains(end.trim_end()), "{trace}");
}

#[test]
fn a_long_trace_is_cut_in_the_middle() {
    let many: Vec<_> = (0..300).map(|second| ("a", second / 10)).collect();
    let source = format!("{HEAD}\n[[test]]\nname = \"t\"\n{}\nexpect.out = []\n", send(&many));
    let case = plan::check(&source, &[]).plan.unwrap().cases.remove(0);
    let trace = testing::run(&source, &[], &case).trace;
    assert_eq!(trace.len(), 201);
    assert!(trace[80].starts_with("… ") && trace[80].ends_with(" lines left out …"), "{}", trace[80]);
}
