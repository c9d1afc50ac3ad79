//! `streamrun test` through the program: what it prints, how it ends, and what `--update` makes of a file.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Runs the program in a folder: its exit code, what it printed, and what it said beside.
fn fed(folder: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_streamrun"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who reads nothing closes the pipe, and that is all right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let ended = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code().unwrap(), text(ended.stdout), text(ended.stderr))
}

fn run(folder: &TempDir, args: &[&str]) -> (i32, String, String) {
    fed(folder.path(), args, "")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    folder
}

const HEAD: &str = r#"name = "p"

[schema.reading]
k = "string"
x = "float"
at = "timestamp"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"

[branch.fine]
from = "in"
reject = [{ when = 'x < 0.0', reason = "below zero" }]

[count.seen]
from = "fine"
by = "k"

[tumble.minute]
from = "fine"
by = "k"
every = "1m"
compute.most = 'max(x)'

[sink.out]
from = "seen"
topic = "out"

[sink.minutes]
from = "minute"
topic = "minutes"
"#;

const SENDS: &str = r#"send.in = [
  { k = "a", x = 1.0, at = "2026-01-01T00:00:10Z" },
  { k = "b", x = 2.5, at = "2026-01-01T00:00:20Z" },
  { k = "a", x = -1.0, at = "2026-01-01T00:00:30Z" },
  'junk',
  { k = "a", x = 3.0, at = "2026-01-01T00:01:30Z" },
  { k = "b", x = 9.0, at = "2026-01-01T00:00:40Z" },
]
"#;

fn file(tests: &str) -> String {
    format!("{HEAD}{}", tests.replace("SENDS\n", SENDS))
}

/// A file before and after `--update`: every byte as it should be, twice, and then it passes.
fn updates(before: &str, after: &str) {
    let folder = folder(&[("p.toml", before)]);
    let (code, out, err) = run(&folder, &["test", "--update", "p.toml"]);
    let found = std::fs::read_to_string(folder.path().join("p.toml")).unwrap();
    assert_eq!(found, after, "{out}{err}");
    assert_eq!(code, 0, "{out}{err}");
    assert!(err.contains("p.toml: rewrote ") && out.contains("new  p.toml: "), "{out}{err}");
    let (code, out, err) = run(&folder, &["test", "--update", "p.toml"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(std::fs::read_to_string(folder.path().join("p.toml")).unwrap(), after);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
}

/// The same for the expectations of a test.
fn updates_test(before: &str, after: &str) {
    let with = |expects: &str| file(&format!("\n[[test]]\nname = \"t\"\nSENDS\n{expects}\n# the end\n"));
    updates(&with(before), &with(after));
}

#[test]
fn a_failing_test_shows_what_differs_and_what_happened() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken");
    let (code, out, _) = fed(&root, &["test", "test_that_fails.toml"], "");
    assert_eq!(code, 1);
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/test_verb.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &out).unwrap();
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
    assert!(out == expected, "UPDATE_SNAPSHOTS=1 takes this over:\n{out}");
}

#[test]
fn values_are_spliced_and_nothing_else() {
    updates_test(
        "expect.seen = [ { k='a',  count =1 }, # one\n  {\"count\" = 7,k = \"b\"} ]   # the table",
        "expect.seen = [ { k='a',  count =2 }, # one\n  {\"count\" = 2,k = \"b\"} ]   # the table",
    );
    updates_test("expect_late.minute = 4 # four?", "expect_late.minute = 1 # four?");
    updates_test(
        "expect.dead_letters = [{ _node = \"x\", _reason = 'y' }, 'jun']",
        "expect.dead_letters = [{ _node = \"fine\", _reason = 'below zero' }, 'junk']",
    );
}

