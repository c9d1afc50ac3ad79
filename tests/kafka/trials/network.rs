//! A network that fails between one process and its broker, while another process has a sound one.

use super::Flow;
use super::flow::Member;
use crate::support::engine::{DEADLINE, Start};
use crate::support::proxy::{Api, Proxy};
use crate::support::random::rounds;
use crate::support::{Engine, Place, until};
use crate::workload::{Workload, session_ms};
use std::sync::Arc;
use std::time::Duration;

/// Every connection ends, in the middle of whatever it carries.
pub fn cut() {
    harmed("cut", rounds(6), |flow, proxy, _| {
        flow.some_time(800);
        proxy.cut();
    });
}

/// Everything takes longer, now a little and now a lot.
pub fn delayed() {
    harmed("delayed", rounds(3), |flow, proxy, _| {
        proxy.delay(Duration::from_millis(5 + flow.dice.below(150)));
        flow.some_time(4_000);
        proxy.delay(Duration::ZERO);
    });
}

/// Nothing comes through any more, and nobody says so; every other time for longer than the session lasts.
pub fn swallowed_whole() {
    harmed("hole", rounds(3), |flow, proxy, round| {
        flow.some_time(500);
        proxy.hole(true);
        let long = if round % 2 == 1 { session_ms() * 2 } else { 500 };
        std::thread::sleep(Duration::from_millis(long));
        proxy.hole(false);
    });
}

/// The commit was made, and nobody learns of it at first: the client asks again.
pub fn reply_of_the_commit_lost() {
    replies_lost("end-txn", Api::EndTxn);
}

/// The commit was made, and nobody learns of it for as long as it is tried: what is committed then decides.
pub fn no_reply_of_the_commit() {
    let (cluster, proxy) = Proxy::start();
    let workload = Workload { producer: "\"transaction.timeout.ms\" = 3000", ..Workload::default() };
    let mut flow = Flow::start(Place::on(Arc::new(cluster), "doubt"), &workload);
    let mut members = vec![behind(&flow, &proxy)];
    flow.catches_up("at first", &mut members);
    for round in 0..rounds(2) {
        flow.some_time(500);
        let decided =
            || members[0].1.said().matches("a commit was in doubt decided=Happened").count() as u64 > round;
        assert!(!decided(), "it is no trial");
        proxy.swallow(Api::EndTxn, u32::MAX);
        until("a commit in doubt that happened", DEADLINE, || decided().then_some(()));
        proxy.swallow(Api::EndTxn, 0);
        flow.catches_up(&format!("round {round}"), &mut members);
    }
    flow.judged(members);
}

pub fn reply_of_the_offsets_lost() {
    replies_lost("offsets", Api::TxnOffsetCommit);
}

pub fn reply_of_a_write_lost() {
    replies_lost("produce", Api::Produce);
}

fn replies_lost(what: &str, api: Api) {
    harmed(what, rounds(3), move |flow, proxy, round| {
        flow.some_time(500);
        let before = proxy.swallowed().0;
        proxy.swallow(api, 1 + (round % 3) as u32);
        let lost = || (proxy.swallowed().1 == 0).then_some(proxy.swallowed().0 - before);
        let lost = until(&format!("replies of {api:?} to swallow"), DEADLINE, lost);
        println!("{lost} replies of {api:?} lost");
    });
}

/// A process that knows its broker by a proxy alone.
fn behind(flow: &Flow, proxy: &Proxy) -> Member {
    let start = Start { home: "a", brokers: Some(proxy.address()), flags: "" };
    ("a".to_owned(), Engine::start_as(&flow.place, &start))
}

/// One process behind a proxy, and in every second round another that has its connections for itself.
fn harmed(what: &str, rounds: u64, mut harm: impl FnMut(&mut Flow, &Proxy, u64)) {
    let (cluster, proxy) = Proxy::start();
    let mut flow = Flow::start(Place::on(Arc::new(cluster), what), &Workload::default());
    let mut members = vec![behind(&flow, &proxy)];
    flow.catches_up("at first", &mut members);
    for round in 0..rounds {
        if round == rounds / 2 {
            members.push(flow.member("b"));
            flow.catches_up("with another", &mut members);
        }
        harm(&mut flow, &proxy, round);
        flow.catches_up(&format!("round {round}"), &mut members);
    }
    flow.judged(members);
}
