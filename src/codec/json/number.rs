//! Numbers: JSON's grammar, then exactly the float or the integer that is written.
//!
//! Floats are rounded correctly. Whether a number near the largest float is out of range is asked of `serde_json`
//! itself, whose arithmetic there is its own.

use super::fault::{Scan, Syntax, not_json};

/// The powers of ten that a float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// More digits than this may overflow a `u64`.
const SAFE_DIGITS: usize = 19;

/// Runs over digits and gathers them; what does not fit wraps.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize, gathered: &mut u64) -> usize {
    while let Some(c) = bytes.get(at) {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        *gathered = gathered.wrapping_mul(10).wrapping_add(digit as u64);
        at += 1;
    }
    at
}

/// The digits before a point: none at all, or a zero before another, are no number.
#[inline(always)]
fn whole(bytes: &[u8], first: usize, gathered: &mut u64) -> Scan<usize> {
    let end = digits(bytes, first, gathered);
    if end == first || (end - first > 1 && bytes[first] == b'0') {
        return not_json(Syntax::Digit, if end == first { end } else { first + 1 });
    }
    Ok(end)
}

/// A number as a float. `start` is its first byte.
///
/// Up to 53 bits of digits and 22 places behind the point, one division is exact (Clinger); the rest is for the slow
/// path.
#[inline(always)]
pub(super) fn float(bytes: &[u8], start: usize) -> Scan<(f64, usize)> {
    let negative = bytes.get(start) == Some(&b'-');
    let (first, mut gathered) = (start + negative as usize, 0);
    let point = whole(bytes, first, &mut gathered)?;
    let (mut end, mut places) = (point, 0);
    if bytes.get(point) == Some(&b'.') {
        end = digits(bytes, point + 1, &mut gathered);
        places = end - point - 1;
        if places == 0 {
            return not_json(Syntax::Digit, end);
        }
    }
    let exact = point - first + places <= SAFE_DIGITS && gathered < 1 << 53;
    if !exact || matches!(bytes.get(end), Some(b'e' | b'E')) {
        return slow_float(bytes, start);
    }
    let value = gathered as f64 / POWERS[places.min(22)];
    Ok((if negative { -value } else { value }, end))
}

#[cold]
#[inline(never)]
fn slow_float(bytes: &[u8], start: usize) -> Scan<(f64, usize)> {
    let end = grammar(bytes, start)?;
    let value = finite(&bytes[start..end]);
    value.map_or_else(|| not_json(Syntax::Range, start), |value| Ok((value, end)))
}

/// A number as an integer; `None` for a number that is none of 64 bits.
#[inline(always)]
pub(super) fn integer(bytes: &[u8], start: usize) -> Scan<(Option<i64>, usize)> {
    let negative = bytes.get(start) == Some(&b'-');
    let (first, mut gathered) = (start + negative as usize, 0);
    let end = whole(bytes, first, &mut gathered)?;
    if end - first >= SAFE_DIGITS || matches!(bytes.get(end), Some(b'.' | b'e' | b'E')) {
        return slow_integer(bytes, start);
    }
    Ok((Some(if negative { -(gathered as i64) } else { gathered as i64 }), end))
}

#[cold]
#[inline(never)]
fn slow_integer(bytes: &[u8], start: usize) -> Scan<(Option<i64>, usize)> {
    let end = number_end(bytes, start)?;
    Ok((exact_integer(&bytes[start..end]), end))
}

/// Where a number ends that nobody reads.
#[inline]
pub(super) fn number_end(bytes: &[u8], start: usize) -> Scan<usize> {
    let end = grammar(bytes, start)?;
    let text = &bytes[start..end];
    // Without an exponent it takes more than 300 digits to leave the range.
    let may_overflow = text.len() > 300 || text.iter().any(|c| matches!(c, b'e' | b'E'));
    if may_overflow && finite(text).is_none() {
        return not_json(Syntax::Range, start);
    }
    Ok(end)
}

