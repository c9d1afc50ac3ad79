//! Frames: what makes a commit atomic. A frame is whole or it is not there.
//!
//! Four bytes of magic, the payload's length, a CRC, the payload. The CRC takes in where the frame stands, so that a
//! record which holds a piece of a journal can never pass for a frame when damaged bytes are searched for whole ones.
//! The payload is a row of sections: topics, batches of records of one partition, committed offsets.

use super::Topic;

const MAGIC: [u8; 4] = [0xf7, b'S', b'R', 0x1a];
/// Magic, length and CRC.
pub(super) const HEAD: usize = 12;
/// The largest payload.
pub(super) const MAX_PAYLOAD: usize = 1 << 30;

/// Where a frame stands: the segment's number and the byte in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub segment: u64,
    pub at: u64,
}

fn crc(place: Place, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&place.segment.to_le_bytes());
    crc.update(&place.at.to_le_bytes());
    crc.update(&(payload.len() as u32).to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// Fills in the head of a frame whose payload stands behind [`HEAD`] bytes of room.
pub(super) fn seal(frame: &mut [u8], place: Place) {
    let (head, payload) = frame.split_at_mut(HEAD);
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    head[8..].copy_from_slice(&crc(place, payload).to_le_bytes());
}

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Peek<'b> {
    /// A frame with this payload.
    Whole(&'b [u8]),
    /// What may be a frame of so many bytes, once they are all there.
    Needs(usize),
    /// No frame.
    Bad,
}

pub(super) fn peek(bytes: &[u8], place: Place) -> Peek<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        let len = bytes.len().min(MAGIC.len());
        return if bytes[..len] == MAGIC[..len] { Peek::Needs(HEAD) } else { Peek::Bad };
    };
    let [m0, m1, m2, m3, l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if [m0, m1, m2, m3] != MAGIC || len > MAX_PAYLOAD {
        return Peek::Bad;
    }
    match rest.get(..len) {
        None => Peek::Needs(HEAD + len),
        Some(payload) if crc(place, payload) == u32::from_le_bytes([c0, c1, c2, c3]) => Peek::Whole(payload),
        Some(_) => Peek::Bad,
    }
}

/// Whether a whole frame begins anywhere in these bytes, which stand at `place`.
pub(super) fn any_whole(bytes: &[u8], place: Place) -> bool {
    memchr::memmem::find_iter(bytes, &MAGIC).any(|found| {
        let place = Place { at: place.at + found as u64, ..place };
        matches!(peek(&bytes[found..], place), Peek::Whole(_))
    })
}

/// A part of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Section<'b> {
    /// A topic, with the number that it is known by from here on.
    Topic { topic: Topic, partitions: u32, compact: bool, name: &'b str },
    /// Where a partition ends, at the head of a segment.
    End { topic: Topic, partition: u32, end: i64 },
    /// Records of a partition. `at` is where they begin in the payload.
    Batch { topic: Topic, partition: u32, base: i64, count: u32, at: usize, len: u32 },
    /// How far a group has come.
    Offset { group: &'b str, topic: Topic, partition: u32, offset: i64, metadata: &'b [u8] },
}

const TOPIC: u8 = 1;
const END: u8 = 2;
const BATCH: u8 = 3;
const OFFSET: u8 = 4;

pub(super) fn put_topic(out: &mut Vec<u8>, topic: Topic, partitions: u32, compact: bool, name: &str) {
    out.push(TOPIC);
    put_u32(out, topic.0);
    put_u32(out, partitions);
    out.push(compact as u8);
    put_bytes(out, name.as_bytes());
}

pub(super) fn put_end(out: &mut Vec<u8>, topic: Topic, partition: u32, end: i64) {
    out.push(END);
    put_u32(out, topic.0);
    put_u32(out, partition);
    out.extend_from_slice(&end.to_le_bytes());
}

pub(super) fn put_batch(
    out: &mut Vec<u8>,
    topic: Topic,
    partition: u32,
    base: i64,
    count: u32,
    bytes: &[u8],
) {
    out.push(BATCH);
    put_u32(out, topic.0);
    put_u32(out, partition);
    out.extend_from_slice(&base.to_le_bytes());
    put_u32(out, count);
    put_bytes(out, bytes);
}

