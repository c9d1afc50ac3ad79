//! Where the records of topics are looked at: the embedded log, or a cluster.

use crate::transport::local::journal::Records;
use crate::transport::{Batch, Record, TransportError, kafka, local};
use std::fmt;

type Outcome<T> = Result<T, TransportError>;

/// Topics that are only read.
pub trait Source: fmt::Debug {
    /// The names of all topics.
    fn topics(&mut self) -> Outcome<Vec<String>>;

    /// How many partitions a topic has; none: there is no such topic.
    fn partitions(&mut self, topic: &str) -> Outcome<Option<u32>>;

    /// The offsets of a partition's first record and behind its last committed one, as of the last look.
    fn bounds(&mut self, topic: &str, partition: u32) -> Outcome<(i64, i64)>;

    /// Looks at what others have written; whether there may be more than before.
    fn look(&mut self) -> Outcome<bool>;

    /// Adds records of a partition to the batch, from an offset up to an end behind it: at most so many and about so
    /// many bytes. The offset behind what was read, which is behind the first one: not every offset has a record.
    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        range: (i64, i64),
        most: (usize, usize),
        batch: &mut Batch,
    ) -> Outcome<i64>;

    /// No more of a partition will be read.
    fn stop(&mut self, _topic: &str, _partition: u32) -> Outcome<()> {
        Ok(())
    }
}

impl Source for local::Client {
    fn topics(&mut self) -> Outcome<Vec<String>> {
        Ok(local::Client::topics(self).map(str::to_owned).collect())
    }

    fn partitions(&mut self, topic: &str) -> Outcome<Option<u32>> {
        Ok(local::Client::partitions(self, topic))
    }

    fn bounds(&mut self, topic: &str, partition: u32) -> Outcome<(i64, i64)> {
        local::Client::bounds(self, topic, partition)
    }

    fn look(&mut self) -> Outcome<bool> {
        self.refresh()
    }

    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        (from, end): (i64, i64),
        most: (usize, usize),
        batch: &mut Batch,
    ) -> Outcome<i64> {
        let mut records = Records::default();
        let most = (most.0.min((end - from) as usize), most.1);
        let mut next = from;
        for record in local::Client::read(self, topic, partition, from, most, &mut records)? {
            let local::journal::Record { offset, timestamp, key, value, headers } = record;
            batch.push(&Record { offset, timestamp, key, value, headers });
            next = offset + 1;
        }
        Ok(next)
    }
}

impl Source for kafka::Client {
    fn topics(&mut self) -> Outcome<Vec<String>> {
        kafka::Client::topics(self)
    }

    fn partitions(&mut self, topic: &str) -> Outcome<Option<u32>> {
        kafka::Client::partitions(self, topic)
    }

    fn bounds(&mut self, topic: &str, partition: u32) -> Outcome<(i64, i64)> {
        kafka::Client::bounds(self, topic, partition)
    }

    /// Each question for an end is a look.
    fn look(&mut self) -> Outcome<bool> {
        Ok(true)
    }

    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        range: (i64, i64),
        most: (usize, usize),
        batch: &mut Batch,
    ) -> Outcome<i64> {
        kafka::Client::read(self, topic, partition, range, most, batch)
    }

    fn stop(&mut self, topic: &str, partition: u32) -> Outcome<()> {
        kafka::Client::stop(self, topic, partition)
    }
}
