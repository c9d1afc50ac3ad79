//! Files that nobody writes: large, deep, long, dense. `check` answers all the same, soon and on a small stack.

use super::edits::answers;
use std::fmt::Write;
use std::time::{Duration, Instant};
use streamrun::spec::MAX_BYTES;

const LONGEST: Duration = Duration::from_secs(1);

/// The answer holds together, comes within a second (when optimised), and needs no more stack than a thread has.
fn survives(name: &str, file: String) {
    let mut file = file.into_bytes();
    // Without optimisation a tenth shows as much of stacks and of what explodes.
    file.truncate(if cfg!(debug_assertions) { MAX_BYTES / 10 } else { MAX_BYTES });
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(2 << 20);
    let run = move || {
        let before = Instant::now();
        let answer = answers(&file);
        (answer, before.elapsed())
    };
    let (answer, took) = thread.spawn(run).unwrap().join().unwrap();
    println!("{name}: {took:?}");
    answer.unwrap();
    assert!(cfg!(debug_assertions) || took < LONGEST, "{name} took {took:?}");
}

const HEAD: &str =
    "name = \"p\"\n[schema.s]\na = \"int\"\n[source.n0]\ntopic = \"t\"\nschema = \"s\"\nkey = \"a\"\n";

fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(head.to_owned(), |mut file, i| {
        let _ = writeln!(file, "{}", line(i));
        file
    })
}

fn filter(name: &str, from: &str) -> String {
    format!("[filter.{name}]\nfrom = {from}\nwhen = 'a > 3'")
}

#[test]
fn brackets_without_end() {
    survives("lists", format!("a = {}", "[".repeat(MAX_BYTES)));
    survives("headers", "[".repeat(MAX_BYTES));
    survives("headers, a line each", "[\n".repeat(MAX_BYTES / 2));
    survives("braces", format!("a = {}", "{a=".repeat(MAX_BYTES / 3)));
    survives(
        "closed lists",
        format!("a = {}{}", "[".repeat(MAX_BYTES / 2 - 4), "]".repeat(MAX_BYTES / 2 - 4)),
    );
}

#[test]
fn dots_without_end() {
    survives("a key", "a.".repeat(MAX_BYTES / 2));
    survives("a value", format!("{}a = 1", "a.".repeat(MAX_BYTES / 2 - 4)));
    survives("a header", format!("[{}a]", "a.".repeat(MAX_BYTES / 2 - 4)));
    survives("a schema", format!("[schema.s]\n{}a = \"int\"", "a.".repeat(5_000)));
    survives("a setting", format!("{HEAD}[map.m]\nfrom = \"n0\"\nset.{}a = 'a'", "a.".repeat(5_000)));
}

#[test]
fn one_long_line() {
    survives("a word", "a".repeat(MAX_BYTES));
    survives("a text", format!("name = \"{}", "é".repeat(MAX_BYTES / 2)));
    survives("a comment", format!("#{}", "x".repeat(MAX_BYTES)));
    survives("faults in a line", format!("p = [{}]", "x, ".repeat(MAX_BYTES / 3 - 4)));
    survives(
        "slips in a line",
        format!("{HEAD}[branch.b]\nfrom=\"n0\"\nreject=[{}]", "{when='b',reason='r'},".repeat(20_000)),
    );
    survives("blanks", " ".repeat(MAX_BYTES));
    survives("line ends", "\n".repeat(MAX_BYTES));
}

#[test]
fn expressions_of_any_size() {
    let with = |text: &str| format!("{HEAD}[filter.f]\nfrom = \"n0\"\nwhen = '{text}'\n");
    survives("a sum", with(&"a + ".repeat(MAX_BYTES / 4 - 100)));
    survives("parentheses", with(&"(".repeat(MAX_BYTES - 200)));
    survives("as long as it may be", with(&format!("{} > 3", ["a"; 400].join(" + "))));
    survives("as deep as it may be", with(&format!("{}a{} > 3", "(".repeat(127), ")".repeat(127))));
    survives("escapes", format!("{HEAD}[filter.f]\nfrom = \"n0\"\nwhen = \"{}\"", "\\u0061".repeat(150_000)));
    survives(
        "a message",
        format!(
            "{HEAD}[count.c]\nfrom=\"n0\"\nby=\"a\"\n[alert.b]\ntable=\"c\"\nevery=\"5s\"\nwhen='count > 1'\nmessage=\"{}\"",
            "{b}".repeat(300_000)
        ),
    );
}

#[test]
fn sections_without_number() {
    survives("kinds", lines("", 10_000, |i| format!("[filter.f{i}]")));
    survives("unknown kinds", lines("", 10_000, |i| format!("[k{i}.f]\nx = 1")));
    survives("sinks", lines(HEAD, 10_000, |i| format!("[sink.f{i}]\nfrom=\"n0\"\ntopic=\"o\"")));
    survives("topics", lines(HEAD, 9_000, |i| format!("[sink.f{i}]\nfrom=\"n0\"\ntopic=\"o{i}\"")));
    survives("sources", lines("name = \"p\"\n", 10_000, |i| format!("[source.s{i}]\ntopic = \"t{i}\"")));
    survives("too many", lines("", 60_000, |i| format!("[sink.f{i}]")));
    survives("tests", lines(HEAD, 10_000, |i| format!("[[test]]\nname = \"{i}\"\nsend.n0 = [{{ a = 1 }}]")));
    survives("one name", lines("", 10_000, |_| "[filter.f]".to_owned()));
    survives("unknown inputs", lines(HEAD, 5_000, |i| filter(&format!("f{i}"), &format!("\"x{i}\""))));
}

