//! Where the bytes of a TOML string stand in the file.

use crate::diagnostic::{Passage, Place};

/// A string with the places of its bytes. `raw` is how it stands in the file, quotes included.
pub fn passage(text: &str, raw: &str, place: Place) -> Passage {
    let (quote, escapes) = match raw.as_bytes() {
        [b'"', b'"', b'"', ..] if raw.len() >= 6 => (3, true),
        [b'\'', b'\'', b'\'', ..] if raw.len() >= 6 => (3, false),
        [b'"', ..] => (1, true),
        [b'\'', ..] => (1, false),
        _ => (0, false),
    };
    // A text that was never closed ends as it may, within a character of more than one byte too.
    let inner = &raw[quote..];
    let inner = match raw.get(..quote) {
        Some(quotes) => inner.strip_suffix(quotes).unwrap_or(inner),
        None => inner,
    };
    // A newline right behind the opening quotes of a multi-line string is not part of it.
    let skipped = match inner.as_bytes() {
        [b'\n', ..] if quote == 3 => 1,
        [b'\r', b'\n', ..] if quote == 3 => 2,
        _ => 0,
    };
    let start = place.start + (quote + skipped) as u32;
    let inner = &inner[skipped..];
    if inner == text {
        return Passage::quoted(text, place, start);
    }
    match escapes.then(|| each(inner, text, start)).flatten() {
        Some(each) => Passage::escaped(text, place, each),
        // Places that cannot be told apart all point at the string as a whole.
        None => Passage::escaped(text, place, spread(text, place)),
    }
}

/// The place of each byte of a text with escapes: the escape as a whole for what it stands for.
fn each(inner: &str, text: &str, start: u32) -> Option<Vec<u32>> {
    let bytes = inner.as_bytes();
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    while at < bytes.len() {
        let here = start + at as u32;
        let (read, written) = match bytes[at] {
            b'\\' => escape(inner, at)?,
            b'\r' if bytes.get(at + 1) == Some(&b'\n') && !text.contains('\r') => (1, 0),
            _ => (1, 1),
        };
        places.extend(std::iter::repeat_n(here, written));
        at += read;
    }
    places.push(start + bytes.len() as u32);
    (places.len() == text.len() + 1).then_some(places)
}

/// How many bytes an escape takes in the file, and how many in the text.
fn escape(inner: &str, at: usize) -> Option<(usize, usize)> {
    let digits = match inner.as_bytes().get(at + 1)? {
        b'u' => 4,
        b'U' => 8,
        b'x' => 2,
        b' ' | b'\t' | b'\r' | b'\n' => {
            let rest = &inner[at + 1..];
            return Some((1 + rest.len() - rest.trim_start().len(), 0));
        }
        _ => return Some((2, 1)),
    };
    let code = u32::from_str_radix(inner.get(at + 2..at + 2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code)?.len_utf8()))
}

fn spread(text: &str, place: Place) -> Vec<u32> {
    let mut each = vec![place.start; text.len()];
    each.push(place.end);
    each
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, and the part of the file that its `needle` is said to stand at.
    fn check(raw: &str, text: &str, needle: &str, expected: &str) {
        let file = format!("key = {raw}\n");
        let passage = passage(text, raw, Place::new(6..6 + raw.len()));
        let at = text.find(needle).unwrap();
        let place = passage.at(at..at + needle.len());
        assert_eq!(&file[place.range()], expected, "{raw}");
    }

    #[test]
    fn places_point_into_the_quotes() {
        check("'a > b'", "a > b", "b", "b");
        check("\"a > b\"", "a > b", "a >", "a >");
        check(r#""a == \"x\" && b""#, "a == \"x\" && b", "b", "b");
        check(r#""a == \"x\" && b""#, "a == \"x\" && b", "\"x\"", r#"\"x\""#);
        check(r#""\u00e9 + b""#, "é + b", "b", "b");
        check("'''\na > b'''", "a > b", "b", "b");
        check("\"\"\"a \\\n   + b\"\"\"", "a + b", "b", "b");
    }
}
