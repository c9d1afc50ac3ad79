//! How long it takes until something comes out: after a start, and after a kill.
//!
//! What is measured is always printed. The bounds are for a release build: another is several times slower, and says
//! nothing about what users get.

use crate::support::engine::DEADLINE;
use crate::support::random::rounds;
use crate::support::{Place, until};
use crate::trials::Flow;
use crate::trials::flow::Member;
use crate::workload::Workload;
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(3);
const AFTER_KILL: Duration = Duration::from_secs(2);

/// From nothing: topics to make, a group to found, the state to begin.
pub fn first_output_after_a_start() {
    let flow = Flow::start(Place::shared("start"), &Workload { short_session: false, ..Workload::default() });
    let (before, since) = (flow.may_be_written(), Instant::now());
    let mut members = vec![flow.member("a")];
    let took = output(&flow, before, since, &mut members);
    println!("from a start to the first output: {took:.2?}");
    bounded("start to first output", took, START);
    flow.judged(members);
}

/// As users have it: the engine's own session timeout, in which nobody else may take over.
pub fn output_after_a_kill() {
    let flow =
        Flow::start(Place::shared("restart"), &Workload { short_session: false, ..Workload::default() });
    let mut members = vec![flow.member("a")];
    flow.catches_up("at first", &mut members);
    let mut all = vec![];
    for _ in 0..rounds(5) {
        let (home, engine) = members.remove(0);
        let since = Instant::now();
        engine.kill();
        let before = flow.may_be_written();
        members.push(flow.member(&home));
        all.push(output(&flow, before, since, &mut members));
        flow.catches_up("between kills", &mut members);
    }
    all.sort();
    println!("from a kill to the next output: {all:.2?}");
    bounded("kill to next output", all[all.len() / 2], AFTER_KILL);
    flow.judged(members);
}

/// Waits for more output than there was; how long after an instant it came.
fn output(flow: &Flow, before: i64, since: Instant, members: &mut [Member]) -> Duration {
    until("output", DEADLINE, || {
        members[0].1.is_alive("until it writes");
        (flow.written() > before).then(|| since.elapsed())
    })
}

fn bounded(what: &str, took: Duration, most: Duration) {
    if cfg!(debug_assertions) {
        println!("{what}: no bound in a debug build");
    } else {
        assert!(took < most, "{what}: {took:.2?}, and {most:?} is the most");
    }
}