pub(super) fn put_offset(
    out: &mut Vec<u8>,
    group: &str,
    (topic, partition): (Topic, u32),
    offset: i64,
    metadata: &[u8],
) {
    out.push(OFFSET);
    put_bytes(out, group.as_bytes());
    put_u32(out, topic.0);
    put_u32(out, partition);
    out.extend_from_slice(&offset.to_le_bytes());
    put_bytes(out, metadata);
}

fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

/// Bytes that are no section, which a CRC that matches rules out but for a mistake of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSection;

/// The sections of a payload, in their order.
pub(super) struct Sections<'b> {
    payload: &'b [u8],
    rest: &'b [u8],
}

impl<'b> Iterator for Sections<'b> {
    type Item = Result<Section<'b>, NoSection>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.section().ok_or(NoSection))
    }
}

impl<'b> Sections<'b> {
    pub fn new(payload: &'b [u8]) -> Self {
        Sections { payload, rest: payload }
    }

    fn section(&mut self) -> Option<Section<'b>> {
        match self.u8()? {
            TOPIC => {
                let (topic, partitions, compact) = (Topic(self.u32()?), self.u32()?, self.u8()? != 0);
                let name = std::str::from_utf8(self.bytes()?).ok()?;
                Some(Section::Topic { topic, partitions, compact, name })
            }
            END => Some(Section::End { topic: Topic(self.u32()?), partition: self.u32()?, end: self.i64()? }),
            BATCH => {
                let (topic, partition) = (Topic(self.u32()?), self.u32()?);
                let (base, count) = (self.i64()?, self.u32()?);
                let len = self.bytes()?.len();
                let at = self.payload.len() - self.rest.len() - len;
                Some(Section::Batch { topic, partition, base, count, at, len: len as u32 })
            }
            OFFSET => {
                let group = std::str::from_utf8(self.bytes()?).ok()?;
                let (topic, partition, offset) = (Topic(self.u32()?), self.u32()?, self.i64()?);
                Some(Section::Offset { group, topic, partition, offset, metadata: self.bytes()? })
            }
            _ => None,
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = self.u32()? as usize;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_they_were_put() {
        let mut out = vec![];
        put_topic(&mut out, Topic(7), 3, true, "readings");
        put_end(&mut out, Topic(7), 2, 41);
        put_batch(&mut out, Topic(7), 2, 41, 1, b"records");
        let at = out.len() - 7;
        put_offset(&mut out, "sensor-metrics", (Topic(7), 2), 42, b"meta");
        let mut sections = Sections::new(&out);
        let mut next = || sections.next();
        let (topic, partition) = (Topic(7), 2);
        let expected = [
            Section::Topic { topic, partitions: 3, compact: true, name: "readings" },
            Section::End { topic, partition, end: 41 },
            Section::Batch { topic, partition, base: 41, count: 1, at, len: 7 },
            Section::Offset { group: "sensor-metrics", topic, partition, offset: 42, metadata: b"meta" },
        ];
        for section in expected {
            assert_eq!(next(), Some(Ok(section)));
        }
        assert_eq!(next(), None);
        for end in 1..out.len() {
            assert!(Sections::new(&out[..end]).take_while(Result::is_ok).count() < 4);
        }
    }

    #[test]
    fn a_frame_is_one_only_where_it_was_written() {
        let place = Place { segment: 1, at: 100 };
        let mut frame = vec![0; HEAD];
        frame.extend_from_slice(b"payload");
        seal(&mut frame, place);
        assert_eq!(peek(&frame, place), Peek::Whole(b"payload"));
        assert_eq!(peek(&frame, Place { at: 101, ..place }), Peek::Bad);
        assert_eq!(peek(&frame, Place { segment: 2, ..place }), Peek::Bad);
        assert_eq!(peek(&frame[..3], place), Peek::Needs(HEAD));
        assert_eq!(peek(&frame[..HEAD + 2], place), Peek::Needs(frame.len()));

        let junk = [b"junk", &frame[..]].concat();
        assert!(any_whole(&junk, Place { at: 96, ..place }));
        assert!(!any_whole(&junk, Place { at: 95, ..place }));
    }
}
