//! Outputs that their topic does not take: larger ones, and ones without a key where it is compacted.
//!
//! What a sink has written becomes a dead letter with as much of its value as fits, and the size and SHA-256 of all of
//! it: enough to find it wherever it came from. A dead letter that is too large itself is cut the same way. The row of
//! a table can neither be cut nor left out, so it stops the worker.
//!
//! Looked at where the outbox is handed over: as long as nothing is too large that is one compare, and only a compacted
//! output has its records looked at one by one.

use super::worker::{Worker, running};
use crate::headers;
use crate::origin;
use crate::outbox::{Outbox, Output, Target, TopicId};
use crate::plan::Role;
use crate::sha256;
use crate::transport::{Transport, TransportError};

/// How many bytes of a key are shown.
const SHOWN: usize = 200;

/// How large records may be.
#[derive(Debug)]
pub(super) struct Sizes {
    /// By topic, in bytes.
    most: Vec<usize>,
    /// The smallest of them: what is no larger needs no look.
    pub least: usize,
    /// The outputs that take only records with a key.
    keyed: Vec<TopicId>,
}

impl Default for Sizes {
    /// Nothing has been asked yet, so nothing is known to be too large.
    fn default() -> Self {
        Sizes { most: vec![], least: usize::MAX, keyed: vec![] }
    }
}

/// A dead letter on its way, in parts that may have to give way.
struct Letter<'o> {
    key: Option<&'o [u8]>,
    value: Option<&'o [u8]>,
    /// The headers that the record had.
    theirs: &'o [u8],
    /// What is said of it.
    ours: Vec<u8>,
    timestamp: i64,
}

impl<T: Transport> Worker<T> {
    /// Asks what records topics take; whether any takes less than it was known to.
    pub(super) fn ask_sizes(&mut self) -> bool {
        let topics = 0..self.plan.topics.all().len();
        let most: Vec<usize> = topics.map(|at| self.transport.most_bytes(TopicId(at as u16))).collect();
        let known = self.sizes.most.iter().copied().chain(std::iter::repeat(usize::MAX));
        let less = most.iter().zip(known).any(|(now, before)| *now < before);
        let outputs = self.plan.topics.all().iter().enumerate().filter(|(_, t)| t.role == Role::Output);
        let outputs: Vec<TopicId> = outputs.map(|(at, _)| TopicId(at as u16)).collect();
        let keyed: Vec<TopicId> =
            outputs.into_iter().filter(|topic| self.transport.needs_key(*topic)).collect();
        let stricter = keyed.len() > self.sizes.keyed.len();
        self.sizes = Sizes { least: most.iter().copied().min().unwrap_or(usize::MAX), most, keyed };
        less || stricter
    }

    /// Whether something in the outbox has no key and goes where it needs one.
    pub(super) fn lacks_a_key(&self) -> bool {
        !self.sizes.keyed.is_empty() && self.out.records().iter().any(|output| self.sizes.lacks_a_key(output))
    }

    /// Replaces what is too large in the outbox by what is not.
    #[cold]
    pub(super) fn cut(&mut self) -> Result<(), TransportError> {
        let (old, mut new) = (std::mem::take(&mut self.out), Outbox::default());
        for output in old.records() {
            let most = self.sizes.most[output.topic.0 as usize];
            let fits = output.len_bytes() <= most && !self.sizes.lacks_a_key(output);
            match self.plan.topics.get(output.topic).role {
                _ if fits => new.copy(&old, output),
                Role::Changelog => return Err(self.no_row(&old, output, most)),
                Role::DeadLetters => self.cut_letter(&old, output, &mut new),
                Role::Output | Role::Repartition | Role::Input => {
                    self.turn_away(&old, output, most, &mut new);
                }
            }
        }
        new.own = old.own;
        self.out = new;
        Ok(())
    }

    /// An output becomes a dead letter.
    fn turn_away(&mut self, old: &Outbox, output: &Output, most: usize, new: &mut Outbox) {
        let plan = self.plan.clone();
        let (topic, found) = (plan.topics.get(output.topic), output.len_bytes());
        // Parts may share a topic: it was the one that has written something.
        for (_, running) in running(&mut self.tasks).filter(|(id, _)| id.partition == output.own) {
            if running.task.take_back(&topic.name) {
                break;
            }
        }
        let reason = match found > most {
            true => format!("output is too large for `{}`: {found} bytes, {most} allowed", topic.name),
            false => format!("output has no key, and `{}` is compacted", topic.name),
        };
        let mut ours = vec![];
        headers::push(&mut ours, b"streamrun-reason", Some(reason.as_bytes()));
        headers::push(&mut ours, b"streamrun-node", Some(topic.owner.as_bytes()));
        let (mut key, value) = (old.key(output), old.value(output));
        let (mut theirs, mut timestamp) = (old.headers(output), output.timestamp);
        // On its way through a repartition it is still what came from its own topic.
        if let Some((before, came)) = origin::split(theirs).filter(|_| topic.role == Role::Repartition) {
            (theirs, key, timestamp) = (before, came.key, came.stamp);
            if came.offset >= 0 {
                headers::push(&mut ours, b"streamrun-topic", Some(came.topic));
                headers::push(&mut ours, b"streamrun-partition", Some(came.partition.to_string().as_bytes()));
                headers::push(&mut ours, b"streamrun-offset", Some(came.offset.to_string().as_bytes()));
            }
        }
        self.write_letter(Letter { key, value, theirs, ours, timestamp }, output.own, new);
    }

