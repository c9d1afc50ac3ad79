//! Processes that come and go, as they are meant to: asked to end at any instant, added and removed all the time.

use super::Flow;
use crate::support::Place;
use crate::support::random::rounds;
use crate::workload::{Protocol, Workload};

/// SIGTERM while it starts, joins, restores, or commits: it ends in peace within its time.
pub fn terminated_at_any_instant() {
    let mut flow = Flow::start(Place::shared("terminated"), &Workload::default());
    let mut members = flow.members(1);
    flow.catches_up("at first", &mut members);
    let (mut slowest, rounds) = (0, rounds(10));
    for round in 0..rounds {
        let (home, engine) = members.remove(0);
        let since = std::time::Instant::now();
        engine.terminated().in_peace();
        slowest = slowest.max(since.elapsed().as_millis());
        if round % 3 == 2 {
            // With no snapshot to begin from, it restores from the changelogs alone.
            let _ = std::fs::remove_dir_all(
                flow.place.path().join(format!("state-{home}")).join(&flow.place.name),
            );
        }
        members.push(flow.member(&home));
        // From hardly started to well under way.
        flow.some_time(if round % 2 == 0 { 300 } else { 2_000 });
    }
    println!("{rounds} ends, the slowest within {slowest} ms");
    flow.catches_up("behind all ends", &mut members);
    flow.judged(members);
}

pub fn come_and_go() {
    coming_and_going(Flow::start(Place::shared("members"), &Workload::default()), rounds(8));
}

pub fn come_and_go_with_the_consumer_protocol() {
    let workload = Workload { protocol: Protocol::Consumer, ..Workload::default() };
    coming_and_going(Flow::start(Place::shared("members-consumer"), &workload), rounds(8));
}

/// Every second or so one more, or one less; sometimes it is killed instead.
fn coming_and_going(mut flow: Flow, rounds: u64) {
    let homes = ["a", "b", "c", "d"];
    let mut members = flow.members(2);
    flow.catches_up("at first", &mut members);
    for _ in 0..rounds {
        flow.some_time(2_000);
        let away: Vec<&str> =
            homes.into_iter().filter(|home| members.iter().all(|(h, _)| h != home)).collect();
        let grow = members.len() == 1 || !away.is_empty() && flow.dice.one_in(2);
        if grow {
            let home = away[flow.dice.below(away.len() as u64) as usize];
            members.push(flow.member(home));
        } else {
            let (_, engine) = members.swap_remove(flow.dice.below(members.len() as u64) as usize);
            match flow.dice.one_in(4) {
                true => engine.kill(),
                false => engine.terminated().in_peace(),
            }
        }
    }
    flow.catches_up("behind all changes", &mut members);
    flow.judged(members);
}
