//! Percent-encoded texts of paths and queries.

/// A text of a path; none if it is not well encoded or no UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

/// The parameters of a query, in their order; none if it is not well encoded.
pub fn query(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let pair = pair.replace('+', " ");
            let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(decode("a%20b%2Fc+%c3%BC").as_deref(), Some("a b/c+ü"));
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        let pairs = query("limit=5&&after=a+b%2B%26").expect("well encoded");
        assert_eq!(pairs, [("limit".into(), "5".into()), ("after".into(), "a b+&".into())]);
        assert_eq!(query("a=%"), None);
        assert_eq!(query("").map(|p| p.len()), Some(0));
    }
}
