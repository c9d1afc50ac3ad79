//! Topics: which are there, with how many partitions, and whether those fit each other.

use super::{Seen, Survey, configure, count, said, warning};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::engine::{KEEPS_REMOVALS, LEAST_KEPT, choosy, hasty};
use crate::outbox::TopicId;
use crate::plan::{Plan, Role, TopicPlan};
use crate::produce::PARTITIONS;

/// Judges the topics.
pub fn judge(plan: &Plan, seen: &Seen, survey: &mut Survey) {
    let width = plan.topics.all().iter().map(|topic| topic.name.chars().count()).max().unwrap_or(0);
    for (at, topic) in plan.topics.all().iter().enumerate() {
        let wanted = wanted(plan, seen, TopicId(at as u16));
        let denied = seen.denied.get(&topic.name);
        let state = match seen.topics.get(&topic.name) {
            Some(facts) => count(facts.partitions as usize, "partition"),
            None if denied.is_some() => "cannot be looked at".to_owned(),
            None if is_made(plan, topic) => {
                format!("will be created with {}", count(wanted.unwrap_or(PARTITIONS) as usize, "partition"))
            }
            None => {
                survey.add(missing(topic, seen), topic.place);
                "is missing".to_owned()
            }
        };
        if let Some(error) = denied {
            survey.add(said(Code::NotPermitted, error), topic.place);
        }
        survey.fact(format!("{:width$}  {state}, {}", topic.name, role(&topic.role)));
        there(plan, seen, topic, wanted, survey);
    }
    together(plan, seen, survey);
}

fn role(role: &Role) -> &'static str {
    match role {
        Role::Input => "read",
        Role::Output => "written",
        Role::DeadLetters => "for dead letters",
        Role::Changelog => "a table's changelog",
        Role::Repartition => "a node's repartition",
    }
}

/// Whether the pipeline makes the topic if it is not there.
fn is_made(plan: &Plan, topic: &TopicPlan) -> bool {
    let own = topic.role == Role::DeadLetters || topic.role.is_internal();
    own || plan.settings.create_topics || topic.name == plan.settings.dead_letters
}

fn missing(topic: &TopicPlan, seen: &Seen) -> Diagnostic {
    let finding = Diagnostic::file(Code::MissingTopic, format!("there is no topic `{}`", topic.name));
    let finding = match did_you_mean(&topic.name, seen.names.iter().map(String::as_str)) {
        Some(close) => finding.help(format!("did you mean `{close}`?")),
        None => finding,
    };
    finding.help("create it, or set `create_topics = true` in `[kafka]`")
}

/// How many partitions a topic should have, as far as that can be told: a changelog as many as its node's inputs, the
/// others what the file says.
fn wanted(plan: &Plan, seen: &Seen, id: TopicId) -> Option<u32> {
    let topic = plan.topics.get(id);
    match topic.role {
        Role::Input => plan.sources.iter().find(|source| source.topics.contains(&id))?.partitions,
        Role::Output => topic.partitions.or_else(|| of_part(plan, seen, &topic.owner)),
        Role::DeadLetters => (0..plan.parts).filter_map(|part| most(plan, seen, part)).max(),
        Role::Changelog | Role::Repartition => of_part(plan, seen, &topic.owner),
    }
}

fn of_part(plan: &Plan, seen: &Seen, node: &str) -> Option<u32> {
    let (_, node) = plan.node(node)?;
    most(plan, seen, node.part)
}

/// The most partitions that an input of a part has, or will have.
fn most(plan: &Plan, seen: &Seen, part: usize) -> Option<u32> {
    let own =
        || plan.sources.iter().zip(&plan.runs).filter(|(_, run)| run.part == part).map(|(source, _)| source);
    let there = |topic: &TopicId| Some(seen.topics.get(&plan.topics.get(*topic).name)?.partitions);
    let named = own().filter(|source| source.cut.is_none()).flat_map(|source| {
        let made = source.partitions.unwrap_or(PARTITIONS);
        source.topics.iter().map(move |topic| there(topic).unwrap_or(made))
    });
    // A repartition that stands alone is made as wide as what is written to it.
    let cuts = own().filter_map(|source| Some((there(&source.topics[0]), source.cut.as_ref()?)));
    let behind = cuts.filter_map(|(there, cut)| {
        let before = || cut.from.iter().filter_map(|from| most(plan, seen, plan.runs[*from].part)).max();
        there.or_else(before)
    });
    named.max().or_else(|| behind.max())
}

