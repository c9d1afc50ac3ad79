//! Clusters made up by hand, and what is said of them.

use super::keys::Sample;
use super::*;
use crate::plan;
use crate::runtime::Input;
use crate::transport::kafka::Rights;
use crate::transport::{Batch, Record, TransportError};

const PIPELINE: &str = r#"
name = "p"
dead_letters = "dead"
[schema.s]
id = "string"
at = "timestamp(ms)"
[source.readings]
topic = "readings"
schema = "s"
key = "id"
event_time = "at"
[tumble.daily]
from = "readings"
by = "id"
every = "1d"
compute.n = 'count()'
[sink.out]
from = "daily"
topic = "out"
"#;

const NOW: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

fn topic(partitions: u32, config: &[(&str, &str)]) -> TopicFacts {
    let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    TopicFacts { partitions, config }
}

fn sound() -> Seen {
    let topics = [
        ("readings", topic(4, &[])),
        ("out", topic(4, &[])),
        ("dead", topic(4, &[])),
        ("p-daily-changelog", topic(4, &[("cleanup.policy", "compact")])),
    ];
    Seen {
        address: "localhost:9092".to_owned(),
        now_ms: NOW,
        names: topics.iter().map(|(name, _)| (*name).to_owned()).collect(),
        topics: topics.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect(),
        denied: Default::default(),
        rights: topics_of(&plan()).into_iter().map(|name| (name, ALL)).collect(),
        group_rights: Some(ALL),
        transactions: Some(Ok(())),
        group: Ok(0),
        samples: vec![Sample { records: 400, ..Sample::default() }],
        left_out: vec![],
    }
}

const ALL: Rights = Rights { read: true, write: true, delete: true };

fn topics_of(plan: &Plan) -> Vec<String> {
    plan.topics.all().iter().map(|topic| topic.name.clone()).collect()
}

fn plan() -> Plan {
    plan::check(PIPELINE, &[]).plan.expect("sound")
}

/// What is found, with its severity and code.
fn found(seen: &Seen) -> Vec<String> {
    let findings = judge(&plan(), seen).findings.into_iter();
    findings.map(|d| format!("{} {}: {}", d.severity, d.code, d.message)).collect()
}

fn changed(change: impl FnOnce(&mut Seen)) -> Vec<String> {
    let mut seen = sound();
    change(&mut seen);
    found(&seen)
}

#[test]
fn a_cluster_that_is_as_it_should_be_is_only_described() {
    let survey = judge(&plan(), &sound());
    assert_eq!(survey.findings, []);
    let facts = survey.facts.join("\n");
    for fact in [
        "localhost:9092 answers",
        "transactions begin",
        "readings           4 partitions, read",
        "p-daily-changelog  4 partitions, a table's changelog",
        "400 records of `readings` looked at",
    ] {
        assert!(facts.contains(fact), "{fact}\n{facts}");
    }
}

#[test]
fn what_is_not_there_is_missing_or_will_be_made() {
    let mut seen = sound();
    seen.topics.clear();
    assert_eq!(
        found(&seen),
        ["error missing-topic: there is no topic `readings`", "error missing-topic: there is no topic `out`"]
    );
    let facts = judge(&plan(), &seen).facts.join("\n");
    assert!(facts.contains("dead               will be created with 4 partitions"), "{facts}");
}

#[test]
fn a_changelog_has_the_partitions_of_its_inputs_and_forgets_nothing() {
    let bad = changed(|seen| {
        seen.topics.insert("p-daily-changelog".into(), topic(3, &[("cleanup.policy", "compact,delete")]));
    });
    assert_eq!(
        bad,
        [
            "error bad-changelog: the changelog `p-daily-changelog` has 3 partitions, but its inputs have 4",
            "error bad-changelog: the changelog `p-daily-changelog` has `cleanup.policy=compact,delete`: what a \
             table rests on may be deleted",
        ]
    );
}

#[test]
fn a_changelog_remembers_removed_rows_for_as_long_as_snapshots_are_believed() {
    let bad = changed(|seen| {
        let config = [("cleanup.policy", "compact"), ("delete.retention.ms", "86400000")];
        seen.topics.insert("p-daily-changelog".into(), topic(4, &config));
    });
    assert_eq!(
        bad,
        [
            "error bad-changelog: the changelog `p-daily-changelog` has `delete.retention.ms=86400000`: rows that were \
             removed could come back from a snapshot, which may be 84h old"
        ]
    );
}

#[test]
fn a_compacted_topic_takes_no_dead_letters() {
    let bad = changed(|seen| {
        drop(seen.topics.insert("dead".into(), topic(4, &[("cleanup.policy", "compact")])));
    });
    assert_eq!(
        bad,
        [
            "error topic-setting: the topic for dead letters `dead` has `cleanup.policy=compact`: it takes none without \
             a key, and keeps one of each key"
        ]
    );
}

