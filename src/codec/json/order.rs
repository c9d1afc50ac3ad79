//! The prediction: records of one topic name their members in one order, so the names of the last record are kept
//! as literals, `"name":` with what each means. A hit is one comparison instead of finding, checking and looking up
//! a name.

use super::schema::Meaning;

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
    /// Whether the document goes on with the name expected at `place`; and then what it means, and its length with
    /// the colon.
    #[inline(always)]
    pub(super) fn expected(&self, place: usize, object: u16, rest: &[u8]) -> Option<(Meaning, usize)> {
        let name = self.names.get(place)?;
        let hit = name.object == object && rest.starts_with(&name.literal);
        hit.then_some((name.meaning, name.literal.len()))
    }

    /// The place behind `place` whose name the document goes on with: the members between are missing this time.
    pub(super) fn further(&self, place: usize, object: u16, rest: &[u8]) -> Option<usize> {
        (place + 1..=place + AHEAD).find(|place| self.expected(*place, object, rest).is_some())
    }

    /// Remembers a name for the next record.
    pub(super) fn learn(&mut self, place: usize, object: u16, literal: &[u8], meaning: Meaning) {
        if self.names.len() < MOST {
            let name = Name { literal: literal.to_vec(), object, meaning };
            // Inserted, so that what was expected here is expected next.
            self.names.insert(place.min(self.names.len()), name);
        } else if let Some(name) = self.names.get_mut(place) {
            name.literal.clear();
            name.literal.extend_from_slice(literal);
            (name.object, name.meaning) = (object, meaning);
        }
    }
}
