//! Texts into JSON.

/// Whether a text has to be escaped. No early exit: this is a few instructions for sixteen bytes.
#[inline]
pub fn needs_escape(text: &[u8]) -> bool {
    text.iter().fold(false, |odd, c| odd | (*c < 0x20) | (*c == b'"') | (*c == b'\\'))
}

/// Appends a text with its quotes and whatever escapes it needs.
#[inline]
pub fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if needs_escape(text) {
        escape(out, text)
    } else {
        out.extend_from_slice(text)
    }
    out.push(b'"');
}

#[cold]
fn escape(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for c in text {
        match *c {
            c @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', c]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            c @ ..0x20 => {
                let (high, low) = (HEX[(c >> 4) as usize], HEX[(c & 15) as usize]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_reads_back() {
        let every_ascii: String = (0..128u8).map(char::from).collect();
        for text in ["", "plain", "a\"b\\c", "ü \u{1F600}", &every_ascii] {
            let mut out = vec![];
            quote(&mut out, text.as_bytes());
            assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
        }
    }
}
