//! Entries in the order of their keys' bytes: what a window is written in and what a query is answered in.

/// Sorts entries by their keys. What all keys share is skipped, and the eight bytes behind it are compared as one
/// number before the rest is looked at: keys like `sensor-123` differ only there.
pub(super) fn sort_by_key<'k>(entries: Vec<u32>, key: impl Fn(u32) -> &'k [u8]) -> Vec<u32> {
    let Some(first) = entries.first().map(|entry| key(*entry)) else { return entries };
    let shared = entries.iter().fold(first.len(), |len, entry| shared_len(&first[..len], key(*entry)));
    let mut order: Vec<(u64, u32)> =
        entries.into_iter().map(|entry| (head(&key(entry)[shared..]), entry)).collect();
    // Numbers alone are sorted without a branch. Most differ; keys whose numbers do not are compared as a whole.
    order.sort_unstable_by_key(|(head, _)| *head);
    for alike in order.chunk_by_mut(|a, b| a.0 == b.0) {
        alike.sort_unstable_by(|a, b| key(a.1).cmp(key(b.1)));
    }
    order.into_iter().map(|(_, entry)| entry).collect()
}

/// The `limit` entries with the smallest keys, sorted. Twice as many are kept at a time: of a large table nearly all
/// entries cost one comparison, with the largest key that still counted when there were last too many.
pub(super) fn smallest_by_key<'k>(
    entries: impl IntoIterator<Item = u32>,
    limit: usize,
    key: impl Fn(u32) -> &'k [u8],
) -> Vec<u32> {
    let (mut kept, mut largest) = (vec![], None);
    if limit == 0 {
        return kept;
    }
    for entry in entries {
        if largest.is_some_and(|largest| key(entry) > largest) {
            continue;
        }
        kept.push(entry);
        if kept.len() >= limit.saturating_mul(2) {
            keep_smallest(&mut kept, limit, &key);
            largest = kept.last().map(|entry| key(*entry));
        }
    }
    keep_smallest(&mut kept, limit, &key);
    sort_by_key(kept, key)
}

/// Drops all but `limit` entries; the last that is left has the largest key.
fn keep_smallest<'k>(entries: &mut Vec<u32>, limit: usize, key: impl Fn(u32) -> &'k [u8]) {
    if entries.len() > limit {
        entries.select_nth_unstable_by(limit - 1, |a, b| key(*a).cmp(key(*b)));
        entries.truncate(limit);
    }
}

fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The first eight bytes as a number that compares as they do. Shorter keys are filled with zeros, which the
/// comparison of the whole keys decides.
fn head(key: &[u8]) -> u64 {
    let mut word = [0; 8];
    let len = key.len().min(8);
    word[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_byte_order() {
        let keys: Vec<&[u8]> = vec![
            b"sensor-2",
            b"sensor-10",
            b"sensor-",
            b"sensor-1\0",
            b"sensor-1",
            b"sensor-12345678b",
            b"sensor-12345678a",
        ];
        let sorted = sort_by_key((0..keys.len() as u32).collect(), |entry| keys[entry as usize]);
        let mut expected = keys.clone();
        expected.sort_unstable();
        assert_eq!(sorted.iter().map(|entry| keys[*entry as usize]).collect::<Vec<_>>(), expected);

        for limit in 1..=keys.len() + 1 {
            let first = smallest_by_key(0..keys.len() as u32, limit, |entry| keys[entry as usize]);
            assert_eq!(first, sorted[..limit.min(keys.len())]);
        }
        assert!(smallest_by_key(vec![0, 1], 0, |entry| keys[entry as usize]).is_empty());
        assert!(sort_by_key(vec![], |entry| keys[entry as usize]).is_empty());
    }
}
