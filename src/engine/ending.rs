//! How workers end that read to the end: together.
//!
//! One that ended by itself would hand its inputs to those that still read. They would restore its tables for nothing,
//! and count windows that it has left open a second time. So it stays until all are where it is, first with reading,
//! then with closing windows. What it reads meanwhile is committed as ever. Those behind a repartition hear of clocks
//! only when all are closed: they would go on with the first one, and what the others hand on would come too late.
//!
//! Other processes end by themselves. What they leave comes to this one, which has noted the ends of all inputs and so
//! reads on where they have not come as far.

use crate::operator::StreamTime;
use crate::runtime::{Stopped, Task, TaskId, Worker};
use crate::store::Store;
use crate::transport::Transport;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

/// How far a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stage {
    /// The level that it works at: how many repartitions stand before it.
    level: u16,
    step: Step,
}

/// What it does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// It reads.
    Reading,
    /// Everything of its inputs up to their ends is committed.
    AtEnds,
    /// Windows are closed, if they are to be.
    Closed,
    /// Those behind know that nothing more comes.
    Done,
}

impl Stage {
    /// Nothing has been read.
    const START: Self = Stage { level: 0, step: Step::Reading };

    fn number(self) -> u16 {
        self.level * 4 + self.step as u16
    }

    fn at(self, step: Step) -> Self {
        Stage { step, ..self }
    }
}

/// How far all workers of a process have come; each has one of these.
#[derive(Clone, Debug)]
pub struct Ending {
    stages: Arc<Vec<AtomicU16>>,
    /// All were done at some instant: what happens to one as others leave makes no difference any more.
    over: Arc<AtomicBool>,
    own: usize,
}

impl Ending {
    /// So many workers that have read nothing yet.
    pub fn new(workers: usize) -> Self {
        let stages = (0..workers).map(|_| AtomicU16::new(0)).collect();
        Ending { stages: Arc::new(stages), over: Arc::default(), own: 0 }
    }

    /// That of one of them.
    pub fn of(&self, own: usize) -> Self {
        Ending { own, ..self.clone() }
    }

    fn come_to(&self, stage: Stage, last: Stage) {
        self.stages[self.own].store(stage.number(), Ordering::SeqCst);
        if self.have_all(last) {
            self.over.store(true, Ordering::SeqCst);
        }
    }

    fn have_all(&self, stage: Stage) -> bool {
        self.stages.iter().all(|of| of.load(Ordering::SeqCst) >= stage.number())
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// A worker's way to the end, level by level.
#[derive(Debug)]
pub struct ToEnd {
    ending: Ending,
    close_windows: bool,
    stage: Stage,
    /// Behind this one there is nothing.
    last: Stage,
    /// Whether it has been told that nothing more comes at this level.
    rests: bool,
    /// Up to where the windows of each task are closed: those that had begun when it came to that.
    close_to: BTreeMap<TaskId, i64>,
}

impl ToEnd {
    /// The way of a worker that has read nothing yet, of a plan with so many levels.
    pub fn new(ending: Ending, close_windows: bool, levels: usize) -> Self {
        let last = Stage { level: (levels.max(1) - 1) as u16, step: Step::Done };
        ToEnd { ending, close_windows, stage: Stage::START, last, rests: false, close_to: BTreeMap::new() }
    }

    /// Whether it has nothing left to do.
    pub fn is_done(&self) -> bool {
        self.stage == self.last
    }

    /// Whether it waits for others.
    pub fn waits(&self) -> bool {
        self.stage.step != Step::Reading
    }

    /// Looks how far it is after a turn; whether it was the last one.
    pub fn go_on<T: Transport>(&mut self, worker: &mut Worker<T>) -> Result<bool, Stopped> {
        self.stage = self.next(worker)?;
        self.ending.come_to(self.stage, self.last);
        Ok(self.ending.is_over())
    }

    fn next<T: Transport>(&mut self, worker: &mut Worker<T>) -> Result<Stage, Stopped> {
        if !worker.is_at_ends() {
            return Ok(self.stage.at(Step::Reading));
        }
        if self.is_done() || self.stage.step != Step::Reading && !self.ending.have_all(self.stage) {
            return Ok(self.stage);
        }
        match self.stage.step {
            // A commit that fails takes back what was read. So it has been when nothing is left to commit.
            Step::Reading if worker.is_dirty() => worker.commit_soon(),
            Step::Reading => return Ok(self.stage.at(Step::AtEnds)),
            Step::AtEnds => {
                let level = usize::from(self.stage.level);
                worker.mute(Some(level));
                if !std::mem::replace(&mut self.rests, true) {
                    worker.rest(level);
                    return Ok(self.stage);
                }
                let closing = self.close_windows && self.close(worker)?;
                if !closing && !worker.is_dirty() {
                    return Ok(self.stage.at(Step::Closed));
                }
                worker.commit_soon();
            }
            Step::Closed => {
                worker.mute(None);
                if !worker.is_dirty() {
                    return Ok(self.stage.at(Step::Done));
                }
                worker.commit_soon();
            }
            Step::Done => {
                self.rests = false;
                worker.next_level()?;
                return Ok(Stage { level: self.stage.level + 1, step: Step::Reading });
            }
        }
        Ok(self.stage)
    }

    /// Closes windows as if their time had come, as many as one commit can hold; whether there were any. Those of
    /// records that still come stay open, or it would never end.
    fn close<T: Transport>(&mut self, worker: &mut Worker<T>) -> Result<bool, Stopped> {
        let mut due = vec![];
        let level = usize::from(self.stage.level);
        for (id, task) in worker.running().filter(|(id, _)| worker.level_of(*id) == level) {
            let Some((first, last)) = ends(task) else { continue };
            let to = *self.close_to.entry(id).or_insert(last);
            if first <= to {
                due.push((id, to));
            }
        }
        for (id, to) in &due {
            worker.advance_to(*id, StreamTime(*to))?;
        }
        Ok(!due.is_empty())
    }
}

/// The first and the last end of the windows of a task.
fn ends(task: &Task) -> Option<(i64, i64)> {
    let ends = || {
        task.stores.iter().flat_map(|store| match store {
            Store::Windows(windows) => windows.ends().map(|(end, _)| end).collect(),
            Store::Table(_) => vec![],
        })
    };
    Some((ends().min()?, ends().max()?))
}
