//! Settings of topics that do not go with what the pipeline does: retention, timestamps, sizes.

use super::{Seen, Survey, configure, count, warning};
use crate::diagnostic::Code;
use crate::engine::MAX_FUTURE;
use crate::plan::{Plan, Role, TopicPlan};
use crate::time::format_duration;

/// Judges the settings.
pub fn judge(plan: &Plan, seen: &Seen, survey: &mut Survey) {
    for topic in plan.topics.all().iter().filter(|topic| seen.topics.contains_key(&topic.name)) {
        match topic.role {
            Role::Input => outlasts(plan, seen, topic, survey),
            Role::Output | Role::DeadLetters => {
                keeps(seen, topic, survey);
                takes_times(plan, seen, topic, survey);
                takes_sizes(plan, seen, topic, survey);
            }
            Role::Changelog | Role::Repartition => {}
        }
    }
}

/// How long a topic keeps records, by their timestamps, if it deletes them for their age.
fn retention(seen: &Seen, topic: &str) -> Option<i64> {
    let deletes = seen.setting(topic, "cleanup.policy").is_some_and(|policy| policy.contains("delete"));
    seen.number(topic, "retention.ms").filter(|ms| deletes && *ms >= 0)
}

/// Records that are gone before their window is over cannot be read again after a crash.
fn outlasts(plan: &Plan, seen: &Seen, topic: &TopicPlan, survey: &mut Survey) {
    let Some(retention) = retention(seen, &topic.name) else { return };
    for node in &plan.nodes {
        let windowed = node.table.as_ref().filter(|table| table.windowed);
        let lines = windowed.map(|table| table.fingerprint.as_slice()).unwrap_or_default();
        let every =
            lines.iter().find_map(|line| line.strip_prefix("every ")?.split(' ').next()?.parse().ok());
        let Some(every) = every.filter(|every: &i64| *every > retention) else { continue };
        let finding = warning(
            Code::TopicSetting,
            format!(
                "`{}` keeps records for {}, and the windows of `{}` last {}",
                topic.name,
                format_duration(retention),
                node.name,
                format_duration(every)
            ),
        );
        survey.add(finding.help(configure(&topic.name, &format!("retention.ms={}", every * 2))), topic.place);
    }
}

/// What is written has the time of its event, and a topic deletes by that.
fn keeps(seen: &Seen, topic: &TopicPlan, survey: &mut Survey) {
    let Some(retention) = retention(seen, &topic.name) else { return };
    if seen.setting(&topic.name, "message.timestamp.type") == Some("LogAppendTime") {
        return;
    }
    let events: Vec<i64> = seen.samples.iter().flat_map(|sample| sample.events.iter().copied()).collect();
    let past = events.iter().filter(|event| seen.now_ms.saturating_sub(**event) > retention).count();
    // A few may be odd ones.
    if past * 10 < events.len().max(1) {
        return;
    }
    let finding = warning(
        Code::TopicSetting,
        format!(
            "`{}` keeps records for {} by their own times, and {past} of the newest {} are older",
            topic.name,
            format_duration(retention),
            count(events.len(), "event"),
        ),
    );
    let finding = finding.help(configure(&topic.name, "retention.ms=-1"));
    survey.add(finding.note("records that old are deleted soon after they are written"), topic.place);
}

/// Events may be as far ahead of the clock as their source allows.
fn takes_times(plan: &Plan, seen: &Seen, topic: &TopicPlan, survey: &mut Survey) {
    let own = seen.setting(&topic.name, "message.timestamp.type") == Some("LogAppendTime");
    let Some(most) = seen.number(&topic.name, MAX_FUTURE).filter(|_| !own) else { return };
    let Some(source) = plan.sources.iter().find(|source| source.max_future > most) else { return };
    let finding = warning(
        Code::TopicSetting,
        format!(
            "`{}` takes records up to {} ahead of its clock, and `{}` lets in up to {}",
            topic.name,
            format_duration(most),
            source.name,
            format_duration(source.max_future)
        ),
    );
    let finding = finding.help(configure(&topic.name, &format!("{MAX_FUTURE}={}", i64::MAX)));
    survey.add(finding.note("records further ahead are written with the time of writing"), topic.place);
}

/// What is written is about as large as what is read.
fn takes_sizes(plan: &Plan, seen: &Seen, topic: &TopicPlan, survey: &mut Survey) {
    const SIZE: &str = "max.message.bytes";
    let Some(most) = seen.number(&topic.name, SIZE) else { return };
    let inputs = plan.topics.all().iter().filter(|topic| topic.role == Role::Input);
    let sizes = inputs.filter_map(|input| Some((seen.number(&input.name, SIZE)?, input)));
    let Some((larger, input)) = sizes.max_by_key(|(size, _)| *size).filter(|(size, _)| *size > most) else {
        return;
    };
    let finding = warning(
        Code::TopicSetting,
        format!(
            "`{}` takes records of {most} bytes at most, and those of `{}` may have {larger}",
            topic.name, input.name
        ),
    );
    let finding = finding.help(configure(&topic.name, &format!("{SIZE}={larger}")));
    survey.add(finding.note("what is too large becomes a dead letter, cut"), topic.place);
}
