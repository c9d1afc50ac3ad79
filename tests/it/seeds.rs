//! Pipelines, records and mishaps, all made up: what is committed is what one worker commits that nothing happens to.
//!
//! `STREAMRUN_SEEDS=N` runs so many seeds, `STREAMRUN_SEED=S` that one.

use crate::support::fleet::{self, Fleet};
use crate::support::grammar::Grammar;
use crate::support::{Random, Scenario, Sent, Strictness, records};
use streamrun::plan;
use streamrun::runtime::Broken;

const SEEDS: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A pipeline and its records.
pub struct Made {
    pub scenario: Scenario,
    pub records: Vec<Sent>,
    /// Whether records of several inputs meet, in an order that depends on which are known to be there.
    pub meets: bool,
}

/// What a seed makes up; nothing if the pipeline is none.
pub fn make(seed: u64) -> Option<Made> {
    let mut dice = Random::new(seed);
    let (text, sources) = {
        let made = Grammar::new(&mut dice);
        (made.text().to_owned(), made.sources)
    };
    let plan = plan::check(&text, &[]).plan?;
    // Out of several partitions a repartition brings records in any order.
    let has_cuts = plan.sources.iter().any(|source| source.cut.is_some());
    let partitions = if has_cuts { 1 } else { dice.within(1, 3) as u32 };
    let batch = *dice.pick(&[1, 7, 1000]);
    let scenario = Scenario::new(&format!("seed {seed}"), &text).partitions(partitions).batch(batch);
    let mut all: Vec<Vec<Sent>> =
        (0..sources).map(|at| records::records(&mut dice, &format!("t{at}"), partitions)).collect();
    let mut records = vec![];
    while !all.is_empty() {
        let at = dice.below(all.len() as u64) as usize;
        if all[at].is_empty() {
            all.remove(at);
        } else {
            records.push(all[at].remove(0));
        }
    }
    let runs = &scenario.plan.runs;
    let meets =
        runs.iter().enumerate().any(|(at, run)| runs[..at].iter().any(|other| other.part == run.part));
    Some(Made { scenario, records, meets })
}

/// Runs a seed; what differs, if anything does. Nothing if its pipeline is none.
pub fn differs(seed: u64, broken: Broken) -> Option<Result<(), String>> {
    let made = make(seed)?;
    let dice = Random::new(seed ^ 0xF1EE_7000);
    Some(compare(&made, dice, broken))
}

fn compare(made: &Made, dice: Random, broken: Broken) -> Result<(), String> {
    let expected = fleet::undisturbed(&made.scenario, made.records.clone())?;
    let (found, countable) = Fleet::run(&made.scenario, made.records.clone(), made.meets, dice, broken)?;
    let counted = || found.miscounted(&expected).filter(|_| countable);
    match found.difference(&expected, Strictness::Key).or_else(counted) {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

#[test]
fn no_mishap_changes_what_is_committed() {
    let seeds = match number("STREAMRUN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STREAMRUN_SEEDS").unwrap_or(SEEDS),
    };
    let (mut run, all) = (0, seeds.end - seeds.start);
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| differs(seed, Broken::Nothing));
        match outcome {
            Ok(None) => {}
            Ok(Some(Ok(()))) => run += 1,
            Ok(Some(Err(why))) => {
                let text = make(seed).map(|made| made.scenario.text).unwrap_or_default();
                panic!("STREAMRUN_SEED={seed}: {why}\n{text}");
            }
            Err(panic) => {
                eprintln!(
                    "STREAMRUN_SEED={seed}\n{}",
                    make(seed).map(|m| m.scenario.text).unwrap_or_default()
                );
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(run * 2 > all, "only {run} of {all} made-up pipelines are sound");
}

/// Records that come together go side by side; what is written is what each of them alone would have brought about.
#[test]
fn records_side_by_side_are_as_records_one_by_one() {
    let mut run = 0;
    for seed in 0..number("STREAMRUN_SEEDS").unwrap_or(SEEDS) {
        let Some(made) = make(seed).filter(|made| !made.meets) else { continue };
        let batches = |of| fleet::in_batches(&made.scenario, made.records.clone(), of);
        let (one_by_one, side_by_side) = match (batches(1), batches(1000)) {
            (Ok(one_by_one), Ok(side_by_side)) => (one_by_one, side_by_side),
            (one_by_one, side_by_side) => {
                panic!("seed {seed}: {:?} {:?}", one_by_one.err(), side_by_side.err())
            }
        };
        let difference = one_by_one.difference(&side_by_side, Strictness::Partition);
        let difference = difference.or_else(|| one_by_one.miscounted(&side_by_side));
        assert_eq!(difference, None, "seed {seed}\n{}", made.scenario.text);
        run += 1;
    }
    assert!(run > 0, "every pipeline was left out");
}
