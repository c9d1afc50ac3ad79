//! Which register file each section's records lie in.
//!
//! Sources and nodes that make rows have one each. Those that meet in a merge share one, so that what stands behind
//! the merge can name its registers whichever way a record came.

use super::graph::{Graph, What};
use super::kind::Rows;
use super::shape::{Fields, FileId};

/// The files of all sections.
#[derive(Debug)]
pub struct Files {
    own: Vec<FileId>,
    rows: Vec<FileId>,
}

impl Files {
    /// Finds out who shares a file with whom, from names alone: types are not known yet.
    pub fn of(graph: &Graph<'_>, fields: &mut Fields) -> Self {
        let count = graph.sections.len();
        // Each section may be a root twice: of what it hands on, and of its table's rows.
        let mut groups = Groups((0..2 * count).collect());
        let mut own: Vec<usize> = (0..count).collect();
        let rows_of = |at: usize| match graph.sections[at].what {
            What::Node(kind) if kind.rows == Rows::Keeps => count + at,
            _ => at,
        };
        for at in &graph.order {
            let reads = graph.tables[*at].iter().map(|link| rows_of(link.to));
            let inputs: Vec<_> = graph.inputs[*at].iter().map(|link| own[link.to]).chain(reads).collect();
            let makes = match graph.sections[*at].what {
                What::Source => true,
                What::Node(kind) => kind.rows == Rows::Makes,
            };
            for pair in inputs.windows(2) {
                groups.join(pair[0], pair[1]);
            }
            if let (false, Some(first)) = (makes, inputs.first()) {
                own[*at] = *first;
            }
        }
        let mut files: Vec<Option<FileId>> = vec![None; 2 * count];
        let mut file =
            |root: usize, groups: &Groups| *files[groups.root(root)].get_or_insert_with(|| fields.file());
        let rows = (0..count).map(|at| file(rows_of(at), &groups)).collect();
        let own = own.iter().map(|root| file(*root, &groups)).collect();
        Files { own, rows }
    }

    /// The file of what a section hands on.
    pub fn own(&self, at: usize) -> FileId {
        self.own[at]
    }

    /// The file of the rows that a section makes or keeps.
    pub fn rows(&self, at: usize) -> FileId {
        self.rows[at]
    }
}

/// Who belongs with whom.
#[derive(Debug)]
pub struct Groups(pub Vec<usize>);

impl Groups {
    /// The one that stands for all that belong together.
    pub fn root(&self, mut at: usize) -> usize {
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    /// These two belong together; the lower one stands for both.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
