//! Running the tests of a pipeline: the real engine on a cluster in memory, with a clock that only the test moves.

mod correct;
mod driver;
mod expect;
mod look;
mod pair;
mod short;
mod trace;

pub use correct::{Corrected, Correction, Fields};
pub use driver::Driver;
pub use look::Written;
pub use pair::same;

use crate::diagnostic::{Code, Diagnostic, Place};
pub use crate::plan::cases::to_json;
use crate::plan::cases::{Case, Step, Target};
use crate::plan::source::Start;
use crate::plan::{self, Override};
use crate::runtime::Stopped;
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
    /// How its expectations would have to be written for it to pass; nothing if that would not help.
    pub corrections: Vec<Correction>,
    /// What happened, record by record, for a test that failed.
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
    let outcome = |faults, corrections, trace| Outcome {
        name: case.name.clone(),
        place: case.place,
        faults,
        corrections,
        trace,
    };
    let checked = plan::check(source, &all);
    // What a test sends is there from the start; where a pipeline begins on a cluster is not what it shows.
    let from_the_start = |mut plan: plan::Plan| {
        plan.sources.iter_mut().for_each(|source| source.start = Start::Earliest);
        Arc::new(plan)
    };
    let Some(plan) = checked.plan.map(from_the_start) else {
        let with = |fault: Diagnostic| fault.note(format!("with the params of the test `{}`", case.name));
        return outcome(checked.diagnostics.into_iter().map(with).collect(), vec![], vec![]);
    };
    let mut played = Played::default();
    played.play(Driver::new(plan.clone(), case.partitions, case.at), case);
    // Only a test that failed is told in detail: it is run again, record by record.
    let trace = match played.faults.is_empty() {
        true => vec![],
        false => Played::default().play(Driver::told(plan, case.partitions, case.at), case),
    };
    outcome(played.faults, played.corrections, trace)
}

/// What came of playing a test.
#[derive(Debug, Default)]
struct Played {
    faults: Vec<Diagnostic>,
    corrections: Vec<Correction>,
}

impl Played {
    /// Plays a test; what happened, if the driver tells.
    fn play(&mut self, mut driver: Driver, case: &Case) -> Vec<String> {
        let failed = |why: String| Diagnostic::error(Code::TestFailed, why, case.place);
        for step in &case.steps {
            if let Err(stopped) = self.step(&mut driver, step) {
                self.faults.push(failed(stopped.to_string()));
                self.corrections.clear();
                break;
            }
        }
        if let Err(why) = driver.adds_up() {
            self.faults.push(failed(why));
        }
        driver.trace()
    }

    fn step(&mut self, driver: &mut Driver, step: &Step) -> Result<(), Stopped> {
        match step {
            Step::Send { source, records } => driver.send(*source, records)?,
            Step::Wait(ms) => driver.wait(*ms)?,
            Step::Crash => driver.crash()?,
            Step::Commit => driver.commit()?,
            Step::Expect { target, rows, place } => {
                driver.commit()?;
                let (faults, correction) = expect::compare(&driver.look(target), target, rows, *place);
                self.faults.extend(faults);
                self.corrections.extend(correction);
            }
            Step::ExpectLate { node, count, place } => {
                driver.commit()?;
                self.late(driver.late(node), node, *count, *place);
            }
        }
        Ok(())
    }

    fn late(&mut self, late: u64, node: &str, expected: u64, place: Place) {
        if late != expected {
            let records = if late == 1 { "record" } else { "records" };
            let message = format!("`{node}` had {late} late {records}, expected {expected}");
            self.faults.push(Diagnostic::error(Code::TestFailed, message, place));
            self.corrections.push(Correction::Late { place, count: late });
        }
    }
}

/// What a target is called.
fn name_of(target: &Target) -> &str {
    match target {
        Target::Sink(name) | Target::Table(name) | Target::Alert(name) => name,
        Target::DeadLetters => plan::names::DEAD_LETTERS,
    }
}
