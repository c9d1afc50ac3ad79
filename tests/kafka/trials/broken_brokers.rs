//! Brokers that die, hang and come back.

use super::Flow;
use super::flow::Member;
use crate::support::engine::DEADLINE;
use crate::support::random::{rounds, setting};
use crate::support::{Cluster, Engine, Place, until};
use crate::workload::Workload;
use rdkafka::consumer::Consumer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a broker is lost, in seconds, and by `STREAMRUN_OUTAGE`.
const OUTAGE: u64 = 15;
/// As the brokers of these tests have it.
const OFFSETS_PARTITIONS: i32 = 4;

/// The only broker is killed, and comes back.
pub fn killed_and_restarted() {
    let cluster = Arc::new(Cluster::start_mortal());
    let mut flow = Flow::start(Place::on(cluster.clone(), "broker-killed"), &Workload::default());
    let mut members = flow.members(2);
    flow.catches_up("at first", &mut members);
    for round in 0..rounds(2) {
        flow.some_time(1_000);
        cluster.kill9(1);
        flow.some_time(2_000);
        cluster.restart(1);
        flow.catches_up(&format!("round {round}"), &mut members);
    }
    flow.judged(members);
}

/// The only broker hangs for longer than a client's session and a transaction may last.
pub fn hung() {
    let cluster = Arc::new(Cluster::start(1));
    let workload = Workload {
        producer: "\"transaction.timeout.ms\" = 3000\n\"socket.timeout.ms\" = 3000",
        ..Workload::default()
    };
    let mut flow = Flow::start(Place::on(cluster.clone(), "broker-hung"), &workload);
    let mut members = flow.members(2);
    flow.catches_up("at first", &mut members);
    for round in 0..rounds(2) {
        flow.some_time(1_000);
        cluster.pause(1);
        std::thread::sleep(Duration::from_secs(5));
        cluster.resume(1);
        flow.catches_up(&format!("round {round}"), &mut members);
    }
    flow.judged(members);
}

/// One of three is lost for a while, and it is the group's coordinator: a call that waits for it must not wait for
/// ever. Work goes on without it.
pub fn the_coordinator_of_three_lost() {
    let cluster = Arc::new(Cluster::start(3));
    let outage = Duration::from_secs(setting("STREAMRUN_OUTAGE").unwrap_or(OUTAGE));
    // Three brokers on one machine keep three copies of everything, and what they say may take as long as a short session
    // lasts. No process is lost here, so nobody has to wait for the end of one.
    let workload = Workload { rate: 500, short_session: false, ..Workload::default() };
    let mut flow = Flow::start(Place::on(cluster.clone(), "coordinator"), &workload);
    let mut members = flow.members(2);
    flow.catches_up("at first", &mut members);
    for round in 0..rounds(2) {
        let lost = coordinator(&flow);
        flow.some_time(500);
        cluster.kill9(lost);
        let since = Instant::now();
        let took = survives(&flow, &format!("round {round}, broker {lost} lost"), &mut members);
        println!("broker {lost} lost: everything again after {took:.1?}");
        until("the outage's end", outage + DEADLINE, || (since.elapsed() >= outage).then_some(()));
        cluster.restart(lost);
        survives(&flow, &format!("round {round}, broker {lost} back"), &mut members);
    }
    flow.judged(members);
}

/// Asked to end while there is no broker, a process does not wait for one for long, and says so. What it had in hand is
/// done again. One that the broker left between two commits has nothing in hand, and ends in peace: that is tried again.
pub fn terminated_without_one() {
    let cluster = Arc::new(Cluster::start_mortal());
    let flow = Flow::start(Place::on(cluster.clone(), "broker-gone"), &Workload::default());
    let mut members = flow.members(1);
    let (rounds, mut in_hand, mut in_peace) = (rounds(2), 0, 0);
    while in_hand < rounds {
        // Whoever is there now works, on what has come since the last one went.
        let before = flow.ends();
        until("more of the input", DEADLINE, || {
            flow.ends().iter().zip(&before).all(|(now, before)| now > before).then_some(())
        });
        flow.catches_up(&format!("round {in_hand}, {in_peace} in peace"), &mut members);
        cluster.kill9(1);
        // At once, or in the middle of an attempt.
        std::thread::sleep(Duration::from_secs(in_hand));
        let (home, engine) = members.remove(0);
        let ended = engine.terminated();
        if ended.code == Some(0) {
            in_peace += 1;
            println!("nothing was in hand as the broker went: {in_peace}");
            let said = ended.said;
            let (_, end) = said.rsplit_once("ending: what is at hand").expect("it says that it ends");
            assert!(!end.contains("recovering"), "something was in hand: {end}");
            assert!(in_peace <= 3 * rounds, "never anything in hand: {said}");
        } else {
            let said = ended.with(1);
            let last = said.lines().rev().take(2).collect::<Vec<_>>().join("\n");
            assert!(last.contains("what was committed is safe") && last.contains("error: "), "{last}");
            in_hand += 1;
        }
        cluster.restart(1);
        members.push(flow.member(&home));
    }
    flow.judged(members);
}

/// Waits until all that was sent is processed. A process may end itself on the way, because a call of its client
/// never came back: that is no harm where somebody starts it again, as happens here.
fn survives(flow: &Flow, when: &str, members: &mut [Member]) -> Duration {
    let (ends, since, mut ended) = (flow.ends(), Instant::now(), 0);
    until(when, DEADLINE, || {
        for (home, engine) in members.iter_mut() {
            let Some(over) = engine.is_over() else { continue };
            let hung = engine.said().contains("does not end: the Kafka client hangs in it");
            assert!(over.code() == Some(1) && hung, "{when}: {home}, {over}\n{}", engine.last_words());
            ended += 1;
            println!("{when}: {home} ended itself and is started again\n{}", engine.last_words());
            assert!(ended < 5, "{when}: it does nothing else");
            *engine = Engine::start(&flow.place, home);
        }
        let positions = flow.positions()?;
        positions.iter().zip(&ends).all(|(at, end)| at.unwrap_or(0) >= *end).then_some(())
    });
    since.elapsed()
}

/// Which broker coordinates the flow's group: the leader of its partition of the topic of offsets.
fn coordinator(flow: &Flow) -> i32 {
    let hash =
        flow.place.name.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
    let partition = (hash & i32::MAX) % OFFSETS_PARTITIONS;
    let consumer = crate::support::reader::consumer(flow.place.cluster.bootstrap(), "read_committed", None);
    until("the group's coordinator", DEADLINE, || {
        let found = consumer.fetch_metadata(Some("__consumer_offsets"), Duration::from_secs(5)).ok()?;
        let parts = found.topics().first()?.partitions();
        parts.iter().find(|part| part.id() == partition).map(|part| part.leader()).filter(|id| *id > 0)
    })
}
