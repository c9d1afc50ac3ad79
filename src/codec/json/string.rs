//! Strings: where they end, whether they are sound, what their escapes mean.

use super::fault::{Scan, Syntax, not_json};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The closing quote of a string whose content starts at `start`, and whether there is an escape in it. Eight bytes
/// at a time; the high bits are collected on the way, so that only a string with a byte that is not ASCII is
/// checked to be UTF-8.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], start: usize) -> Scan<(usize, bool)> {
    let (mut at, mut escaped, mut high) = (start, false, 0u64);
    loop {
        while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
            let word = u64::from_le_bytes(*word);
            high |= word & HIGHS;
            let special = special(word);
            if special != 0 {
                at += (special.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b'"') if high == 0 => return Ok((at, escaped)),
            Some(b'"') => return utf8(bytes, start, at).map(|()| (at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += escape_len(bytes, at)?;
            }
            Some(c) if *c < 0x20 => return not_json(Syntax::Control, at),
            Some(c) => {
                high |= (*c & 0x80) as u64;
                at += 1;
            }
            None => return not_json(Syntax::Quote, at),
        }
    }
}

/// The high bit of each byte that is a quote, a backslash or a control character; what stands above the lowest one
/// may be wrong.
#[inline(always)]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    (zero(quote) | zero(backslash) | word.wrapping_sub(ONES * 0x20) & !word) & HIGHS
}

// An escape stands for whole characters, so bytes that are no UTF-8 around it cannot become some by unescaping.
#[inline(never)]
fn utf8(bytes: &[u8], start: usize, end: usize) -> Scan<()> {
    match std::str::from_utf8(&bytes[start..end]) {
        Ok(_) => Ok(()),
        Err(e) => not_json(Syntax::Utf8, start + e.valid_up_to()),
    }
}

/// How many bytes the escape at `at` has; a surrogate pair is one.
#[cold]
fn escape_len(bytes: &[u8], at: usize) -> Scan<usize> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match hex(bytes, at + 2) {
            None => not_json(Syntax::Escape, at),
            Some(0xD800..0xDC00) if low_surrogate(bytes, at + 6).is_some() => Ok(12),
            Some(0xD800..0xE000) => not_json(Syntax::Surrogate, at),
            Some(_) => Ok(6),
        },
        _ => not_json(Syntax::Escape, at),
    }
}

/// Four hexadecimal digits.
fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, c| Some(value << 4 | (*c as char).to_digit(16)?))
}

/// The escape of a surrogate pair's second half.
fn low_surrogate(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 2)? == b"\\u";
    hex(bytes, at + 2).filter(|low| escape && (0xDC00..0xE000).contains(low))
}

/// Appends what the inside of a JSON string means. A broken escape, which no scanned string has, is kept as it
/// stands.
pub fn unescape(inside: &[u8], out: &mut Vec<u8>) {
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let len = escape_len(rest, at).unwrap_or(1);
        let escape = &rest[at..at + len];
        match escape.get(1) {
            None => out.push(b'\\'),
            Some(b'u') => {
                let c = character(escape).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(c) => out.push(*c),
        }
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
}

/// The character of `\uXXXX` or of a pair of them.
fn character(escape: &[u8]) -> Option<char> {
    let first = hex(escape, 2)?;
    match low_surrogate(escape, 6) {
        Some(low) => char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)),
        None => char::from_u32(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_what_serde_json_takes_for_one() {
        for inside in [
            "",
            "abc",
            "abcdefgh",
            "abcdefghi",
            r"\n",
            r"a\u0041b",
            r"\ud83d\ude00",
            r"\uD83D\uDE00 \/\b\f\n\r\t\\",
            "ü",
            "abcdefgü",
            "\u{7f}",
            "a\tb",
            "\0",
            r"\x",
            r"\u12",
            r"\u12g4",
            r"\ud83d",
            r"\ude00",
            r"\ud83d\n",
            r"\ud83d\ud83d",
            r"\ud83dx",
            r"\u+123",
            r"\",
        ] {
            let text = format!("\"{inside}\"");
            let oracle: Result<String, _> = serde_json::from_str(&text);
            let ours = string_end(text.as_bytes(), 1);
            assert_eq!(ours.is_ok_and(|(end, _)| end == text.len() - 1), oracle.is_ok(), "{text}");
            let mut out = vec![];
            unescape(inside.as_bytes(), &mut out);
            if let Ok(oracle) = oracle {
                assert_eq!(out, oracle.as_bytes(), "{text}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_found_at_their_place() {
        for (bytes, at) in [(&b"\"a\xffb\""[..], 2), (b"\"abcdefghijk\xc3\"", 12), (b"\"\xc3\\u00bc\"", 1)] {
            assert_eq!(string_end(bytes, 1), not_json(Syntax::Utf8, at));
        }
    }
}
