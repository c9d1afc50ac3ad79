//! When windows end: what can be known of that without looking at any.

use crate::operator::StreamTime;
use crate::plan::Plan;
use crate::time::end_of;

/// The windows of some nodes: how long they are, and how far they are shifted, in milliseconds.
#[derive(Debug, Default)]
pub struct Beats(Vec<(i64, i64)>);

impl Beats {
    /// Those of a part.
    pub fn of(plan: &Plan, part: usize) -> Self {
        let own = plan.nodes.iter().filter(|node| node.part == part);
        Beats(own.filter_map(|node| node.beat).collect())
    }

    /// Those of another part, too.
    pub fn join(&mut self, other: Beats) {
        self.0.extend(other.0);
    }

    /// When the next window ends after a time, whether or not there is anything in it. No window that is opened from
    /// then on ends earlier: it would be one of these, and has not ended yet.
    pub fn next(&self, clock: StreamTime) -> StreamTime {
        let next = |(every, offset): &(i64, i64)| end_of(clock.0, *every, *offset);
        self.0.iter().map(next).min().map_or(StreamTime::NEVER, StreamTime)
    }
}
