//! The clocks that a repartition carries from the tasks that write it to those that read it.
//!
//! With a commit in which its clock has come to the end of a window behind it, a task writes a marker to every
//! partition there: which one it is, of how many, where its clock stands, and whether its inputs are quiet. Behind,
//! the clock of the input is the smallest of those; one that has said nothing yet holds it back, one that is quiet
//! does not. So a record that was in time where it was written is in time where it is read, whichever task ran first:
//! its marker comes behind it.
//!
//! Who was quiet is forgotten with a restart: before one that has been read hours may have come to a quiet input. So
//! those who are say it again.
//!
//! A marker is a record without key and value, and this in a header, as a text: the name of the part that the task
//! runs, its partition, their number, its clock in milliseconds, `busy` or `quiet`.

use crate::headers;
use crate::operator::StreamTime;

/// The header's name.
pub const HEADER: &[u8] = b"streamrun-marker";

/// What a task says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its clock.
    pub clock: StreamTime,
    /// Whether nobody has to wait for it.
    pub quiet: bool,
}

/// A marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker<'m> {
    /// The name of the part that the task runs.
    pub part: &'m str,
    /// Its partition.
    pub partition: u32,
    /// How many tasks run that part.
    pub of: u32,
    /// What it says.
    pub said: Said,
}

impl<'m> Marker<'m> {
    /// The marker as a record's headers.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Marker { part, partition, of, said: Said { clock, quiet } } = self;
        let state = if *quiet { "quiet" } else { "busy" };
        headers::push(out, HEADER, Some(format!("{part} {partition} {of} {} {state}", clock.0).as_bytes()));
    }

    /// The marker that a record is, if it is one.
    #[inline]
    pub fn read(run: &'m [u8]) -> Option<Self> {
        let (name, value) = headers::iter(run).next()?;
        if name != HEADER { None } else { Self::parse(std::str::from_utf8(value?).ok()?) }
    }

    fn parse(text: &'m str) -> Option<Self> {
        let mut words = text.split(' ');
        let part = words.next()?;
        let (partition, of) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let said = Said { clock: StreamTime(words.next()?.parse().ok()?), quiet: words.next()? == "quiet" };
        (partition < of).then_some(Marker { part, partition, of, said })
    }
}

/// What the tasks before an input have said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstreams(Vec<Upstream>);

/// The tasks of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Upstream {
    part: String,
    /// How many there are, as was seen at the start; 0: that is not known.
    tasks: u32,
    /// By partition; nothing: it has not said anything. Empty: nobody has.
    said: Vec<Option<Said>>,
}

/// The most partitions whose tasks can write to one repartition: what they said is kept with an offset, which has
/// little room.
pub const MOST: usize = 1000;

impl Upstreams {
    /// Of parts of these names, nobody has said anything.
    pub fn new(parts: impl Iterator<Item = String>) -> Self {
        Upstreams(parts.map(|part| Upstream { part, tasks: 0, said: vec![] }).collect())
    }

    /// How many tasks of a part there are: what is kept of others is of inputs that had more partitions.
    pub fn expect(&mut self, part: &str, tasks: u32) {
        let upstream = self.0.iter_mut().find(|upstream| upstream.part == part);
        upstream.into_iter().for_each(|upstream| upstream.tasks = tasks);
    }

    /// Takes a marker for known. A clock never goes back. One of a part that is not expected is of an earlier file.
    pub fn hear(&mut self, marker: &Marker<'_>) {
        let Some(upstream) = self.0.iter_mut().find(|upstream| upstream.part == marker.part) else { return };
        let of = (marker.of as usize).min(MOST);
        if upstream.said.len() < of {
            upstream.said.resize(of, None);
        }
        let Some(said) = upstream.said.get_mut(marker.partition as usize) else { return };
        let before = said.map_or(StreamTime::START, |said| said.clock);
        *said = Some(Said { clock: before.max(marker.said.clock), ..marker.said });
    }

