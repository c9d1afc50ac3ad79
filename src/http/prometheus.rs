//! `/metrics`: which families there are, and where their numbers come from.

use super::pipeline;
use crate::metrics::{Exposition, Type, seconds};
use crate::plan::Plan;
use crate::runtime::TaskId;
use crate::runtime::counters::Counters;
use crate::runtime::input::Unusable;
use crate::runtime::report::{InputReport, Report, TaskReport};
use crate::runtime::tally::TOO_LARGE;

/// All of it.
pub fn text(plan: &Plan, reports: &[Option<Report>], pulses: impl Iterator<Item = (bool, bool)>) -> String {
    let mut out = Exposition::default();
    let mut counters = Counters::new(plan);
    reports.iter().flatten().for_each(|report| counters.add(&report.counters));
    let labels = [("pipeline", plan.settings.name.as_str()), ("version", env!("CARGO_PKG_VERSION"))];
    out.family("streamrun_info", Type::Gauge, "The pipeline that runs.").value(&labels, 1);
    records(&mut out, plan, &counters);
    dead_letters(&mut out, plan, &counters);
    commits(&mut out, &counters);
    workers(&mut out, pulses);
    inputs(&mut out, plan, reports);
    clocks(&mut out, plan, reports);
    tables(&mut out, plan, reports);
    restores(&mut out, plan, reports);
    out.finish()
}

fn records(out: &mut Exposition, plan: &Plan, counters: &Counters) {
    let help = "Records that a source has read, each once, by what became of it.";
    let mut family = out.family("streamrun_source_records_total", Type::Counter, help);
    for (source, tally) in plan.sources.iter().zip(&counters.tallies.sources) {
        let outcomes =
            [("used", tally.used), ("dead", tally.dead), ("late", tally.late), ("filtered", tally.filtered)];
        for (outcome, count) in outcomes {
            family.value(&[("source", &source.name), ("outcome", outcome)], count);
        }
    }
    let help = "Records that came into a node, each once, by what became of it there.";
    let mut family = out.family("streamrun_records_total", Type::Counter, help);
    for (node, tally) in plan.nodes.iter().zip(&counters.tallies.nodes) {
        let outcomes = [
            ("passed", tally.passed),
            ("filtered", tally.filtered),
            ("rejected", tally.rejected),
            ("failed", tally.failed),
            ("late", tally.late),
        ];
        for (outcome, count) in outcomes {
            family.value(&[("node", &node.name), ("kind", node.kind), ("outcome", outcome)], count);
        }
    }
    let mut family =
        out.family("streamrun_rows_emitted_total", Type::Counter, "Rows that a node has made itself.");
    for (node, tally) in plan.nodes.iter().zip(&counters.tallies.nodes) {
        family.value(&[("node", &node.name), ("kind", node.kind)], tally.emitted);
    }
}

fn dead_letters(out: &mut Exposition, plan: &Plan, counters: &Counters) {
    let help = "Dead letters by reason; with the source, where the record could not even be read.";
    let mut family = out.family("streamrun_dead_letters_total", Type::Counter, help);
    for (source, counts) in plan.sources.iter().zip(&counters.tallies.unusable) {
        for (class, count) in Unusable::CLASSES.iter().zip(counts) {
            family.value(&[("source", &source.name), ("reason", class)], count);
        }
    }
    for (at, count) in counters.tallies.reasons.iter().enumerate() {
        let reason = plan.reasons.sentence(crate::operator::ReasonId(at as u16));
        family.value(&[("source", ""), ("reason", reason)], count);
    }
    family.value(&[("source", ""), ("reason", TOO_LARGE)], counters.tallies.too_large);
}

fn commits(out: &mut Exposition, counters: &Counters) {
    let help = "How long commits took that were acknowledged.";
    out.histogram("streamrun_commit_duration_seconds", help, &counters.commits);
    let help = "How often work was taken back to the last commit.";
    out.family("streamrun_rollbacks_total", Type::Counter, help).value(&[], counters.rollbacks);
    let help = "Calls to the log that failed, by what has to be done about it.";
    let mut family = out.family("streamrun_transport_errors_total", Type::Counter, help);
    for (class, count) in Counters::CLASSES.iter().zip(counters.errors) {
        family.value(&[("class", class)], count);
    }
}

