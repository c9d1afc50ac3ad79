//! A batch on its way to the tasks: straight through them, or into the queues of those with several inputs.

use super::idle;
use super::worker::{TaskId, TaskState, task_of};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::transport::{Partition, Run};
use std::collections::BTreeMap;

/// Takes in a batch; whether a commit is needed before the `rest` can be done, which begins at these offsets.
pub(super) fn take_in(
    plan: &Plan,
    tasks: &mut BTreeMap<TaskId, TaskState>,
    runs: Vec<Run<'_>>,
    now: i64,
    out: &mut Outbox,
    rest: &mut Vec<(Partition, i64)>,
) -> bool {
    let mut full = false;
    for run in runs {
        let id = task_of(plan, run.partition);
        out.own = id.partition;
        let Some(TaskState::Running(running)) = tasks.get_mut(&id) else { continue };
        let Some(input) = running.task.inputs.iter().position(|i| i.topic == run.partition.topic) else {
            continue;
        };
        if full {
            rest.extend(run.records.first().map(|r| (run.partition, r.offset)));
            continue;
        }
        if !idle::catch_up(running, now, out) {
            full = true;
            rest.extend(run.records.first().map(|r| (run.partition, r.offset)));
            continue;
        }
        running.quiet.heard(input, now);
        running.task.inputs[input].wake();
        if let Some(merge) = &mut running.merge {
            for record in &run.records {
                let time = running.task.time_of(input, record);
                merge.push(input, record, time);
            }
            continue;
        }
        let progress = running.task.process(input, &run.records, now, out);
        running.quiet.stands(running.task.clock(), now);
        full |= progress.full;
        rest.extend(run.records.get(progress.records).map(|r| (run.partition, r.offset)));
    }
    full
}
