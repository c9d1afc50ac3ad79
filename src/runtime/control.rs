//! How others look into a worker: they ask, and it answers between two turns, from what is committed.
//!
//! Nothing is shared: a question goes through a bounded channel and its answer through another, so no lock stands in
//! a record's way, and an answer is of one commit because nothing moves while it is put together. Only the pulse,
//! whether the worker still turns, can be felt without its help. Answers may take a fifth of a worker's time: after
//! one it rests four times as long as it took.

use super::counters::Counters;
use super::pages::{Page, Part, Wanted};
use super::report::Report;
use super::worker::Worker;
use crate::operator::NodeId;
use crate::plan::Plan;
use crate::time::Clock;
use crate::transport::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many questions may wait for a worker.
const WAITING: usize = 64;
/// A worker that has not turned for so long, in milliseconds, is not alive.
pub const SILENT_MS: i64 = 30_000;
/// A turn answers no further question once it has spent so long on them.
const A_TURN: Duration = Duration::from_millis(2);
/// How much longer than it answered a worker rests.
const REST: u32 = 4;

/// What can be asked.
#[derive(Debug)]
enum Question {
    /// The first rows of all tables that are shown, in the plan's order, of one commit.
    Tables(usize, oneshot::Sender<Vec<Page>>),
    /// A page of a table.
    Page(Wanted, oneshot::Sender<Page>),
    /// The row of a key.
    Row(NodeId, Vec<u8>, usize, oneshot::Sender<Page>),
    /// How it stands.
    Report(oneshot::Sender<Report>),
}

/// Why a question was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many are waiting.
    Busy,
    /// The worker is gone.
    Gone,
}

type Asked<A> = Result<oneshot::Receiver<A>, Refused>;

/// By which a worker is asked. Clones ask the same one.
#[derive(Clone, Debug)]
pub struct ControlHandle {
    questions: SyncSender<Question>,
    pulse: Arc<Pulse>,
    clock: Arc<dyn Clock + Send + Sync>,
}

/// What can be felt of a worker without its help.
#[derive(Debug)]
struct Pulse {
    turned: AtomicI64,
    ready: AtomicBool,
}

impl ControlHandle {
    /// Asks for at most `most` rows of each table that is shown, in the plan's order, all of one commit.
    pub fn tables(&self, most: usize) -> Asked<Vec<Page>> {
        self.ask(|reply| Question::Tables(most, reply))
    }

    /// Asks for a page of a table.
    pub fn page(&self, wanted: Wanted) -> Asked<Page> {
        self.ask(|reply| Question::Page(wanted, reply))
    }

    /// Asks for the row of a key; of a table of windows, for at most so many, one a window.
    pub fn row(&self, table: NodeId, key: Vec<u8>, most: usize) -> Asked<Page> {
        self.ask(|reply| Question::Row(table, key, most, reply))
    }

    /// Asks how it stands.
    pub fn report(&self) -> Asked<Report> {
        self.ask(Question::Report)
    }

    fn ask<A>(&self, question: impl FnOnce(oneshot::Sender<A>) -> Question) -> Asked<A> {
        let (reply, answer) = oneshot::channel();
        match self.questions.try_send(question(reply)) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(Refused::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Gone),
        }
    }

    /// Whether it has turned lately.
    pub fn is_live(&self) -> bool {
        let turned = self.pulse.turned.load(Ordering::Relaxed);
        self.clock.now_ms().saturating_sub(turned) < SILENT_MS
    }

    /// Whether it is there and all its tasks ran when it last turned.
    pub fn is_ready(&self) -> bool {
        self.pulse.ready.load(Ordering::Relaxed)
    }
}

/// What a worker keeps for those who look at it.
#[derive(Debug)]
pub(super) struct Watch {
    /// What it counts.
    pub counters: Counters,
    control: Option<Control>,
}

/// Where questions arrive.
#[derive(Debug)]
struct Control {
    questions: Receiver<Question>,
    pulse: Arc<Pulse>,
    /// None if nothing was asked when it last looked.
    rests_until: Option<Instant>,
}

impl Watch {
    pub fn new(plan: &Plan) -> Self {
        Watch { counters: Counters::new(plan), control: None }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Gone is gone: nobody has to wait for its silence to be long enough.
        self.pulse.turned.store(i64::MIN, Ordering::Relaxed);
        self.pulse.ready.store(false, Ordering::Relaxed);
    }
}

impl<T: Transport> Worker<T> {
    /// Lets it be looked into from now on. A second call replaces the first one's handle.
    pub fn control(&mut self) -> ControlHandle {
        let (sender, questions) = sync_channel(WAITING);
        let turned = AtomicI64::new(self.clock.now_ms());
        let pulse = Arc::new(Pulse { turned, ready: AtomicBool::new(false) });
        let control = Control { questions, pulse: pulse.clone(), rests_until: None };
        self.watch.control = Some(control);
        ControlHandle { questions: sender, pulse, clock: self.clock.clone() }
    }

    /// Answers what has been asked, as far as time allows: once a turn, between turns, and cheap when nobody asks.
    pub fn answer(&mut self) {
        let Some(mut control) = self.watch.control.take() else { return };
        control.pulse.turned.store(self.clock.now_ms(), Ordering::Relaxed);
        control.pulse.ready.store(self.is_ready(), Ordering::Relaxed);
        let resting = control.rests_until.is_some_and(|until| Instant::now() < until);
        if !resting {
            control.rests_until =
                control.questions.try_recv().ok().map(|asked| self.answer_some(asked, &control));
        }
        self.watch.control = Some(control);
    }

    /// Answers questions until a turn's share is used up; until when to rest.
    fn answer_some(&mut self, first: Question, control: &Control) -> Instant {
        let began = Instant::now();
        let mut next = Some(first);
        while let Some(question) = next {
            self.reply(question);
            let spent = began.elapsed() >= A_TURN;
            next = if spent { None } else { control.questions.try_recv().ok() };
        }
        Instant::now() + began.elapsed() * REST
    }

    /// Answers a question, unless whoever asked has left.
    fn reply(&mut self, question: Question) {
        match question {
            Question::Tables(most, reply) if !reply.is_closed() => {
                let _ = reply.send(self.first_rows(most));
            }
            Question::Page(wanted, reply) if !reply.is_closed() => {
                let _ = reply.send(self.page(&wanted));
            }
            Question::Row(table, key, most, reply) if !reply.is_closed() => {
                let _ = reply.send(self.row(table, &key, most));
            }
            Question::Report(reply) if !reply.is_closed() => {
                let _ = reply.send(self.report());
            }
            _ => {}
        }
    }

    /// The first rows of all tables, as `/status` shows them.
    fn first_rows(&self, most: usize) -> Vec<Page> {
        let wanted = self.plan.tables().map(|(id, _, table)| {
            let part = if table.windowed { Part::Row } else { Part::Computed };
            Wanted { table: id, after: None, most, part }
        });
        wanted.map(|wanted| self.page(&wanted)).collect()
    }
}
