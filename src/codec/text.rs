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
