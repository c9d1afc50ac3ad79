//! Raw JSON, piece by piece: what a `json` or list register holds has been validated, so pieces need only be found.

use super::blank;
use super::skip::{plain_end, value_end};
use super::string::string_end;

/// The elements of a raw list, each as it is written. What is no list has none.
pub fn list_elements(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = inside(raw, b'[');
    std::iter::from_fn(move || {
        let start = at.filter(|at| raw.get(*at) != Some(&b']'))?;
        let end = end_of(raw, start)?;
        at = behind_comma(raw, end);
        Some(&raw[start..end])
    })
}

/// The members of a raw object: the name between its quotes, escapes and all, and the value as it is written. What
/// is no object has none.
pub fn members(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = inside(raw, b'{');
    std::iter::from_fn(move || {
        let name = at.filter(|at| raw.get(*at) == Some(&b'"'))? + 1;
        let name_end = string_end(raw, name).ok()?.0;
        let colon = blank(raw, name_end + 1);
        let start = blank(raw, colon + 1);
        let end = end_of(raw, start)?;
        at = behind_comma(raw, end);
        Some((&raw[name..name_end], &raw[start..end]))
    })
}

/// Whether raw JSON is `null`.
pub fn is_null(raw: &[u8]) -> bool {
    raw.trim_ascii() == b"null"
}

fn inside(raw: &[u8], open: u8) -> Option<usize> {
    let at = blank(raw, 0);
    (raw.get(at) == Some(&open)).then(|| blank(raw, at + 1))
}

fn end_of(raw: &[u8], start: usize) -> Option<usize> {
    match raw.get(start)? {
        b'{' | b'[' => value_end(raw, start, 0).ok(),
        _ => plain_end(raw, start).ok(),
    }
}

fn behind_comma(raw: &[u8], end: usize) -> Option<usize> {
    let comma = blank(raw, end);
    (raw.get(comma) == Some(&b',')).then(|| blank(raw, comma + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &[&str]) {
        let elements: Vec<_> =
            list_elements(raw.as_bytes()).map(|e| String::from_utf8_lossy(e).into_owned()).collect();
        assert_eq!(elements, expected, "{raw}");
    }

    #[test]
    fn elements_are_found_as_they_are_written() {
        check("[]", &[]);
        check(" [ ] ", &[]);
        check("[1]", &["1"]);
        check(
            r#" [ "a,b" ,{"x":[1,2]}, [ ] , null,-1.50 ]"#,
            &["\"a,b\"", r#"{"x":[1,2]}"#, "[ ]", "null", "-1.50"],
        );
        check("{}", &[]);
        check("", &[]);
        check("[1,", &["1"]);
    }

    #[test]
    fn members_are_found_with_raw_names() {
        let raw = br#"{ "a" : 1,"st\u0061tus":{"b":2} , "c":[3]}"#;
        let found: Vec<_> = members(raw).collect();
        let expected: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"st\\u0061tus", b"{\"b\":2}"), (b"c", b"[3]")];
        assert_eq!(found, expected);
        assert_eq!(members(b"[1]").count(), 0);
    }
}
