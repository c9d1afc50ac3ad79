//! The format `text`: the payload is one UTF-8 text, the field `value`.

use crate::codec::json::needs_escape;
use crate::frame::{Body, Frame, Register, Text, Value};

/// The name of the one field.
pub const FIELD: &str = "value";

/// The payload is no UTF-8 from this byte on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText {
    /// The first byte that is wrong.
    pub at: usize,
}

impl NotText {
    /// The sentence for the dead letter.
    pub fn explain(self) -> String {
        format!("not text: no UTF-8 at byte {}", self.at)
    }
}

/// Checks the payload and sets `value`, if somebody reads it.
pub fn scan(frame: &mut Frame<'_>, value: Option<Register>) -> Result<(), NotText> {
    (frame.present, frame.body) = (0, Body::default());
    let payload = frame.payload;
    std::str::from_utf8(payload).map_err(|e| NotText { at: e.valid_up_to() })?;
    if let Some(register) = value {
        // A run of the payload is taken to be writable into JSON as it is; here, only some are.
        let text = if needs_escape(payload) { frame.make(payload) } else { Text::payload(0, payload.len()) };
        frame.set(register, Value::Text(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::EMPTY;

    fn with_frame(payload: &[u8], run: impl FnOnce(&mut Frame<'_>)) {
        run(&mut Frame { payload, present: 1, ..Frame::new(&mut EMPTY.clone(), &mut vec![], b"") });
    }

    #[test]
    fn the_payload_is_the_value() {
        with_frame("plain ü".as_bytes(), |frame| {
            assert_eq!(scan(frame, Some(Register(0))), Ok(()));
            assert_eq!(frame.bytes(Register(0)), "plain ü".as_bytes());
            assert_eq!(frame.quoted(frame.text(Register(0))), None);
        });
    }

    #[test]
    fn a_payload_that_json_would_escape_is_not_taken_for_json() {
        with_frame(b"say \"hi\"", |frame| {
            assert_eq!(scan(frame, Some(Register(0))), Ok(()));
            assert_eq!(frame.bytes(Register(0)), b"say \"hi\"");
            let inner = frame.text(Register(0)).part(5, 7);
            assert_eq!((frame.bytes_of(inner), frame.quoted(inner)), (&b"hi"[..], None));
        });
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_read_or_not() {
        for register in [None, Some(Register(0))] {
            with_frame(b"ab\xff", |frame| {
                let error = scan(frame, register).expect_err("no UTF-8");
                assert_eq!(error.explain(), "not text: no UTF-8 at byte 2");
                assert_eq!(frame.present, 0);
            });
        }
    }
}