#[test]
fn rows_that_are_missing_are_named_whole_and_others_go() {
    updates_test(
        "expect.minutes = []",
        "expect.minutes = [ { k = \"a\", window_start = \"2026-01-01T00:00:00Z\", window_end = \"2026-01-01T00:01:00Z\", \
         most = 1.0 }, { k = \"b\", window_start = \"2026-01-01T00:00:00Z\", window_end = \"2026-01-01T00:01:00Z\", most = 2.5 } ]"
            .replace(" [ {", " [\n  {")
            .replace("}, {", "},\n  {")
            .replace(" } ]", " },\n]")
            .as_str(),
    );
    updates_test(
        "expect.minutes = [\n    # the first\n    { k = \"a\" }, # a\n    { k = \"c\", most = 4.0 }, # c\n    # no more\n    \
         { k = \"d\", most = 7.0 },\n    # really\n]",
        "expect.minutes = [\n    # the first\n    { k = \"a\" }, # a\n    { k = \"b\", most = 2.5 }, # c\n    # no more\n    # really\n]",
    );
    updates_test(
        "expect.dead_letters = [{ _value = \"junk\" }]",
        "expect.dead_letters = [{ _value = \"junk\" }, \
        { _reason = \"below zero\", _value = '{\"k\":\"a\",\"x\":-1.0,\"at\":\"2026-01-01T00:00:30Z\"}' }]",
    );
    updates_test(
        "expect.minutes = [ { k = \"a\" }, {k=\"b\"}, { k = \"c\" }]",
        "expect.minutes = [ { k = \"a\" }, {k=\"b\"}]",
    );
}

#[test]
fn rows_of_a_key_are_put_in_their_order() {
    updates_test(
        "expect.out = [{ k = \"a\", count = 2 }, { k = \"b\" }, { k = \"a\", x = 1.0 }]",
        "expect.out = [{ k = \"a\", count = 1 }, { k = \"b\" }, { k = \"b\", x = 9.0, at = \"2026-01-01T00:00:40Z\", count = 2 }, { k = \"a\", x = 3.0 }]",
    );
}

#[test]
fn lines_that_end_as_on_windows_a_mark_and_links_stay() {
    let with = |expects: &str| {
        let text = file(&format!("\n[[test]]\nname = \"t\"\nSENDS\n{expects}\n"));
        format!("\u{feff}{}", text.replace('\n', "\r\n"))
    };
    let before = with("expect.seen = [\n  { k = \"a\", count = 2 },\n]");
    let after = with("expect.seen = [\n  { k = \"a\", count = 2 },\n  { k = \"b\", count = 2 },\n]");
    updates(&before, &after);
    #[cfg(unix)]
    {
        let folder = folder(&[("real.toml", &before)]);
        std::os::unix::fs::symlink("real.toml", folder.path().join("link.toml")).unwrap();
        assert_eq!(run(&folder, &["test", "--update", "link.toml"]).0, 0);
        assert!(folder.path().join("link.toml").is_symlink());
        assert_eq!(std::fs::read_to_string(folder.path().join("real.toml")).unwrap(), after);
    }
}

#[test]
fn steps_are_rewritten_where_they_stand() {
    let with = |first: &str, second: &str| {
        file(&format!(
            "\n[[test]]\nname = \"t\"\nsteps = [\n  {{ send.in = [{{ k = \"a\", x = 1.0, at = \"2026-01-01T00:00:10Z\" }}] }},\n  \
             {{ expect.out = {first} }},   # first\n  {{ crash = true }},\n  {{ expect = {{ out = {second} }} }},\n]\n"
        ))
    };
    updates(
        &with("[]", "[{ k = \"z\" }]"),
        &with("[ { k = \"a\", x = 1.0, at = \"2026-01-01T00:00:10Z\", count = 1 } ]", "[]"),
    );
}

