//! Running the tests of a pipeline: the real engine on a cluster in memory, with a clock that only the test moves.

mod driver;
mod expect;
mod trace;

pub use driver::{Driver, Written};

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::plan::cases::{Case, Step, Target};
use crate::plan::{self, Override, Plan};
use std::sync::Arc;

/// How a test ended.
#[derive(Debug)]
pub struct Outcome {
    /// What the test is called.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// What differs, if anything does.
    pub faults: Vec<Diagnostic>,
    /// What each node did with each record, for a test that failed.
    pub trace: Vec<String>,
}

impl Outcome {
    /// Whether nothing differs.
    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Runs one test of a file. The file is sound as it stands; with the test's params it may not be.
pub fn run(source: &str, overrides: &[Override], case: &Case) -> Outcome {
    let mut all = overrides.to_vec();
    all.extend(case.params.iter().cloned());
    let outcome = |faults, trace| Outcome { name: case.name.clone(), place: case.place, faults, trace };
    let checked = plan::check(source, &all);
    let Some(plan) = checked.plan.map(Arc::new) else {
        return outcome(checked.diagnostics, vec![]);
    };
    let faults = play(&plan, case, 1000).0;
    // Only a test that failed is told in detail: it is run again, record by record.
    let trace = if faults.is_empty() { vec![] } else { play(&plan, case, 1).1 };
    outcome(faults, trace)
}

/// Plays a test; what differs, and what each node did.
fn play(plan: &Arc<Plan>, case: &Case, batch: usize) -> (Vec<Diagnostic>, Vec<String>) {
    let mut driver = Driver::new(plan.clone(), case.partitions, case.at, batch);
    let mut faults = vec![];
    for step in &case.steps {
        let done = match step {
            Step::Send { source, records } => driver.send(*source, records),
            Step::Wait(ms) => driver.wait(*ms),
            Step::Crash => driver.crash(),
            Step::Commit => driver.commit(),
            Step::Expect { target, rows, place } => {
                driver.commit().map(|()| faults.extend(expect::compare(&mut driver, target, rows, *place)))
            }
            Step::ExpectLate { node, count, place } => driver.commit().map(|()| {
                let late = driver.late(node);
                if late != *count {
                    let message = format!("`{node}` had {late} late records, expected {count}");
                    faults.push(Diagnostic::error(Code::TestFailed, message, *place));
                }
            }),
        };
        if let Err(stopped) = done {
            faults.push(Diagnostic::error(Code::TestFailed, stopped.to_string(), case.place));
            break;
        }
    }
    if let Err(why) = driver.adds_up() {
        faults.push(Diagnostic::error(Code::TestFailed, why, case.place));
    }
    (faults, driver.trace)
}

/// What a target is called.
fn name_of(target: &Target) -> &str {
    match target {
        Target::Sink(name) | Target::Table(name) | Target::Alert(name) => name,
        Target::DeadLetters => plan::names::DEAD_LETTERS,
    }
}