#[test]
fn settings_that_do_not_go_with_the_pipeline_are_suspicious() {
    let delete = |ms: &'static str| [("cleanup.policy", "delete"), ("retention.ms", ms)];
    let short = changed(|seen| drop(seen.topics.insert("readings".into(), topic(4, &delete("3600000")))));
    assert_eq!(
        short,
        ["warning topic-setting: `readings` keeps records for 1h, and the windows of `daily` last 1d"]
    );
    let old = changed(|seen| {
        seen.topics.insert("out".into(), topic(4, &delete("3600000")));
        seen.samples[0].events = vec![NOW, NOW - 2 * HOUR];
    });
    assert_eq!(
        old,
        [
            "warning topic-setting: `out` keeps records for 1h by their own times, and 1 of the newest 2 events are older"
        ]
    );
    let future = changed(|seen| {
        drop(seen.topics.insert("dead".into(), topic(4, &[(crate::engine::MAX_FUTURE, "1000")])))
    });
    assert_eq!(
        future,
        [
            "warning topic-setting: `dead` takes records up to 1s ahead of its clock, and `readings` lets in up to 1h"
        ]
    );
    let size = changed(|seen| {
        seen.topics.insert("readings".into(), topic(4, &[("max.message.bytes", "2000")]));
        seen.topics.insert("out".into(), topic(4, &[("max.message.bytes", "1000")]));
    });
    assert_eq!(
        size,
        [
            "warning topic-setting: `out` takes records of 1000 bytes at most, and those of `readings` may have 2000"
        ]
    );
}

#[test]
fn what_the_cluster_refuses_is_said_with_its_hint() {
    let refused = || TransportError::fatal("not you").hint("somebody else");
    let bad = changed(|seen| {
        seen.transactions = Some(Err(refused()));
        seen.group = Err(refused());
    });
    assert_eq!(bad, ["error no-transactions: not you", "error not-permitted: not you"]);
    let hidden = changed(|seen| {
        seen.topics.remove("out");
        seen.denied.insert("out".into(), refused());
    });
    assert_eq!(hidden, ["error not-permitted: not you"]);
    let survey = Survey::unreachable(&refused());
    assert_eq!((survey.errors(), survey.findings[0].help.as_slice()), (1, &["somebody else".to_owned()][..]));
}

#[test]
fn what_the_user_may_not_do_is_an_error_and_what_is_not_told_a_remark() {
    let reads = Rights { read: true, write: false, delete: true };
    let bad = changed(|seen| {
        seen.rights.values_mut().for_each(|rights| *rights = reads);
        seen.group_rights = Some(Rights { read: false, write: false, delete: false });
    });
    let may_not = |what: &str| format!("error not-permitted: the user may not {what}");
    let expected = [
        "read the group `p`",
        "write the topic `p-daily-changelog`",
        "write the topic `out`",
        "write the topic `dead`",
    ]
    .map(may_not);
    assert_eq!(bad, expected);
    let writes = Rights { read: false, write: true, delete: true };
    let bad = changed(|seen| seen.rights.values_mut().for_each(|rights| *rights = writes));
    assert_eq!(bad, ["read the topic `readings`", "read the topic `p-daily-changelog`"].map(may_not));
    let mut seen = sound();
    (seen.rights, seen.group_rights) = (Default::default(), None);
    let survey = judge(&plan(), &seen);
    assert_eq!(survey.findings, []);
    let said = "not looked at: whether `readings`, `p-daily-changelog`, `out`, `dead` may be read and written, which \
                the cluster does not tell";
    assert!(survey.facts.iter().any(|fact| fact == said), "{:?}", survey.facts);
}

#[test]
fn keys_that_break_the_promise_are_counted() {
    let plan = plan();
    let topic = plan.sources[0].topics[0];
    let mut input = Input::new(&plan, 0, topic, false);
    let (mut batch, mut sample) = (Batch::default(), Sample::default());
    let home = crate::partitioner::partition_of(b"a", 4);
    let mut add = |offset, key: Option<&[u8]>, value: &[u8]| {
        batch.push(&Record { offset, timestamp: NOW, key, value: Some(value), headers: b"" });
    };
    let at = |ms: i64| format!("{{\"id\":\"a\",\"at\":{ms}}}").into_bytes();
    add(0, Some(b"a"), &at(NOW));
    add(1, Some(b"a"), &at(NOW - HOUR));
    add(2, None, &at(NOW));
    add(3, Some(b"a"), b"not json");
    add(4, Some(b"a"), &at(NOW + 2 * HOUR));
    sample.take_in(&plan, &mut input, &batch, "readings", (home, 4), NOW);
    let place = |offset: i64| Some(format!("readings {home}:{offset}"));
    assert_eq!((sample.records, &sample.wrong_key), (5, &(1, place(2))));
    assert_eq!((sample.unusable, sample.future, &sample.events), (1, 1, &vec![NOW, NOW - HOUR]));
    assert_eq!(sample.misplaced, (0, None));
    let mut elsewhere = Sample::default();
    elsewhere.take_in(&plan, &mut input, &batch, "readings", ((home + 1) % 4, 4), NOW);
    assert_eq!(elsewhere.misplaced.0, 4);
    let said = changed(|seen| seen.samples = vec![elsewhere.clone()]);
    assert_eq!(
        said,
        [
            "warning wrong-key: 1 of the newest 5 records of `readings` are not keyed by `id`",
            "warning wrong-partition: 4 of the newest 5 records of `readings` lie in another partition than their key's",
        ]
    );
}

#[test]
fn a_repartition_of_which_nothing_may_be_deleted_is_warned_of() {
    let plan = plan::check(&PIPELINE.replace("key = \"id\"\n", ""), &[]).plan.expect("sound");
    let found = |rights: Rights| -> Vec<String> {
        let mut seen = sound();
        seen.rights = topics_of(&plan).into_iter().map(|name| (name, rights)).collect();
        let findings = judge(&plan, &seen).findings.into_iter().filter(|d| d.code == Code::NotPermitted);
        findings.map(|d| format!("{} {}", d.severity, d.message)).collect()
    };
    assert_eq!(found(ALL), [""; 0]);
    let warned =
        "warning the user may not delete records of the topic `p-daily-repartition`: it would grow for ever";
    assert_eq!(found(Rights { delete: false, ..ALL }), [warned]);
}
