//! RFC 3339 to and from milliseconds.
//!
//! An offset or `Z` is required; `t`, `z` and a space before the time are accepted, as the RFC allows; fractions
//! of any length are cut to milliseconds. A leap second is refused: 60 has no millisecond of its own, and taking it
//! for the next minute's first would put two instants on one.

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// 0000-01-01T00:00:00Z.
const FIRST_MS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;

/// A parser that remembers the last minute: the first 16 bytes, `2026-01-01T00:00`, rarely change from one record to
/// the next, so their meaning is kept.
#[derive(Clone, Debug, Default)]
pub struct Rfc3339 {
    /// At first NULs, with which no time starts.
    head: [u8; 16],
    minute_ms: i64,
}

impl Rfc3339 {
    /// Milliseconds since 1970, or `None` for what is no RFC 3339 time.
    #[inline]
    pub fn parse(&mut self, text: &[u8]) -> Option<i64> {
        let (head, tail) = text.split_first_chunk::<16>()?;
        if *head != self.head {
            self.remember(head)?;
        }
        match tail {
            [b':', s1, s2, b'Z'] => Some(self.minute_ms + seconds([*s1, *s2])? * 1000),
            [b':', s1, s2, b'.', f1, f2, f3, b'Z'] => {
                let f3 = digit(*f3)?;
                Some(self.minute_ms + seconds([*s1, *s2])? * 1000 + two([*f1, *f2])? * 10 + f3)
            }
            _ => rest(tail, self.minute_ms),
        }
    }

    #[inline(never)]
    fn remember(&mut self, head: &[u8; 16]) -> Option<()> {
        self.minute_ms = minute(head)?;
        self.head = *head;
        Some(())
    }
}

/// Milliseconds since 1970, without a memory.
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    Rfc3339::default().parse(text)
}

#[inline(always)]
fn digit(c: u8) -> Option<i64> {
    let digit = c.wrapping_sub(b'0');
    (digit <= 9).then_some(digit as i64)
}

#[inline(always)]
fn two([tens, ones]: [u8; 2]) -> Option<i64> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[inline(always)]
fn seconds(text: [u8; 2]) -> Option<i64> {
    two(text).filter(|s| *s <= 59)
}

/// What `YYYY-MM-DDTHH:MM` means in UTC.
fn minute(head: &[u8; 16]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T' | b't' | b' ', h1, h2, b':', mi1, mi2] = *head
    else {
        return None;
    };
    let (year, month, day) = (two([y1, y2])? * 100 + two([y3, y4])?, two([mo1, mo2])?, two([d1, d2])?);
    let (hour, minute) = (two([h1, h2])?, two([mi1, mi2])?);
    if !(1..=12).contains(&month) || !(1..=month_days(year, month)).contains(&day) || hour > 23 || minute > 59
    {
        return None;
    }
    Some(days(year, month, day) * DAY_MS + (hour * 60 + minute) * MINUTE_MS)
}

