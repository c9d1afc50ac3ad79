//! Which fields a document has.

/// A bit a field: one word, since few schemas have more than 64 fields, and more words for those that do.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    first: u64,
    more: Vec<u64>,
}

impl Seen {
    /// None of so many fields.
    pub(super) fn none_of(fields: usize) -> Self {
        Seen { first: 0, more: vec![0; fields.saturating_sub(1) / 64] }
    }

    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.first = 0;
        if !self.more.is_empty() {
            self.more.fill(0);
        }
    }

    #[inline(always)]
    pub(super) fn mark(&mut self, field: u16, is_there: bool) {
        let word = match field {
            0..64 => &mut self.first,
            _ => &mut self.more[field as usize / 64 - 1],
        };
        let bit = field % 64;
        *word = *word & !(1 << bit) | (is_there as u64) << bit;
    }

    /// Whether everything that is required is there.
    #[inline(always)]
    pub(super) fn has_all(&self, required: &Seen) -> bool {
        required.first & !self.first == 0 && (self.more.is_empty() || self.first_missing(required).is_none())
    }

    /// The first field that is required and not there.
    #[cold]
    pub(super) fn first_missing(&self, required: &Seen) -> Option<u16> {
        let words =
            std::iter::once((&self.first, &required.first)).chain(self.more.iter().zip(&required.more));
        let mut missing = words.map(|(seen, required)| required & !seen).enumerate();
        let (word, bits) = missing.find(|(_, missing)| *missing != 0)?;
        Some(word as u16 * 64 + bits.trailing_zeros() as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_at_the_borders_of_words() {
        for count in [0, 1, 63, 64, 65, 128, 129, 200] {
            let mut required = Seen::none_of(count);
            let mut seen = Seen::none_of(count);
            assert!(seen.has_all(&required));
            for field in (0..count as u16).rev() {
                required.mark(field, true);
                assert!(!seen.has_all(&required));
                assert_eq!(seen.first_missing(&required), Some(field));
                seen.mark(field, true);
                assert!(seen.has_all(&required));
            }
            seen.clear();
            assert_eq!(seen.has_all(&required), count == 0);
        }
    }
}
