//! What a task writes its clock to: the repartitions that its records may go to.
//!
//! A clock is told about where a window somewhere behind ends, and where a task falls quiet or is not quiet any more.
//! In between nobody behind needs to know: each record says where the clock stood when it was written.

use super::beats::Beats;
use super::markers::{Marker, Said};
use super::task::Task;
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
    /// When windows somewhere behind end.
    beats: Beats,
    /// Whether silence moves its clock, by what all sources before it say.
    goes_on: bool,
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
        let mut beats = Beats::default();
        beats_behind(plan, part, &mut beats);
        Outlets {
            all: all.collect(),
            part: plan.part_name(part).to_owned(),
            partition,
            of: partition + 1,
            beats,
            goes_on: goes_on(plan, part),
            said: None,
            committed: None,
        }
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
    fn is_due(&self, now: Said) -> bool {
        let is_news = |said: Said| said.quiet != now.quiet || self.next_beat(said.clock) <= now.clock;
        self.said.is_none_or(is_news)
    }

    /// Says it, behind whatever else goes there with this commit.
    fn say(&mut self, now: Said, out: &mut Outbox) {
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

    /// Whether it was last said that nobody has to wait.
    pub fn are_quiet(&self) -> bool {
        self.said.is_some_and(|said| said.quiet)
    }

    /// Has it all said once more: those behind may have forgotten who is quiet.
    pub fn repeat(&mut self) {
        (self.said, self.committed) = (None, None);
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
        self.beats.next(clock)
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
fn beats_behind(plan: &Plan, part: usize, beats: &mut Beats) {
    for at in behind(plan, part) {
        let part = plan.runs[at].part;
        beats.join(Beats::of(plan, part));
        beats_behind(plan, part, beats);
    }
}

/// Whether silence moves the clock of a part: all sources before it say so.
fn goes_on(plan: &Plan, part: usize) -> bool {
    let sources = plan.sources.iter().zip(&plan.runs).filter(|(_, run)| run.part == part);
    sources.map(|(source, _)| source).all(|source| match &source.cut {
        Some(cut) => cut.from.iter().all(|from| goes_on(plan, plan.runs[*from].part)),
        None => source.idle_after.is_some(),
    })
}

impl Task {
    /// What it has to say of itself. A window of which only some rows are handed on has not ended yet. Where silence
    /// goes on to close windows it is not quiet before they are closed, unless it `rests` and expects nothing more.
    pub(super) fn to_say(&self) -> Said {
        let quiet = self.inputs.iter().all(|input| input.idle);
        let goes_on = self.outlets.goes_on && !self.rests && self.due() != StreamTime::NEVER;
        let before_due = StreamTime(self.due().0.saturating_sub(1));
        Said { clock: self.clock().min(before_due), quiet: quiet && !goes_on }
    }

    /// Whether somebody has to be told where it is.
    pub(super) fn has_to_say(&self) -> bool {
        !self.outlets.is_empty() && self.outlets.is_due(self.to_say())
    }

    /// Tells them.
    pub(super) fn say(&mut self, out: &mut Outbox) {
        let said = self.to_say();
        self.outlets.say(said, out);
    }
}
