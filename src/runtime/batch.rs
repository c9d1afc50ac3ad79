//! Records on their way through a task: decoded one by one, which moves the clock, and run side by side.
//!
//! Those that stand side by side are run before the clock comes to where a window may end. So each of them finds what
//! it would find if it were run before the next one is looked at.

use super::beats::Beats;
use super::dead;
use super::input::{Input, Unusable};
use super::task::{Progress, ROWS_A_COMMIT, Task, clock_of};
use super::walk::{self, Walk};
use crate::frame::Frame;
use crate::lanes::{LANES, Lane};
use crate::operator::{NodeId, Seen, StreamTime};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::plan::steps::{Action, Step};
use crate::transport::Record;

/// Whether records of a source can go side by side: each node that keeps something is reached on one way, and of those
/// with windows it is known when one may end.
pub fn side_by_side(plan: &Plan, source: usize) -> bool {
    let run = &plan.runs[source];
    let own = plan.nodes.iter().filter(|node| node.part == run.part);
    let mut windowed = own.filter(|node| node.table.as_ref().is_some_and(|table| table.windowed));
    are_reached_once(plan, &run.steps) && windowed.all(|node| node.beat.is_some())
}

/// Whether steps lead to each node that keeps something on one way. That is enough for rows: while they run no window
/// ends.
pub fn are_reached_once(plan: &Plan, steps: &[Step]) -> bool {
    let visits = steps.iter().filter(|step| matches!(step.action, Action::Run { .. })).map(|step| step.node);
    let keeps = |id: &NodeId| {
        let node = &plan.nodes[id.0 as usize];
        node.table.is_some() || node.marks.is_some()
    };
    let mut keepers: Vec<NodeId> = visits.filter(keeps).collect();
    let ways = keepers.len();
    keepers.sort_unstable();
    keepers.dedup();
    keepers.len() == ways
}

impl Task {
    /// Processes records of one input, in order, at a wall time. Stops early where a commit is needed first; the
    /// rest of the batch is then to be handed in again.
    pub fn process(
        &mut self,
        input: usize,
        records: &[Record<'_>],
        now_ms: i64,
        out: &mut Outbox,
    ) -> Progress {
        match records.len() > 1 && self.inputs[input].side_by_side {
            true => self.process_in::<LANES>(input, records, now_ms, out),
            false => self.process_in::<1>(input, records, now_ms, out),
        }
    }

    /// The same, with so many records side by side.
    fn process_in<const WIDTH: usize>(
        &mut self,
        input: usize,
        records: &[Record<'_>],
        now_ms: i64,
        out: &mut Outbox,
    ) -> Progress {
        let plan = self.plan.clone();
        let (partition, jumps) = (self.partition, self.jumps);
        let (mut inputs, mut files) = (std::mem::take(&mut self.inputs), std::mem::take(&mut self.files));
        let (timers, beats) = (std::mem::take(&mut self.timers), std::mem::take(&mut self.beats));
        let mut rooms = files.iter_mut();
        let mut lanes: [Lane<'_>; WIDTH] = std::array::from_fn(|_| {
            let (registers, arena) = rooms.next().expect("a task has a file a lane");
            Lane::new(Frame::new(registers, arena, &plan.constants), StreamTime::START)
        });
        let jumped = jumps.then(|| {
            jump(&mut inputs[input], records, partition, &mut lanes[0].frame);
            clock_of(&inputs)
        });
        let mut walk = self.walk(&plan, out);
        if let Some(to) = jumped {
            walk.step(&timers, to, usize::MAX);
        }
        let mut group = Group::new(inputs[input].source, &timers, (WIDTH > 1).then_some(&beats));
        let mut progress = Progress { records: 0, full: false };
        // What a commit has interrupted comes first, or records would find a window half closed.
        let now = walk.cx.clock;
        progress.full = !records.is_empty() && !group.move_clock(now, &mut walk, &mut lanes);
        let records = if progress.full { &[] } else { records };
        let looks_ahead = inputs[input].ahead.begin(walk.cx.stores, records);
        for (at, record) in records.iter().enumerate() {
            if looks_ahead {
                inputs[input].ahead.look(walk.cx.stores, records, at);
            }
            if let Some(marker) = inputs[input].marker(record) {
                // Heard twice it says nothing new, so that it may be heard before there is a commit in between.
                inputs[input].hear(&marker);
                if !group.move_clock(clock_of(&inputs), &mut walk, &mut lanes) {
                    progress.full = true;
                    break;
                }
                inputs[input].now.position = record.offset + 1;
                progress.records += 1;
                continue;
            }
            let frame = &mut lanes[group.filled].frame;
            match inputs[input].decode(record, partition, frame, now_ms) {
                Ok(()) => {
                    let time = frame.timestamp;
                    if time > inputs[input].now.largest && !inputs[input].is_told() {
                        let before = std::mem::replace(&mut inputs[input].now.largest, time);
                        if !group.move_clock(clock_of(&inputs), &mut walk, &mut lanes) {
                            // The record waits for the commit; until then it has not been seen.
                            inputs[input].now.largest = before;
                            progress.full = true;
                            break;
                        }
                    }
                    let lane = &mut lanes[group.filled];
                    // What was late where it was written is late here, whenever the marker of that time comes.
                    let clock = walk.cx.clock;
                    lane.clock = inputs[input].wrote_at().map_or(clock, |wrote| wrote.max(clock));
                    lane.turn = at as u32;
                    group.filled += 1;
                    if group.filled == WIDTH {
                        group.run(&mut walk, &mut lanes);
                    }
                }
                Err(error) => {
                    walk.cx.out.turn = at as u64;
                    turn_away(&mut walk, &inputs[input], record, error, frame);
                    walk.tallies.sources[group.source].count(frame.seen);
                }
            }
            inputs[input].now.position = record.offset + 1;
            progress.records += 1;
        }
        group.run(&mut walk, &mut lanes);
        let (clock, due) = (walk.cx.clock, walk.cx.due);
        (self.clock, self.due, self.timers, self.beats) = (clock, due, timers, beats);
        (self.inputs, self.files) = (inputs, files);
        debug_assert!(
            self.due <= walk::smallest_due(&plan, &self.timers, &self.stores),
            "`wake_at` was forgotten"
        );
        progress
    }
}

/// Those records of a batch that have come, and have not been run yet: the first `filled` lanes. In the one behind them
/// the next record is made ready.
#[derive(Debug)]
struct Group<'g> {
    source: usize,
    timers: &'g [NodeId],
    /// When windows end; `None` where records go one at a time, and what they open is known before the next one comes.
    beats: Option<&'g Beats>,
    filled: usize,
    /// Before this no window ends, whatever they open.
    until: StreamTime,
    /// Where in the outbox begins what they write, and those that were turned away between them.
    from: usize,
}

