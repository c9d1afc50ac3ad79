//! Random edits of files that are sound: whatever comes of it, `check` answers, quickly and without a panic.
//!
//! `EDITS_SEED` and `EDITS_COUNT` repeat a run or lengthen it; every failure says its seed, its case and the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use streamrun::diagnostic::{Diagnostic, Report, Severity, Style};
use streamrun::operators::KINDS;
use streamrun::{plan, spec};

const COUNT: u64 = 10_000;
const SLOWEST: Duration = Duration::from_millis(100);

#[test]
fn check_answers_whatever_is_edited() {
    let seed = setting("EDITS_SEED", 20_260_101);
    let count = setting("EDITS_COUNT", COUNT);
    println!("EDITS_SEED={seed} EDITS_COUNT={count}");
    let files = files();
    let words: Vec<&str> =
        files.iter().flat_map(|file| tokens(file)).chain(STRANGE.iter().copied()).collect();
    let mut slowest = Duration::ZERO;
    for case in 0..count {
        let mut dice = Dice(seed.wrapping_add(case).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let file = edited(&files[dice.below(files.len())], &words, &mut dice);
        match timed(&file) {
            Ok(took) => slowest = slowest.max(took),
            Err(wrong) => {
                let text = String::from_utf8_lossy(&file);
                panic!("EDITS_SEED={seed}, case {case}: {wrong}\n--- the file:\n{text}");
            }
        }
    }
    println!("slowest: {slowest:?}");
}

/// How long the answer takes. A slow one is asked for again: other work on the machine is no fault of ours.
fn timed(file: &[u8]) -> Result<Duration, String> {
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let before = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| answers(file)));
        answer.unwrap_or_else(|panic| Err(format!("panicked: {}", said(&*panic))))?;
        took = took.min(before.elapsed());
        if cfg!(debug_assertions) || took < SLOWEST {
            return Ok(took);
        }
    }
    Err(format!("took {took:?}"))
}

/// Whether the answer holds together: a plan or a fault, places inside the file, something to print.
pub fn answers(file: &[u8]) -> Result<(), String> {
    let source = match spec::decode(file) {
        Ok(source) => source,
        Err(fault) => return printable("", &[*fault]),
    };
    let checked = plan::check(source, &[]);
    let errors = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    match (&checked.plan, errors) {
        (Some(plan), 0) => drop(plan.explain("p.toml")),
        (None, 1..) => {}
        (plan, _) => return Err(format!("{errors} faults, plan: {}", plan.is_some())),
    }
    for d in &checked.diagnostics {
        for place in d.primary.iter().chain(&d.secondary).map(|label| label.place).chain(d.redact.clone()) {
            if source.get(place.range()).is_none() {
                return Err(format!("{place:?} is no place in {} bytes: {d:?}", source.len()));
            }
        }
    }
    printable(source, &checked.diagnostics)
}

fn printable(source: &str, diagnostics: &[Diagnostic]) -> Result<(), String> {
    let report = Report { path: "p.toml", source, diagnostics };
    let plain = report.text(Style::Plain);
    let coloured = report.text(Style::Colour);
    let missing = diagnostics.iter().find(|d| {
        let title = format!("{}[{}]: ", d.severity, d.code);
        !plain.contains(&title)
    });
    match missing {
        Some(d) => Err(format!("not printed: {d:?}\n{plain}")),
        None if report.json().len() != diagnostics.len() => Err("not all are in the JSON".to_owned()),
        None if coloured.len() < plain.len() => Err("colours take text away".to_owned()),
        None => Ok(()),
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Every file that is shipped: the pipelines, and the example of each kind.
fn files() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    paths.sort();
    let pipelines = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let examples = KINDS.iter().map(|kind| kind.example.to_owned());
    let files: Vec<String> = pipelines.chain(examples).collect();
    for file in &files {
        assert!(plan::check(file, &[]).plan.is_some(), "not sound to begin with:\n{file}");
    }
    files
}

/// What no shipped file holds.
const STRANGE: &[&str] = &[
    "\"\"\"",
    "'''",
    "\\",
    "\u{feff}",
    "\r",
    "\r\n",
    "\u{0}",
    "é",
    "🦀",
    "９",
    "inf",
    "nan",
    "-0",
    "1e999",
    "9223372036854775808",
    "0x",
    "1979-05-27",
    "{",
    "}",
    "[[",
    "]]",
    "[",
    "]",
    "..",
    "=",
    "==",
    ",",
    "#",
    "''",
    "\"\"",
    "\\u0000",
    "\\U0010FFFF",
    "\\\n",
    "join",
    "routes",
    "was",
    "table",
    "dead_letters",
    "once",
    "all",
    "steps",
    "keep",
    "drop",
    "rename",
    "key",
    "_key",
    "json",
    "string?",
    "int[]",
    "timestamp(ms)",
    "true",
    "false",
    "0s",
    "1d",
    "0",
];

/// Words, runs of blanks, and each other character alone.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut tokens = vec![];
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let goes_on = chars.peek().is_some_and(|(_, next)| kind(c) > 0 && kind(*next) == kind(c));
        if !goes_on {
            tokens.push(&text[start..end]);
            start = end;
        }
    }
    tokens
}

/// One to four edits of tokens, and now and then one of bytes.
fn edited(file: &str, words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut tokens = tokens(file);
    for _ in 0..1 + dice.below(4) {
        let (at, other) = (dice.below(tokens.len()), dice.below(tokens.len()));
        match dice.below(6) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[at]),
            2 => tokens.swap(at, other),
            3 => tokens[at] = words[dice.below(words.len())],
            4 => tokens.insert(at, words[dice.below(words.len())]),
            _ => tokens[at] = tokens[other],
        }
    }
    let mut bytes = tokens.concat().into_bytes();
    match dice.below(8) {
        0 => bytes.truncate(dice.below(bytes.len() + 1)),
        1 => bytes.insert(dice.below(bytes.len() + 1), 0x80 | dice.below(0x80) as u8),
        2 => bytes[..].rotate_left(dice.below(64)),
        _ => {}
    }
    bytes
}

/// Numbers that are the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }
}