#[test]
fn what_is_not_rewritten_stays_as_it_is() {
    let failing = file("\n[[test]]\nname = \"t\"\nSENDS\nexpect.seen = []\n");
    let unsound = failing.replace("max(x)", "max(y)");
    let headers = file("\n[[test]]\nname = \"t\"\nSENDS\n[[test.expect.seen]]\nk = \"z\"\n");
    let folder = folder(&[("p.toml", &failing), ("unsound.toml", &unsound), ("headers.toml", &headers)]);
    let untouched = |name: &str, text: &str| {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), text);
    };
    assert_eq!(run(&folder, &["test", "--update", "unsound.toml"]).0, 1);
    untouched("unsound.toml", &unsound);
    let (code, _, err) = run(&folder, &["test", "--update", "headers.toml"]);
    assert!(
        code == 1 && err.contains("headers.toml was left as it is: `seen` is no list in brackets"),
        "{err}"
    );
    untouched("headers.toml", &headers);
    let (code, _, err) = fed(folder.path(), &["test", "--update", "-"], &failing);
    assert_eq!((code, err.as_str()), (2, "error: standard input cannot be rewritten: name the file\n"));
    let (code, _, err) = run(&folder, &["test", "--update", "--set", "a=1", "p.toml"]);
    assert!(code == 2 && err.contains("the file's own params"), "{err}");
    assert_eq!(run(&folder, &["test", "p.toml"]).0, 1);
    untouched("p.toml", &failing);
}

#[test]
fn filters_files_and_counts() {
    let two = file(
        "\n[[test]]\nname = \"one\"\nsend.in = []\nexpect.out = []\n\n[[test]]\nname = \"two\"\nsend.in = []\nexpect.out = [{ k = \"a\" }]\n",
    );
    let folder = folder(&[("two.toml", &two), ("none.toml", HEAD), ("bad.toml", "name = 1\n")]);
    let (code, out, _) = run(&folder, &["test", "two.toml"]);
    assert!(code == 1 && out.ends_with("1 passed, 1 failed\n"), "{out}");
    let (code, out, _) = run(&folder, &["test", "two.toml", "--filter", "one"]);
    assert_eq!((code, out.as_str()), (0, "ok   two.toml: one\n1 passed, 0 failed\n"));
    let (code, out, err) = run(&folder, &["test", "two.toml", "none.toml", "--filter", "three"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.ends_with("error: no test has `three` in its name\n"), "{err}");
    let (code, out, err) = run(&folder, &["test", "none.toml"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "0 passed, 0 failed\n", "none.toml has no tests\n"));
    let (code, out, _) = run(&folder, &["test", "bad.toml", "two.toml", "gone.toml"]);
    assert!(code == 2 && out.ends_with("1 passed, 1 failed\n"), "{code} {out}");
    let (code, out, _) = fed(folder.path(), &["test", "-", "--filter", "one"], &two);
    assert_eq!((code, out.as_str()), (0, "ok   <stdin>: one\n1 passed, 0 failed\n"));
}

#[test]
fn results_for_tools() {
    let text = file(
        "\n[[test]]\nname = \"one\"\nsend.in = []\nexpect.out = []\n\n[[test]]\nname = \"two\"\nsend.in = []\nexpect.out = [{ k = \"a\" }]\n",
    );
    let folder = folder(&[("p.toml", &text)]);
    let (code, out, _) = run(&folder, &["test", "--format", "json", "p.toml"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1);
    let line = text.lines().position(|line| line.contains("\"one\"")).unwrap() + 1;
    let one = serde_json::json!({
        "file": "p.toml", "name": "one", "line": line, "passed": true, "updated": false, "faults": [], "trace": [],
    });
    assert_eq!(found[0], one);
    assert_eq!(found[1]["faults"][0]["code"], "test-failed");
    assert_eq!(found[1]["faults"][0]["line"], line + 7);
    assert_eq!(found[1]["passed"], false);
    let (code, out, _) = run(&folder, &["test", "--format", "json", "--update", "p.toml"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found[1]["updated"], &found[1]["passed"]), (0, &true.into(), &true.into()));
}