    /// A dead letter loses what does not fit: never what is said of it.
    fn cut_letter(&mut self, old: &Outbox, output: &Output, new: &mut Outbox) {
        let all = old.headers(output);
        let (theirs, ours) = all.split_at(headers::last_at(all, b"streamrun-reason").unwrap_or(0));
        let (key, value) = (old.key(output), old.value(output));
        let (ours, timestamp) = (ours.to_vec(), output.timestamp);
        self.write_letter(Letter { key, value, theirs, ours, timestamp }, output.own, new);
    }

    fn write_letter(&self, mut letter: Letter<'_>, own: u32, new: &mut Outbox) {
        if let Some(value) = letter.value {
            headers::push(&mut letter.ours, b"streamrun-size", Some(value.len().to_string().as_bytes()));
            headers::push(&mut letter.ours, b"streamrun-sha256", Some(sha256::hex(value).as_bytes()));
        }
        let (topic, timestamp) = (self.plan.dead_letters, letter.timestamp);
        let (key, value, headers) = letter.fit(self.sizes.most[topic.0 as usize]);
        let part = |bytes: Option<&[u8]>, out: &mut Vec<u8>| {
            out.extend_from_slice(bytes.unwrap_or_default());
            bytes.is_some()
        };
        new.own = own;
        new.record(topic, Target::Key, timestamp, |out| part(key, out), |out| part(value, out), &headers);
    }

    /// A row that cannot be remembered.
    fn no_row(&self, old: &Outbox, output: &Output, most: usize) -> TransportError {
        let (topic, found) = (self.plan.topics.get(output.topic), output.len_bytes());
        let key = old.key(output).unwrap_or_default();
        let key = String::from_utf8_lossy(&key[..key.len().min(SHOWN)]).escape_debug().to_string();
        let (owner, name) = (&topic.owner, &topic.name);
        TransportError::fatal(format!(
            "a row of the table of `{owner}` is too large for its changelog `{name}`: {found} bytes, {most} allowed; \
             its key is `{key}`"
        ))
        .hint(format!(
            "raise `max.message.bytes` of `{name}`; or keep such records from `{owner}` with a `reject` or a filter \
             before it"
        ))
    }
}

impl Sizes {
    /// Whether a record has no key and goes where it needs one.
    fn lacks_a_key(&self, output: &Output) -> bool {
        !output.has_key && self.keyed.contains(&output.topic)
    }
}

impl<'o> Letter<'o> {
    /// What fits: first the headers it had give way, then its key, and of its value what there is no room for.
    fn fit(self, most: usize) -> (Option<&'o [u8]>, Option<&'o [u8]>, Vec<u8>) {
        let key_len = self.key.map_or(0, <[u8]>::len);
        let has_room = key_len + self.theirs.len() + self.ours.len() <= most;
        let headers = if has_room { [self.theirs, &self.ours].concat() } else { self.ours };
        let key = self.key.filter(|key| key.len() + headers.len() <= most);
        let room = most.saturating_sub(key.map_or(0, <[u8]>::len) + headers.len());
        (key, self.value.map(|value| cut_to(value, room)), headers)
    }
}

/// The beginning of a value, not through the middle of a character.
fn cut_to(value: &[u8], most: usize) -> &[u8] {
    if value.len() <= most {
        return value;
    }
    let is_inside = |at: &usize| value[*at] & 0xC0 == 0x80;
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !is_inside(at));
    &value[..end.unwrap_or(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_between_characters() {
        let check = |text: &str, most, left: &str| assert_eq!(cut_to(text.as_bytes(), most), left.as_bytes());
        check("abc", 3, "abc");
        check("abcd", 3, "abc");
        check("aé", 2, "a");
        check("a🦀", 4, "a");
        check("a🦀b", 5, "a🦀");
        check("abc", 0, "");
        assert_eq!(cut_to(&[0x80; 9], 5).len(), 5, "no text at all");
    }

    #[test]
    fn what_gives_way_first() {
        let fit = |most| {
            let letter = Letter {
                key: Some(b"key"),
                value: Some(b"value"),
                theirs: b"theirs",
                ours: b"ours".to_vec(),
                timestamp: 0,
            };
            let (key, value, headers) = letter.fit(most);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (key.map(text), value.map(text), text(&headers))
        };
        let of = |key: Option<&str>, value: &str, headers: &str| {
            (key.map(str::to_owned), Some(value.to_owned()), headers.to_owned())
        };
        assert_eq!(fit(100), of(Some("key"), "value", "theirsours"));
        assert_eq!(fit(14), of(Some("key"), "v", "theirsours"));
        assert_eq!(fit(12), of(Some("key"), "value", "ours"));
        assert_eq!(fit(6), of(None, "va", "ours"));
        assert_eq!(fit(1), of(None, "", "ours"));
    }
}
