//! SIGKILL of one to three processes at any instant.

use super::Flow;
use super::flow::Member;
use crate::support::engine::DEADLINE;
use crate::support::random::rounds;
use crate::support::{Place, reader, until};
use crate::verify::expected::Expected;
use crate::verify::{self, Logs};
use crate::workload::{PARTITIONS, Protocol, Workload};
use std::collections::{BTreeMap, BTreeSet};

pub fn exactly_once() {
    let flow = Flow::start(Place::shared("killed"), &Workload::default());
    let (flow, members) = kills(flow, 3, rounds(6), 1_500);
    flow.judged(members);
}

/// Two threads a process: two members with one identity between them.
pub fn with_two_workers() {
    let workload = Workload { workers: 2, ..Workload::default() };
    let flow = Flow::start(Place::shared("killed-two"), &workload);
    let (flow, members) = kills(flow, 2, rounds(4), 1_500);
    flow.judged(members);
}

/// There a dead member is missed for as long as the broker says.
pub fn with_the_consumer_protocol() {
    let workload = Workload { protocol: Protocol::Consumer, ..Workload::default() };
    let flow = Flow::start(Place::shared("killed-consumer"), &workload);
    let (flow, members) = kills(flow, 2, rounds(3), 1_500);
    flow.judged(members);
}

/// At least once: nothing is lost, and what is repeated had not been committed when its process was killed.
pub fn at_least_once() {
    // What is written to a repartition twice is counted twice behind it.
    let workload = Workload { exactly_once: false, regrouped: false, ..Workload::default() };
    let mut flow = Flow::start(Place::shared("killed-least"), &workload);
    let mut members = flow.members(1);
    flow.catches_up("at first", &mut members);
    let mut kills = vec![];
    for round in 0..rounds(4) {
        flow.some_time(1_500);
        let (home, engine) = members.remove(0);
        engine.kill();
        kills.push((fresh_positions(&flow), flow.ends()));
        members.push(flow.member(&home));
        flow.catches_up(&format!("round {round}"), &mut members);
    }
    let (place, logs) = flow.ended(members);
    let faults = [
        repeats(&logs, &kills, workload.rate),
        verify::positions(&logs.samples),
        verify::hanging(&logs.ends),
    ]
    .concat();
    assert!(faults.is_empty(), "{}: {}", place.name, faults.join("\n"));
}

/// What was committed when a process was killed, and where the input ended.
type Kill = (Vec<Option<i64>>, Vec<i64>);

/// The positions now: nobody is there to change them.
fn fresh_positions(flow: &Flow) -> Vec<Option<i64>> {
    let place = &flow.place;
    let consumer = reader::consumer(place.cluster.bootstrap(), "read_committed", Some(&place.name));
    until("positions", DEADLINE, || reader::committed(&consumer, &place.topic("in"), PARTITIONS))
}

/// Each id is there, and once more at most for each kill that found it between what was committed and the end. All in
/// all no more are repeated than come within ten intervals of commits for each kill.
fn repeats(logs: &Logs, kills: &[Kill], rate: u64) -> Vec<String> {
    let mut times: BTreeMap<i64, u64> = BTreeMap::new();
    logs.counted.iter().filter_map(|found| found.json()["id"].as_i64()).for_each(|id| {
        *times.entry(id).or_default() += 1;
    });
    let wanted = Expected::of(&logs.input);
    let wanted: BTreeSet<i64> = wanted.per_key.into_values().flatten().collect();
    let (mut faults, mut repeated) = (vec![], 0);
    for found in &logs.input {
        let Some(id) = found.json()["id"].as_i64().filter(|id| wanted.contains(id)) else { continue };
        let times = times.remove(&id).unwrap_or(0);
        let partition = found.partition as usize;
        let open = |(from, to): &&Kill| (from[partition].unwrap_or(0)..to[partition]).contains(&found.offset);
        let most = 1 + kills.iter().filter(open).count() as u64;
        repeated += times.saturating_sub(1);
        if !(1..=most).contains(&times) {
            faults.push(format!("{id} is there {times} times, from 1 to {most} may be"));
        }
    }
    faults.extend(times.keys().map(|id| format!("nobody sent {id}")));
    let most = kills.len() as u64 * rate;
    if repeated > most {
        faults.push(format!("{repeated} records are repeated, more than {most}"));
    }
    faults.truncate(5);
    println!("{} kills, {repeated} of {} records repeated", kills.len(), logs.input.len());
    faults
}

fn kills(mut flow: Flow, processes: usize, rounds: u64, most_ms: u64) -> (Flow, Vec<Member>) {
    let mut members = flow.members(processes);
    flow.catches_up("at first", &mut members);
    for round in 0..rounds {
        flow.some_time(most_ms);
        let victims = 1 + flow.dice.below(processes as u64) as usize;
        let mut homes = vec![];
        for _ in 0..victims {
            let (home, engine) = members.swap_remove(flow.dice.below(members.len() as u64) as usize);
            engine.kill();
            homes.push(home);
        }
        members.extend(homes.iter().map(|home| flow.member(home)));
        // Every other time they are killed again before they have settled.
        if round % 2 == 1 {
            flow.catches_up(&format!("round {round}, {victims} killed"), &mut members);
        }
    }
    (flow, members)
}
