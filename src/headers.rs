//! Record headers as one run of bytes: what a transport hands out, a frame carries and a sink passes on.
//!
//! Most records have none, and the rest are passed on untouched, so nothing is parsed on the way: an entry is
//! `u16` length of the name, the name, `i32` length of the value (−1: no value), the value, little-endian. Names
//! and values are any bytes; order and duplicates are kept.

/// Appends one header.
pub fn push(out: &mut Vec<u8>, name: &[u8], value: Option<&[u8]>) {
    let name = &name[..name.len().min(u16::MAX as usize)];
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&value.map_or(-1, |v| v.len() as i32).to_le_bytes());
    out.extend_from_slice(value.unwrap_or_default());
}

/// The headers in a run, in their order. A run that is cut short ends early.
pub fn iter(mut run: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    std::iter::from_fn(move || {
        let (len, rest) = run.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*len) as usize)?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let len = i32::from_le_bytes(*len);
        let (value, rest) = rest.split_at_checked(len.max(0) as usize)?;
        run = rest;
        Some((name, (len >= 0).then_some(value)))
    })
}

/// Where the last header of a name begins in a run.
pub fn last_at(run: &[u8], name: &[u8]) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    for (this, value) in iter(run) {
        if this == name {
            found = Some(at);
        }
        at += size_of::<u16>() + this.len() + size_of::<i32>() + value.map_or(0, <[u8]>::len);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_is_found() {
        let mut run = vec![];
        push(&mut run, b"a", Some(b"1"));
        push(&mut run, b"b", None);
        let at = run.len();
        push(&mut run, b"a", Some(b"2"));
        push(&mut run, b"c", Some(b"3"));
        assert_eq!((last_at(&run, b"a"), last_at(&run, b"z")), (Some(at), None));
    }

    #[test]
    fn order_duplicates_and_missing_values_survive() {
        let headers: [(&[u8], Option<&[u8]>); 4] =
            [(b"a", Some(b"1")), (b"\xff", None), (b"a", Some(b"")), (b"", Some(b"x"))];
        let mut run = vec![];
        for (name, value) in headers {
            push(&mut run, name, value);
        }
        assert_eq!(iter(&run).collect::<Vec<_>>(), headers);
        assert_eq!(iter(&run[..run.len() - 1]).count(), 3);
    }
}
