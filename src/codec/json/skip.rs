//! Values that nobody reads: they are validated and passed over.

use super::blank;
use super::fault::{Scan, Syntax, not_json};
use super::number::number_end;
use super::string::string_end;

/// How many objects and lists may be open at once: as many as `serde_json` allows.
pub(super) const MAX_DEPTH: u32 = 127;

/// Where the value at `at` ends; `depth` objects and lists are open around it.
///
/// A loop and not a recursion: what is open is a bit each, so that a document made of brackets costs no stack.
pub(super) fn value_end(bytes: &[u8], mut at: usize, depth: u32) -> Scan<usize> {
    let mut open = Open { depth, around: depth, lists: 0 };
    loop {
        let inside = match bytes.get(at) {
            Some(b'{') => open.object(bytes, at)?,
            Some(b'[') => open.list(bytes, at)?,
            _ => Inside::Nothing(plain_end(bytes, at)?),
        };
        match inside {
            Inside::First(value) => at = value,
            Inside::Nothing(end) => match open.after(bytes, end)? {
                Next::Value(value) => at = value,
                Next::Done(end) => return Ok(end),
            },
        }
    }
}

/// Where a value ends that is neither object nor list.
#[inline(always)]
pub(super) fn plain_end(bytes: &[u8], at: usize) -> Scan<usize> {
    match bytes.get(at) {
        Some(b'"') => Ok(string_end(bytes, at + 1)?.0 + 1),
        Some(b'-' | b'0'..=b'9') => number_end(bytes, at),
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        _ => not_json(Syntax::Value, at),
    }
}

/// `true`, `false` or `null`.
#[inline(always)]
pub(super) fn word(bytes: &[u8], at: usize, word: &[u8]) -> Scan<usize> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { not_json(Syntax::Value, at) }
}

/// From a member's opening quote to its value.
#[inline]
fn member(bytes: &[u8], at: usize) -> Scan<usize> {
    if bytes.get(at) != Some(&b'"') {
        return not_json(Syntax::Name, at);
    }
    let colon = blank(bytes, string_end(bytes, at + 1)?.0 + 1);
    if bytes.get(colon) != Some(&b':') {
        return not_json(Syntax::Colon, colon);
    }
    Ok(blank(bytes, colon + 1))
}

/// What is open: how many, and which of them are lists; the innermost is the lowest bit.
struct Open {
    depth: u32,
    around: u32,
    lists: u128,
}

enum Inside {
    Nothing(usize),
    First(usize),
}

enum Next {
    Value(usize),
    Done(usize),
}

impl Open {
    fn push(&mut self, at: usize, list: bool) -> Scan<()> {
        if self.depth >= MAX_DEPTH {
            return not_json(Syntax::Depth, at);
        }
        self.depth += 1;
        self.lists = self.lists << 1 | list as u128;
        Ok(())
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.lists >>= 1;
    }

    fn object(&mut self, bytes: &[u8], at: usize) -> Scan<Inside> {
        self.push(at, false)?;
        let at = blank(bytes, at + 1);
        if bytes.get(at) == Some(&b'}') {
            self.pop();
            return Ok(Inside::Nothing(at + 1));
        }
        member(bytes, at).map(Inside::First)
    }

    fn list(&mut self, bytes: &[u8], at: usize) -> Scan<Inside> {
        self.push(at, true)?;
        let at = blank(bytes, at + 1);
        if bytes.get(at) == Some(&b']') {
            self.pop();
            return Ok(Inside::Nothing(at + 1));
        }
        Ok(Inside::First(at))
    }

    /// Behind a value: what closes here is closed, until there is a next one or nothing is open any more.
    fn after(&mut self, bytes: &[u8], mut at: usize) -> Scan<Next> {
        while self.depth > self.around {
            at = blank(bytes, at);
            match (bytes.get(at), self.lists & 1 == 1) {
                (Some(b','), true) => return Ok(Next::Value(blank(bytes, at + 1))),
                (Some(b','), false) => return member(bytes, blank(bytes, at + 1)).map(Next::Value),
                (Some(b']'), true) | (Some(b'}'), false) => self.pop(),
                (_, true) => return not_json(Syntax::CommaOrBracket, at),
                (_, false) => return not_json(Syntax::CommaOrBrace, at),
            }
            at += 1;
        }
        Ok(Next::Done(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_serde_json_ends_them() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let mixed = |n: usize| format!("{}1{}", "[{\"a\":".repeat(n), "}]".repeat(n));
        let cases = [deep(127), deep(128), deep(100_000), mixed(63), mixed(64), "[".repeat(100_000)];
        let plain = [
            "1",
            "true",
            "false",
            "null",
            "tru",
            "nul",
            "",
            "[]",
            "{}",
            "[1,]",
            "[,1]",
            "{,}",
            r#"{"a":1,}"#,
            r#"{"a" : [ 1 , {"b":[]} ] , "c" : "d"}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a"}"#,
            r#"{a:1}"#,
            "[1 2]",
            "[1}",
            r#"{"a":1]"#,
            r#"["a\ud800"]"#,
            "[\u{feff}]",
            "[1e999]",
            "{\"\u{1}\":1}",
        ];
        for text in cases.iter().map(String::as_str).chain(plain) {
            let oracle: Result<serde_json::Value, _> = serde_json::from_str(text);
            let ours = value_end(text.as_bytes(), 0, 0);
            assert_eq!(ours == Ok(text.len()), oracle.is_ok(), "{}", &text[..text.len().min(100)]);
        }
    }
}
