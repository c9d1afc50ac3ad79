//! Texts that are mostly short, compared where they are: a call to compare memory would cost more than the comparison.

/// Whether two texts are equal.
#[inline(always)]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && starts_with(a, b)
}

/// Whether a text starts with another: with loads that overlap, for one of 8 to 24 bytes.
#[inline(always)]
pub fn starts_with(text: &[u8], start: &[u8]) -> bool {
    let Some(text) = text.get(..start.len()) else { return false };
    match (text.first_chunk::<8>(), start.first_chunk::<8>(), text.last_chunk::<8>(), start.last_chunk::<8>())
    {
        (Some(first), Some(expected_first), Some(last), Some(expected_last)) if start.len() <= 24 => {
            let ends = first == expected_first && last == expected_last;
            ends && (start.len() <= 16 || text[8..16] == start[8..16])
        }
        _ => text == start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_counts() {
        let text: Vec<u8> = (0..64).collect();
        for len in 0..text.len() {
            let start = &text[..len];
            assert!(starts_with(&text, start) && same(start, start));
            assert!(!same(start, &text[..len + 1]) && !starts_with(start, &text[..len + 1]));
            for at in 0..len {
                let mut other = start.to_vec();
                other[at] ^= 0x80;
                assert!(!starts_with(&text, &other) && !same(start, &other), "byte {at} of {len}");
            }
        }
    }
}
