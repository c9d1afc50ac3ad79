//! The topics of a pipeline, made where they are not there and looked at where they are, before any worker joins.

use super::catalog::{Catalog, TopicConfig};
use crate::diagnostic::did_you_mean;
use crate::outbox::TopicId;
use crate::plan::{Plan, Role, TopicPlan};
use crate::runtime::{Stopped, markers};
use crate::transport::TopicWish;
use std::collections::BTreeSet;

/// Makes what is missing: the pipeline's own topics always, those that the file names if `create` says so, inputs with
/// `partitions` unless their source says how many. The most partitions that any input has.
pub fn prepare<C: Catalog>(
    plan: &Plan,
    catalog: &mut C,
    create: bool,
    partitions: u32,
) -> Result<u32, Stopped> {
    if !create {
        named(plan, catalog)?;
    }
    let mut counts: Vec<u32> = vec![0; plan.parts];
    for (source, run) in plan.sources.iter().zip(&plan.runs).filter(|(source, _)| source.cut.is_none()) {
        for topic in &source.topics {
            let wish = TopicWish {
                partitions: source.partitions.unwrap_or(partitions),
                config: retention(source.retention),
                ..wish(plan, *topic)
            };
            let count = ensure(catalog, &wish)?;
            counts[run.part] = counts[run.part].max(count);
        }
    }
    repartitions(plan, catalog, &mut counts)?;
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    for (at, topic) in plan.topics.all().iter().enumerate() {
        let part = plan.node(&topic.owner).map_or(most, |(_, node)| counts[node.part].max(1));
        let wish = TopicWish { partitions: part, ..wish(plan, TopicId(at as u16)) };
        match topic.role {
            Role::Input | Role::Repartition => {}
            Role::Output => {
                let partitions = topic.partitions.unwrap_or(part);
                let config = lasting(topic.config.clone());
                ensure(catalog, &TopicWish { partitions, config, ..wish })?;
            }
            Role::DeadLetters => {
                let config = lasting(vec![]);
                ensure(catalog, &TopicWish { partitions: most, config, ..wish })?;
            }
            Role::Changelog => changelog(catalog, wish)?,
        }
    }
    let dead_letters = &plan.topics.get(plan.dead_letters).name;
    match catalog.cleanup(dead_letters)? {
        Some(policy) if policy.contains("compact") => Err(choosy(dead_letters, &policy)),
        _ => Ok(most),
    }
}

fn wish(plan: &Plan, topic: TopicId) -> TopicWish {
    let name = plan.topics.get(topic).name.clone();
    TopicWish { topic, name, partitions: 1, compacted: false, config: vec![] }
}

/// The setting by which a cluster refuses records from the future.
pub const MAX_FUTURE: &str = "message.timestamp.after.max.ms";

/// Records that we write have event times, which the cluster's clock does not judge: it would refuse them for ever
/// where they lie ahead, and delete them soon after they were written where they lie behind. How long outputs are kept
/// is for the file to say.
fn lasting(mut config: TopicConfig) -> TopicConfig {
    for (setting, value) in [(MAX_FUTURE, i64::MAX), ("retention.ms", -1)] {
        if !config.iter().any(|(name, _)| name == setting) {
            config.push((setting.to_owned(), value.to_string()));
        }
    }
    config
}

fn retention(ms: Option<i64>) -> TopicConfig {
    ms.map(|ms| ("retention.ms".to_owned(), ms.to_string())).into_iter().collect()
}

/// All topics that the file names are there. Whoever has made a mistake is told of all of it, before anything is made.
fn named<C: Catalog>(plan: &Plan, catalog: &mut C) -> Result<(), Stopped> {
    let mut absent = vec![];
    for (at, topic) in plan.topics.all().iter().enumerate() {
        // One that dead letters go to as well is made for those.
        let is_ours = topic.name == plan.settings.dead_letters;
        let is_named = matches!(topic.role, Role::Input | Role::Output) && !is_ours;
        if is_named && catalog.partitions(TopicId(at as u16), &topic.name)?.is_none() {
            absent.push(topic);
        }
    }
    if absent.is_empty() { Ok(()) } else { Err(missing(&absent, &catalog.names())) }
}

