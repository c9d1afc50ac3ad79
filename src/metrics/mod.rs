//! Numbers about the engine: how they are collected, in plain fields, and how Prometheus reads them.
//!
//! Nothing here knows what is measured: a worker owns its counters, and whoever is asked for them writes them as
//! [`Exposition`].

mod exposition;

pub use exposition::{Exposition, Family, Type, seconds};

/// How often something took how long, in milliseconds, by upper bounds that are the same everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; Histogram::BOUNDS_MS.len()],
    count: u64,
    sum_ms: u64,
}

impl Histogram {
    /// The upper bounds, each part of its bucket. What lies above all of them is only counted.
    pub const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000];

    /// Notes that it took so long.
    pub fn observe(&mut self, ms: u64) {
        if let Some(at) = Self::BOUNDS_MS.iter().position(|bound| ms <= *bound) {
            self.counts[at] += 1;
        }
        self.count += 1;
        self.sum_ms += ms;
    }

    /// Adds what another one has seen.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(a, b)| *a += b);
        self.count += other.count;
        self.sum_ms += other.sum_ms;
    }

    /// How often it took at most each of the bounds.
    pub fn cumulated(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut sum = 0;
        Self::BOUNDS_MS.into_iter().zip(self.counts).map(move |(bound, count)| {
            sum += count;
            (bound, sum)
        })
    }

    /// How often.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How long in all.
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_all_that_is_smaller() {
        let mut seen = Histogram::default();
        [0, 1, 3, 100, 1_000_000].into_iter().for_each(|ms| seen.observe(ms));
        let buckets: Vec<_> = seen.cumulated().collect();
        assert_eq!(buckets[0], (1, 2));
        assert_eq!(buckets[2], (5, 3));
        assert_eq!(buckets[6], (100, 4));
        assert_eq!(buckets[11], (30_000, 4));
        assert_eq!((seen.count(), seen.sum_ms()), (5, 1_000_104));
    }
}
