//! What topics take: the largest record, whether it needs a key, and how far from now its timestamp may lie. Asked for
//! once; what a broker refuses all the same is learnt.

use super::cluster::TopicConfig;
use std::time::{SystemTime, UNIX_EPOCH};

/// The largest batch that a topic takes unless it says otherwise.
const USUAL_BYTES: usize = 1_048_588;
/// What a batch and a record need besides key, value and headers.
const AROUND: usize = 200;
/// Clocks of brokers may differ from ours by so much, in milliseconds.
const CLOCKS: i64 = 60_000;

/// What a topic takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest batch, in bytes.
    pub batch: usize,
    /// The largest sum of key, value and headers.
    pub record: usize,
    /// Whether a record needs a key: a compacted topic refuses those without, and their batches with them.
    pub keyed: bool,
    /// How far before now a timestamp may lie, in milliseconds.
    before: i64,
    /// How far behind now.
    after: i64,
}

impl Limits {
    /// What a topic's settings say.
    pub fn of(config: &TopicConfig) -> Self {
        let number = |name: &str| config.get(name).and_then(|value| value.parse::<i64>().ok());
        let batch = number("max.message.bytes").map_or(USUAL_BYTES, |n| n.max(0) as usize);
        // The broker puts its own time in place of ours.
        let own = config.get("message.timestamp.type").is_none_or(|kind| kind == "CreateTime");
        let distance = |name: &str| number(name).filter(|_| own).unwrap_or(i64::MAX);
        Limits {
            batch,
            record: batch.saturating_sub(AROUND),
            keyed: config.get("cleanup.policy").is_some_and(|policy| policy.contains("compact")),
            before: distance("message.timestamp.before.max.ms"),
            after: distance("message.timestamp.after.max.ms"),
        }
    }

    /// Takes over what the topic says now, if it takes less than it used to; whether it does.
    pub fn lower(&mut self, now: Option<Limits>) -> bool {
        let Some(now) = now.filter(|now| now.batch < self.batch) else { return false };
        *self = Limits { record: self.record.min(now.record), keyed: self.keyed || now.keyed, ..now };
        true
    }

    /// A record of this size was refused.
    pub fn refused(&mut self, bytes: usize) {
        self.record = self.record.min(bytes.saturating_sub(1));
    }

    /// A timestamp that the topic takes: one that lies too far from now becomes now.
    pub fn timestamp(&self, timestamp: i64, now: i64) -> i64 {
        let after = timestamp.saturating_sub(now) > self.after.saturating_sub(CLOCKS).max(0);
        let before = now.saturating_sub(timestamp) > self.before.saturating_sub(CLOCKS).max(0);
        // 0 would be taken for no timestamp at all, and what lies before 1970 cannot be said.
        if after || before { now } else { timestamp.max(1) }
    }
}

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(entries: &[(&str, &str)]) -> Limits {
        Limits::of(&entries.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_topic_without_settings_takes_any_time_and_a_megabyte() {
        let limits = limits(&[]);
        assert_eq!(limits.record, USUAL_BYTES - AROUND);
        for timestamp in [1, 1_700_000_000_000, i64::MAX] {
            assert_eq!(limits.timestamp(timestamp, 1_700_000_000_000), timestamp);
        }
        assert!(!limits.keyed);
        assert_eq!(limits.timestamp(0, 5), 1);
        assert_eq!(limits.timestamp(-1, 5), 1);
    }

    #[test]
    fn a_compacted_topic_needs_keys() {
        for policy in ["compact", "compact,delete", "delete,compact"] {
            assert!(limits(&[("cleanup.policy", policy)]).keyed, "{policy}");
        }
        assert!(!limits(&[("cleanup.policy", "delete")]).keyed);
    }

    #[test]
    fn a_timestamp_out_of_bounds_becomes_now() {
        let hour = 3_600_000;
        let limits = limits(&[
            ("message.timestamp.after.max.ms", "3600000"),
            ("message.timestamp.before.max.ms", "3600000"),
        ]);
        let now = 1_700_000_000_000;
        assert_eq!(limits.timestamp(now + hour + 1, now), now);
        assert_eq!(limits.timestamp(now - hour - 1, now), now);
        assert_eq!(limits.timestamp(now + hour / 2, now), now + hour / 2);
        let own = limits_of_the_broker();
        assert_eq!(own.timestamp(now + 2 * hour, now), now + 2 * hour);
    }

    fn limits_of_the_broker() -> Limits {
        limits(&[("message.timestamp.type", "LogAppendTime"), ("message.timestamp.after.max.ms", "1")])
    }

    #[test]
    fn what_was_refused_is_not_tried_again() {
        let topic = |most: &str| limits(&[("max.message.bytes", most)]);
        let mut limits = topic("2000");
        assert!(!limits.lower(None) && !limits.lower(Some(topic("2000"))), "it takes what it took");
        assert_eq!(limits.record, 1800);
        limits.refused(900);
        assert_eq!(limits.record, 899);
        limits.refused(1000);
        assert_eq!(limits.record, 899);
        assert!(limits.lower(Some(topic("1500"))));
        assert_eq!((limits.batch, limits.record), (1500, 899));
    }
}