/// Topics that the file names are not there.
fn missing(absent: &[&TopicPlan], there: &[String]) -> Stopped {
    let (message, create) = match absent {
        [one] => (
            format!("there is no topic `{}`, which `{}` names", one.name, one.owner),
            "create it, or set `create_topics = true` in `[kafka]`",
        ),
        several => {
            let names: Vec<String> = several.iter().map(|topic| format!("`{}`", topic.name)).collect();
            (
                format!("there are no topics {}", names.join(", ")),
                "create them, or set `create_topics = true` in `[kafka]`",
            )
        }
    };
    let close = absent.iter().find_map(|topic| did_you_mean(&topic.name, there.iter().map(String::as_str)));
    Stopped::fatal(message).hint(match close {
        Some(close) => format!("did you mean `{close}`? else {create}"),
        None => create.to_owned(),
    })
}

/// How many partitions a topic has, once it is there.
fn ensure<C: Catalog>(catalog: &mut C, wish: &TopicWish) -> Result<u32, Stopped> {
    if let Some(count) = catalog.partitions(wish.topic, &wish.name)? {
        return Ok(count);
    }
    catalog.create(wish)?;
    let count = catalog.partitions(wish.topic, &wish.name)?.unwrap_or(wish.partitions);
    tracing::info!(topic = wish.name, partitions = count, "created");
    Ok(count)
}

/// A repartition has the partitions of what it meets on its far side; alone there, as many as what is written to it.
/// One that is there already stays as wide as it is: its keys lie where they lie.
fn repartitions<C: Catalog>(plan: &Plan, catalog: &mut C, counts: &mut [u32]) -> Result<(), Stopped> {
    for (source, run) in plan.sources.iter().zip(&plan.runs) {
        let Some(cut) = &source.cut else { continue };
        let before = cut.from.iter().map(|from| counts[plan.runs[*from].part]).max().unwrap_or(1);
        let parts: BTreeSet<usize> = cut.from.iter().map(|from| plan.runs[*from].part).collect();
        let tasks: u32 = parts.iter().map(|part| counts[*part]).sum();
        if tasks as usize > markers::MOST {
            let most = markers::MOST;
            return Err(Stopped::fatal(format!(
                "{tasks} partitions are written to the repartition of `{}`, and no more than {most} can be",
                cut.node
            ))
            .hint("give the inputs fewer partitions, or group by what they are keyed by"));
        }
        let met = counts[run.part];
        let partitions = if met > 0 { met } else { before.max(1) };
        let wish = TopicWish { partitions, config: passing(), ..wish(plan, source.topics[0]) };
        let found = ensure(catalog, &wish)?;
        if met > 0 && found != met {
            let (name, node) = (&wish.name, &cut.node);
            return Err(Stopped::fatal(format!(
                "the repartition topic `{name}` has {found} partitions, and what `{node}` reads with it has {met}"
            ))
            .hint("what is grouped together has to be partitioned alike: give the topics equal numbers"));
        }
        if catalog.cleanup(&wish.name)?.is_some_and(|policy| policy.contains("compact")) {
            let name = &wish.name;
            return Err(Stopped::fatal(format!(
                "the repartition topic `{name}` is compacted: records of one key would be lost"
            ))
            .hint(format!(
                "`kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {name} --add-config \
                 cleanup.policy=delete`"
            )));
        }
        counts[run.part] = counts[run.part].max(found);
    }
    Ok(())
}