/// The end of `-? digits (. digits)? ([eE] [+-]? digits)?`.
fn grammar(bytes: &[u8], start: usize) -> Scan<usize> {
    let some = |from: usize| match digits(bytes, from, &mut 0) {
        end if end == from => not_json(Syntax::Digit, end),
        end => Ok(end),
    };
    let mut end = whole(bytes, start + (bytes.get(start) == Some(&b'-')) as usize, &mut 0)?;
    if bytes.get(end) == Some(&b'.') {
        end = some(end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = some(end + 1 + sign as usize)?;
    }
    Ok(end)
}

/// The float that a sound number means, unless that is out of range.
#[cold]
fn finite(text: &[u8]) -> Option<f64> {
    let value: f64 = fast_float2::parse(text).ok()?;
    if value.abs() < 1.79e308 { Some(value) } else { serde_json::from_slice(text).ok() }
}

/// The integer that a sound number means, exactly: `21.0`, `1e3`, `9223372036854775807.0`.
#[cold]
fn exact_integer(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mantissa_len = text.iter().position(|c| matches!(c, b'e' | b'E')).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(mantissa_len);
    let point = mantissa.iter().position(|c| *c == b'.').unwrap_or(mantissa_len);
    let places = (mantissa_len - point).saturating_sub(1);
    let shift = exponent_of(exponent).saturating_sub(places as i64);

    let digits = || mantissa.iter().filter(|c| **c != b'.').map(|c| c - b'0');
    let zeros = digits().rev().take_while(|d| *d == 0).count();
    let count = digits().count();
    if zeros == count {
        return Some(0);
    }
    // Digits that are zero at the end go into the shift, so that `1.50e1` is 15 and `1000e-3` is 1.
    let shift = u32::try_from(shift.saturating_add(zeros as i64)).ok()?;
    let add = |value: i64, digit: u8| value.checked_mul(10)?.checked_sub(digit as i64);
    // Summed up below zero, where there is one more.
    let value = digits().take(count - zeros).try_fold(0i64, add)?;
    let value = value.checked_mul(10i64.checked_pow(shift)?)?;
    if negative { Some(value) } else { value.checked_neg() }
}

/// What stands behind the `e`; beyond 64 bits it is as far as it can be.
fn exponent_of(text: &[u8]) -> i64 {
    let Some((_, text)) = text.split_first() else { return 0 };
    let (negative, text) = match text.split_first() {
        Some((b'-', text)) => (true, text),
        Some((b'+', text)) => (false, text),
        _ => (false, text),
    };
    let add = |value: i64, c: &u8| value.saturating_mul(10).saturating_add((c - b'0') as i64);
    let value = text.iter().fold(0, add);
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_to_the_last_of_64_bits() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e5", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("21.0", Some(21)),
            ("1e3", Some(1000)),
            ("1.50e1", Some(15)),
            ("1000e-3", Some(1)),
            ("1.5", None),
            ("1e-1", None),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775807.000", Some(i64::MAX)),
            ("922337203685477580.7e1", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("18446744073709551616", None),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e19", None),
            ("1e-99999999999999999999", None),
        ] {
            assert_eq!(integer(text.as_bytes(), 0), Ok((value, text.len())), "{text}");
        }
    }

    #[test]
    fn numbers_are_those_of_serde_json() {
        for text in [
            "0",
            "-0",
            "1",
            "-1",
            "1.5",
            "0.1",
            "1e3",
            "1E+3",
            "1e-3",
            "123456789012345678",
            "1234567890123456789",
            "12345678901234567890",
            "9007199254740993",
            "0.30000000000000004",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "17976931348623157e292",
            "17976931348623159e292",
            "1e308",
            "10e307",
            "10e308",
            "1e309",
            "-1e999",
            "0e999",
            "0.0e99999999999",
            "1e99999999999",
            "1e-99999999999",
            "5e-324",
            "2e-324",
            "4.9e-324",
            "0.00000000000000000000000000000000000000001",
            "",
            "-",
            "01",
            "-01",
            "00",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e+",
            "1.e3",
            "0x1",
            "1_0",
            "--1",
            "inf",
            "NaN",
        ] {
            let oracle: Result<f64, _> = serde_json::from_str(text);
            let ours = float(text.as_bytes(), 0).ok().filter(|(_, end)| *end == text.len());
            assert_eq!(ours.is_some(), oracle.is_ok(), "{text}");
            let skipped = number_end(text.as_bytes(), 0).ok().filter(|end| *end == text.len());
            assert_eq!(skipped.is_some(), oracle.is_ok(), "{text}, skipped");
            let whole = integer(text.as_bytes(), 0).ok().filter(|(_, end)| *end == text.len());
            assert_eq!(whole.is_some(), oracle.is_ok(), "{text}, as an integer");
            // serde_json rounds a last bit away now and then; the standard library does not.
            let exact = text.parse::<f64>().ok().filter(|x| x.is_finite());
            if let (Some((value, _)), Some(exact)) = (ours, exact) {
                assert_eq!(value.to_bits(), exact.to_bits(), "{text}");
            }
        }
        for zeros in [290, 299, 300, 308, 309, 400] {
            let text = format!("1{}", "0".repeat(zeros));
            let oracle: Result<f64, _> = serde_json::from_str(&text);
            assert_eq!(float(text.as_bytes(), 0).is_ok(), oracle.is_ok(), "1 and {zeros} zeros");
            assert_eq!(number_end(text.as_bytes(), 0).is_ok(), oracle.is_ok(), "1 and {zeros} zeros");
        }
    }
}
