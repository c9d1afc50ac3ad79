//! Changelogs as what they mean: the rows of a table in place of their bytes.
//!
//! A changelog says of itself what its bytes mean, in a record under a key of its own. Where that is not there, or is
//! of another make, its records are shown as they are.

use super::reader::Entry;
use super::source::Source;
use crate::codec::json::quote;
use crate::plan::schema::parse_type;
use crate::runtime::MEANING;
use crate::store::key::{self, unordered_int};
use crate::store::{Cell, cells};
use crate::time::write_timestamp;
use crate::transport::{Batch, TransportError};
use crate::types::Kind;

/// How far into each partition is looked for what it says of itself: usually it is the first record.
const FAR: i64 = 10_000;
const CHUNK: (usize, usize) = (1000, 1 << 20);

/// What the bytes of a changelog mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changelog {
    key: Vec<Kind>,
    /// Whether keys begin with the end of a window.
    windowed: bool,
    columns: Vec<Column>,
}

/// A part of a row.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: String,
    kind: Kind,
    /// Whether it is a sum and a count, in two cells.
    average: bool,
}

/// A record of a changelog, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The row's key as text, with the end of its window.
    pub key: Vec<u8>,
    /// The row as JSON; none if it was removed.
    pub value: Option<Vec<u8>>,
}

impl Changelog {
    /// Looks for what a topic says of itself.
    pub fn find(
        source: &mut dyn Source,
        topic: &str,
        partitions: u32,
    ) -> Result<Option<Self>, TransportError> {
        let mut batch = Batch::default();
        for partition in 0..partitions {
            let (start, end) = source.bounds(topic, partition)?;
            let (mut next, end) = (start, end.min(start.saturating_add(FAR)));
            while next < end {
                batch.clear();
                next = source.read(topic, partition, (next, end), CHUNK, &mut batch)?;
                let meaning = batch.iter().find(|record| record.key == Some(MEANING));
                if let Some(text) = meaning.and_then(|record| record.value) {
                    return Ok(Self::of(&String::from_utf8_lossy(text)));
                }
            }
        }
        Ok(None)
    }

    /// What is meant: the kind of table, what it is by, how its windows lie, and what it computes, a line each.
    fn of(meaning: &str) -> Option<Self> {
        let mut lines = meaning.lines();
        let windowed = match lines.next()? {
            "count" => false,
            "tumble" => true,
            _ => return None,
        };
        let by = lines.next()?.strip_prefix("by ")?;
        let kind = |text: &str| parse_type(text).map(|(ty, _)| ty.kind);
        let key = by.split(", ").map(|part| kind(part.rsplit_once(' ')?.1)).collect::<Option<_>>()?;
        let mut columns = vec![];
        if windowed {
            lines.next()?.strip_prefix("every ")?;
            for line in lines {
                columns.push(Column::of(line)?);
            }
        } else {
            columns.push(Column { name: "count".to_owned(), kind: Kind::Int, average: false });
        }
        Some(Changelog { key, windowed, columns })
    }

    /// What a record means; none if it cannot be what it should.
    pub fn decode(&self, entry: &Entry<'_>) -> Option<Decoded> {
        let bytes = entry.key?;
        if bytes == MEANING {
            let mut value = vec![];
            quote(&mut value, entry.value?);
            return Some(Decoded { key: b"(what the bytes mean)".to_vec(), value: Some(value) });
        }
        let (end, bytes) = match self.windowed {
            true => bytes.split_first_chunk().map(|(end, key)| (Some(unordered_int(*end)), key))?,
            false => (None, bytes),
        };
        if key::decode(&self.key, bytes).count() != self.key.len() {
            return None;
        }
        let mut text = vec![];
        key::write_text(&self.key, bytes, &mut text);
        if let Some(end) = end {
            text.extend_from_slice(b" until ");
            write_timestamp(&mut text, end)?;
        }
        let value = match entry.value {
            Some(value) => Some(self.row(value)?),
            None => None,
        };
        Some(Decoded { key: text, value })
    }

    fn row(&self, value: &[u8]) -> Option<Vec<u8>> {
        let (mut texts, mut width) = (vec![], 0);
        for column in &self.columns {
            if column.is_text() {
                texts.push(width);
            }
            width += 1 + usize::from(column.average);
        }
        let mut cells = cells(value, width, &texts).ok()?.into_iter();
        let mut out = vec![b'{'];
        for column in &self.columns {
            // A row from before the node computed more ends early.
            let Some(cell) = cells.next() else { break };
            let count = if column.average { cells.next().flatten() } else { None };
            if out.len() > 1 {
                out.push(b',');
            }
            quote(&mut out, column.name.as_bytes());
            out.push(b':');
            column.write(cell, count, &mut out);
        }
        out.push(b'}');
        Some(out)
    }
}

impl Column {
    /// `count()`, or `min(temperature) float`.
    fn of(line: &str) -> Option<Self> {
        if line == "count()" {
            return Some(Column { name: line.to_owned(), kind: Kind::Int, average: false });
        }
        let (name, kind) = line.rsplit_once(' ')?;
        let (kind, is_count) = (parse_type(kind)?.0.kind, name.starts_with("count("));
        let kind = if is_count { Kind::Int } else { kind };
        Some(Column { name: name.to_owned(), kind, average: name.starts_with("avg(") })
    }

