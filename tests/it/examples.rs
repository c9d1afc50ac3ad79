//! Every example there is, run: those of the kinds, and every file in `pipelines/`; straight, and across crashes.

use std::fs;
use std::path::Path;
use streamrun::operators::KINDS;
use streamrun::plan::cases::{Case, Step};
use streamrun::plan::{self};
use streamrun::testing;

/// All examples, each with a name and its text.
fn examples() -> Vec<(String, String)> {
    let mut examples: Vec<_> =
        KINDS.iter().map(|kind| (format!("the example of {}", kind.name), kind.example.to_owned())).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            examples.push((
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    assert!(examples.len() > KINDS.len(), "`pipelines/` was not found");
    examples
}

/// The tests of a file that is sound.
fn cases(name: &str, source: &str) -> Vec<Case> {
    let checked = plan::check(source, &[]);
    assert!(checked.diagnostics.is_empty(), "{name}: {:#?}", checked.diagnostics);
    let cases = checked.plan.unwrap().cases;
    assert!(!cases.is_empty(), "{name} has no test");
    cases
}

fn run(name: &str, source: &str, case: &Case) {
    let outcome = testing::run(source, &[], case);
    assert!(outcome.passed(), "{name}, {}: {:#?}\n{}", case.name, outcome.faults, outcome.trace.join("\n"));
}

#[test]
fn every_example_does_what_its_tests_say() {
    for (name, source) in examples() {
        for case in cases(&name, &source) {
            run(&name, &source, &case);
        }
    }
}

/// A crash right behind a commit loses nothing; one before it is made good by reading again. Either way the rows that
/// are expected come out.
#[test]
fn every_example_does_the_same_across_crashes() {
    for (name, source) in examples() {
        for case in cases(&name, &source) {
            for committed in [true, false] {
                let mut crashing = case.clone();
                crashing.steps = case.steps.iter().flat_map(|step| with_crash(step, committed)).collect();
                run(&name, &source, &crashing);
            }
        }
    }
}

fn with_crash(step: &Step, committed: bool) -> Vec<Step> {
    match step {
        // The silence before a wait ends is measured from when the engine heard the last record: a crash in between
        // would make it start to listen anew.
        Step::Send { .. } if committed => vec![step.clone(), Step::Commit, Step::Crash],
        Step::Send { .. } => vec![step.clone(), Step::Crash],
        step => vec![step.clone()],
    }
}