/// What is in a repartition goes when it has been read, and not before, however old it is; and a record that its own
/// topic has taken has room here for where it came from.
fn passing() -> TopicConfig {
    let settings = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "-1"),
        ("segment.bytes", "52428800"),
        ("max.message.bytes", "2097152"),
    ];
    lasting(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// The changelog of a table has the partitions of its node's inputs, and keeps the last value of each key for good.
fn changelog<C: Catalog>(catalog: &mut C, wish: TopicWish) -> Result<(), Stopped> {
    let wish = TopicWish { compacted: true, ..wish };
    let found = ensure(catalog, &wish)?;
    if found != wish.partitions {
        return Err(repartitioned(&wish.name, found, wish.partitions));
    }
    if let Some(policy) = catalog.cleanup(&wish.name)?.filter(|policy| policy != "compact") {
        return Err(forgetful(&wish.name, &policy));
    }
    let kept = catalog.setting(&wish.name, KEEPS_REMOVALS)?.and_then(|ms| ms.parse().ok());
    match kept {
        Some(ms) if ms < LEAST_KEPT => Err(hasty(&wish.name, ms)),
        _ => Ok(()),
    }
}

/// The setting that says for how long a compacted topic remembers that a key was removed, in milliseconds.
pub const KEEPS_REMOVALS: &str = "delete.retention.ms";

/// So long it has to: snapshots are believed for half of it.
pub const LEAST_KEPT: i64 = 2 * crate::runtime::OLDEST_SNAPSHOT;

/// A changelog that forgets too soon that rows were removed: an older snapshot would bring them back.
pub fn hasty(changelog: &str, ms: i64) -> Stopped {
    Stopped::fatal(format!(
        "the changelog `{changelog}` has `{KEEPS_REMOVALS}={ms}`: rows that were removed could come back from a \
         snapshot, which may be {} old",
        crate::time::format_duration(LEAST_KEPT / 2)
    ))
    .hint(format!(
        "`kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {changelog} --add-config \
         {KEEPS_REMOVALS}={LEAST_KEPT}`"
    ))
}

/// A topic for dead letters that does not take all of them.
pub fn choosy(dead_letters: &str, policy: &str) -> Stopped {
    Stopped::fatal(format!(
        "the topic for dead letters `{dead_letters}` has `cleanup.policy={policy}`: it takes none without a key, and \
         keeps one of each key"
    ))
    .hint(format!(
        "`kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {dead_letters} --add-config \
         cleanup.policy=delete`"
    ))
}

/// A changelog that has other partitions than its inputs.
pub fn repartitioned(changelog: &str, found: u32, wanted: u32) -> Stopped {
    Stopped::fatal(format!(
        "the changelog `{changelog}` has {found} partition{}, but its inputs have {wanted}",
        if found == 1 { "" } else { "s" }
    ))
    .hint("the number of partitions of an input has changed: its keys lie elsewhere now")
}

/// A changelog that forgets what it is there to keep.
pub fn forgetful(changelog: &str, policy: &str) -> Stopped {
    Stopped::fatal(format!(
        "the changelog `{changelog}` has `cleanup.policy={policy}`: the cluster may delete what a table rests on"
    ))
    .hint(format!(
        "`kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {changelog} --add-config \
         cleanup.policy=compact`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::transport::TransportError;
    use std::collections::BTreeMap;

    const PIPELINE: &str = r#"
name = "p"
dead_letters = "dead"
[schema.s]
id = "string"
[source.readings]
topic = "readings"
schema = "s"
key = "id"
retention = "1d"
[count.per_id]
from = "readings"
by = "id"
[sink.out]
from = "per_id"
topic = "out"
config = { "max.message.bytes" = "2000000" }
"#;

    /// Topics in memory: partitions and policy.
    #[derive(Default)]
    struct Made {
        topics: BTreeMap<String, (u32, &'static str)>,
        keeps_removals: Option<i64>,
        wishes: Vec<TopicWish>,
    }

    impl Catalog for Made {
        fn partitions(&mut self, _: TopicId, name: &str) -> Result<Option<u32>, TransportError> {
            Ok(self.topics.get(name).map(|(count, _)| *count))
        }

        fn create(&mut self, wish: &TopicWish) -> Result<(), TransportError> {
            let policy = if wish.compacted { "compact" } else { "delete" };
            self.topics.insert(wish.name.clone(), (wish.partitions, policy));
            self.wishes.push(wish.clone());
            Ok(())
        }

        fn names(&mut self) -> Vec<String> {
            self.topics.keys().cloned().collect()
        }

        fn setting(&mut self, name: &str, setting: &str) -> Result<Option<String>, TransportError> {
            Ok(match setting {
                KEEPS_REMOVALS => self.keeps_removals.map(|ms| ms.to_string()),
                _ => self.topics.get(name).map(|(_, policy)| (*policy).to_owned()),
            })
        }
    }

    fn prepared(made: &mut Made, create: bool) -> Result<u32, String> {
        let plan = plan::check(PIPELINE, &[]).plan.expect("sound");
        prepare(&plan, made, create, 4).map_err(|e| e.to_string())
    }

    #[test]
    fn each_topic_is_made_as_its_part_wants_it() {
        let mut made = Made::default();
        assert_eq!(prepared(&mut made, true), Ok(4));
        let found: Vec<_> = made
            .wishes
            .iter()
            .map(|w| (w.name.as_str(), w.partitions, w.compacted, w.config.len()))
            .collect();
        let expected = [
            ("readings", 4, false, 1),
            ("p-per_id-changelog", 4, true, 0),
            ("out", 4, false, 3),
            ("dead", 4, false, 2),
        ];
        assert_eq!(found, expected);
        assert_eq!(made.wishes[0].config, [("retention.ms".to_owned(), "86400000".to_owned())]);
        assert_eq!(made.wishes[2].config[0].0, "max.message.bytes");
        assert_eq!(made.wishes[3].config[0].0, MAX_FUTURE);
        let for_good = ("retention.ms".to_owned(), "-1".to_owned());
        assert!(
            made.wishes[2..].iter().all(|wish| wish.config.contains(&for_good)),
            "by their own times they are old"
        );
        let kept = lasting(vec![("retention.ms".to_owned(), "1000".to_owned())]);
        assert_eq!(
            kept.iter().filter(|(name, _)| name == "retention.ms").count(),
            1,
            "the file has the last word"
        );
        made.wishes.clear();
        assert_eq!((prepared(&mut made, false), made.wishes.len()), (Ok(4), 0));
    }

    #[test]
    fn what_the_file_names_is_made_only_if_it_says_so() {
        let mut made = Made::default();
        made.topics.insert("reading".to_owned(), (3, "delete"));
        let said = "there are no topics `readings`, `out`\n\
                    help: did you mean `reading`? else create them, or set `create_topics = true` in `[kafka]`";
        assert_eq!(prepared(&mut made, false), Err(said.to_owned()));
        made.topics.insert("readings".to_owned(), (3, "delete"));
        let said = "there is no topic `out`, which `out` names\n\
                    help: create it, or set `create_topics = true` in `[kafka]`";
        assert_eq!(prepared(&mut made, false), Err(said.to_owned()));
        assert!(made.wishes.is_empty(), "who is told of a mistake has made nothing");
    }

    #[test]
    fn a_changelog_that_cannot_keep_a_table_stops_the_start() {
        let mut made = Made::default();
        made.topics.insert("p-per_id-changelog".to_owned(), (4, "compact,delete"));
        let said = prepared(&mut made, true).expect_err("it deletes");
        assert!(
            said.contains("`cleanup.policy=compact,delete`") && said.contains("--alter --topic"),
            "{said}"
        );
        made.topics.insert("p-per_id-changelog".to_owned(), (1, "compact"));
        let said = prepared(&mut made, true).expect_err("too few");
        assert!(said.starts_with("the changelog `p-per_id-changelog` has 1 partition, but"), "{said}");
        made.topics.insert("p-per_id-changelog".to_owned(), (4, "compact"));
        made.keeps_removals = Some(86_400_000);
        let said = prepared(&mut made, true).expect_err("a day");
        let mend = "snapshot, which may be 84h old\nhelp: `kafka-configs.sh --bootstrap-server HOST:PORT --alter \
                    --topic p-per_id-changelog --add-config delete.retention.ms=604800000`";
        assert!(said.contains("has `delete.retention.ms=86400000`") && said.ends_with(mend), "{said}");
        made.keeps_removals = Some(LEAST_KEPT);
        assert_eq!(prepared(&mut made, true), Ok(4));
    }

    #[test]
    fn a_compacted_topic_takes_no_dead_letters() {
        let mut made = Made::default();
        made.topics.insert("dead".to_owned(), (1, "compact,delete"));
        let said = prepared(&mut made, true).expect_err("it is compacted");
        let mend = "--alter --topic dead --add-config cleanup.policy=delete`";
        assert!(said.contains("dead letters `dead` has `cleanup.policy=compact,delete`"), "{said}");
        assert!(said.ends_with(mend), "{said}");
    }
}