    /// The clock behind all of them: the smallest of those that are waited for; the largest if nobody is.
    pub fn clock(&self) -> StreamTime {
        let said = || self.0.iter().flat_map(|upstream| &upstream.said).flatten();
        match self.are_known() {
            false => StreamTime::START,
            true => {
                let waited_for = said().filter(|said| !said.quiet).map(|said| said.clock).min();
                let largest = || said().map(|said| said.clock).max();
                waited_for.or_else(largest).unwrap_or(StreamTime::START)
            }
        }
    }

    /// Whether nobody has to be waited for.
    pub fn are_quiet(&self) -> bool {
        self.are_known() && self.0.iter().flat_map(|u| &u.said).flatten().all(|said| said.quiet)
    }

    fn are_known(&self) -> bool {
        self.0.iter().all(|upstream| !upstream.said.is_empty() && upstream.said.iter().all(Option::is_some))
    }

    /// As bytes, at most about `room`: clocks as distances from the smallest one of their part. Where that would be
    /// too long they are rounded down, which only holds somebody back for a moment.
    pub fn encode(&self, room: usize) -> Vec<u8> {
        let tries = (0..=40).step_by(5).map(|shift| self.rounded(shift));
        let mut last = vec![];
        for bytes in tries {
            last = bytes;
            if last.len() <= room {
                break;
            }
        }
        last
    }

    fn rounded(&self, shift: u32) -> Vec<u8> {
        let mut out = vec![shift as u8];
        for Upstream { part, said, .. } in &self.0 {
            out.extend_from_slice(&super::metadata::hash(part).to_le_bytes());
            let clocks = said.iter().flatten().map(|said| said.clock);
            let least = clocks.filter(|clock| *clock > StreamTime::START).min().unwrap_or(StreamTime(0)).0;
            out.extend_from_slice(&least.to_le_bytes());
            varint(&mut out, said.len() as u64);
            for said in said {
                varint(&mut out, said.map_or(0, |said| said.clock.code(least, shift)));
            }
        }
        out
    }

    /// Takes what was encoded, as far as it is of tasks that are expected. Nobody is taken for quiet.
    pub fn decode(&mut self, bytes: &[u8]) -> Option<()> {
        let (shift, mut rest) = bytes.split_first()?;
        while !rest.is_empty() {
            let (hash, least);
            (hash, rest) = rest.split_first_chunk::<4>()?;
            (least, rest) = rest.split_first_chunk::<8>()?;
            let (hash, least) = (u32::from_le_bytes(*hash), i64::from_le_bytes(*least));
            let count = read_varint(&mut rest)?;
            let mut said = vec![];
            for _ in 0..count.min(MOST as u64) {
                let clock = StreamTime::of_code(read_varint(&mut rest)?, least, u32::from(*shift));
                said.push(clock.map(|clock| Said { clock, quiet: false }));
            }
            if let Some(upstream) = self.0.iter_mut().find(|u| super::metadata::hash(&u.part) == hash) {
                if upstream.tasks > 0 {
                    said.truncate(upstream.tasks as usize);
                }
                upstream.said = said;
            }
        }
        Some(())
    }
}

impl StreamTime {
    /// 0 is for nobody, 1 for a clock that has not begun.
    fn code(self, least: i64, shift: u32) -> u64 {
        match self {
            StreamTime::START => 1,
            StreamTime(clock) => 2 + (clock.saturating_sub(least) as u64 >> shift).min(u64::MAX >> 1),
        }
    }