/// What is wrong with a topic that is there.
fn there(plan: &Plan, seen: &Seen, topic: &TopicPlan, wanted: Option<u32>, survey: &mut Survey) {
    let (Some(facts), Some(wanted)) = (seen.topics.get(&topic.name), wanted) else { return };
    let (name, found) = (&topic.name, facts.partitions);
    match topic.role {
        Role::Repartition => only_deletes(topic, seen, survey),
        Role::Changelog if found != wanted => survey.add(
            Diagnostic::file(
                Code::BadChangelog,
                format!(
                    "the changelog `{name}` has {}, but its inputs have {wanted}",
                    count(found as usize, "partition")
                ),
            )
            .help("the number of partitions of an input has changed: its keys lie elsewhere now"),
            topic.place,
        ),
        Role::Input | Role::Output if declared(plan, topic).is_some_and(|n| n != found) => survey.add(
            warning(
                Code::PartitionCount,
                format!("`{name}` has {}, and the file says {wanted}", count(found as usize, "partition")),
            )
            .help("`partitions` counts only when the topic is created: leave it out, or make it true"),
            topic.place,
        ),
        _ => {}
    }
    let policy = seen.setting(name, "cleanup.policy");
    if let Some(policy) = policy.filter(|policy| topic.role == Role::Changelog && *policy != "compact") {
        survey.add(
            Diagnostic::file(
                Code::BadChangelog,
                format!("the changelog `{name}` has `cleanup.policy={policy}`: what a table rests on may be deleted"),
            )
            .help(configure(name, "cleanup.policy=compact")),
            topic.place,
        );
    }
    if let Some(policy) = policy.filter(|p| *name == plan.settings.dead_letters && p.contains("compact")) {
        survey.add(said(Code::TopicSetting, &choosy(name, policy)), topic.place);
    }
    remembers(seen, topic, survey);
}

/// A changelog has to remember removed rows for as long as a snapshot is believed, and longer.
fn remembers(seen: &Seen, topic: &TopicPlan, survey: &mut Survey) {
    let kept = seen.number(&topic.name, KEEPS_REMOVALS);
    if let Some(ms) = kept.filter(|ms| topic.role == Role::Changelog && *ms < LEAST_KEPT) {
        survey.add(said(Code::BadChangelog, &hasty(&topic.name, ms)), topic.place);
    }
}

/// A repartition that is compacted loses records that have the same key.
fn only_deletes(topic: &TopicPlan, seen: &Seen, survey: &mut Survey) {
    let name = &topic.name;
    let policy = seen.setting(name, "cleanup.policy").filter(|policy| policy.contains("compact"));
    let Some(policy) = policy else { return };
    let message = format!(
        "the repartition topic `{name}` has `cleanup.policy={policy}`: records of one key would be lost"
    );
    let finding = Diagnostic::file(Code::BadChangelog, message);
    survey.add(finding.help(configure(name, "cleanup.policy=delete")), topic.place);
}

/// What the file itself says of a topic's partitions.
fn declared(plan: &Plan, topic: &TopicPlan) -> Option<u32> {
    match topic.role {
        Role::Input => plan.source(&topic.owner)?.1.partitions,
        _ => topic.partitions,
    }
}

/// Topics that are grouped together have to have the same number of partitions, or equal keys lie in different ones.
fn together(plan: &Plan, seen: &Seen, survey: &mut Survey) {
    for part in 0..plan.parts {
        let grouped = plan.nodes.iter().find(|node| node.part == part && node.table.is_some());
        let together = grouped.map_or_else(
            || format!("`{}` reads them together", plan.part_name(part)),
            |node| format!("`{}` groups them together", node.name),
        );
        let sources = plan.sources.iter().zip(&plan.runs).filter(|(_, run)| run.part == part);
        let topics = sources.flat_map(|(source, _)| &source.topics).map(|topic| plan.topics.get(*topic));
        let counts: Vec<(&TopicPlan, u32)> =
            topics.filter_map(|topic| Some((topic, seen.topics.get(&topic.name)?.partitions))).collect();
        let Some((first, many)) = counts.first() else { continue };
        for (other, count) in counts.iter().filter(|(_, count)| count != many) {
            let finding = Diagnostic::file(
                Code::PartitionCount,
                format!(
                    "`{}` has {many} partitions and `{}` has {count}, and {together}",
                    first.name, other.name
                ),
            );
            survey.add(finding.help("give both the same number: equal keys must lie together"), other.place);
        }
    }
}
