//! Seeded randomness and the time of day, for generated records: everything else is a function of the record.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What `random`, `random_int`, `random_normal`, `pick` and `now` ask.
///
/// The generator (splitmix64) is a counter and a hash, so that one atomic addition draws a number and two threads never
/// draw the same.
#[derive(Debug)]
pub struct Dice {
    state: AtomicU64,
    now: AtomicI64,
}

impl Dice {
    /// Dice that fall the same way for the same seed; `now` in milliseconds since 1970.
    pub fn new(seed: u64, now: i64) -> Self {
        Dice { state: AtomicU64::new(seed), now: AtomicI64::new(now) }
    }

    /// Begins anew: the dice fall as those of this seed do from their first throw on.
    pub fn reseed(&self, seed: u64) {
        self.state.store(seed, Ordering::Relaxed);
    }

    /// What `now()` says from here on.
    pub fn set_now(&self, now: i64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// What `now()` says, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Any 64 bits.
    pub fn bits(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0, below 1.
    pub fn fraction(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `low` to `high`, both included; nothing when there is nothing between.
    pub fn int(&self, low: i64, high: i64) -> Option<i64> {
        let bits = self.bits();
        if low > high {
            return None;
        }
        // The high half of a product of 64 bits with the width, which is at most 2^64.
        let width = (i128::from(high) - i128::from(low) + 1) as u128;
        let drawn = match width {
            0x1_0000_0000_0000_0000 => u128::from(bits),
            width => (u128::from(bits) * width) >> 64,
        };
        Some((i128::from(low) + drawn as i128) as i64)
    }

    /// Normally distributed (Box and Muller; the second of the pair is not kept).
    pub fn normal(&self, mean: f64, deviation: f64) -> f64 {
        let (a, b) = (1.0 - self.fraction(), self.fraction());
        mean + deviation * (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same_way() {
        let draw = |seed| {
            let dice = Dice::new(seed, 0);
            (dice.bits(), dice.int(1, 10), dice.fraction(), dice.normal(0.0, 1.0))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn draws_stay_within_their_borders() {
        let dice = Dice::new(1, 0);
        let mut seen = [false; 3];
        for _ in 0..1000 {
            seen[dice.int(-1, 1).map_or(9, |i| (i + 1) as usize)] = true;
            assert!((0.0..1.0).contains(&dice.fraction()));
            assert!(dice.normal(0.0, 1.0).abs() < 10.0);
            assert!(dice.int(i64::MIN, i64::MAX).is_some());
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!((dice.int(5, 5), dice.int(2, 1)), (Some(5), None));
    }

    #[test]
    fn normal_has_its_mean_and_deviation() {
        let dice = Dice::new(3, 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| dice.normal(55.0, 18.0)).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((mean - 55.0).abs() < 1.0 && (variance.sqrt() - 18.0).abs() < 1.0, "{mean} {variance}");
    }
}
