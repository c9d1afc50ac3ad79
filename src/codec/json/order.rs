//! The prediction: records of one topic name their members in one order, so the names of the last record are kept
//! as literals, `"name":` with what each means. A hit is one comparison instead of finding, checking and looking up
//! a name.

use super::schema::Meaning;
use crate::short;

/// Past this many names only the same place is tried; documents whose names are data must not fill the memory.
const MOST: usize = 256;
/// How many members may be missing in a row before the prediction starts anew.
const AHEAD: usize = 8;

#[derive(Debug)]
struct Name {
    literal: Vec<u8>,
    object: u16,
    meaning: Meaning,
}

/// The names in the order in which they were last seen, over all objects that are entered.
#[derive(Debug, Default)]
pub(super) struct Order {
    names: Vec<Name>,
}

impl Order {
    /// If the document goes on with the name expected at `place`: its length, with the colon.
    #[inline(always)]
    pub(super) fn expected(&self, place: usize, object: u16, rest: &[u8]) -> Option<usize> {
        let name = self.names.get(place)?;
        (name.object == object && short::starts_with(rest, &name.literal)).then_some(name.literal.len())
    }

    /// What the name at `place` means. Read from here for expected and for learned names alike: handing it out of
    /// both through a `match` makes the compiler copy it by pieces, and a processor stalls on reading them back.
    #[inline(always)]
    pub(super) fn meaning(&self, place: usize) -> Meaning {
        self.names.get(place).map_or(Meaning::default(), |name| name.meaning)
    }

    /// The place behind `place` whose name the document goes on with, and its length: the members between are
    /// missing this time.
    pub(super) fn further(&self, place: usize, object: u16, rest: &[u8]) -> Option<(usize, usize)> {
        let ahead = place + 1..=place + AHEAD;
        ahead.into_iter().find_map(|place| Some((place, self.expected(place, object, rest)?)))
    }

    /// Remembers a name for the next record; where.
    pub(super) fn learn(&mut self, place: usize, object: u16, literal: &[u8], meaning: Meaning) -> usize {
        let place = place.min(self.names.len()).min(MOST);
        let full = self.names.len() > MOST;
        match self.names.get_mut(place) {
            Some(name) if full => {
                name.literal.clear();
                name.literal.extend_from_slice(literal);
                (name.object, name.meaning) = (object, meaning);
            }
            // Inserted, so that what was expected here is expected next.
            _ => self.names.insert(place, Name { literal: literal.to_vec(), object, meaning }),
        }
        place
    }
}
