//! When each record is due.

use std::time::Duration;

/// An even pace: so many records in so many nanoseconds. The first one is due at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    records: u64,
    nanos: u64,
}

impl Pace {
    /// One record after each interval; none: there is no pace, all are due at once.
    pub fn interval(interval_ms: i64) -> Option<Self> {
        let nanos = u64::try_from(interval_ms).ok()?.saturating_mul(1_000_000);
        (nanos > 0).then_some(Pace { records: 1, nanos })
    }

    /// So many records a second; none: there is no pace, all are due at once.
    pub fn rate(records: u32) -> Option<Self> {
        (records > 0).then_some(Pace { records: records.into(), nanos: 1_000_000_000 })
    }

    /// How many records are due once so much time has passed.
    pub fn due(self, passed: Duration) -> u64 {
        let whole = passed.as_nanos().saturating_mul(self.records.into()) / u128::from(self.nanos);
        u64::try_from(whole).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// When the record behind the first `sent` is due.
    pub fn when(self, sent: u64) -> Duration {
        let nanos = (u128::from(sent) * u128::from(self.nanos)).div_ceil(self.records.into());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_due_at_once_and_the_rest_evenly() {
        let pace = Pace::interval(1000).expect("a pace");
        let due = |ms| pace.due(Duration::from_millis(ms));
        assert_eq!((due(0), due(999), due(1000), due(2500)), (1, 1, 2, 3));
        assert_eq!((pace.when(0), pace.when(3)), (Duration::ZERO, Duration::from_secs(3)));
        let pace = Pace::rate(3).expect("a pace");
        for sent in 0..1000 {
            assert_eq!(pace.due(pace.when(sent)), sent + 1, "when it is due, it is among those that are");
        }
        assert_eq!(pace.due(Duration::from_secs(100)), 301);
        assert_eq!((Pace::interval(0), Pace::interval(-1), Pace::rate(0)), (None, None, None));
        assert!(Pace::interval(i64::MAX).expect("a pace").when(u64::MAX) > Duration::from_secs(1));
    }
}
