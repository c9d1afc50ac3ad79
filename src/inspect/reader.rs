//! The records of a topic, over all of its partitions.

use super::source::Source;
use crate::transport::{Batch, Record, TransportError};

/// A record of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'e> {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<&'e [u8]>,
    /// Its value; none is a tombstone.
    pub value: Option<&'e [u8]>,
    /// Its headers, in the encoding of [`crate::headers`].
    pub headers: &'e [u8],
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first records there are.
    Start,
    /// So many records before the end.
    Last(u64),
    /// At this offset in each partition, or at the first one behind it that is there.
    Offset(i64),
}

/// How much of a partition is read at a time.
const CHUNK: (usize, usize) = (500, 1 << 20);

/// Reads a topic: of the records that come next in each partition, the oldest one is first, so that partitions keep
/// their order.
#[derive(Debug)]
pub struct Reader {
    source: Box<dyn Source>,
    topic: String,
    cursors: Vec<Cursor>,
}

#[derive(Debug)]
struct Cursor {
    partition: u32,
    /// Where the partition ended when it was last looked at.
    end: i64,
    /// The offset behind what has been read.
    next: i64,
    records: Batch,
    /// How many of them have been given out.
    given: usize,
}

impl Cursor {
    fn head(&self) -> Option<Record<'_>> {
        self.records.get(self.given)
    }

    fn left(&self) -> u64 {
        (self.end - self.next).max(0) as u64 + (self.records.len() - self.given) as u64
    }

    /// Goes to an offset.
    fn go(&mut self, offset: i64) {
        (self.next, self.given) = (offset, 0);
        self.records.clear();
    }
}

impl Reader {
    /// Reads these partitions of a topic.
    pub fn new(
        mut source: Box<dyn Source>,
        topic: &str,
        partitions: impl Iterator<Item = u32>,
        from: From,
    ) -> Result<Self, TransportError> {
        let (mut cursors, mut starts) = (vec![], vec![]);
        for partition in partitions {
            let (start, end) = source.bounds(topic, partition)?;
            let next = match from {
                From::Start => start,
                From::Last(_) => end,
                From::Offset(offset) => offset.clamp(start, end),
            };
            starts.push(start);
            cursors.push(Cursor { partition, end, next, records: Batch::default(), given: 0 });
        }
        let mut reader = Reader { source, topic: topic.to_owned(), cursors };
        if let From::Last(most) = from {
            reader.go_back(most, &starts)?;
        }
        Ok(reader)
    }

    /// Goes back from the ends until there are so many records up to them. Not every offset has a record, so how far
    /// that is has to be tried.
    fn go_back(&mut self, most: u64, starts: &[i64]) -> Result<(), TransportError> {
        if most == 0 {
            return Ok(());
        }
        let mut back = most;
        loop {
            let froms: Vec<i64> = self
                .cursors
                .iter()
                .zip(starts)
                .map(|(cursor, start)| cursor.end.saturating_sub_unsigned(back).max(*start))
                .collect();
            self.go(&froms);
            let mut found = 0u64;
            while most < u64::MAX && self.next_entry()?.is_some() {
                found += 1;
            }
            if found >= most || froms == starts {
                self.go(&froms);
                // So many of each partition: the oldest of them are too many.
                for _ in 0..found.saturating_sub(most) {
                    self.next_entry()?;
                }
                return Ok(());
            }
            back = back.saturating_mul(4);
        }
    }

    fn go(&mut self, offsets: &[i64]) {
        self.cursors.iter_mut().zip(offsets).for_each(|(cursor, offset)| cursor.go(*offset));
    }

    /// How many records are left, as of the last look at the end; at most, where not every offset has a record.
    pub fn left(&self) -> u64 {
        self.cursors.iter().map(Cursor::left).sum()
    }

    /// The next record; none: that was all there was at the last look at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, TransportError> {
        for cursor in &mut self.cursors {
            while cursor.head().is_none() && cursor.next < cursor.end {
                cursor.records.clear();
                cursor.given = 0;
                let (partition, range) = (cursor.partition, (cursor.next, cursor.end));
                cursor.next = self.source.read(&self.topic, partition, range, CHUNK, &mut cursor.records)?;
            }
        }
        let heads = self.cursors.iter().enumerate();
        let oldest = heads.filter_map(|(at, cursor)| Some((cursor.head()?.timestamp, at))).min();
        let Some((_, at)) = oldest else { return Ok(None) };
        let cursor = &mut self.cursors[at];
        cursor.given += 1;
        let Some(Record { offset, timestamp, key, value, headers }) = cursor.records.get(cursor.given - 1)
        else {
            return Ok(None);
        };
        Ok(Some(Entry { partition: cursor.partition, offset, timestamp, key, value, headers }))
    }

    /// Looks at the end again; whether there is more.
    pub fn look(&mut self) -> Result<bool, TransportError> {
        if self.source.look()? {
            for cursor in &mut self.cursors {
                cursor.end = self.source.bounds(&self.topic, cursor.partition)?.1.max(cursor.end);
            }
        }
        Ok(self.left() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::local::Client;
    use std::path::Path;

    fn client(dir: &Path) -> Client {
        let mut client = Client::open(dir).expect("open");
        client.ensure_topic("t", 2).expect("made");
        client
    }

    fn send(client: &mut Client, timestamps: impl IntoIterator<Item = i64>) {
        for timestamp in timestamps {
            client.send("t", timestamp, None, Some(b"value")).expect("sent");
        }
        client.flush().expect("written");
    }

    fn times(reader: &mut Reader) -> Vec<(u32, i64)> {
        let mut all = vec![];
        while let Some(entry) = reader.next_entry().expect("read") {
            all.push((entry.partition, entry.timestamp));
        }
        all
    }

    #[test]
    fn records_of_all_partitions_come_by_time_and_each_keeps_its_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = client(dir.path());
        // In turn to partitions 0 and 1.
        send(&mut writer, [10, 1, 5, 2, 20, 3]);
        let read = |from| {
            let mut reader = Reader::new(Box::new(client(dir.path())), "t", 0..2, from).expect("open");
            times(&mut reader)
        };
        let all = [(1, 1), (1, 2), (1, 3), (0, 10), (0, 5), (0, 20)];
        assert_eq!(read(From::Start), all);
        assert_eq!(read(From::Last(2)), all[4..]);
        assert_eq!(read(From::Last(u64::MAX)), all);
        assert_eq!(read(From::Last(0)), []);
        assert_eq!(read(From::Offset(2)), [(1, 3), (0, 20)]);
        assert_eq!(read(From::Offset(99)), []);
        assert_eq!(read(From::Offset(-5)), all);
    }

    #[test]
    fn what_comes_later_is_seen_at_the_next_look() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = client(dir.path());
        send(&mut writer, 0..1500);
        let mut reader = Reader::new(Box::new(client(dir.path())), "t", 0..2, From::Start).expect("open");
        send(&mut writer, 2000..2003);
        assert_eq!(times(&mut reader).len(), 1500, "the end is that of the beginning");
        assert!(reader.look().expect("looked"));
        assert_eq!(reader.left(), 3);
        assert_eq!(times(&mut reader).iter().map(|(_, time)| *time).collect::<Vec<_>>(), [2000, 2001, 2002]);
        assert!(!reader.look().expect("looked"));
    }
}
