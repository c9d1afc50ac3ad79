//! Files with faults, each with exactly what `check` says of it.
//!
//! A file is `broken/NAME.toml`, what is said of it `broken/NAME.txt`. After a change that is meant, run the tests once
//! with `UPDATE_SNAPSHOTS=1` and read the difference.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use streamrun::diagnostic::{Code, Diagnostic, Report, Severity, Style};
use streamrun::{plan, spec, testing};

/// Faults of the file as a whole have no text that could be shown; these codes have tests of their own.
const WHOLE_FILE: &[Code] = &[Code::Unreadable, Code::NotUtf8, Code::TooLarge];

/// What no file shows but a cluster.
const CLUSTER: &[Code] = &[
    Code::ClusterUnreachable,
    Code::NotPermitted,
    Code::NoTransactions,
    Code::MissingTopic,
    Code::PartitionCount,
    Code::BadChangelog,
    Code::TopicSetting,
    Code::WrongKey,
    Code::WrongPartition,
];

#[test]
fn every_fault_is_said_as_it_should_be() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut different = vec![];
    for path in files() {
        let said = said(&path, &fs::read_to_string(&path).unwrap());
        let snapshot = path.with_extension("txt");
        if update {
            fs::write(&snapshot, &said).unwrap();
        }
        let expected = fs::read_to_string(&snapshot).unwrap_or_default();
        if said != expected {
            different.push(format!("{}\n{}", snapshot.display(), difference(&expected, &said)));
        }
    }
    assert!(different.is_empty(), "UPDATE_SNAPSHOTS=1 takes these over:\n\n{}", different.join("\n"));
}

#[test]
fn every_code_has_a_file() {
    let mut met: BTreeSet<Code> = WHOLE_FILE.iter().chain(CLUSTER).copied().collect();
    met.extend(files().iter().flat_map(|path| faults(&fs::read_to_string(path).unwrap())).map(|d| d.code));
    let unmet: Vec<_> = Code::ALL.iter().filter(|code| !met.contains(code)).map(|c| c.text()).collect();
    assert!(unmet.is_empty(), "no broken file shows {unmet:?}");
}

#[test]
fn every_snapshot_has_its_file() {
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let orphans: Vec<_> = entries.filter(|path| !path.with_extension("toml").exists()).collect();
    assert!(orphans.is_empty(), "{orphans:?}");
}

#[test]
fn messages_keep_the_style() {
    for path in files() {
        for d in faults(&fs::read_to_string(&path).unwrap()) {
            let texts = [&d.message].into_iter().chain(&d.help).chain(&d.notes);
            let labels = d.primary.iter().chain(&d.secondary).map(|label| &label.text);
            for text in texts.chain(labels) {
                assert!(!text.ends_with('.'), "{}: a final period: {text}", path.display());
                assert!(!text.contains('\n'), "{}: several lines: {text}", path.display());
                assert!(!text.contains("``"), "{}: an empty literal: {text}", path.display());
            }
            assert!(!d.message.is_empty(), "{}: nothing is said", path.display());
        }
    }
}

#[test]
fn lines_that_end_as_on_windows_change_nothing() {
    let trimmed = |text: &str| text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    for path in files() {
        let source = fs::read_to_string(&path).unwrap();
        let windows = source.replace('\n', "\r\n");
        assert_eq!(trimmed(&said(&path, &windows)), trimmed(&said(&path, &source)), "{}", path.display());
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let fault = spec::decode(b"name = \"a\"\nx = \"\xff\"\n").unwrap_err();
    assert_eq!(fault.code, Code::NotUtf8);
    assert_eq!(fault.message, "the file is not UTF-8: byte 16 (line 2)");
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let fault = spec::decode(&vec![b' '; spec::MAX_BYTES + 1]).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    assert!(spec::decode(&vec![b' '; spec::MAX_BYTES]).is_ok());
}

/// All broken files, in the order of their names.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    assert!(files.len() > 100, "the files were not found");
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken")
}

/// What is wrong with a file, and where nothing is, with what its tests expect.
fn faults(source: &str) -> Vec<Diagnostic> {
    let checked = plan::check(source, &[]);
    let cases = checked.plan.map(|plan| plan.cases).unwrap_or_default();
    let mut faults = checked.diagnostics;
    faults.extend(cases.iter().flat_map(|case| testing::run(source, &[], case).faults));
    faults
}

/// What is said of a file.
fn said(path: &Path, source: &str) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    let checked = plan::check(source, &[]);
    let errors = checked.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(checked.plan.is_none(), errors, "{name}: a plan or a fault, never both");
    let diagnostics = faults(source);
    if diagnostics.is_empty() {
        return format!("{name} is sound\n");
    }
    Report { path: &name, source, diagnostics: &diagnostics }.text(Style::Plain)
}

/// The first lines that differ.
fn difference(expected: &str, found: &str) -> String {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    loop {
        match (expected.next(), found.next()) {
            (a, b) if a == b && a.is_some() => {}
            (a, b) => return format!("  - {}\n  + {}\n", a.unwrap_or("(end)"), b.unwrap_or("(end)")),
        }
    }
}
