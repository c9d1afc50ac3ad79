//! The near side of a repartition: writes records to its topic, keyed by what the node behind it groups by.
//!
//! No kind of the file's: `check` puts one before a node whose group is not what its records are partitioned by. What
//! is written is what a sink would write, with where it came from in a header.

use crate::frame::Frame;
use crate::operator::{Context, Flow, Operator, Outcome, Port, RecordError, StreamTime};
use crate::origin::{self, Came};
use crate::outbox::{Target, TopicId};
use crate::plan::Writer;
use crate::store::KeyShape;

/// Writes records to a topic; `topics` are the names of all that a record may have come from, by their ids.
pub fn repartition(topic: TopicId, key: KeyShape, writer: Writer, topics: Vec<String>) -> impl Operator {
    Repartition { topic, key, writer, topics }
}

#[derive(Debug)]
struct Repartition {
    topic: TopicId,
    key: KeyShape,
    writer: Writer,
    topics: Vec<String>,
}

impl Repartition {
    fn origin<'f>(&'f self, frame: &Frame<'f>, clock: StreamTime) -> Came<'f> {
        // A row has been made here, and comes from nowhere.
        let (topic, partition) = match frame.origin.offset {
            -1 => ("", 0),
            _ => (
                self.topics.get(frame.origin.topic as usize).map_or("", String::as_str),
                frame.origin.partition,
            ),
        };
        Came {
            topic: topic.as_bytes(),
            partition,
            offset: frame.origin.offset,
            stamp: frame.stamp,
            time: frame.timestamp,
            clock: clock.0,
            key: frame.key,
        }
    }
}

impl Operator for Repartition {
    #[inline(always)]
    fn process(&self, _: Port, frame: &mut Frame<'_>, cx: &mut Context<'_>) -> Result<Flow, RecordError> {
        let frame = &*frame;
        cx.scratch.clear();
        cx.scratch.extend_from_slice(frame.headers);
        origin::push(cx.scratch, &self.origin(frame, cx.clock));
        let mut written = Ok(());
        cx.out.record(
            self.topic,
            Target::Key,
            frame.timestamp,
            |out| {
                self.key.write_text(frame, out);
                true
            },
            |out| {
                written = self.writer.write(frame, out);
                true
            },
            cx.scratch,
        );
        if let Err(error) = written {
            cx.out.undo_last();
            return Err(error);
        }
        Ok(Flow::Stop(Outcome::Kept))
    }
}