#[test]
fn params_and_fields_without_number() {
    survives("params", lines("name = \"p\"\n[params]\n", 10_000, |i| format!("p{i} = {i}")));
    let params = lines("name = \"p\"\n[params]\n", 5_000, |i| format!("p{i} = {i}"));
    survives(
        "used params",
        lines(&params, 2_000, |i| format!("[filter.f{i}]\nfrom=\"n0\"\nwhen='a > p{i}'")),
    );
    survives("fields", lines(&format!("{HEAD}[schema.t]\n"), 10_000, |i| format!("f{i} = \"int\"")));
    let wide = lines("name=\"p\"\n[source.n]\ntopic=\"t\"\nschema=\"s\"\n[schema.s]\n", 10_000, |i| {
        format!("f{i} = \"int\"")
    });
    survives(
        "used fields",
        lines(&wide, 1_000, |i| format!("[filter.f{i}]\nfrom=\"n\"\nwhen='f{i} > g{i}'")),
    );
    survives(
        "settings",
        lines(&format!("{HEAD}[map.m]\nfrom = \"n0\"\n"), 10_000, |i| format!("set.f{i} = 'a'")),
    );
    survives(
        "aggregates",
        lines(&format!("{HEAD}[tumble.w]\nfrom=\"n0\"\nby=\"a\"\nevery=\"1s\"\n"), 10_000, |i| {
            format!("compute.f{i} = 'sum(a + {i})'")
        }),
    );
    survives(
        "renames",
        lines(&format!("{HEAD}[map.m]\nfrom = \"n0\"\n"), 10_000, |i| format!("rename.f{i} = \"g{i}\"")),
    );
    survives("keys", lines("", 50_000, |i| format!("k{i} = 1")));
    survives("properties", lines("[kafka.common]\n", 10_000, |i| format!("p{i} = 1")));
    survives(
        "routes",
        lines(&format!("{HEAD}[branch.b]\nfrom=\"n0\"\n"), 1, |_| {
            format!("routes=[{}]", "{to='r',when='a > 3'},".repeat(10_000))
        }),
    );
}

#[test]
fn long_chains_and_deep_diamonds() {
    let chain = |count: usize| lines(HEAD, count, |i| filter(&format!("n{}", i + 1), &format!("\"n{i}\"")));
    survives("a chain", chain(2_000));
    survives("a chain with a sink", chain(2_000) + "[sink.o]\nfrom=\"n2000\"\ntopic=\"o\"\n");
    survives("a longer chain", chain(9_000));
    let backwards =
        lines(HEAD, 5_000, |i| filter(&format!("n{}", 5_000 - i), &format!("\"n{}\"", 4_999 - i)));
    survives("a chain upwards", backwards);
    survives(
        "a circle",
        lines("name=\"p\"\n", 5_000, |i| filter(&format!("n{i}"), &format!("\"n{}\"", (i + 1) % 5_000))),
    );
    survives(
        "a chain of maps",
        lines(HEAD, 2_000, |i| format!("[map.n{}]\nfrom=\"n{i}\"\nset.b{i}='a'", i + 1)),
    );
    survives(
        "a chain of branches",
        lines(HEAD, 2_000, |i| {
            format!("[branch.n{}]\nfrom=\"n{i}\"\nroutes=[{{to=\"r\",when='a > 3'}}]", i + 1)
        }),
    );
    survives(
        "a chain of counts",
        lines(HEAD, 2_000, |i| format!("[count.n{}]\nfrom=\"n{i}\"\nby=\"a\"", i + 1)),
    );
    survives(
        "a chain of windows",
        lines(HEAD, 2_000, |i| {
            format!("[tumble.n{}]\nfrom=\"n{i}\"\nby=\"a\"\nevery=\"1s\"\ncompute.n='count()'", i + 1)
        }),
    );
    let diamond = |i: usize| {
        let from = if i == 0 { "\"n0\"".to_owned() } else { format!("[\"x{0}\", \"y{0}\"]", i - 1) };
        format!("{}\n[map.y{i}]\nfrom = {from}\nset.b{i} = 'a'", filter(&format!("x{i}"), &from))
    };
    survives("diamonds", lines(HEAD, 20, diamond));
    survives("many diamonds", lines(HEAD, 300, diamond));
    let all: Vec<_> = (0..1_000).map(|i| format!("\"n{i}\"")).collect();
    let merge = format!("[sink.o]\nfrom=[{}]\ntopic=\"o\"\n", all.join(","));
    survives("a wide merge", lines(HEAD, 999, |i| filter(&format!("n{}", i + 1), "\"n0\"")) + &merge);
    survives("a merge of all", chain(999) + &merge);
}