    fn of_code(code: u64, least: i64, shift: u32) -> Option<Self> {
        match code {
            0 => None,
            1 => Some(StreamTime::START),
            code => {
                let distance = (code - 2).checked_shl(shift).unwrap_or(0);
                let clock = least.saturating_add(i64::try_from(distance).unwrap_or(i64::MAX));
                Some(StreamTime(clock))
            }
        }
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams(parts: &[&str]) -> Upstreams {
        Upstreams::new(parts.iter().map(|part| (*part).to_owned()))
    }

    fn say(to: &mut Upstreams, part: &str, (partition, of): (u32, u32), clock: i64, quiet: bool) {
        let said = Said { clock: StreamTime(clock), quiet };
        to.hear(&Marker { part, partition, of, said });
    }

    #[test]
    fn a_marker_is_what_was_written() {
        for (clock, quiet) in [(StreamTime::START, true), (StreamTime(-5), false), (StreamTime::NEVER, true)]
        {
            let marker = Marker { part: "views", partition: 2, of: 3, said: Said { clock, quiet } };
            let mut run = vec![];
            marker.write(&mut run);
            assert_eq!(Marker::read(&run), Some(marker));
        }
        for text in ["", "views", "views 3 3 1 busy", "views 0 1 x busy", "views 0 1 1"] {
            assert_eq!(Marker::parse(text), None, "{text}");
        }
        assert_eq!(Marker::read(b""), None);
    }

    #[test]
    fn the_smallest_that_is_waited_for_counts_once_all_have_spoken() {
        let mut all = upstreams(&["a", "b"]);
        assert_eq!(all.clock(), StreamTime::START);
        say(&mut all, "a", (0, 2), 50, false);
        say(&mut all, "b", (0, 1), 40, false);
        assert_eq!(all.clock(), StreamTime::START, "one of a has said nothing");
        say(&mut all, "a", (1, 2), 30, false);
        assert_eq!(all.clock(), StreamTime(30));
        say(&mut all, "a", (1, 2), 30, true);
        assert_eq!((all.clock(), all.are_quiet()), (StreamTime(40), false));
        say(&mut all, "a", (0, 2), 50, true);
        say(&mut all, "b", (0, 1), 45, true);
        assert_eq!((all.clock(), all.are_quiet()), (StreamTime(50), true));
        say(&mut all, "b", (0, 1), 44, false);
        assert_eq!(all.clock(), StreamTime(45), "a clock does not go back");
        say(&mut all, "a", (2, 3), i64::MIN, false);
        assert_eq!(all.clock(), StreamTime::START, "one that has come holds the others");
        say(&mut all, "stranger", (0, 1), 1, false);
        assert_eq!(all.0.len(), 2);
    }

    #[test]
    fn what_was_said_is_kept() {
        let mut all = upstreams(&["a", "b", "c"]);
        say(&mut all, "a", (1, 4), 1_767_225_600_123, false);
        say(&mut all, "a", (3, 4), 1_767_225_599_000, false);
        say(&mut all, "b", (0, 2), i64::MIN, false);
        say(&mut all, "b", (1, 2), -7, false);
        let mut back = upstreams(&["a", "b", "c"]);
        assert_eq!(back.decode(&all.encode(1000)), Some(()));
        assert_eq!(back, all);
        let mut fewer = upstreams(&["b"]);
        assert_eq!(fewer.decode(&all.encode(1000)), Some(()));
        assert_eq!(fewer.0[0], all.0[1]);
        say(&mut all, "b", (1, 2), -7, true);
        assert_eq!(fewer.decode(&all.encode(1000)), Some(()));
        assert_eq!(
            fewer.0[0].said[1],
            Some(Said { clock: StreamTime(-7), quiet: false }),
            "who was quiet is forgotten"
        );
        fewer.expect("b", 1);
        assert_eq!(fewer.decode(&all.encode(1000)), Some(()));
        assert_eq!(fewer.0[0].said.len(), 1, "there is one now");
        let bytes = all.encode(1000);
        for end in 0..bytes.len() {
            let _ = upstreams(&["a"]).decode(&bytes[..end]);
        }
    }

    #[test]
    fn what_has_no_room_is_rounded_down() {
        let mut all = upstreams(&["a"]);
        for partition in 0..MOST as u32 {
            say(
                &mut all,
                "a",
                (partition, MOST as u32),
                1_767_225_600_000 + i64::from(partition) * 61_001,
                false,
            );
        }
        let bytes = all.encode(2000);
        assert!(bytes.len() <= 2000, "{}", bytes.len());
        let mut back = upstreams(&["a"]);
        assert_eq!(back.decode(&bytes), Some(()));
        for (kept, said) in back.0[0].said.iter().zip(&all.0[0].said) {
            let (kept, said) = (kept.expect("kept").clock, said.expect("said").clock);
            assert!(kept <= said && said.0 - kept.0 < 1 << 20, "{kept:?} {said:?}");
        }
        assert_eq!(back.clock(), all.clock(), "the smallest one is as it was");
    }
}
