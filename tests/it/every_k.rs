//! A fault at each transport call in turn: whatever fails, and whenever, the outcome is that of a run without faults.

use crate::support::{Outcome, Scenario, Strictness, World, kinds};
use streamrun::runtime::Broken;
use streamrun::transport::sim::{Fault, When};

const WAYS: [When; 3] = [When::Before, When::After, When::Doubt];

fn undisturbed(scenario: &Scenario) -> Outcome {
    let outcome = World::run(scenario, vec![], Broken::Nothing);
    let outcome = outcome.unwrap_or_else(|why| panic!("{} without faults: {why}", scenario.name));
    let difference = outcome.difference(&outcome, Strictness::Partition);
    assert_eq!(difference, None, "{} without faults", scenario.name);
    outcome
}

fn check(scenario: &Scenario, expected: &Outcome, faults: Vec<Vec<Fault>>) -> Result<(), String> {
    let outcome = World::run(scenario, faults.clone(), Broken::Nothing);
    let wrong = match outcome {
        Err(why) => Some(why),
        Ok(found) => found.difference(expected, scenario.strictness).or_else(|| found.miscounted(expected)),
    };
    wrong.map_or(Ok(()), |why| Err(format!("{} with {faults:?}: {why}", scenario.name)))
}

/// Fails with the first few of what went wrong.
fn verdict(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} runs went wrong:\n{}", wrong.len(), wrong[..wrong.len().min(3)].join("\n"));
}

#[test]
fn one_fault_changes_nothing() {
    let mut wrong = vec![];
    for scenario in kinds::all() {
        let expected = undisturbed(&scenario);
        for call in 0..expected.calls {
            for when in WAYS {
                for for_good in [false, true] {
                    let faults = vec![vec![Fault { call, when, for_good }]];
                    wrong.extend(check(&scenario, &expected, faults).err());
                }
            }
        }
    }
    verdict(&wrong);
}

#[test]
fn two_faults_change_nothing() {
    let mut wrong = vec![];
    for scenario in kinds::smallest() {
        let expected = undisturbed(&scenario);
        for first in 0..expected.calls {
            for when in WAYS {
                // Behind a fault there are more calls than without one: those of the mending.
                for gap in 1..12 {
                    let fault = |call, when| Fault { call, when, for_good: false };
                    let faults = vec![vec![fault(first, when), fault(first + gap, WAYS[gap as usize % 3])]];
                    wrong.extend(check(&scenario, &expected, faults).err());
                }
            }
        }
    }
    verdict(&wrong);
}

/// The one that takes over meets a fault of its own while it restores.
#[test]
fn a_fault_in_a_takeover_changes_nothing() {
    let mut wrong = vec![];
    for scenario in kinds::smallest() {
        let expected = undisturbed(&scenario);
        for first in (0..expected.calls).step_by(3) {
            for call in 0..16 {
                let end = Fault { call: first, when: WAYS[first as usize % 3], for_good: true };
                let then = Fault { call, when: WAYS[call as usize % 3], for_good: call % 2 == 0 };
                wrong.extend(check(&scenario, &expected, vec![vec![end], vec![then]]).err());
            }
        }
    }
    verdict(&wrong);
}
