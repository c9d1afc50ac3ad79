//! The topics of a pipeline, made where they are not there, before any worker joins.

use crate::outbox::TopicId;
use crate::plan::{Plan, Role};
use crate::runtime::Stopped;
use crate::transport::{TopicWish, Transport};

/// Makes what is missing: the pipeline's own topics always, those that the file names if `create` says so, inputs with
/// `partitions` unless their source says how many. The most partitions that any input has.
pub fn prepare<T: Transport>(
    plan: &Plan,
    transport: &mut T,
    create: bool,
    partitions: u32,
) -> Result<u32, Stopped> {
    let mut counts: Vec<u32> = vec![0; plan.parts];
    for (source, run) in plan.sources.iter().zip(&plan.runs) {
        for topic in &source.topics {
            let wanted = source.partitions.unwrap_or(partitions);
            let count = ensure(plan, transport, *topic, wanted, create)?;
            counts[run.part] = counts[run.part].max(count);
        }
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    for (at, topic) in plan.topics.all().iter().enumerate() {
        let id = TopicId(at as u16);
        let part = plan.node(&topic.owner).map_or(most, |(_, node)| counts[node.part].max(1));
        match topic.role {
            Role::Input => {}
            Role::Output => drop(ensure(plan, transport, id, topic.partitions.unwrap_or(part), create)?),
            Role::DeadLetters => drop(ensure(plan, transport, id, most, true)?),
            Role::Changelog => {
                let found = ensure(plan, transport, id, part, true)?;
                if found != part {
                    return Err(Stopped::fatal(format!(
                        "the changelog `{}` has {found} partitions, but its inputs have {part}",
                        topic.name
                    ))
                    .hint("the number of partitions of an input has changed: its keys lie elsewhere now"));
                }
            }
        }
    }
    Ok(most)
}

/// How many partitions a topic has, once it is there.
fn ensure<T: Transport>(
    plan: &Plan,
    transport: &mut T,
    topic: TopicId,
    partitions: u32,
    create: bool,
) -> Result<u32, Stopped> {
    if let Some(count) = transport.partitions(topic)? {
        return Ok(count);
    }
    let named = plan.topics.get(topic);
    if !create {
        return Err(Stopped::fatal(format!("there is no topic `{}`", named.name))
            .hint("create it, or set `create_topics = true` in `[kafka]`"));
    }
    let compacted = named.role == Role::Changelog;
    transport.create(&TopicWish { topic, name: named.name.clone(), partitions, compacted })?;
    tracing::info!(topic = named.name, partitions, "created");
    Ok(transport.partitions(topic)?.unwrap_or(partitions))
}
