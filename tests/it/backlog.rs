//! Commits while many records wait.

use crate::support::scenario::START;
use crate::support::{Scenario, Sent, world};
use std::sync::Arc;
use streamrun::runtime::{Broken, Worker};
use streamrun::time::{Clock, ManualClock};

const COPY: &str = r#"
name = "p"

[source.in]
topic = "in"

[sink.out]
from = "in"
topic = "out"
"#;

/// Each turn takes so many records, and so long, in milliseconds.
const BATCH: usize = 1_000;
const TURN: i64 = 10;

/// How much time lies between the commits that it takes to work off so many records.
fn gaps(records: usize) -> Vec<i64> {
    let scenario = Scenario::new("a backlog", COPY).batch(BATCH);
    let (cluster, clock) = (world::cluster(&scenario), ManualClock::at(START));
    let (sim, mut options) = (world::sim(&scenario, &cluster), world::options(&scenario, Broken::Nothing));
    options.commit_every = 100;
    for nth in 0..records {
        let value = Some("{}".to_owned());
        let sent = Sent { topic: "in".to_owned(), partition: 0, key: None, value, timestamp: START };
        world::write(&cluster, &sent, nth);
    }
    let mut worker = Worker::new(scenario.plan.clone(), sim, Arc::new(clock.clone()), options);
    let (mut position, mut commits) = (None, vec![]);
    while cluster.records("out").iter().map(Vec::len).sum::<usize>() < records {
        worker.turn().unwrap();
        clock.advance(TURN);
        let committed = cluster.committed("in", 0).map(|(offset, _)| offset);
        if std::mem::replace(&mut position, committed) != committed {
            commits.push(clock.now_ms());
        }
        assert!(clock.now_ms() < START + 60_000, "it does not get on");
    }
    commits.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn while_many_records_wait_commits_are_rarer_and_then_as_asked_again() {
    let gaps = gaps(150_000);
    let rarer = gaps.iter().take_while(|gap| (500..=500 + 2 * TURN).contains(*gap)).count();
    assert!(rarer >= 1, "{gaps:?}");
    let (last, as_asked) = gaps[rarer..].split_last().expect("the rest is no backlog");
    assert!(as_asked.iter().all(|gap| (100..=100 + 2 * TURN).contains(gap)) && *last <= 120, "{gaps:?}");
    assert!(!as_asked.is_empty(), "{gaps:?}");
}

#[test]
fn what_waits_in_the_ordinary_course_changes_nothing() {
    let gaps = gaps(40_000);
    assert!(gaps.len() >= 3 && gaps.iter().all(|gap| *gap <= 100 + 2 * TURN), "{gaps:?}");
}
