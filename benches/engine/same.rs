//! That all contestants do the same work: by hand and engine byte for byte, changelogs included; the naive design
//! record for record, in any order, with numbers spelt as `serde_json` spells them.

use super::hand::Hand;
use super::naive::{self, Written};
use super::pipeline::{Pipeline, drive};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use streamrun::outbox::Outbox;
use streamrun::plan::Plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

/// Checks it; how many records are written, and how many bytes.
pub fn check(plan: &Arc<Plan>, records: &[Record<'_>]) -> (usize, usize) {
    let by_hand = written(&mut Hand::new(plan), records);
    assert_eq!(by_hand, written(&mut Task::new(plan.clone(), 0, 0, false), records), "not the same");
    check_naive(plan, records);
    (by_hand.1, by_hand.2)
}

/// Everything that was written, as one number, and how much that is.
fn written(pipeline: &mut impl Pipeline, records: &[Record<'_>]) -> (u64, usize, usize) {
    let (mut hash, mut outputs, mut bytes) = (DefaultHasher::new(), 0, 0);
    drive(pipeline, records, &mut Outbox::default(), |out| {
        for output in out.records() {
            let parts = (out.key(output), out.value(output), out.headers(output));
            (output.topic, output.timestamp, output.own, parts).hash(&mut hash);
        }
        outputs += out.records().len();
        bytes += out.len_bytes();
    });
    (hash.finish(), outputs, bytes)
}

fn check_naive(plan: &Arc<Plan>, records: &[Record<'_>]) {
    let mut hand = Hand::new(plan);
    let (mut enriched, mut aggregates, mut dead) = (Written::default(), Written::default(), 0);
    drive(&mut hand, records, &mut Outbox::default(), |out| {
        for output in out.records() {
            let (key, value) = (out.key(output).unwrap(), out.value(output).unwrap_or_default());
            match plan.topics.all()[output.topic.0 as usize].name.as_str() {
                "enriched-readings" => {
                    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
                    enriched.add(key, value.to_string().as_bytes());
                }
                "window-aggregates" => aggregates.add(key, value),
                "sensor-dead-letter" => dead += 1,
                _ => {}
            }
        }
    });
    let naive = naive::run(records, &[], true, &mut || {});
    assert_eq!(naive.enriched, enriched, "enriched");
    assert_eq!(naive.aggregates, aggregates, "aggregates");
    assert_eq!(naive.dead_letters.records, dead, "dead letters");
    assert!(hand.counts().all(|(key, count)| {
        let key = std::str::from_utf8(key).unwrap();
        naive.counts[key].count == count
    }));
    assert_eq!(hand.counts().count(), naive.counts.len(), "sensors");
}
