//! The suites bite: an engine with one of its rules broken does not get through them.

use crate::seeds;
use crate::support::{World, kinds};
use streamrun::runtime::Broken;
use streamrun::transport::sim::{Fault, When};

/// Whether a fault at some call of some scenario brings it to light.
fn every_k_notices(broken: Broken) -> usize {
    let mut noticed = 0;
    for scenario in kinds::smallest() {
        let Ok(expected) = World::run(&scenario, vec![], Broken::Nothing) else { continue };
        for call in 0..expected.calls {
            for (when, for_good) in [(When::Before, false), (When::After, true), (When::Doubt, true)] {
                let faults = vec![vec![Fault { call, when, for_good }]];
                let found = World::run(&scenario, faults, broken);
                let same = found.is_ok_and(|found| {
                    found.difference(&expected, scenario.strictness).is_none()
                        && found.miscounted(&expected).is_none()
                });
                noticed += usize::from(!same);
            }
        }
    }
    noticed
}

fn seeds_notice(broken: Broken) -> usize {
    let noticed = |seed: &u64| seeds::differs(*seed, broken).is_some_and(|outcome| outcome.is_err());
    (0..40).filter(noticed).count()
}

fn bites(broken: Broken) {
    let (every_k, seeds) = (every_k_notices(broken), seeds_notice(broken));
    println!("{broken:?}: every k {every_k}, seeds {seeds}");
    assert!(every_k > 0, "a fault at every call does not bring {broken:?} to light");
    assert!(seeds > 0, "no seed brings {broken:?} to light");
}

#[test]
fn a_rewind_that_is_skipped_is_noticed() {
    bites(Broken::SkipRewind);
}

#[test]
fn an_undo_that_is_skipped_is_noticed() {
    bites(Broken::SkipUndo);
}

#[test]
fn positions_before_outputs_are_noticed() {
    bites(Broken::EarlyPositions);
}

#[test]
fn undo_logs_that_are_cleared_early_are_noticed() {
    bites(Broken::EarlyClear);
}

#[test]
fn a_changelog_with_a_hole_is_noticed() {
    bites(Broken::LoseChangelog);
}

#[test]
fn a_clock_that_moves_by_batches_is_noticed() {
    bites(Broken::AdvancePerBatch);
}

#[test]
fn an_engine_that_is_whole_gets_through() {
    assert_eq!((every_k_notices(Broken::Nothing), seeds_notice(Broken::Nothing)), (0, 0));
}
