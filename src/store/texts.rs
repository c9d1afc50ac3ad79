//! The texts that cells of a table hold: a slab of byte strings and their free places.
//!
//! A cell holds a handle, 0 for the empty text. A handle that was freed is given out again with its room, so a
//! table that rewrites its texts allocates nothing once warm. Who holds which handle is the table's business; a
//! handle is freed exactly once, which the model test checks by counting.

/// Room that is worth keeping in a freed place; larger is given back.
const KEPT_ROOM: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Texts {
    places: Vec<Vec<u8>>,
    free: Vec<u32>,
    bytes: usize,
}

impl Texts {
    /// The text of a handle.
    #[inline]
    pub fn get(&self, handle: u64) -> &[u8] {
        if handle == 0 { &[] } else { &self.places[handle as usize - 1] }
    }

    /// Keeps a text; the empty one has handle 0 and no place.
    pub fn make(&mut self, text: &[u8]) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let handle = self.free.pop().unwrap_or_else(|| {
            self.places.push(Vec::new());
            self.places.len() as u32
        });
        self.overwrite(handle.into(), text);
        handle.into()
    }

    /// Puts another text in the place of one that nobody else refers to.
    pub fn overwrite(&mut self, handle: u64, text: &[u8]) {
        let place = &mut self.places[handle as usize - 1];
        self.bytes -= place.capacity();
        place.clear();
        place.extend_from_slice(text);
        self.bytes += place.capacity();
    }

    /// Gives a place back.
    pub fn free(&mut self, handle: u64) {
        if handle == 0 {
            return;
        }
        let place = &mut self.places[handle as usize - 1];
        if place.capacity() > KEPT_ROOM {
            self.bytes -= place.capacity();
            *place = Vec::new();
        }
        place.clear();
        self.free.push(handle as u32);
    }

    /// Gives all places back.
    pub fn clear(&mut self) {
        *self = Texts::default();
    }

    /// How many texts are kept.
    #[cfg(test)]
    pub fn live(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        self.bytes + self.places.capacity() * size_of::<Vec<u8>>() + self.free.capacity() * 4
    }
}
