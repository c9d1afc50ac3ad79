//! What each node did with each record, told from the counts before and after it.

use crate::runtime::Worker;
use crate::runtime::tally::{NodeTally, Tallies};
use crate::transport::sim::Sim;

/// The counts of all tasks together, and where their inputs stand.
pub fn seen(worker: &Worker<Sim>) -> (Tallies, Vec<i64>) {
    let plan = &worker.plan;
    let mut all = Tallies::new(plan.nodes.len(), plan.sources.len(), plan.reasons.len());
    let mut positions = vec![];
    for (_, task) in worker.running() {
        all.add(&task.tallies);
        positions.extend(task.inputs.iter().map(|input| input.now.position));
    }
    (all, positions)
}

/// What has happened since; nothing if nothing has.
pub fn line(before: &(Tallies, Vec<i64>), worker: &Worker<Sim>) -> Option<String> {
    let (after, _) = seen(worker);
    let plan = &worker.plan;
    let mut parts = vec![];
    for (at, (old, new)) in before.0.sources.iter().zip(&after.sources).enumerate() {
        if new.input > old.input {
            let name = &plan.sources[at].name;
            parts.push(match new.dead > old.dead && before.0.nodes == after.nodes {
                true => format!("{name} #{}: dead letter", new.input),
                false => format!("{name} #{}", new.input),
            });
        }
    }
    for (at, (old, new)) in before.0.nodes.iter().zip(&after.nodes).enumerate() {
        if let Some(did) = did(old, new) {
            parts.push(format!("{} {did}", plan.nodes[at].name));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" → "))
}

/// What a node did, in a word.
fn did(old: &NodeTally, new: &NodeTally) -> Option<String> {
    let what = [
        (new.passed - old.passed.min(new.passed), "passed"),
        (new.filtered - old.filtered.min(new.filtered), "filtered"),
        (new.rejected - old.rejected.min(new.rejected), "rejected"),
        (new.failed - old.failed.min(new.failed), "failed"),
        (new.late - old.late.min(new.late), "late"),
        (new.emitted - old.emitted.min(new.emitted), "emitted"),
    ];
    let words = what.iter().filter(|(count, _)| *count > 0).map(|(count, word)| match count {
        1 => (*word).to_owned(),
        count => format!("{word} {count}"),
    });
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}
