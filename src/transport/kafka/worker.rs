//! What a worker asks of its transport, on a cluster.

use super::limits::Limits;
use super::member::News;
use super::reader::Reader;
use super::{Kafka, Outcome};
use crate::outbox::{Outbox, TopicId};
use crate::transport::{Chunk, Event, Limits as Most, Partition, Position, TopicWish, Transport};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

impl Transport for Kafka {
    fn partitions(&mut self, topic: TopicId) -> Outcome<Option<u32>> {
        self.cluster.partitions(self.name(topic))
    }

    fn create(&mut self, wish: &TopicWish) -> Outcome<()> {
        let compacted = [("cleanup.policy".to_owned(), "compact".to_owned())];
        let config: &[(String, String)] = if wish.compacted { &compacted } else { &[] };
        self.cluster.create(&wish.name, wish.partitions, config)
    }

    fn join(&mut self, inputs: &[TopicId]) -> Outcome<()> {
        if std::mem::replace(&mut self.joined, true) {
            // What is wrong with the old membership stays with it.
            self.replace_member()?;
        }
        self.member.join(inputs)
    }

    fn poll(&mut self, limits: Most) -> Outcome<Event<'_>> {
        if self.dealt_with {
            self.member.clear();
        }
        self.dealt_with = false;
        // What has been restored needs no reader any more, which would go on fetching.
        if self.reader.as_ref().is_some_and(Reader::is_done) {
            self.reader = None;
        }
        match self.member.news()? {
            News::Assigned(partitions) => return Ok(Event::Assigned(partitions)),
            News::Revoked(partitions) => return Ok(Event::Revoked(partitions)),
            News::Lost(partitions) => return Ok(Event::Lost(partitions)),
            News::Nothing => {}
        }
        self.settle_doubts()?;
        // A batch that could not be handed out is not dealt with.
        let runs = self.member.records(limits.records)?;
        self.dealt_with = true;
        Ok(if runs.is_empty() { Event::Idle } else { Event::Records(runs) })
    }

    fn wait(&mut self, most: Duration) {
        if std::mem::take(&mut self.dealt_with) {
            self.member.clear();
        }
        self.member.wait(most);
    }

    fn committed(&mut self, inputs: &[Partition]) -> Outcome<Vec<Option<Position>>> {
        // What a process before us has left open would be waited for until it times out.
        self.producer.ensure()?;
        let found = self.member.committed(inputs)?;
        let position = |(partition, found): (&Partition, Option<(i64, String)>)| {
            found.map(|(offset, metadata)| Position { partition: *partition, offset, metadata })
        };
        Ok(inputs.iter().zip(found).map(position).collect())
    }

    fn bounds(&mut self, partition: Partition) -> Outcome<(i64, i64)> {
        self.cluster.bounds(self.name(partition.topic), partition.index)
    }

    fn topic_id(&mut self, topic: TopicId) -> Outcome<Option<String>> {
        self.cluster.topic_id(self.name(topic))
    }

    fn changelog(&mut self, partition: Partition, from: i64, end: i64) -> Outcome<Chunk<'_>> {
        if from >= end {
            return Ok(Chunk { records: vec![], next: end });
        }
        if self.reader.as_ref().is_none_or(Reader::ails) {
            self.reader = Some(Reader::new(self.cluster.settings())?);
        }
        let name = &self.names[partition.topic.0 as usize];
        let reader = self.reader.as_mut().expect("it has just been made");
        reader.chunk(partition, name, from, end)
    }

    fn begin(&mut self, partition: Partition, offset: i64) -> Outcome<()> {
        self.member.begin(partition, offset);
        Ok(())
    }

    fn pause(&mut self, partition: Partition, paused: bool) -> Outcome<()> {
        self.member.pause(partition, paused)
    }

    fn at_end(&mut self, partition: Partition) -> Outcome<bool> {
        Ok(self.member.at_end(partition))
    }

    fn reached(&mut self, partition: Partition) -> Option<i64> {
        self.member.reached(partition)
    }

    fn purge(&mut self, read: &[(Partition, i64)]) {
        let named: Vec<_> =
            read.iter().map(|(p, offset)| (self.name(p.topic).to_owned(), p.index, *offset)).collect();
        self.cluster.purge(&named);
    }

    fn most_bytes(&mut self, topic: TopicId) -> usize {
        self.producer.most_bytes(topic.0 as usize)
    }

    fn needs_key(&mut self, topic: TopicId) -> bool {
        self.producer.needs_key(topic.0 as usize)
    }

    fn lag(&mut self, partition: Partition, position: i64) -> Option<i64> {
        let end = self.member.known_end(partition)?;
        let reached = self.member.reached(partition).unwrap_or(position);
        // Markers at the end are no records that anyone waits for.
        Some(if reached >= end { 0 } else { (end - position).max(0) })
    }

    fn send(&mut self, outbox: &Outbox) -> Outcome<()> {
        self.producer.send(outbox)
    }

    fn commit(&mut self, positions: &[Position]) -> Outcome<()> {
        let mut offsets = TopicPartitionList::with_capacity(positions.len());
        for position in positions {
            let (name, index) = (self.name(position.partition.topic), position.partition.index as i32);
            let mut element = offsets.add_partition(name, index);
            let set = element.set_offset(Offset::Offset(position.offset));
            set.map_err(|e| super::fault::asking("an offset cannot be committed", &e))?;
            element.set_metadata(&position.metadata);
        }
        self.producer.commit(&offsets, self.member.consumer())
    }

    fn abort(&mut self) -> Outcome<()> {
        self.hear_the_group()?;
        self.producer.abort()
    }

    fn recover(&mut self) -> Outcome<()> {
        self.hear_the_group()?;
        self.producer.recover()
    }

    fn release(&mut self, inputs: &[Partition]) -> Outcome<()> {
        self.dealt_with = false;
        self.member.release(inputs)
    }

    fn leave(&mut self) {
        if let Err(error) = self.producer.abort() {
            tracing::debug!(%error, "leaving");
        }
        self.reader = None;
    }
}

impl Limits {
    /// The limits of topics, in their order.
    pub(super) fn of_all(cluster: &super::Cluster, names: &[String]) -> Outcome<Vec<Limits>> {
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = cluster.configs(&wanted)?;
        Ok(found.iter().map(Limits::of).collect())
    }
}
