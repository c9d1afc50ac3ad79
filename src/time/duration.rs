//! Durations as the author writes them: `"250ms"`, `"5s"`, `"1h30m"`.

const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Milliseconds; `None` for what is no duration or does not fit. Whole numbers with a unit each, the largest unit
/// first, each unit once.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (mut total, mut rest, mut units) = (0i64, text, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let at = units.iter().position(|(name, _)| *name == &rest[..letters])?;
        total = total.checked_add(number.checked_mul(units[at].1)?)?;
        (rest, units) = (&rest[letters..], &units[at + 1..]);
    }
    (!text.is_empty()).then_some(total)
}

/// The shortest text that [`parse_duration`] reads as this: `90s` rather than `1m30s`, but `1d1ms`. A negative
/// one, which no author can write, gets a sign.
pub fn format_duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    if ms == 0 {
        return "0s".into();
    }
    let whole = UNITS.iter().find(|(_, unit)| ms.is_multiple_of(*unit as u64));
    let one = whole.map_or(String::new(), |(name, unit)| format!("{}{name}", ms / *unit as u64));
    let (mut several, mut rest) = (String::new(), ms);
    for (name, unit) in UNITS {
        let count = rest / unit as u64;
        rest %= unit as u64;
        if count > 0 {
            several.push_str(&format!("{count}{name}"));
        }
    }
    format!("{sign}{}", if one.len() <= several.len() { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back_shortest() {
        for (text, ms, shortest) in [
            ("250ms", 250, "250ms"),
            ("5s", 5_000, "5s"),
            ("60s", 60_000, "1m"),
            ("90s", 90_000, "90s"),
            ("10m", 600_000, "10m"),
            ("2h", 7_200_000, "2h"),
            ("1d", 86_400_000, "1d"),
            ("1h30m", 5_400_000, "90m"),
            ("1d1ms", 86_400_001, "1d1ms"),
            ("0s", 0, "0s"),
            ("9223372036854775807ms", i64::MAX, "106751991167d7h12m55s807ms"),
        ] {
            assert_eq!(parse_duration(text), Some(ms), "{text}");
            assert_eq!(parse_duration(&format_duration(ms)), Some(ms), "{text}");
            if ms != i64::MAX {
                assert_eq!(format_duration(ms), shortest);
            }
        }
        assert_eq!(format_duration(-5_000), "-5s");
        assert_eq!(format_duration(i64::MIN), "-9223372036854775808ms");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            " 5s",
            "5S",
            "1.5s",
            "-5s",
            "+5s",
            "1m1h",
            "1s1s",
            "1h30",
            "5µs",
            "٥s",
            "5ss",
            "9223372036854775808ms",
            "106751991168d",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
