//! Processes that stand still for a while and go on as if nothing had been: true zombies.

use super::Flow;
use crate::support::deadline::until_true;
use crate::support::engine::DEADLINE;
use crate::support::random::rounds;
use crate::support::{Engine, Place};
use crate::workload::Workload;
use std::time::Duration;

/// At most so many instants are tried until a transaction is open in one.
const MOST_TRIES: u32 = 50;
/// What was under way when a process froze has come to its end by then, and a transaction has not.
const SETTLED: Duration = Duration::from_millis(300);

/// Past the session timeout: others have its partitions when it wakes up, in the middle of a commit for all it knows.
pub fn past_its_session() {
    let mut flow = Flow::start(Place::shared("zombie"), &Workload::default());
    let mut members = flow.members(2);
    flow.catches_up("at first", &mut members);
    for round in 0..rounds(2) {
        flow.some_time(700);
        let frozen = flow.dice.below(2) as usize;
        let (home, zombie) = members.swap_remove(frozen);
        zombie.freeze();
        // Alone the other can only catch up once it has everything.
        flow.catches_up(&format!("round {round}, {home} frozen"), &mut members);
        zombie.thaw();
        members.push((home, zombie));
        flow.catches_up(&format!("round {round}, thawed"), &mut members);
    }
    // It is of use again: without the other it does all the work.
    let (_, other) = members.remove(0);
    other.kill();
    flow.catches_up("the zombie alone", &mut members);
    flow.judged(members);
}

/// Longer than a transaction may last, and shorter than a session: the broker ends the transaction under the only
/// process there is, and tells it something that reads as if another had taken its place.
pub fn past_its_transaction() {
    let workload = Workload {
        // No request may last longer than the transaction.
        producer: "\"transaction.timeout.ms\" = 2000\n\"socket.timeout.ms\" = 2000",
        // The session is the engine's own, ten seconds.
        short_session: false,
        ..Workload::default()
    };
    let mut flow = Flow::start(Place::shared("timed-out"), &workload);
    let mut members = flow.members(1);
    flow.catches_up("at first", &mut members);
    let mut ended = 0;
    for round in 0..MOST_TRIES {
        frozen_within_a_transaction(&mut flow, &members[0].1);
        let (left_open, before) = (flow.open(), flow.positions());
        until_true("the broker ends it", DEADLINE, || {
            let open = flow.open();
            !left_open.iter().any(|partition| open.contains(partition))
        });
        // A commit that had been asked for just before it froze may have been granted late.
        std::thread::sleep(SETTLED);
        ended += u64::from(flow.positions() == before);
        members[0].1.thaw();
        flow.catches_up(&format!("round {round}"), &mut members);
        if ended == rounds(2) {
            break;
        }
    }
    assert_eq!(ended, rounds(2), "no transaction was ended under it");
    // There are several ways to hear of it, by chance; none is taken for the work of another process.
    let said = members[0].1.said();
    assert!(!said.contains("the producer was fenced off outlived=false"), "{said}");
    flow.judged(members);
}

/// Freezes a process at an instant at which a transaction is open for the broker, too.
fn frozen_within_a_transaction(flow: &mut Flow, engine: &Engine) {
    for _ in 0..MOST_TRIES {
        flow.some_time(300);
        engine.freeze();
        std::thread::sleep(SETTLED);
        if !flow.open().is_empty() {
            return;
        }
        engine.thaw();
    }
    panic!("no transaction was open in {MOST_TRIES} instants");
}
