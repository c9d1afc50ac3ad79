//! Intervals of one length, one behind the other: what windows are made of.

/// The end of the interval that a time lies in; all are `every` long and shifted by `offset`. A time that is an end
/// lies in the next one.
pub fn end_of(time: i64, every: i64, offset: i64) -> i64 {
    let begun = time.saturating_sub(offset).div_euclid(every).saturating_add(1);
    begun.saturating_mul(every).saturating_add(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_lies_behind_its_times() {
        let ends = [-11, -10, -1, 0, 9, 10].map(|time| end_of(time, 10, 0));
        assert_eq!(ends, [-10, 0, 0, 10, 10, 20]);
        assert_eq!([2, 3, 12, 13].map(|time| end_of(time, 10, 3)), [3, 13, 13, 23]);
        assert_eq!(end_of(i64::MAX, 10, 3), i64::MAX);
        assert!(end_of(i64::MIN, 10, 3) <= i64::MIN + 13);
    }
}
