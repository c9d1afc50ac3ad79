//! Records on their way through the steps: each depth first, without recursion, a loop over a list in preorder.

use super::dead;
use super::tally::Tallies;
use crate::codec::SetField;
use crate::frame::Frame;
use crate::lanes::{Came, LANES, Lane, Visit};
use crate::operator::{Context, Flow, NodeId, Outcome, RecordError, RouteSet, Seen, StreamTime};
use crate::plan::Plan;
use crate::plan::steps::{Action, Step};
use crate::rows::Row;

/// What a task needs while records run: the plan, its state, its counters.
#[derive(Debug)]
pub struct Walk<'w> {
    /// The plan.
    pub plan: &'w Plan,
    /// What operators see.
    pub cx: Context<'w>,
    /// The routes that branches chose.
    pub routes: &'w mut [[u32; LANES]],
    /// What became of records.
    pub tallies: &'w mut Tallies,
    /// What alerts have said: the node, and the row as JSON.
    pub said: &'w mut Vec<(NodeId, Vec<u8>)>,
    /// Of which nodes the rows can go side by side.
    pub abreast: &'w [bool],
    /// Rows emitted since the last commit.
    pub emitted: &'w mut usize,
}

impl Walk<'_> {
    /// Runs records side by side down a list of steps.
    #[inline]
    pub fn run(&mut self, steps: &[Step], lanes: &mut [Lane<'_>]) {
        let mut at = 0;
        lanes.iter_mut().for_each(|lane| lane.next = 0);
        while let Some(step) = steps.get(at as usize) {
            match &step.action {
                Action::Run { operator, port, seen, slot } => {
                    self.cx.node = step.node;
                    let visit = Visit { step: at, after: step.after, port: *port, seen: *seen };
                    let came = operator.process_all(&visit, lanes, &mut self.cx);
                    debug_assert!(self.cx.rows.is_empty(), "`process` emits no rows");
                    self.follow(step, *slot, came, lanes);
                }
                Action::Gate { slot, route } => {
                    let routes = &self.routes[*slot as usize];
                    for (lane, routes) in lanes.iter_mut().zip(routes) {
                        if lane.next <= at && routes >> route & 1 == 0 {
                            lane.next = step.after;
                        }
                    }
                }
                Action::Adjust(moves) => {
                    let here = lanes.iter_mut().filter(|lane| lane.next <= at);
                    here.for_each(|lane| moves.run(&mut lane.frame));
                }
            }
            at = next(lanes, at + 1);
        }
    }

    /// Counts what came of a node's work, and has records go no further that do not.
    #[inline(always)]
    fn follow(&mut self, step: &Step, slot: u16, came: Came, lanes: &mut [Lane<'_>]) {
        let tally = &mut self.tallies.nodes[step.node.0 as usize];
        tally.input += u64::from(came.passed + came.filtered + came.others.count_ones());
        tally.passed += u64::from(came.passed);
        tally.filtered += u64::from(came.filtered);
        let mut others = came.others;
        while others > 0 {
            let at = others.trailing_zeros() as usize;
            others &= others - 1;
            let lane = &mut lanes[at];
            match lane.flow {
                Ok(Flow::Routes(RouteSet(routes))) => {
                    self.tallies.nodes[step.node.0 as usize].passed += 1;
                    self.routes[slot as usize][at] = routes;
                }
                flow => {
                    lane.next = step.after;
                    self.cx.out.turn = lane.turn.into();
                    self.stopped(step.node, flow, &mut lane.frame);
                }
            }
        }
    }

    /// The rarer ways in which a record goes no further.
    #[cold]
    fn stopped(&mut self, node: NodeId, flow: Result<Flow, RecordError>, frame: &mut Frame<'_>) {
        let tally = &mut self.tallies.nodes[node.0 as usize];
        let reason = match flow {
            Ok(Flow::Stop(Outcome::Late)) => {
                tally.late += 1;
                frame.seen |= Seen::LATE;
                return;
            }
            Ok(Flow::Stop(Outcome::LateLetter(reason))) => {
                tally.late += 1;
                reason
            }
            Ok(Flow::Stop(Outcome::Rejected(reason))) => {
                tally.rejected += 1;
                reason
            }
            Err(error) => {
                tally.failed += 1;
                error.reason
            }
            Ok(_) => return,
        };
        self.dead_letter(node, reason, frame);
    }

    fn dead_letter(&mut self, node: NodeId, reason: crate::operator::ReasonId, frame: &mut Frame<'_>) {
        frame.seen |= Seen::DEAD;
        self.tallies.reasons[reason.0 as usize] += 1;
        let (plan, name) = (self.plan, self.plan.nodes[node.0 as usize].name.as_str());
        let reason = plan.reasons.sentence(reason);
        match frame.origin.offset {
            // A row has no origin: it is written as what its maker made of it.
            offset if offset < 0 && frame.payload.is_empty() => {
                let maker = frame.origin.partition as usize;
                dead::row(plan, self.cx.out, frame, fields_of(plan, maker), reason, name);
            }
            _ => dead::record(plan, self.cx.out, frame, true, reason, name),
        }
    }

    /// Runs the rows that were emitted, side by side where as many of one node come as there are lanes.
    #[inline(never)]
    pub fn drain(&mut self) {
        let mut waiting = std::mem::take(self.cx.rows);
        let mut left = waiting.emitted();
        while let [first, ..] = left {
            let node = first.node;
            let alike = |row: &Row| row.node == node && row.error.is_none();
            let many = self.abreast[node as usize] && left.len() >= LANES && left[..LANES].iter().all(alike);
            let (rows, rest) = left.split_at_mut(if many { LANES } else { 1 });
            left = rest;
            *self.emitted += rows.len();
            self.tallies.nodes[node as usize].emitted += rows.len() as u64;
            match <&mut [Row; LANES]>::try_from(&mut *rows) {
                Ok(rows) => self.run_rows(NodeId(node), rows),
                Err(_) => rows.iter_mut().for_each(|row| self.row(NodeId(node), row)),
            }
        }
        waiting.clear();
        *self.cx.rows = waiting;
    }

    fn row(&mut self, maker: NodeId, row: &mut Row) {
        match row.error.take() {
            Some(error) => {
                let mut frame = self.frame(maker, row);
                self.dead_letter(maker, error.reason, &mut frame);
            }
            None => self.run_rows(maker, std::array::from_mut(row)),
        }
    }

    /// Runs rows of one node side by side.
    #[inline]
    fn run_rows<const WIDTH: usize>(&mut self, maker: NodeId, rows: &mut [Row; WIDTH]) {
        let (node, clock) = (&self.plan.nodes[maker.0 as usize], self.cx.clock);
        let mut turn = 0;
        let mut lanes = rows.each_mut().map(|row| {
            let mut lane = Lane::new(self.frame(maker, row), clock);
            (lane.turn, turn) = (turn, turn + 1);
            lane
        });
        if node.kind == "alert" {
            for lane in &lanes {
                let mut json = vec![];
                dead::write_row(&mut json, &lane.frame, fields_of(self.plan, maker.0 as usize));
                self.said.push((maker, json));
            }
        }
        let from = self.cx.out.records().len();
        self.run(&node.steps, &mut lanes);
        self.cx.out.in_turn(from);
    }

    fn frame<'r>(&self, maker: NodeId, row: &'r mut Row) -> Frame<'r>
    where
        Self: 'r,
    {
        let mut frame = row.frame(&self.plan.constants);
        frame.origin.offset = -1;
        frame.origin.partition = u32::from(maker.0);
        frame
    }

    /// Moves the clock to `to` in steps: while a timer is due the clock stands at it, and every node that is due then
    /// runs, in topological order, down to the sinks. `false`: more rows than a commit may hold; the clock stands
    /// where it is, and the rest is done by calling again behind a commit.
    pub fn step(&mut self, timers: &[NodeId], to: StreamTime, most: usize) -> bool {
        while self.cx.due <= to {
            let now = self.cx.due;
            let clock = self.cx.clock.max(now);
            // What a window hands on as it ends belongs to windows behind it that end at the same time: those are
            // still open, for whoever feeds them comes first.
            self.cx.clock = StreamTime(now.0.saturating_sub(1));
            let done = self.step_at(timers, now, most);
            self.cx.clock = clock;
            if !done {
                return false;
            }
            self.cx.due = smallest_due(self.plan, timers, self.cx.stores);
        }
        self.cx.clock = self.cx.clock.max(to);
        true
    }

    /// Runs every node that is due by a time, each behind what feeds it.
    fn step_at(&mut self, timers: &[NodeId], now: StreamTime, most: usize) -> bool {
        for id in timers {
            let operator = &self.plan.nodes[id.0 as usize].operator;
            while operator.due(self.cx.stores).is_some_and(|due| due <= now) {
                if *self.emitted >= most {
                    return false;
                }
                self.cx.node = *id;
                operator.advance(now, &mut self.cx);
                self.drain();
            }
        }
        true
    }
}

/// The first step from `at` on that anybody takes part in.
#[inline(always)]
fn next(lanes: &[Lane<'_>], at: u32) -> u32 {
    match lanes.iter().any(|lane| lane.next <= at) {
        true => at,
        false => lanes.iter().map(|lane| lane.next).min().unwrap_or(u32::MAX),
    }
}

/// The earliest that any node wants to be called.
pub fn smallest_due(plan: &Plan, timers: &[NodeId], stores: &crate::store::Stores) -> StreamTime {
    let due = timers.iter().filter_map(|id| plan.nodes[id.0 as usize].operator.due(stores));
    due.min().unwrap_or(StreamTime::NEVER)
}

/// The fields of a node's rows.
pub fn fields_of(plan: &Plan, node: usize) -> &[SetField] {
    let shape = plan.nodes[node].output.as_ref();
    shape.and_then(|shape| shape.variants.first()).map_or(&[], |variant| &variant.layout.set)
}
