//! Which sources belong together: those that one task has to read, because their records meet in a node.
//!
//! A repartition separates: what is written on its near side and read on its far side is of different tasks. A task
//! must not wait for records that it has yet to write, so sources on both sides of a repartition are never brought
//! together: a node that keeps something and is fed from both gets a repartition of its own, and one that keeps
//! nothing runs in the tasks of both.

use super::files::Groups;

/// The sources, by their index in the plan.
#[derive(Debug)]
pub struct Parts {
    groups: Groups,
    /// A source, and one whose records are written to it.
    feeds: Vec<(usize, usize)>,
}

impl Default for Parts {
    fn default() -> Self {
        Parts { groups: Groups(vec![]), feeds: vec![] }
    }
}

impl Parts {
    /// One more source, to which records of these others are written.
    pub fn add(&mut self, from: &[usize]) {
        let source = self.groups.0.len();
        self.groups.0.push(source);
        self.feeds.extend(from.iter().map(|from| (*from, source)));
    }

    /// Whether some of these sources feed others of them, however far away.
    pub fn feed_each_other(&self, sources: &[usize]) -> bool {
        let mut wanted: Vec<usize> = sources.iter().map(|at| self.groups.root(*at)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut reached = vec![];
        let mut todo = wanted.clone();
        while let Some(part) = todo.pop() {
            for to in self.feeds.iter().filter(|(from, _)| self.groups.root(*from) == part) {
                let to = self.groups.root(to.1);
                if wanted.contains(&to) {
                    return true;
                }
                if !reached.contains(&to) {
                    reached.push(to);
                    todo.push(to);
                }
            }
        }
        false
    }

    /// These sources are read by one task, unless some of them feed others.
    pub fn join(&mut self, sources: &[usize]) {
        if !self.feed_each_other(sources) {
            sources.windows(2).for_each(|pair| self.groups.join(pair[0], pair[1]));
        }
    }

    /// The number of each source's part, from 0 on.
    pub fn numbers(&self) -> Vec<usize> {
        let mut roots = vec![];
        let number = |at| {
            let root = self.groups.root(at);
            roots.iter().position(|known| *known == root).unwrap_or_else(|| {
                roots.push(root);
                roots.len() - 1
            })
        };
        (0..self.groups.0.len()).map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_meet_are_one_part() {
        let mut parts = Parts::default();
        (0..3).for_each(|_| parts.add(&[]));
        parts.join(&[0, 2]);
        assert_eq!(parts.numbers(), [0, 1, 0]);
    }

    #[test]
    fn both_sides_of_a_cut_stay_apart() {
        let mut parts = Parts::default();
        parts.add(&[]);
        parts.add(&[0]);
        parts.add(&[1]);
        parts.add(&[]);
        for pair in [[0, 1], [1, 2], [0, 2]] {
            assert!(parts.feed_each_other(&pair), "{pair:?}");
            parts.join(&pair);
        }
        assert!(!parts.feed_each_other(&[1, 3]));
        parts.join(&[1, 3]);
        assert_eq!(parts.numbers(), [0, 1, 2, 1]);
        // By now 3 is read where 1 is.
        assert!(parts.feed_each_other(&[0, 3]) && parts.feed_each_other(&[3, 2]));
    }
}
