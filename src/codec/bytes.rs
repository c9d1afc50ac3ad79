//! The format `bytes`: records nobody looks into. There is no field, nothing can be wrong, and a sink writes what
//! came.

use crate::frame::{Body, Frame};

/// Readies a frame whose payload is any bytes.
pub fn scan(frame: &mut Frame<'_>) {
    frame.present = 0;
    frame.body = Body::default();
}
