//! A scenario being run: one worker at a time, and a fresh one wherever the last one stopped.

use super::outcome::{self, Outcome};
use super::scenario::{Act, START, Scenario, Sent};
use std::sync::Arc;
use streamrun::plan::Plan;
use streamrun::runtime::tally::Tallies;
use streamrun::runtime::{Broken, Options, Stopped, Task, Turn, Worker};
use streamrun::time::{Clock, ManualClock};
use streamrun::transport::Limits;
use streamrun::transport::sim::{Cluster, Entry, Fault, Faults, Sim};

/// More turns than this without an end is a fault of the engine's.
const MOST_TURNS: usize = 100_000;

/// A scenario being run.
#[derive(Debug)]
pub struct World<'s> {
    pub scenario: &'s Scenario,
    pub cluster: Cluster,
    pub clock: ManualClock,
    worker: Option<Worker<Sim>>,
    /// The faults of this worker and of the ones behind it.
    faults: Vec<Vec<Fault>>,
    broken: Broken,
    counted: Tallies,
    calls: u64,
    workers: usize,
    /// Records that have been sent.
    written: usize,
}

impl<'s> World<'s> {
    pub fn new(scenario: &'s Scenario, faults: Vec<Vec<Fault>>, broken: Broken) -> Self {
        let plan = &scenario.plan;
        World {
            scenario,
            cluster: cluster(scenario),
            clock: ManualClock::at(START),
            worker: None,
            faults: faults.into_iter().rev().collect(),
            broken,
            counted: Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len()),
            calls: 0,
            workers: 0,
            written: 0,
        }
    }

    /// Runs a scenario from its start to its end.
    pub fn run(scenario: &'s Scenario, faults: Vec<Vec<Fault>>, broken: Broken) -> Result<Outcome, String> {
        let mut world = World::new(scenario, faults, broken);
        for act in &scenario.acts {
            world.act(act)?;
        }
        world.finish()
    }

    pub fn act(&mut self, act: &Act) -> Result<(), String> {
        match act {
            Act::Send(sent) => {
                self.written += 1;
                write(&self.cluster, sent, self.written);
                Ok(())
            }
            Act::Settle => self.settle(),
            Act::Wait(ms) => self.wait(*ms),
            Act::Commit => self.worker().commit_now().map_err(|error| error.to_string()),
            Act::Clock(ms) => {
                self.clock.advance(*ms);
                Ok(())
            }
            Act::Turns(turns) => {
                let mut turn = || self.worker().turn().map_err(|error| error.to_string());
                (0..*turns).try_for_each(|_| turn().map(|_| ()))
            }
        }
    }

    /// The tasks that run.
    pub fn running(&self) -> impl Iterator<Item = &Task> {
        self.worker.iter().flat_map(|worker| worker.running().map(|(_, task)| task))
    }

    fn worker(&mut self) -> &mut Worker<Sim> {
        let World { scenario, cluster, clock, worker, faults, broken, workers, .. } = self;
        worker.get_or_insert_with(|| {
            *workers += 1;
            let mut sim = sim(scenario, cluster);
            sim.faults = Faults::new(faults.pop().unwrap_or_default());
            Worker::new(scenario.plan.clone(), sim, Arc::new(clock.clone()), options(scenario, *broken))
        })
    }

    /// Works until there is nothing left to do; whoever stops is replaced.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MOST_TURNS {
            match self.worker().turn() {
                Ok(Turn::Idle) => return Ok(()),
                Ok(_) => {}
                Err(_) => self.replace()?,
            }
        }
        Err("the engine does not come to rest".to_owned())
    }

    /// What the worker says that stops; none comes back in its place until it is needed.
    pub fn stops(&mut self) -> Option<String> {
        let error = settle(self.worker()).err()?;
        self.worker.take()?.transport.crash();
        Some(error.to_string())
    }

    fn replace(&mut self) -> Result<(), String> {
        if self.workers > 20 {
            return Err("every worker stops".to_owned());
        }
        if let Some(worker) = self.worker.take() {
            self.calls += worker.transport.faults.calls();
            self.counted.add(&counted(&worker, &self.scenario.plan, &self.cluster));
            worker.transport.crash();
        }
        Ok(())
    }

    fn wait(&mut self, ms: i64) -> Result<(), String> {
        self.settle()?;
        let until = self.clock.now_ms() + ms;
        while self.clock.now_ms() < until {
            let now = self.clock.now_ms();
            let wakes = self.worker().wakes_at().filter(|at| *at > now);
            self.clock.set(wakes.map_or(until, |at| at.min(until)));
            self.settle()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, String> {
        // What is committed may be what a repartition has yet to bring, and a worker that has just come has something
        // to say to it.
        for _ in 0..10 {
            self.wait(1000)?;
            self.settle()?;
            if !self.worker().is_dirty() {
                break;
            }
        }
        let plan = self.scenario.plan.clone();
        let worker = self.worker();
        assert!(!worker.is_dirty(), "everything is committed at the end");
        let tables = outcome::tables(&plan, worker.running().map(|(_, task)| task));
        self.replace()?;
        if !self.counted.adds_up() {
            return Err(format!("the counts do not add up: {:#?}", self.counted));
        }
        let restored = read_back(self.scenario, &self.cluster, &self.clock)?;
        let topics = outcome::topics(&plan, &self.cluster);
        Ok(Outcome { topics, tables, restored, tallies: self.counted, calls: self.calls })
    }
}

/// Writes a record to an input, the n-th of all. Every third one is followed by one that is taken back: it is never seen,
/// and neither is the end of its transaction, but both have offsets.
pub fn write(cluster: &Cluster, sent: &Sent, nth: usize) {
    let (key, value) = (sent.key.clone(), sent.value.clone());
    let entry = Entry {
        timestamp: sent.timestamp,
        key: key.map(String::into_bytes),
        value: value.map(String::into_bytes),
        headers: vec![],
    };
    cluster.write(&sent.topic, sent.partition, entry.clone()).expect("the topic is there");
    if nth.is_multiple_of(3) {
        let transaction = cluster.id();
        cluster.write_open(transaction, &sent.topic, sent.partition, entry);
        cluster.end(transaction, None);
    }
}

/// The tables as a worker finds them that knows nothing but what is on the cluster.
pub fn read_back(scenario: &Scenario, cluster: &Cluster, clock: &ManualClock) -> Result<Vec<String>, String> {
    let (sim, options) = (sim(scenario, cluster), options(scenario, Broken::Nothing));
    let mut worker = Worker::new(scenario.plan.clone(), sim, Arc::new(clock.clone()), options);
    for _ in 0..MOST_TURNS {
        if worker.turn().map_err(|error| error.to_string())? == Turn::Idle {
            return Ok(outcome::tables(&scenario.plan, worker.running().map(|(_, task)| task)));
        }
    }
    Err("the tables cannot be read back".to_owned())
}

/// What a worker that stops has counted, as far as it is permanent. It may have stopped without knowing whether its
/// last commit was.
pub fn counted(worker: &Worker<Sim>, plan: &Plan, cluster: &Cluster) -> Tallies {
    let in_doubt = worker.in_doubt();
    let happened = in_doubt.iter().all(|position| {
        let topic = &plan.topics.get(position.partition.topic).name;
        let found = cluster.committed(topic, position.partition.index);
        found == Some((position.offset, position.metadata.clone()))
    });
    if in_doubt.is_empty() || !happened { worker.tallies() } else { worker.tallies_so_far() }
}

/// A cluster with the topics of a scenario.
pub fn cluster(scenario: &Scenario) -> Cluster {
    let (cluster, topics) = (Cluster::default(), scenario.plan.topics.all());
    topics.iter().for_each(|topic| cluster.create(&topic.name, scenario.partitions_of(&topic.name)));
    cluster
}

/// A worker that knows nothing, at the start of time.
pub fn worker(scenario: &Scenario, cluster: &Cluster) -> Worker<Sim> {
    let (clock, options) = (Arc::new(ManualClock::at(START)), options(scenario, Broken::Nothing));
    Worker::new(scenario.plan.clone(), sim(scenario, cluster), clock, options)
}

/// Turns until there is nothing left to do, or the worker stops.
pub fn settle(worker: &mut Worker<Sim>) -> Result<(), Stopped> {
    for _ in 0..MOST_TURNS {
        if worker.turn()? == Turn::Idle {
            return Ok(());
        }
    }
    panic!("the engine does not come to rest");
}

pub fn sim(scenario: &Scenario, cluster: &Cluster) -> Sim {
    Sim::new(cluster.clone(), scenario.plan.topics.all().iter().map(|t| t.name.clone()).collect())
}

pub fn options(scenario: &Scenario, broken: Broken) -> Options {
    let limits = Limits { records: scenario.batch, bytes: usize::MAX };
    Options { limits, commit_every: 100, broken, ..Options::default() }
}
