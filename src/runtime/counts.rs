//! How many partitions inputs have, and that they stay as many where keys say which partition a record is in.
//!
//! With another number of partitions a key's records lie in another one from then on: its row would stay behind in the
//! task that has had it so far, and another would begin in the next. Nothing that could be done then would be right, so
//! the worker stops. Where nothing is kept by key more partitions are only more to read.

use super::worker::Worker;
use crate::outbox::TopicId;
use crate::plan::NodePlan;
use crate::transport::{Transport, TransportError};

impl<T: Transport> Worker<T> {
    /// How many partitions the topics of a part have, input by input.
    pub(super) fn counts(&mut self, part: usize) -> Result<Vec<u32>, TransportError> {
        let (plan, mut topics) = (self.plan.clone(), vec![]);
        for (source, _) in plan.sources.iter().zip(&plan.runs).filter(|(_, run)| run.part == part) {
            for topic in &source.topics {
                let missing = || {
                    let name = &plan.topics.get(*topic).name;
                    TransportError::fatal(format!("there is no topic `{name}`, read by `{}`", source.name))
                };
                topics.push((*topic, self.transport.partitions(*topic)?.ok_or_else(missing)?));
            }
        }
        let counts: Vec<u32> = topics.iter().map(|(_, count)| *count).collect();
        let grouped = plan.nodes.iter().find(|node| node.part == part && node.table.is_some());
        if counts.iter().any(|count| *count != counts[0]) {
            return Err(self.unequal(part, grouped, &counts));
        }
        self.stay_as_many(part, &topics, grouped.is_some())?;
        Ok(counts)
    }

    /// Topics that are read by one task have to be partitioned alike: a key would have rows in two tasks, and the group
    /// would give the partitions of a task to different members.
    fn unequal(&self, part: usize, grouped: Option<&NodePlan>, counts: &[u32]) -> TransportError {
        let name = grouped.map_or(self.plan.part_name(part), |node| node.name.as_str());
        let message = format!("the topics behind `{name}` have different numbers of partitions: {counts:?}");
        TransportError::fatal(message).hint(match grouped {
            Some(_) => "what is grouped together has to be partitioned alike: give the topics equal numbers",
            None => "what is merged is read in the order of its time: give the topics equal numbers",
        })
    }

    /// Compares with what tables were made for, once, and with what there was when this worker first looked.
    fn stay_as_many(
        &mut self,
        part: usize,
        topics: &[(TopicId, u32)],
        has_tables: bool,
    ) -> Result<(), TransportError> {
        let is_first = !topics.iter().any(|(topic, _)| self.widths.contains_key(topic));
        if let Some((topic, has)) = topics.first().filter(|_| has_tables && is_first) {
            self.fits_changelogs(part, *topic, *has)?;
        }
        for (topic, has) in topics {
            let had = *self.widths.entry(*topic).or_insert(*has);
            if had != *has && (has_tables || self.is_keyed(*topic)) {
                return Err(self.moved(*topic, had, *has, has_tables));
            }
        }
        Ok(())
    }

    /// A changelog has as many partitions as the inputs had when it was made.
    fn fits_changelogs(&mut self, part: usize, topic: TopicId, has: u32) -> Result<(), TransportError> {
        let plan = self.plan.clone();
        let own = plan.nodes.iter().filter(|node| node.part == part);
        for table in own.flat_map(|node| node.table.iter().chain(&node.marks)) {
            match self.transport.partitions(table.changelog)? {
                Some(had) if had != has => return Err(self.moved(topic, had, has, true)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a source promises that the topic is partitioned by a field.
    fn is_keyed(&self, topic: TopicId) -> bool {
        self.plan.sources.iter().any(|source| source.key.is_some() && source.topics.contains(&topic))
    }

    fn moved(&self, topic: TopicId, had: u32, has: u32, has_tables: bool) -> TransportError {
        let name = &self.plan.topics.get(topic).name;
        let moved = TransportError::fatal(format!(
            "topic `{name}` had {had} partitions and has {has} now: keys lie elsewhere now"
        ));
        moved.hint(match has_tables {
            true => format!(
                "tables cannot follow their keys: copy the records into a topic that has had {has} partitions from \
                 the start, and read that with a pipeline of another `name`"
            ),
            false => "start it again to go on; what came for a key before may be written behind what comes now"
                .to_owned(),
        })
    }
}