/// Seconds, a fraction of any length and any offset, after the minute.
#[inline(never)]
fn rest(tail: &[u8], minute_ms: i64) -> Option<i64> {
    let (&[b':', s1, s2], tail) = tail.split_first_chunk::<3>()? else { return None };
    let (fraction_ms, zone) = fraction(tail)?;
    let offset_ms = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two([h1, h2])?, two([m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * MINUTE_MS * if sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let ms = minute_ms + seconds([s1, s2])? * 1000 + fraction_ms - offset_ms;
    // An offset may lead out of the years that can be written back.
    is_writable(ms).then_some(ms)
}

/// The milliseconds of a fraction, if there is one, and what follows it.
fn fraction(tail: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = tail.split_first() else { return Some((0, tail)) };
    let len = digits.iter().take_while(|c| c.is_ascii_digit()).count();
    if len == 0 {
        return None;
    }
    let ms = (0..3).fold(0, |ms, i| ms * 10 + if i < len { (digits[i] - b'0') as i64 } else { 0 });
    Some((ms, &digits[len..]))
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date: years counted from March, in eras of 400, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970, from the year 0000 on: [`days`] backwards.
fn date(day: i64) -> (u32, u32, u32) {
    // Counted from one era earlier nothing lies below zero.
    let day = (day + 719_468 + 146_097) as u32;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + era * 400 + (month <= 2) as u32 - 400;
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// Whether a time has a text: whether it lies in the years 0000 to 9999.
#[inline(always)]
pub fn is_writable(ms: i64) -> bool {
    (FIRST_MS..=LAST_MS).contains(&ms)
}

/// Writes a time in UTC, with milliseconds only where there are some. `None`, and nothing written, for a time
/// outside the years 0000 to 9999, for which RFC 3339 has no text.
#[inline]
pub fn write_timestamp(out: &mut Vec<u8>, ms: i64) -> Option<()> {
    if !is_writable(ms) {
        return None;
    }
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS) as u32;
    let pair = |n: u32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
    let ([y1, y2], [y3, y4]) = (pair(year / 100), pair(year % 100));
    let ([mo1, mo2], [d1, d2]) = (pair(month), pair(day));
    let (seconds, ms) = (of_day / 1000, of_day % 1000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let ([h1, h2], [mi1, mi2], [s1, s2]) = (pair(minutes / 60), pair(minutes % 60), pair(second));
    out.extend_from_slice(&[
        y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2,
    ]);
    if ms != 0 {
        let [f1, f2] = pair(ms / 10);
        out.extend_from_slice(&[b'.', f1, f2, b'0' + (ms % 10) as u8]);
    }
    out.push(b'Z');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ms: i64) -> String {
        let mut out = vec![];
        write_timestamp(&mut out, ms).expect("in range");
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn every_allowed_spelling_is_read() {
        let mut parser = Rfc3339::default();
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-01T00:00:10Z", 1_767_225_610_000),
            ("2026-01-01T00:00:10.5Z", 1_767_225_610_500),
            ("2026-01-01T00:00:10.123Z", 1_767_225_610_123),
            ("2026-01-01T00:00:10.123999999999999999999Z", 1_767_225_610_123),
            ("2026-01-01t00:00:10z", 1_767_225_610_000),
            ("2026-01-01 00:00:10.25+00:00", 1_767_225_610_250),
            ("2026-01-01T01:30:10+01:30", 1_767_225_610_000),
            ("2025-12-31T23:59:10-00:01", 1_767_225_610_000),
            ("2024-02-29T23:59:59.999-23:59", 1_709_337_539_999),
            ("0000-01-01T00:00:00Z", FIRST_MS),
            ("9999-12-31T23:59:59.999Z", LAST_MS),
        ] {
            assert_eq!(parser.parse(text.as_bytes()), Some(ms), "{text}");
            assert_eq!(parser.parse(text.as_bytes()), Some(ms), "{text}, the minute remembered");
            assert_eq!(parse_timestamp(text.as_bytes()), Some(ms), "{text}, nothing remembered");
        }
    }

    #[test]
    fn everything_else_is_refused_with_and_without_memory() {
        for text in [
            "",
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:10",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:60.000Z",
            "2026-01-01T00:00:1aZ",
            "2026-01-01T00:00:10.Z",
            "2026-01-01T00:00:10.12aZ",
            "2026-01-01T00:00:10.1/3Z",
            "2026-01-01T00:00:10ZZ",
            "2026-01-01T00:00:10+0000",
            "2026-01-01T00:00:10+24:00",
            "2026-01-01T00:00:10+00:60",
            "2026-01-01T00:00:10+1:00",
            "2026-01-01T00:00-10Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "+2026-01-01T00:00:00Z",
            "2026-01-01_00:00:00Z",
            " 2026-01-01T00:00:00Z",
            "20260101T000000Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:00-00:01",
        ] {
            let mut parser = Rfc3339::default();
            parser.parse(b"2026-01-01T00:00:00Z");
            assert_eq!(parser.parse(text.as_bytes()), None, "{text}");
            assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
            assert_eq!(parser.parse(b"2026-01-01T00:00:01Z"), Some(1_767_225_601_000), "after {text}");
        }
    }

    #[test]
    fn times_outside_four_digit_years_are_not_written() {
        for ms in [FIRST_MS - 1, LAST_MS + 1, i64::MIN, i64::MAX] {
            let mut out = b"kept".to_vec();
            assert_eq!(write_timestamp(&mut out, ms), None);
            assert_eq!(out, b"kept");
        }
        assert_eq!(written(FIRST_MS), "0000-01-01T00:00:00Z");
        assert_eq!(written(LAST_MS), "9999-12-31T23:59:59.999Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_is_as_jiff_has_it() {
        let mut parser = Rfc3339::default();
        // A step of a prime number of milliseconds, about eleven days, through all of the years.
        for ms in (FIRST_MS..=LAST_MS).step_by(949_999_991) {
            let text = written(ms);
            assert_eq!(parser.parse(text.as_bytes()), Some(ms), "{text}");
            let jiff: jiff::Timestamp = text.parse().expect("jiff reads it");
            assert_eq!(jiff.as_millisecond(), ms, "{text}");
        }
    }
}
