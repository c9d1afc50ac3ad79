//! Several workers of one group, whose turns come in any order, who join, leave, crash, are given up and come back.

use super::outcome::{self, Outcome};
use super::random::Random;
use super::scenario::{START, Scenario, Sent};
use super::world;
use std::collections::VecDeque;
use std::sync::Arc;
use streamrun::runtime::tally::Tallies;
use streamrun::runtime::{Broken, Options, Turn, Worker};
use streamrun::time::{Clock, ManualClock};
use streamrun::transport::sim::{Cluster, Fault, Faults, Sim, When};

/// Everything that was sent has been worked off by then: before any silence counts.
const LATEST: i64 = START + 9_000;
/// When it ends: behind some ticks; where silence closes windows, behind all of those.
fn end(scenario: &Scenario) -> i64 {
    let idle = scenario.plan.sources.iter().any(|source| source.idle_after.is_some());
    START + if idle { 24 * 3_600_000 } else { 130_000 }
}

/// The workers, and what they share.
#[derive(Debug)]
pub struct Fleet<'s> {
    scenario: &'s Scenario,
    dice: Random,
    cluster: Cluster,
    clock: ManualClock,
    members: Vec<Worker<Sim>>,
    most: usize,
    broken: Broken,
    to_send: VecDeque<Sent>,
    written: usize,
    /// What workers have counted that are gone.
    counted: Tallies,
    /// Whether every count is known: one that is given up in doubt never learns what its last commit came to.
    pub countable: bool,
    pub faults: usize,
}

impl<'s> Fleet<'s> {
    /// Runs a scenario's records through a fleet.
    pub fn run(
        scenario: &'s Scenario,
        records: Vec<Sent>,
        upfront: bool,
        dice: Random,
        broken: Broken,
    ) -> Result<(Outcome, bool), String> {
        let plan = &scenario.plan;
        let mut fleet = Fleet {
            scenario,
            dice,
            cluster: world::cluster(scenario),
            clock: ManualClock::at(START),
            members: vec![],
            most: 1,
            broken,
            to_send: records.into(),
            written: 0,
            counted: Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len()),
            countable: true,
            faults: 0,
        };
        fleet.most = fleet.dice.within(1, 3) as usize;
        if upfront {
            fleet.send(usize::MAX);
        }
        fleet.disturb();
        fleet.drain()?;
        fleet.finish()
    }

    fn send(&mut self, most: usize) {
        for _ in 0..most {
            let Some(sent) = self.to_send.pop_front() else { return };
            self.written += 1;
            world::write(&self.cluster, &sent, self.written);
        }
    }

    fn join(&mut self, disturbed: bool) {
        let mut sim = world::sim(self.scenario, &self.cluster);
        let mut faults = vec![];
        for _ in 0..if disturbed { self.dice.below(120) } else { 0 } {
            let when = *self.dice.pick(&[When::Before, When::After, When::Doubt]);
            faults.push(Fault { call: self.dice.below(1200), when, for_good: self.dice.one_in(100) });
        }
        self.faults += faults.len();
        sim.faults = Faults::new(faults);
        let options = Options { commit_every: 20, ..world::options(self.scenario, self.broken) };
        let clock = Arc::new(self.clock.clone());
        self.members.push(Worker::new(self.scenario.plan.clone(), sim, clock, options));
    }

    /// The part in which anything may happen.
    fn disturb(&mut self) {
        for _ in 0..self.dice.within(50, 500) {
            if self.members.is_empty() {
                self.join(true);
            }
            let at = self.dice.below(self.members.len() as u64) as usize;
            match self.dice.below(100) {
                0..6 => {
                    let most = self.dice.within(1, 4) as usize;
                    self.send(most);
                }
                6..24 => {
                    let ms = self.dice.within(5, 80);
                    self.clock.set((self.clock.now_ms() + ms).min(LATEST - 4_000));
                }
                24..26 => self.crash(at),
                26..28 => {
                    self.cluster.expire(self.members[at].transport.member());
                    self.countable = false;
                }
                28 => self.leave(at),
                29..34 if self.members.len() < self.most => self.join(true),
                _ => {
                    for _ in 0..self.dice.within(1, 6) {
                        if self.members[at].turn().is_err() {
                            self.crash(at);
                            break;
                        }
                    }
                }
            }
        }
    }

    fn crash(&mut self, at: usize) {
        let worker = self.members.swap_remove(at);
        self.counted.add(&world::counted(&worker, &self.scenario.plan, &self.cluster));
        worker.transport.crash();
    }

    fn leave(&mut self, at: usize) {
        match self.members[at].finish() {
            Ok(()) => {
                let worker = self.members.swap_remove(at);
                self.counted.add(&worker.tallies());
            }
            Err(_) => self.crash(at),
        }
    }

    /// Everything is worked off, without further disturbance.
    fn drain(&mut self) -> Result<(), String> {
        self.send(usize::MAX);
        if self.members.is_empty() {
            self.join(false);
        }
        self.members.iter_mut().for_each(|worker| worker.transport.faults = Faults::default());
        self.settle()?;
        while self.members.iter().any(|worker| worker.is_dirty() || !worker.is_ready()) {
            let now = self.clock.now_ms() + 100;
            if now > LATEST {
                return Err("the fleet never gets through".to_owned());
            }
            self.clock.set(now);
            self.settle()?;
        }
        Ok(())
    }

    /// Turns in turn, until nobody has anything to do.
    fn settle(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..20_000 {
            let mut idle = true;
            for worker in &mut self.members {
                let turn = worker.turn().map_err(|error| format!("a worker stops: {error}"))?;
                idle &= turn == Turn::Idle;
            }
            quiet = if idle { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(());
            }
        }
        Err("the fleet does not come to rest".to_owned())
    }

    fn finish(mut self) -> Result<(Outcome, bool), String> {
        let end = end(self.scenario);
        while self.clock.now_ms() < end {
            let now = self.clock.now_ms();
            let wakes = self.members.iter().filter_map(Worker::wakes_at).filter(|at| *at > now).min();
            self.clock.set(wakes.map_or(end, |at| at.min(end)));
            self.settle()?;
        }
        self.clock.set(end + 1000);
        self.settle()?;
        let plan = self.scenario.plan.clone();
        let tasks = self.members.iter().flat_map(|worker| worker.running().map(|(_, task)| task));
        let tables = outcome::tables(&plan, tasks);
        while !self.members.is_empty() {
            self.crash(0);
        }
        if !self.counted.adds_up() {
            return Err(format!("the counts do not add up: {:#?}", self.counted));
        }
        let restored = world::read_back(self.scenario, &self.cluster, &self.clock)?;
        let topics = outcome::topics(&plan, &self.cluster);
        Ok((Outcome { topics, tables, restored, tallies: self.counted, calls: 0 }, self.countable))
    }
}

/// The same records through one worker that nothing happens to.
pub fn undisturbed(scenario: &Scenario, records: Vec<Sent>) -> Result<Outcome, String> {
    in_batches(scenario, records, 1000)
}

/// The same in batches of so many.
pub fn in_batches(scenario: &Scenario, records: Vec<Sent>, of: usize) -> Result<Outcome, String> {
    let mut calm = scenario.clone().batch(of);
    calm.acts = records.into_iter().map(super::Act::Send).collect();
    calm = calm.settle().wait(end(scenario) - START);
    world::World::run(&calm, vec![], Broken::Nothing)
}
