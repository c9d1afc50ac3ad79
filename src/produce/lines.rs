//! Lines of a file as records.

use super::generator::Made;
use super::key::Keyer;
use crate::plan::source::{Format, SourcePlan};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// How much is read at a time.
const BUFFER: usize = 1 << 20;

/// Lines, each a record.
pub struct Lines {
    from: BufReader<Box<dyn Read>>,
    keyer: Option<Keyer>,
    /// Whether a line without anything on it is passed over.
    skips_blank: bool,
    line: Vec<u8>,
    key: Option<Vec<u8>>,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("keyer", &self.keyer).finish_non_exhaustive()
    }
}

impl Lines {
    /// Lines for a source.
    pub fn new(source: &SourcePlan, from: Box<dyn Read>) -> Self {
        Lines {
            from: BufReader::with_capacity(BUFFER, from),
            keyer: Keyer::of(source),
            skips_blank: source.format == Format::Json,
            line: vec![],
            key: None,
        }
    }

    /// The next line, without its end.
    pub fn next_record(&mut self) -> io::Result<Option<Made<'_>>> {
        loop {
            self.line.clear();
            if self.from.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
                self.line.pop_if(|byte| *byte == b'\r');
            }
            if !(self.skips_blank && self.line.trim_ascii().is_empty()) {
                break;
            }
        }
        self.key = self.keyer.as_ref().and_then(|keyer| keyer.key(&self.line));
        Ok(Some(Made { key: self.key.as_deref(), value: &self.line }))
    }

    /// Whether the next line may have to be waited for.
    pub fn may_wait(&self) -> bool {
        memchr::memchr(b'\n', self.from.buffer()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str, text: &'static str) -> Vec<(Option<String>, String)> {
        let pipeline = format!(
            "name = \"p\"\n[schema.r]\nid = \"string\"\n[source.s]\ntopic = \"t\"\n{source}\n\
             [sink.o]\nfrom = \"s\"\ntopic = \"o\"\n"
        );
        let plan = crate::plan::check(&pipeline, &[]).plan.expect("a plan");
        let mut lines = Lines::new(&plan.sources[0], Box::new(text.as_bytes()));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let mut all = vec![];
        while let Some(made) = lines.next_record().expect("read") {
            all.push((made.key.map(text), text(made.value)));
        }
        all
    }

    #[test]
    fn a_line_is_a_record_and_keyed_where_it_can_be() {
        let found =
            lines("schema = \"r\"\nkey = \"id\"", "{\"id\":\"a\"}\r\n\n  \nnot json\n{}\n{\"id\":\"b\"}");
        let expected =
            [(Some("a"), "{\"id\":\"a\"}"), (None, "not json"), (None, "{}"), (Some("b"), "{\"id\":\"b\"}")];
        assert_eq!(found, expected.map(|(key, value)| (key.map(str::to_owned), value.to_owned())));
    }

    #[test]
    fn a_text_may_be_empty() {
        assert_eq!(lines("format = \"text\"", "a\n\nb\n").len(), 3);
    }
}
