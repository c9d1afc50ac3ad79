//! Accounting: what became of every record, counted in plain fields, committed and rolled back with the stores.

use super::input::Unusable;
use crate::operator::Seen;
use std::ops::{AddAssign, Sub};

/// What a node has done. `input` is the sum of all the others but `emitted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeTally {
    /// Records that came in.
    pub input: u64,
    /// Records that went on, or were kept.
    pub passed: u64,
    /// Rows that it made itself.
    pub emitted: u64,
    /// Records that were turned away.
    pub filtered: u64,
    /// Records that a rule rejected.
    pub rejected: u64,
    /// Records that an expression failed on, or that could not be written.
    pub failed: u64,
    /// Records whose window had closed.
    pub late: u64,
}

/// What became of a source's records, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTally {
    /// Records that were read.
    pub input: u64,
    /// Records that reached a sink, a table or a window.
    pub used: u64,
    /// Records that became dead letters and were not used.
    pub dead: u64,
    /// Records that were late, and neither used nor dead.
    pub late: u64,
    /// All others.
    pub filtered: u64,
}

impl NodeTally {
    /// Every record that comes in is accounted for.
    pub fn adds_up(&self) -> bool {
        self.input == self.passed + self.filtered + self.rejected + self.failed + self.late
    }
}

impl SourceTally {
    /// Counts a record by what its paths have come to: the first that holds.
    #[inline]
    pub fn count(&mut self, seen: u8) {
        self.input += 1;
        if seen & Seen::USED != 0 {
            self.used += 1;
        } else if seen & Seen::DEAD != 0 {
            self.dead += 1;
        } else if seen & Seen::LATE != 0 {
            self.late += 1;
        } else {
            self.filtered += 1;
        }
    }

    /// Every record that was read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.input == self.used + self.dead + self.late + self.filtered
    }
}

impl AddAssign for NodeTally {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.passed += other.passed;
        self.emitted += other.emitted;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.late += other.late;
    }
}

impl AddAssign for SourceTally {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.used += other.used;
        self.dead += other.dead;
        self.late += other.late;
        self.filtered += other.filtered;
    }
}

impl Sub for NodeTally {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        NodeTally {
            input: self.input - before.input,
            passed: self.passed - before.passed,
            emitted: self.emitted - before.emitted,
            filtered: self.filtered - before.filtered,
            rejected: self.rejected - before.rejected,
            failed: self.failed - before.failed,
            late: self.late - before.late,
        }
    }
}

impl Sub for SourceTally {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        SourceTally {
            input: self.input - before.input,
            used: self.used - before.used,
            dead: self.dead - before.dead,
            late: self.late - before.late,
            filtered: self.filtered - before.filtered,
        }
    }
}

/// Records that never became frames, by class, as in [`Unusable::CLASSES`].
pub type UnusableTally = [u64; Unusable::CLASSES.len()];

/// What is said of records that their topic does not take.
pub const TOO_LARGE: &str = "output is too large, or lacks a key";

/// The tallies of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// By node.
    pub nodes: Vec<NodeTally>,
    /// By source.
    pub sources: Vec<SourceTally>,
    /// Dead letters by reason.
    pub reasons: Vec<u64>,
    /// Dead letters that no plan's reason names, by source.
    pub unusable: Vec<UnusableTally>,
    /// Records that a sink has written and that its topic does not take: they have failed there, and count as used
    /// where they came from.
    pub too_large: u64,
}

impl Tallies {
    /// Nothing counted yet.
    pub fn new(nodes: usize, sources: usize, reasons: usize) -> Self {
        Tallies {
            nodes: vec![NodeTally::default(); nodes],
            sources: vec![SourceTally::default(); sources],
            reasons: vec![0; reasons],
            unusable: vec![[0; Unusable::CLASSES.len()]; sources],
            too_large: 0,
        }
    }

    /// The same counts again, into room that is there already.
    pub fn copy_from(&mut self, other: &Self) {
        self.nodes.clone_from(&other.nodes);
        self.sources.clone_from(&other.sources);
        self.reasons.clone_from(&other.reasons);
        self.unusable.clone_from(&other.unusable);
        self.too_large = other.too_large;
    }

    /// Adds what another task has counted.
    pub fn add(&mut self, other: &Self) {
        self.nodes.iter_mut().zip(&other.nodes).for_each(|(a, b)| *a += *b);
        self.sources.iter_mut().zip(&other.sources).for_each(|(a, b)| *a += *b);
        self.reasons.iter_mut().zip(&other.reasons).for_each(|(a, b)| *a += *b);
        let classes = self.unusable.iter_mut().flatten().zip(other.unusable.iter().flatten());
        classes.for_each(|(a, b)| *a += *b);
        self.too_large += other.too_large;
    }

    /// Adds what has been counted between two states of one task's tallies.
    pub fn add_since(&mut self, now: &Self, before: &Self) {
        let nodes = self.nodes.iter_mut().zip(now.nodes.iter().zip(&before.nodes));
        nodes.for_each(|(sum, (now, before))| *sum += *now - *before);
        let sources = self.sources.iter_mut().zip(now.sources.iter().zip(&before.sources));
        sources.for_each(|(sum, (now, before))| *sum += *now - *before);
        let reasons = self.reasons.iter_mut().zip(now.reasons.iter().zip(&before.reasons));
        reasons.for_each(|(sum, (now, before))| *sum += now - before);
        let classes = now.unusable.iter().flatten().zip(before.unusable.iter().flatten());
        let classes = self.unusable.iter_mut().flatten().zip(classes);
        classes.for_each(|(sum, (now, before))| *sum += now - before);
        self.too_large += now.too_large - before.too_large;
    }

    /// A record that one of some nodes has written since `before` cannot be: it has failed there after all. Whether one
    /// of them has written any.
    pub fn take_back(&mut self, before: &Self, wrote: impl Fn(usize) -> bool) -> bool {
        let written = |at: &usize| wrote(*at) && self.nodes[*at].passed > before.nodes[*at].passed;
        let Some(at) = (0..self.nodes.len()).find(written) else { return false };
        self.nodes[at].passed -= 1;
        self.nodes[at].failed += 1;
        self.too_large += 1;
        true
    }

    /// All dead letters.
    pub fn dead_letters(&self) -> u64 {
        self.reasons.iter().chain(self.unusable.iter().flatten()).sum::<u64>() + self.too_large
    }

    /// Whether everything is accounted for.
    pub fn adds_up(&self) -> bool {
        self.nodes.iter().all(NodeTally::adds_up) && self.sources.iter().all(SourceTally::adds_up)
    }
}