fn workers(out: &mut Exposition, pulses: impl Iterator<Item = (bool, bool)>) {
    let pulses: Vec<_> = pulses.collect();
    let help = "Whether a worker has turned in the last 30 seconds.";
    let mut family = out.family("streamrun_worker_live", Type::Gauge, help);
    for (at, (live, _)) in pulses.iter().enumerate() {
        family.value(&[("worker", &at.to_string())], u8::from(*live));
    }
    let help = "Whether all of a worker's tasks run.";
    let mut family = out.family("streamrun_worker_ready", Type::Gauge, help);
    for (at, (_, ready)) in pulses.iter().enumerate() {
        family.value(&[("worker", &at.to_string())], u8::from(*ready));
    }
}

/// Every input that is read, with its task.
fn all_inputs(reports: &[Option<Report>]) -> impl Iterator<Item = (TaskId, InputReport)> {
    let tasks = reports.iter().flatten().flat_map(|report| &report.tasks);
    tasks.flat_map(|(id, task)| {
        let inputs = match task {
            TaskReport::Running { inputs, .. } => inputs.as_slice(),
            TaskReport::Restoring { .. } => &[],
        };
        inputs.iter().map(|input| (*id, *input))
    })
}

fn inputs(out: &mut Exposition, plan: &Plan, reports: &[Option<Report>]) {
    let named = |id: TaskId, input: &InputReport| {
        let source = plan.sources[input.source].name.as_str();
        (source, plan.topics.get(input.topic).name.as_str(), id.partition.to_string())
    };
    let help = "The next offset to be processed, as it was committed.";
    let mut family = out.family("streamrun_input_position", Type::Gauge, help);
    for (id, input) in all_inputs(reports) {
        let (source, topic, partition) = named(id, &input);
        let labels = [("source", source), ("topic", topic), ("partition", partition.as_str())];
        family.value(&labels, input.position);
    }
    let help = "Records that are known to stand behind the committed position.";
    let mut family = out.family("streamrun_input_lag_records", Type::Gauge, help);
    for (id, input) in all_inputs(reports) {
        let (source, topic, partition) = named(id, &input);
        let labels = [("source", source), ("topic", topic), ("partition", partition.as_str())];
        if let Some(lag) = input.lag {
            family.value(&labels, lag);
        }
    }
}

/// The sources of a task's part, as one label.
fn sources(plan: &Plan, id: TaskId) -> String {
    let own = plan.sources.iter().zip(&plan.runs).filter(|(_, run)| run.part == id.part);
    own.map(|(source, _)| source.name.as_str()).collect::<Vec<_>>().join(",")
}

fn clocks(out: &mut Exposition, plan: &Plan, reports: &[Option<Report>]) {
    let help = "How far a task's clock, which follows event time, is behind the wall clock.";
    let mut family = out.family("streamrun_clock_delay_seconds", Type::Gauge, help);
    for report in reports.iter().flatten() {
        for (id, task) in &report.tasks {
            let TaskReport::Running { clock: Some(clock), .. } = task else { continue };
            let labels = [("source", &*sources(plan, *id)), ("partition", &*id.partition.to_string())];
            family.value(&labels, seconds(report.now.saturating_sub(*clock)));
        }
    }
}

fn tables(out: &mut Exposition, plan: &Plan, reports: &[Option<Report>]) {
    let help = "Rows of a table: its keys, those of each open window by themselves.";
    let mut family = out.family("streamrun_table_rows", Type::Gauge, help);
    for (at, store) in plan.stores.iter().enumerate() {
        family.value(&[("table", &store.name)], pipeline::size(at, reports).0);
    }
    let help = "An estimate of the memory that a table holds.";
    let mut family = out.family("streamrun_table_bytes", Type::Gauge, help);
    for (at, store) in plan.stores.iter().enumerate() {
        family.value(&[("table", &store.name)], pipeline::size(at, reports).1);
    }
}

fn restores(out: &mut Exposition, plan: &Plan, reports: &[Option<Report>]) {
    let tasks = || reports.iter().flatten().flat_map(|report| &report.tasks);
    let running = tasks().filter(|(_, task)| matches!(task, TaskReport::Running { .. })).count();
    let mut family = out.family("streamrun_tasks", Type::Gauge, "Tasks by what they do.");
    family.value(&[("state", "running")], running);
    family.value(&[("state", "restoring")], tasks().count() - running);
    let help = "How much of a restoring task's tables has been read, from 0 to 1.";
    let mut family = out.family("streamrun_restore_progress_ratio", Type::Gauge, help);
    for (id, task) in tasks() {
        let TaskReport::Restoring { done, all } = task else { continue };
        let ratio = if *all == 0 { 1.0 } else { *done as f64 / *all as f64 };
        let labels = [("source", &*sources(plan, *id)), ("partition", &*id.partition.to_string())];
        family.value(&labels, ratio);
    }
}