    fn is_text(&self) -> bool {
        let sums = ["sum(", "avg("].iter().any(|sum| self.name.starts_with(sum));
        !sums && matches!(self.kind, Kind::String | Kind::Json | Kind::List(_))
    }

    fn write(&self, cell: Option<Cell<'_>>, count: Option<Cell<'_>>, out: &mut Vec<u8>) {
        match (cell, self.kind) {
            (Some(Cell::Bits(sum)), _) if self.average => {
                let count = match count {
                    Some(Cell::Bits(count)) => count as f64,
                    _ => 0.0,
                };
                write_float(f64::from_bits(sum) / count, out);
            }
            (Some(Cell::Bits(bits)), Kind::Float) => write_float(f64::from_bits(bits), out),
            (Some(Cell::Bits(bits)), Kind::Bool) => {
                out.extend_from_slice(if bits != 0 { b"true" } else { b"false" })
            }
            (Some(Cell::Bits(bits)), Kind::Timestamp) => {
                let mut text = vec![];
                match write_timestamp(&mut text, bits as i64) {
                    Some(()) => quote(out, &text),
                    None => out.extend_from_slice((bits as i64).to_string().as_bytes()),
                }
            }
            (Some(Cell::Bits(bits)), _) => out.extend_from_slice((bits as i64).to_string().as_bytes()),
            (Some(Cell::Text(text)), Kind::String) => quote(out, text),
            (Some(Cell::Text(text)), _) => out.extend_from_slice(text),
            (None, _) => out.extend_from_slice(b"null"),
        }
    }
}

/// What has seen nothing is not finite, and no JSON.
fn write_float(float: f64, out: &mut Vec<u8>) {
    match float.is_finite() {
        true => out.extend_from_slice(float.to_string().as_bytes()),
        false => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::key::{KeyPart, encode_parts, ordered_int};

    fn shown(meaning: &str, key: &[u8], value: Option<&[u8]>) -> Option<(String, String)> {
        let entry = Entry { partition: 0, offset: 0, timestamp: 0, key: Some(key), value, headers: b"" };
        let Decoded { key, value } = Changelog::of(meaning)?.decode(&entry)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some((text(key), value.map_or("-".to_owned(), text)))
    }

    fn row(cells: &[u64]) -> Vec<u8> {
        let cells = cells.iter().flat_map(|cell| cell.to_le_bytes());
        [1, (cells.clone().count() / 8) as u8].into_iter().chain(cells).collect()
    }

    #[test]
    fn rows_are_shown_as_what_they_mean() {
        let pair = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        let count = "count\nby sensor_id string";
        assert_eq!(shown(count, b"a", Some(&row(&[7]))), pair("a", r#"{"count":7}"#));
        assert_eq!(shown(count, b"a", None), pair("a", "-"));
        let mut key = vec![];
        encode_parts(&[KeyPart::Text(b"x".into()), KeyPart::Int(-3)], &mut key);
        assert_eq!(shown("count\nby a string, n int", &key, None), pair(r#"["x",-3]"#, "-"));
        let tumble = "tumble\nby id string\nevery 60000 ms, offset 0 ms\n\
                      count()\nmin(t) float\navg(t) float\nmax(n) int";
        let key = [&ordered_int(60_000)[..], b"a"].concat();
        let value = row(&[2, 1.5f64.to_bits(), 5.0f64.to_bits(), 2, -4i64 as u64]);
        assert_eq!(
            shown(tumble, &key, Some(&value)),
            pair("a until 1970-01-01T00:01:00Z", r#"{"count()":2,"min(t)":1.5,"avg(t)":2.5,"max(n)":-4}"#)
        );
        let early = shown(tumble, &key, Some(&row(&[2, f64::INFINITY.to_bits()])));
        assert_eq!(early, pair("a until 1970-01-01T00:01:00Z", r#"{"count()":2,"min(t)":null}"#));
        let texts = "tumble\nby id string\nevery 1 ms, offset 0 ms\nfirst(name) string";
        let value = [&[1, 0x81], &1u64.to_le_bytes()[..], &3u32.to_le_bytes(), b"a\"b"].concat();
        let said = shown(texts, &ordered_int(0), Some(&value)).expect("decoded");
        assert_eq!(said.1, r#"{"first(name)":"a\"b"}"#);
    }

    #[test]
    fn what_cannot_be_meant_is_left_alone() {
        assert_eq!(Changelog::of("alert once"), None);
        assert_eq!(Changelog::of("tumble\nby id string\nevery 1 ms, offset 0 ms\nmin(t) stuff"), None);
        assert_eq!(Changelog::of("tumble\nby id string\nevery 1 ms, offset 0 ms\nmin(t)"), None);
        assert_eq!(shown("count\nby n int", b"short", None), None);
        assert_eq!(shown("count\nby a string", b"a", Some(b"\x02")), None);
        assert_eq!(shown("count\nby a string", b"a", Some(&row(&[1, 2]))), None);
    }
}
