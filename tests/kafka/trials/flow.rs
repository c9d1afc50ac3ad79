//! Input that flows while a trial goes on, and the verdict at its end.

use crate::support::engine::{DEADLINE, Start};
use crate::support::random::seed;
use crate::support::reader::Reader;
use crate::support::{Engine, Place, Random, until};
use crate::verify::{self, Logs, expected::Expected};
use crate::workload::feed::Feed;
use crate::workload::sampler::{Sample, Sampler};
use crate::workload::{PARTITIONS, Workload};
use std::time::{Duration, Instant};

/// A process with the name of its home.
pub type Member = (String, Engine);

/// A pipeline that records flow into.
pub struct Flow {
    pub place: Place,
    pub dice: Random,
    reader: Reader,
    feed: Feed,
    sampler: Sampler,
    since: Instant,
}

impl Flow {
    /// Makes topics and pipeline, and lets records flow.
    pub fn start(place: Place, workload: &Workload) -> Self {
        let seed = seed();
        println!("{}: STREAMRUN_SEED={seed}", place.name);
        workload.prepare(&place);
        let (bootstrap, input) = (place.cluster.bootstrap().to_owned(), place.topic("in"));
        let flow = Flow {
            dice: Random::new(seed),
            reader: place.reader(),
            feed: Feed::start(&bootstrap, &input, seed, workload.rate),
            sampler: Sampler::start(&bootstrap, &place.name, &input),
            since: Instant::now(),
            place,
        };
        // Whoever has nothing to read has caught up before it has begun.
        until("records in each partition", DEADLINE, || flow.ends().iter().all(|end| *end > 0).then_some(()));
        flow
    }

    /// Starts a process, or starts it again.
    pub fn member(&self, home: &str) -> Member {
        (home.to_owned(), Engine::start(&self.place, home))
    }

    /// Starts so many.
    pub fn members(&self, many: usize) -> Vec<Member> {
        ["a", "b", "c", "d", "e", "f"].iter().take(many).map(|home| self.member(home)).collect()
    }

    /// Lets chance pick an instant: what happens then is to be anything.
    pub fn some_time(&mut self, most_ms: u64) {
        std::thread::sleep(Duration::from_millis(self.dice.below(most_ms)));
    }

    /// How far the outputs reach that are committed by now.
    pub fn written(&self) -> i64 {
        self.reader.ends(&self.place.topic("counted")).iter().map(|(committed, _)| committed).sum()
    }

    /// How far they may reach once what is open is taken back: each partition then has a marker that says so.
    pub fn may_be_written(&self) -> i64 {
        self.reader.ends(&self.place.topic("counted")).iter().map(|(_, all)| all + 1).sum()
    }

    /// The partitions of outputs in which a transaction is open.
    pub fn open(&self) -> Vec<(&'static str, usize)> {
        let topics = ["counted", "windows", "sorted", "sort-windows", "dead"];
        let open = |topic| {
            let ends = self.reader.ends(&self.place.topic(topic));
            let open = ends.into_iter().enumerate().filter(|(_, (committed, all))| committed < all);
            open.map(move |(partition, _)| (topic, partition))
        };
        topics.into_iter().flat_map(open).collect()
    }

    /// What is committed at the moment, for each partition.
    pub fn positions(&self) -> Option<Sample> {
        self.sampler.last()
    }

    /// Where the input ends now.
    pub fn ends(&self) -> Vec<i64> {
        self.reader.ends(&self.place.topic("in")).into_iter().map(|(_, end)| end).collect()
    }

    /// Waits until all that has been sent by now is committed as read: in every partition, whoever has it. Processes
    /// that are there stay there.
    pub fn catches_up(&self, when: &str, members: &mut [Member]) -> Duration {
        let (ends, since) = (self.ends(), Instant::now());
        let behind = |at: &Sample| (0..PARTITIONS as usize).any(|p| at[p].unwrap_or(0) < ends[p]);
        while self.positions().is_none_or(|positions| behind(&positions)) {
            for (home, engine) in members.iter_mut() {
                engine.is_alive(&format!("{when}: {home}"));
            }
            if since.elapsed() > DEADLINE {
                let words: Vec<String> = members.iter().map(|(_, engine)| engine.last_words()).collect();
                let at = self.positions();
                panic!("{when}: from {at:?} not to {ends:?} within {DEADLINE:?}\n{}", words.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        since.elapsed()
    }

    /// Ends all processes but one, waits until that has everything, closes the windows in a last run, and judges.
    pub fn judged(self, members: Vec<Member>) {
        let (place, logs) = self.ended(members);
        let faults = verify::faults(&logs);
        assert!(faults.is_empty(), "{}: {}", place.name, faults.join("\n"));
    }

    /// The same without the verdict; what is left, and the place, which keeps what was said until there is one.
    pub fn ended(self, mut members: Vec<Member>) -> (Place, Logs) {
        for (_, engine) in members.drain(1..) {
            engine.terminated().in_peace();
        }
        // Whoever is left alone gets the partitions of those who went, and of those who were killed long ago.
        self.catches_up("in the end", &mut members);
        let sent = self.feed.stop();
        let (home, engine) = members.pop().expect("one is left");
        engine.terminated().in_peace();
        let flags = "--until-end --close-windows";
        let last = Engine::start_as(&self.place, &Start { home: &home, flags, ..Start::default() });
        last.ended(DEADLINE).with(0);
        let samples = closing_sample(self.sampler, &self.place);
        let logs = Logs::read(&self.place, samples);
        let (took, expected) = (self.since.elapsed(), Expected::of(&logs.input));
        let again = logs.input.len() as i64 - sent;
        println!(
            "{}: {sent} records sent, {again:+} in the input, within {took:.1?}; {} dead, {} late, {} windows, {} samples of positions",
            self.place.name,
            expected.dead.len(),
            expected.late,
            expected.windows.len(),
            logs.samples.len()
        );
        (self.place, logs)
    }
}

/// Waits for a sample that was begun after everybody had ended.
fn closing_sample(sampler: Sampler, place: &Place) -> Vec<Sample> {
    let mut samples = sampler.stop();
    let last = Sampler::start(place.cluster.bootstrap(), &place.name, &place.topic("in"));
    until("the last positions", DEADLINE, || last.last());
    samples.extend(last.stop());
    samples
}
