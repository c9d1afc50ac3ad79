//! Processes that stand still for a while and go on as if nothing had been: true zombies.

use super::Flow;
use crate::support::Place;
use crate::support::random::rounds;
use crate::workload::Workload;
use std::time::Duration;

/// Not every instant is one in which a transaction is open, and the broker may be told of its end in time.
const MOST_MISSES: u64 = 6;

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
    let mut was_ended = false;
    for round in 0..rounds(2) * MOST_MISSES {
        flow.some_time(300);
        members[0].1.freeze();
        std::thread::sleep(Duration::from_millis(4_500));
        members[0].1.thaw();
        flow.catches_up(&format!("round {round}"), &mut members);
        was_ended |= members[0].1.said().contains("the producer was fenced off outlived=true");
        if was_ended && round + 1 >= rounds(2) {
            break;
        }
    }
    assert!(was_ended, "no transaction was ended under it");
    flow.judged(members);
}
