//! Which partition a key belongs to: murmur2, bit for bit as the JVM clients do it, so that a topic may have records
//! from them and from us and every key still has one home.

/// The partition of a key, of `partitions`.
#[inline]
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    debug_assert!(partitions > 0, "a topic has a partition");
    // `toPositive`: the sign is cut off, not turned over.
    (murmur2(key) & 0x7fff_ffff) % partitions
}

const SEED: u32 = 0x9747_b28c;
const MIX: u32 = 0x5bd1_e995;

/// The 32-bit hash of `org.apache.kafka.common.utils.Utils.murmur2`, there read as a signed number.
pub fn murmur2(bytes: &[u8]) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = SEED ^ bytes.len() as u32;
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MIX) ^ word.wrapping_mul(MIX);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_kafka_does() {
        // The cases of Kafka's own UtilsTest.
        for (key, hash) in [
            ("21", -973932308),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn negative_hashes_lose_their_sign() {
        assert_eq!(partition_of(b"21", 7), (-973932308i32 & i32::MAX) as u32 % 7);
        assert_eq!(partition_of(b"abc", 10), 7);
        assert_eq!(partition_of(b"", 1), 0);
    }
}
