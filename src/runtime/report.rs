//! How a worker stands: its counters, and each of its tasks with clock, inputs and tables.

use super::counters::Counters;
use super::task::Task;
use super::worker::{Running, TaskId, TaskState, Worker};
use crate::operator::StreamTime;
use crate::outbox::TopicId;
use crate::transport::{Partition, Transport};

/// How a worker stands.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of its last commit.
    pub commit: u64,
    /// The wall time in milliseconds.
    pub now: i64,
    /// What it has counted.
    pub counters: Counters,
    /// Its tasks.
    pub tasks: Vec<(TaskId, TaskReport)>,
}

/// How a task stands.
#[derive(Clone, Debug)]
pub enum TaskReport {
    /// Its tables are being filled.
    Restoring {
        /// How many records of the changelogs have been read.
        done: i64,
        /// How many there are.
        all: i64,
    },
    /// It processes.
    Running {
        /// Its clock, unless nothing has been seen yet.
        clock: Option<i64>,
        /// Its inputs.
        inputs: Vec<InputReport>,
        /// Its tables.
        tables: Vec<TableReport>,
    },
}

/// How an input stands.
#[derive(Clone, Copy, Debug)]
pub struct InputReport {
    /// The plan's index of the source.
    pub source: usize,
    /// The topic.
    pub topic: TopicId,
    /// The next offset to be processed, as it was committed.
    pub position: i64,
    /// How many records are known to stand behind that.
    pub lag: Option<i64>,
    /// Whether others no longer wait for it.
    pub idle: bool,
}

/// How large a table is.
#[derive(Clone, Copy, Debug)]
pub struct TableReport {
    /// The plan's index of its store.
    pub store: usize,
    /// How many rows it has.
    pub rows: usize,
    /// An estimate of the memory it holds.
    pub bytes: usize,
}

impl<T: Transport> Worker<T> {
    /// How it stands.
    pub fn report(&mut self) -> Report {
        let mut tasks = vec![];
        for (id, state) in &self.tasks {
            let report = match state {
                TaskState::Restoring(restoring) => {
                    let (done, all) = restoring.progress();
                    TaskReport::Restoring { done, all }
                }
                TaskState::Running(running) => running_report(*id, running, &mut self.transport),
            };
            tasks.push((*id, report));
        }
        let counters = self.watch.counters.clone();
        Report { commit: self.commits, now: self.clock.now_ms(), counters, tasks }
    }
}

fn running_report<T: Transport>(id: TaskId, running: &Running, transport: &mut T) -> TaskReport {
    let task = &running.task;
    let inputs = task.inputs.iter().map(|input| {
        let position = input.committed.position;
        let partition = Partition { topic: input.topic, index: id.partition };
        let lag = transport.lag(partition, position);
        InputReport { source: input.source, topic: input.topic, position, lag, idle: input.idle }
    });
    let inputs = inputs.collect();
    let clock = Some(task.clock().0).filter(|clock| *clock != StreamTime::START.0);
    TaskReport::Running { clock, inputs, tables: tables(task) }
}

fn tables(task: &Task) -> Vec<TableReport> {
    let own = task.changelogs().iter().filter_map(|(at, _)| Some((*at, task.stores.iter().nth(*at)?)));
    own.map(|(store, table)| TableReport { store, rows: table.len(), bytes: table.bytes() }).collect()
}
