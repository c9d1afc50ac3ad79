//! What a worker asks of its transport, on the embedded log.

use super::fault::fault;
use super::journal::{Log, LogError};
use super::reading::Readings;
use super::{Local, Outcome};
use crate::outbox::{Outbox, TopicId};
use crate::transport::{Chunk, Event, Limits, Partition, Position, TopicWish, Transport, target};
use std::thread;
use std::time::{Duration, Instant};

/// A chunk of a changelog is at most so many records and about so many bytes.
const CHUNK: (usize, usize) = (10_000, 1 << 20);

/// How long the log is left alone between two looks at it: a look is three calls of the system.
const FIRST_NAP: Duration = Duration::from_micros(250);
const LONGEST_NAP: Duration = Duration::from_millis(5);

impl Transport for Local {
    fn partitions(&mut self, topic: TopicId) -> Outcome<Option<u32>> {
        Ok(self.find(topic)?.map(|home| home.partitions))
    }

    fn create(&mut self, wish: &TopicWish) -> Outcome<()> {
        self.log.create_topic(&wish.name, wish.partitions.max(1), wish.compacted).map_err(fault)?;
        Ok(())
    }

    fn join(&mut self, inputs: &[TopicId]) -> Outcome<()> {
        let (worker, workers) = self.worker;
        let mut ours = vec![];
        for topic in inputs {
            let all = 0..self.home(*topic)?.partitions;
            let mine = all.filter(|index| index % workers == worker);
            ours.extend(mine.map(|index| Partition { topic: *topic, index }));
        }
        self.assigned = Some(ours);
        Ok(())
    }

    fn poll(&mut self, limits: Limits) -> Outcome<Event<'_>> {
        if let Some(assigned) = self.assigned.take() {
            return Ok(Event::Assigned(assigned));
        }
        self.log.refresh().map_err(fault)?;
        self.readings.fill(&self.log, limits)?;
        Ok(self.readings.event())
    }

    /// An error ends the wait: the next poll will say it.
    fn wait(&mut self, most: Duration) {
        let (since, mut nap) = (Instant::now(), FIRST_NAP);
        while self.assigned.is_none() && self.log.refresh().is_ok() {
            let left = most.saturating_sub(since.elapsed());
            if left.is_zero() || self.readings.is_ready(&self.log) != Ok(false) {
                return;
            }
            thread::sleep(nap.min(left));
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }

    fn committed(&mut self, inputs: &[Partition]) -> Outcome<Vec<Option<Position>>> {
        self.log.refresh().map_err(fault)?;
        let mut all = vec![];
        for partition in inputs {
            let home = self.find(partition.topic)?;
            let of = |home| self.log.committed(&self.engine.pipeline, home, partition.index);
            all.push(home.and_then(|home| of(home.topic)).map(|(offset, metadata)| Position {
                partition: *partition,
                offset,
                metadata: String::from_utf8_lossy(metadata).into_owned(),
            }));
        }
        Ok(all)
    }

    fn bounds(&mut self, partition: Partition) -> Outcome<(i64, i64)> {
        self.log.refresh().map_err(fault)?;
        let Some(home) = self.find(partition.topic)? else { return Ok((0, 0)) };
        let start = self.log.start_offset(home.topic, partition.index).map_err(fault)?;
        Ok((start, self.log.end_offset(home.topic, partition.index).map_err(fault)?))
    }

    fn changelog(&mut self, partition: Partition, from: i64, end: i64) -> Outcome<Chunk<'_>> {
        if from >= end {
            return Ok(Chunk { records: vec![], next: end });
        }
        let (topic, index) = (self.home(partition.topic)?.topic, partition.index);
        self.log.refresh().map_err(fault)?;
        let (first, behind) = (self.log.start_offset(topic, index), self.log.end_offset(topic, index));
        let (first, behind) = (first.map_err(fault)?, behind.map_err(fault)?);
        if from < first || end > behind {
            let name = self.name(partition.topic).to_owned();
            let wanted = if from < first { from } else { end };
            return Err(fault(LogError::OutOfRange {
                topic: name,
                partition: index,
                wanted,
                start: first,
                end: behind,
            }));
        }
        let most = CHUNK.0.min((end - from) as usize);
        self.log.read(topic, index, from, (most, CHUNK.1), &mut self.chunk).map_err(fault)?;
        let records = self.chunk.iter().map(|record| (record.key.unwrap_or_default(), record.value));
        Ok(Chunk { records: records.collect(), next: from + self.chunk.len() as i64 })
    }

    fn begin(&mut self, partition: Partition, offset: i64) -> Outcome<()> {
        let home = self.home(partition.topic)?;
        self.readings.begin(partition, home.topic, offset);
        Ok(())
    }

    fn pause(&mut self, partition: Partition, paused: bool) -> Outcome<()> {
        self.readings.pause(partition, paused);
        Ok(())
    }

    fn at_end(&mut self, partition: Partition) -> Outcome<bool> {
        let Some(home) = self.find(partition.topic)? else { return Ok(true) };
        let end = self.log.end_offset(home.topic, partition.index).map_err(fault)?;
        Ok(self.readings.next(partition).unwrap_or(0) >= end)
    }

    fn reached(&mut self, partition: Partition) -> Option<i64> {
        self.readings.next(partition)
    }

    fn forgets_removals(&self) -> bool {
        false
    }

    fn snapshotted(&mut self, changelogs: &[(Partition, i64)]) -> Outcome<()> {
        self.trim(super::KEEP_BYTES, changelogs).map(drop)
    }

    fn lag(&mut self, partition: Partition, position: i64) -> Option<i64> {
        let home = self.home(partition.topic).ok()?;
        let end = self.log.end_offset(home.topic, partition.index).ok()?;
        Some((end - position).max(0))
    }

    fn send(&mut self, outbox: &Outbox) -> Outcome<()> {
        // First everything that can fail: half an outbox that is staged would be sent twice by who tries again.
        for output in outbox.records() {
            let partitions = self.home(output.topic)?.partitions;
            let partition = target(outbox, output, partitions);
            if partition >= partitions {
                let topic = self.name(output.topic).to_owned();
                return Err(fault(LogError::NoPartition { partition, topic }));
            }
        }
        for output in outbox.records() {
            let home = self.home(output.topic)?;
            let partition = target(outbox, output, home.partitions);
            let (key, value) = (outbox.key(output), outbox.value(output));
            self.staged.record(home.topic, partition, output.timestamp, key, value, outbox.headers(output));
        }
        Ok(())
    }

    fn commit(&mut self, positions: &[Position]) -> Outcome<()> {
        for position in positions {
            let (topic, index) = (self.home(position.partition.topic)?.topic, position.partition.index);
            let metadata = position.metadata.as_bytes();
            self.staged.offset(&self.engine.pipeline, topic, index, position.offset, metadata);
        }
        // Where nothing has been written the same commit may be tried again, so what is staged stays.
        self.log.append(&self.staged).map_err(fault)?;
        self.staged.clear();
        Ok(())
    }

    fn abort(&mut self) -> Outcome<()> {
        self.staged.clear();
        Ok(())
    }

    /// A log whose sync failed takes nothing more; opened again, it says what it holds.
    fn recover(&mut self) -> Outcome<()> {
        self.staged.clear();
        self.log = Log::open(&self.engine.dir).map_err(fault)?;
        Ok(())
    }

    fn release(&mut self, inputs: &[Partition]) -> Outcome<()> {
        self.readings.release(inputs);
        Ok(())
    }

    fn leave(&mut self) {
        self.staged.clear();
        self.readings = Readings::default();
    }
}
