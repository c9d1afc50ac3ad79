//! What the plan has once, however often it is named: constant texts, reasons, topics.

use crate::codec::json::needs_escape;
use crate::frame::Text;
use crate::operator::ReasonId;

/// The constant texts of all expressions, one behind the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constants {
    /// The bytes that [`Text::constant`] points into.
    pub bytes: Vec<u8>,
    known: Vec<(String, Text)>,
}

impl Constants {
    /// The place of a text.
    pub fn text(&mut self, text: &str) -> Text {
        if let Some((_, known)) = self.known.iter().find(|(t, _)| t == text) {
            return *known;
        }
        let place = match needs_escape(text.as_bytes()) {
            true => self.add(text, Text::constant),
            false => {
                self.bytes.push(b'"');
                let place = self.add(text, Text::quoted_constant);
                self.bytes.push(b'"');
                place
            }
        };
        self.known.push((text.to_owned(), place));
        place
    }

    fn add(&mut self, text: &str, place: fn(usize, usize) -> Text) -> Text {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        place(start, self.bytes.len())
    }
}

/// Why records become dead letters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasons {
    sentences: Vec<String>,
}

impl Reasons {
    /// The id of a sentence.
    pub fn id(&mut self, sentence: &str) -> ReasonId {
        let known = self.sentences.iter().position(|s| s == sentence);
        ReasonId(known.unwrap_or_else(|| {
            self.sentences.push(sentence.to_owned());
            self.sentences.len() - 1
        }) as u16)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sentences.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// The sentence of an id.
    pub fn sentence(&self, id: ReasonId) -> &str {
        &self.sentences[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{EMPTY, Frame};

    #[test]
    fn a_constant_stands_in_quotes_unless_json_would_escape_it() {
        let mut constants = Constants::default();
        let texts = ["a", "x\"y\"z", "", "b\\c", "ü"].map(|text| constants.text(text));
        let (mut registers, mut arena) = (EMPTY, vec![]);
        let frame = Frame::new(&mut registers, &mut arena, &constants.bytes);
        let expected = [Some("\"a\""), None, Some("\"\""), None, Some("\"ü\"")];
        assert_eq!(texts.map(|text| frame.quoted(text)), expected.map(|text| text.map(str::as_bytes)));
        let part = texts[1].part(2, 3);
        assert_eq!((frame.bytes_of(part), frame.quoted(part)), (&b"y"[..], None));
    }
}
