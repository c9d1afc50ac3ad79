//! The inputs that a worker reads: where each stands, and the records of the last poll.
//!
//! Every input with something to read gets an equal share of a poll, and what one leaves goes to the next; which one
//! is first goes round. So a long input never keeps a short one waiting.

use super::Outcome;
use super::fault::fault;
use super::journal::{self, Log, Records, Topic};
use crate::transport::{Event, Limits, Partition, Record, Run};

/// All inputs that are read.
#[derive(Debug, Default)]
pub(super) struct Readings {
    all: Vec<Reading>,
    /// Which one is first next time.
    turn: usize,
}

#[derive(Debug)]
struct Reading {
    partition: Partition,
    topic: Topic,
    next: i64,
    paused: bool,
    /// What is borrowed until the next poll, and whether it is of the last one.
    records: Records,
    fresh: bool,
}

impl Reading {
    /// Whether there is something to be read, as far as the log has been read itself.
    fn is_ready(&self, log: &Log) -> Outcome<bool> {
        Ok(!self.paused && self.next < log.end_offset(self.topic, self.partition.index).map_err(fault)?)
    }

    fn run(&self) -> Run<'_> {
        Run { partition: self.partition, records: self.records.iter().map(borrowed).collect() }
    }
}

impl Readings {
    /// Reads an input from an offset on.
    pub fn begin(&mut self, partition: Partition, topic: Topic, next: i64) {
        match self.get(partition) {
            Some(reading) => (reading.next, reading.paused) = (next, false),
            None => {
                let records = Records::default();
                self.all.push(Reading { partition, topic, next, paused: false, records, fresh: false });
            }
        }
    }

    pub fn pause(&mut self, partition: Partition, paused: bool) {
        if let Some(reading) = self.get(partition) {
            reading.paused = paused;
        }
    }

    pub fn release(&mut self, inputs: &[Partition]) {
        self.all.retain(|reading| !inputs.contains(&reading.partition));
    }

    /// The next offset of an input, if it is read.
    pub fn next(&self, partition: Partition) -> Option<i64> {
        self.all.iter().find(|reading| reading.partition == partition).map(|reading| reading.next)
    }

    fn get(&mut self, partition: Partition) -> Option<&mut Reading> {
        self.all.iter_mut().find(|reading| reading.partition == partition)
    }

    /// Whether any input has something to be read.
    pub fn is_ready(&self, log: &Log) -> Outcome<bool> {
        for reading in &self.all {
            if reading.is_ready(log)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads records of all inputs that have some; after an error no input has moved.
    pub fn fill(&mut self, log: &Log, limits: Limits) -> Outcome<()> {
        let mut ready = 0;
        for reading in &mut self.all {
            reading.fresh = false;
            ready += reading.is_ready(log)? as usize;
        }
        let (mut records, mut bytes) = (limits.records, limits.bytes);
        for at in 0..self.all.len() {
            let at = (self.turn + at) % self.all.len();
            let reading = &mut self.all[at];
            if ready == 0 || records == 0 || bytes == 0 || !reading.is_ready(log)? {
                continue;
            }
            let share = (records.div_ceil(ready), bytes.div_ceil(ready));
            let (topic, index) = (reading.topic, reading.partition.index);
            log.read(topic, index, reading.next, share, &mut reading.records).map_err(fault)?;
            reading.fresh = true;
            records -= reading.records.len().min(records);
            bytes -= reading.records.len_bytes().min(bytes);
            ready -= 1;
        }
        self.turn = self.turn.wrapping_add(1) % self.all.len().max(1);
        for reading in self.all.iter_mut().filter(|reading| reading.fresh) {
            reading.next += reading.records.len() as i64;
        }
        Ok(())
    }

    /// What was read.
    pub fn event(&self) -> Event<'_> {
        let fresh = self.all.iter().filter(|reading| reading.fresh);
        let runs: Vec<_> = fresh.map(Reading::run).collect();
        if runs.is_empty() { Event::Idle } else { Event::Records(runs) }
    }
}

fn borrowed(record: journal::Record<'_>) -> Record<'_> {
    let journal::Record { offset, timestamp, key, value, headers } = record;
    Record { offset, timestamp, key, value, headers }
}
