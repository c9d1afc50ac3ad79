//! Sizes as the author writes them: `"64MiB"`.

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Bytes; `None` for what is no size or does not fit.
pub fn parse_size(text: &str) -> Option<u64> {
    let letters = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, name) = text.split_at(letters);
    let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
    number.parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("100B", Some(100)),
            ("512KiB", Some(512 << 10)),
            ("64MiB", Some(64 << 20)),
            ("1GiB", Some(1 << 30)),
            ("2kB", Some(2_000)),
            ("3MB", Some(3_000_000)),
            ("4GB", Some(4_000_000_000)),
            ("0B", Some(0)),
            ("64", None),
            ("MiB", None),
            ("", None),
            ("-1B", None),
            ("1 MiB", None),
            ("1mib", None),
            ("1.5MiB", None),
            ("99999999999999999999B", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }
}
