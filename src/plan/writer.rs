//! How records of a shape are written, whichever way they came, with the reasons why one may not be possible.

use super::context::CheckContext;
use super::layout::Layout;
use super::shape::Shape;
use crate::codec::{Splice, SpliceError};
use crate::frame::Frame;
use crate::operator::{ReasonId, RecordError};

/// Writes records of a shape: one way, or one for each way in which they come out of a merge.
#[derive(Debug)]
pub struct Writer {
    ways: Vec<(u16, Way)>,
}

/// A way to write a record.
#[derive(Debug)]
struct Way {
    splice: Splice,
    reasons: Vec<(SpliceError, ReasonId)>,
}

impl Writer {
    /// A writer of records of a shape.
    pub fn new(shape: &Shape, cx: &mut CheckContext<'_>) -> Self {
        Writer { ways: shape.variants.iter().map(|v| (v.id, Way::new(&v.layout, cx))).collect() }
    }

    /// Appends a record's value. After an error nothing has been appended.
    #[inline(always)]
    pub fn write(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), RecordError> {
        let way = match self.ways.as_slice() {
            [(_, only)] => only,
            several => {
                let way = several.iter().find(|(id, _)| *id == frame.variant);
                &way.expect("a merge says which way a record came").1
            }
        };
        way.splice.write(frame, out).map_err(|error| way.error(error))
    }
}

impl Way {
    fn new(layout: &Layout, cx: &mut CheckContext<'_>) -> Self {
        let splice = Splice::new(layout);
        let mut reasons = vec![];
        for error in splice.errors() {
            reasons.push((error, cx.reason(&splice.explain(error))));
        }
        Way { splice, reasons }
    }

    #[cold]
    fn error(&self, error: SpliceError) -> RecordError {
        let reason = self.reasons.iter().find(|(e, _)| *e == error).or(self.reasons.first());
        RecordError::new(reason.map(|(_, id)| *id).expect("every error a splice can have is listed"))
    }
}
