//! What a task writes its clock to: the repartitions that its records may go to.

use super::input::Input;
use super::markers::{Marker, Said};
use crate::operator::StreamTime;
use crate::outbox::{Outbox, Target, TopicId};
use crate::plan::Plan;

/// The repartitions behind a task.
#[derive(Debug)]
pub struct Outlets {
    all: Vec<Outlet>,
    /// Which task it is: its part's name, its partition, how many there are.
    part: String,
    partition: u32,
    of: u32,
    /// When windows somewhere behind end: their length and how far they are shifted, in milliseconds.
    beats: Vec<(i64, i64)>,
    /// What was last written, and what of that is permanent.
    said: Option<Said>,
    committed: Option<Said>,
}

/// A repartition.
#[derive(Debug)]
struct Outlet {
    topic: TopicId,
    /// How many partitions it has; 0: that is not known yet.
    partitions: u32,
}

impl Outlets {
    /// Those of a part's task.
    pub fn new(plan: &Plan, part: usize, partition: u32) -> Self {
        let all = behind(plan, part).map(|at| Outlet { topic: plan.sources[at].topics[0], partitions: 0 });
        let mut beats = vec![];
        beats_behind(plan, part, &mut beats);
        let part = plan.part_name(part).to_owned();
        Outlets { all: all.collect(), part, partition, of: partition + 1, beats, said: None, committed: None }
    }

    /// The topics.
    pub fn topics(&self) -> Vec<TopicId> {
        self.all.iter().map(|outlet| outlet.topic).collect()
    }

    /// Takes for known how many partitions each topic has, and how many tasks run the part.
    pub fn measure(&mut self, widths: &[u32], of: u32) {
        self.of = of.max(self.partition + 1);
        self.all.iter_mut().zip(widths).for_each(|(outlet, width)| outlet.partitions = *width);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether there is something to be said.
    pub fn is_due(&self, now: Said) -> bool {
        !self.is_empty() && self.said != Some(now)
    }

    /// Says it, behind whatever else goes there with this commit.
    pub fn say(&mut self, now: Said, out: &mut Outbox) {
        if !self.is_due(now) {
            return;
        }
        let mut headers = vec![];
        let marker = Marker { part: &self.part, partition: self.partition, of: self.of, said: now };
        marker.write(&mut headers);
        for outlet in &self.all {
            for partition in 0..outlet.partitions {
                let timestamp = now.clock.0.max(0);
                out.record(outlet.topic, Target::At(partition), timestamp, |_| false, |_| false, &headers);
            }
        }
        self.said = Some(now);
    }

    /// It is permanent.
    pub fn committed(&mut self) {
        self.committed = self.said;
    }

    /// It never happened.
    pub fn abort(&mut self) {
        self.said = self.committed;
    }

    /// When the next window behind ends. A clock that silence moves has to be told about there.
    pub fn next_beat(&self, clock: StreamTime) -> StreamTime {
        let next = |(every, offset): &(i64, i64)| {
            let begun = clock.0.saturating_sub(*offset).div_euclid(*every).saturating_add(1);
            begun.saturating_mul(*every).saturating_add(*offset)
        };
        self.beats.iter().map(next).min().map_or(StreamTime::NEVER, StreamTime)
    }
}

/// The repartitions that a part writes to, by their index among the sources.
fn behind(plan: &Plan, part: usize) -> impl Iterator<Item = usize> {
    let writes = move |at: &usize| {
        let cut = plan.sources[*at].cut.as_ref();
        cut.is_some_and(|cut| cut.from.iter().any(|from| plan.runs[*from].part == part))
    };
    (0..plan.sources.len()).filter(writes)
}

/// The windows of all parts behind one. No part stands behind itself.
fn beats_behind(plan: &Plan, part: usize, beats: &mut Vec<(i64, i64)>) {
    for at in behind(plan, part) {
        let part = plan.runs[at].part;
        beats.extend(plan.nodes.iter().filter(|node| node.part == part).filter_map(|node| node.beat));
        beats_behind(plan, part, beats);
    }
}

/// What a task has to say of itself.
pub fn said(clock: StreamTime, inputs: &[Input]) -> Said {
    Said { clock, quiet: inputs.iter().all(|input| input.idle) }
}
