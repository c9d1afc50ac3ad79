//! Two processes that both believe to be the same one.

use super::Flow;
use super::flow::Member;
use crate::support::engine::{DEADLINE, Start};
use crate::support::{Engine, Place, until};
use crate::workload::Workload;

/// Exactly one goes on. The other ends and says why, and all that comes out is as if it had never been.
pub fn one_goes_on() {
    let flow = Flow::start(Place::shared("twins"), &Workload::default());
    let mut members = vec![twin(&flow, "a")];
    flow.catches_up("the first", &mut members);
    members.push(twin(&flow, "b"));
    settled(flow, members);
}

/// A pod that was given up and started elsewhere, while it only stood still.
pub fn a_frozen_one_and_its_successor() {
    let flow = Flow::start(Place::shared("successor"), &Workload::default());
    let mut members = vec![twin(&flow, "a")];
    flow.catches_up("the first", &mut members);
    let frozen = members.remove(0);
    frozen.1.freeze();
    members.push(twin(&flow, "b"));
    flow.catches_up("the successor", &mut members);
    frozen.1.thaw();
    members.push(frozen);
    settled(flow, members);
}

fn twin(flow: &Flow, home: &str) -> Member {
    let start = Start { home, flags: "--instance same", ..Start::default() };
    (home.to_owned(), Engine::start_as(&flow.place, &start))
}

/// Waits until one has ended, and judges what the other makes of it.
fn settled(flow: Flow, mut members: Vec<Member>) {
    let ended = until("the end of one of the two", DEADLINE, || {
        members.iter_mut().position(|(_, engine)| engine.is_over().is_some())
    });
    let (home, engine) = members.remove(ended);
    let said = engine.ended(DEADLINE).with(1);
    println!("`{home}` ended: {}", said.lines().last().unwrap_or_default());
    let explained = ["another process", "identity", "--instance"].iter().all(|words| said.contains(words));
    assert!(explained, "it says what happened, and what to do:\n{said}");
    flow.catches_up("the one that is left", &mut members);
    // The last run has the identity of its folder, not this one.
    let (_, left) = members.remove(0);
    left.terminated().in_peace();
    let next = vec![flow.member("c")];
    flow.judged(next);
}
