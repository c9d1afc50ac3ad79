//! `/pipeline`: the plan, with what has become of records so far.

use super::ask::Workers;
use super::reply::{self, Reply};
use crate::plan::Plan;
use crate::runtime::counters::Counters;
use crate::runtime::report::{Report, TaskReport};
use crate::time::write_timestamp;
use hyper::StatusCode;
use serde_json::{Value as Json, json};

/// The plan, with live counters.
pub async fn reply(workers: &Workers) -> Reply {
    let (plan, reports) = (&workers.plan, workers.reports().await);
    let mut counters = Counters::new(plan);
    reports.iter().flatten().for_each(|report| counters.add(&report.counters));
    let guarantee = if plan.settings.exactly_once { "exactly-once" } else { "at-least-once" };
    let alive = workers.pulses().zip(&reports).map(|((live, ready), report)| {
        json!({ "live": live, "ready": ready, "commit": report.as_ref().map(|r| r.commit) })
    });
    let body = json!({
        "name": plan.settings.name,
        "guarantee": guarantee,
        "version": env!("CARGO_PKG_VERSION"),
        "live": workers.are_live(),
        "ready": workers.are_ready(),
        "workers": alive.collect::<Json>(),
        "dead_letters": plan.topics.get(plan.dead_letters).name,
        "sources": (0..plan.sources.len()).map(|at| source(plan, at, &counters, &reports)).collect::<Json>(),
        "nodes": (0..plan.nodes.len()).map(|at| node(plan, at, &counters, &reports)).collect::<Json>(),
    });
    let mut partitions: Vec<u32> =
        reports.iter().flatten().flat_map(|report| &report.tasks).map(|(id, _)| id.partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    reply::of_partitions(reply::json(StatusCode::OK, body.to_string().into_bytes()), &partitions)
}

fn source(plan: &Plan, at: usize, counters: &Counters, reports: &[Option<Report>]) -> Json {
    let (source, tally) = (&plan.sources[at], counters.tallies.sources[at]);
    let topics = source.topics.iter().map(|topic| plan.topics.get(*topic).name.as_str());
    json!({
        "name": source.name,
        "topics": topics.collect::<Vec<_>>(),
        "key": source.key.as_ref().map(|key| &key.name),
        "event_time": source.event_time.as_ref().map(|(name, _)| name),
        "records": {
            "in": tally.input, "used": tally.used, "dead": tally.dead,
            "late": tally.late, "filtered": tally.filtered,
        },
        "partitions": inputs(plan, at, reports),
    })
}

/// Where each partition of a source stands.
fn inputs(plan: &Plan, source: usize, reports: &[Option<Report>]) -> Json {
    let mut found = vec![];
    for (id, task) in reports.iter().flatten().flat_map(|report| &report.tasks) {
        match task {
            TaskReport::Running { clock, inputs, .. } => {
                found.extend(inputs.iter().filter(|input| input.source == source).map(|input| {
                    json!({
                        "topic": plan.topics.get(input.topic).name, "partition": id.partition,
                        "position": input.position, "lag": input.lag, "idle": input.idle,
                        "clock": clock.and_then(time),
                    })
                }));
            }
            TaskReport::Restoring { done, all } if plan.runs[source].part == id.part => {
                let restoring = json!({ "done": done, "of": all });
                found.push(json!({ "partition": id.partition, "restoring": restoring }));
            }
            TaskReport::Restoring { .. } => {}
        }
    }
    found.sort_by_key(|input| input["partition"].as_u64());
    Json::Array(found)
}

fn node(plan: &Plan, at: usize, counters: &Counters, reports: &[Option<Report>]) -> Json {
    let (node, tally) = (&plan.nodes[at], counters.tallies.nodes[at]);
    let mut json = json!({
        "name": node.name,
        "kind": node.kind,
        "what": node.what.split_whitespace().collect::<Vec<_>>().join(" "),
        "from": node.inputs,
        "records": {
            "in": tally.input, "passed": tally.passed, "emitted": tally.emitted, "filtered": tally.filtered,
            "rejected": tally.rejected, "failed": tally.failed, "late": tally.late,
        },
    });
    if let Some(topic) = &node.target {
        json["topic"] = topic.as_str().into();
    }
    if let Some(reads) = &node.reads {
        json["table"] = reads.as_str().into();
    }
    if let Some(table) = &node.table {
        let (rows, bytes) = size(usize::from(table.store), reports);
        let by: Vec<_> = table.key.iter().map(|(name, _)| name.as_str()).collect();
        let changelog = &plan.topics.get(table.changelog).name;
        json["rows"] = json!({ "by": by, "count": rows, "bytes": bytes, "changelog": changelog });
    }
    json
}

/// How many rows and bytes a table has over all tasks.
pub fn size(store: usize, reports: &[Option<Report>]) -> (usize, usize) {
    let tasks = reports.iter().flatten().flat_map(|report| &report.tasks);
    let tables = tasks.filter_map(|(_, task)| match task {
        TaskReport::Running { tables, .. } => tables.iter().find(|table| table.store == store),
        TaskReport::Restoring { .. } => None,
    });
    tables.fold((0, 0), |(rows, bytes), table| (rows + table.rows, bytes + table.bytes))
}

fn time(millis: i64) -> Option<String> {
    let mut text = vec![];
    write_timestamp(&mut text, millis)?;
    String::from_utf8(text).ok()
}