impl<'g> Group<'g> {
    fn new(source: usize, timers: &'g [NodeId], beats: Option<&'g Beats>) -> Self {
        Group { source, timers, beats, filled: 0, until: StreamTime::START, from: 0 }
    }

    /// Moves the clock; `false`: a commit is needed before the rest can be done.
    #[inline(always)]
    fn move_clock(&mut self, to: StreamTime, walk: &mut Walk<'_>, lanes: &mut [Lane<'_>]) -> bool {
        if to >= self.until {
            return self.close(to, walk, lanes);
        }
        walk.cx.clock = walk.cx.clock.max(to);
        true
    }

    /// The same where a window may end: those that came before that are run first, and a record that was made ready
    /// stands in the first lane then.
    #[cold]
    fn close(&mut self, to: StreamTime, walk: &mut Walk<'_>, lanes: &mut [Lane<'_>]) -> bool {
        let ready = self.filled;
        self.run(walk, lanes);
        lanes.swap(0, ready);
        let done = walk.step(self.timers, to.max(walk.cx.clock), ROWS_A_COMMIT);
        let beat = self.beats.map_or(StreamTime::NEVER, |beats| beats.next(walk.cx.clock));
        self.until = walk.cx.due.min(beat);
        self.from = walk.cx.out.records().len();
        done
    }

    /// Runs them.
    #[inline(never)]
    fn run(&mut self, walk: &mut Walk<'_>, lanes: &mut [Lane<'_>]) {
        if self.filled == 0 {
            return;
        }
        let (plan, clock) = (walk.plan, walk.cx.clock);
        let lanes = &mut lanes[..self.filled];
        self.filled = 0;
        walk.run(&plan.runs[self.source].steps, lanes);
        walk.cx.clock = clock;
        let tally = &mut walk.tallies.sources[self.source];
        lanes.iter().for_each(|lane| tally.count(lane.frame.seen));
        walk.cx.out.in_turn(self.from);
        self.from = walk.cx.out.records().len();
        debug_assert!(walk.cx.due > clock, "a window has ended before all were run that came before its end");
        self.until = self.until.min(walk.cx.due);
    }
}

/// Takes the largest event time of a batch for seen, which breaks the rule that a clock moves by records.
fn jump<'b>(input: &mut Input, records: &[Record<'b>], partition: u32, frame: &mut Frame<'b>) {
    for record in records {
        if input.decode(record, partition, frame, i64::MAX).is_ok() {
            input.now.largest = input.now.largest.max(frame.timestamp);
        }
    }
}

/// A record that never became a frame.
#[cold]
fn turn_away(
    walk: &mut Walk<'_>,
    input: &Input,
    record: &Record<'_>,
    error: Unusable,
    frame: &mut Frame<'_>,
) {
    let source = &walk.plan.sources[input.source];
    if matches!(error, Unusable::NoValue) && source.skip_null {
        return;
    }
    let class = Unusable::CLASSES.iter().position(|c| *c == error.class());
    walk.tallies.unusable[input.source][class.unwrap_or(0)] += 1;
    let reason = input.explain(error, walk.plan, frame.payload);
    dead::record(walk.plan, walk.cx.out, frame, record.value.is_some(), &reason, &source.name);
    frame.seen |= Seen::DEAD;
}
