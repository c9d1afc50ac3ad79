//! A layout by name: what becomes of an original member, and where a field's value goes.

use super::{Layout, Path};
use crate::codec::json::quote;

/// Which members of an object stay.
#[derive(Debug, Default)]
pub(super) struct Prune {
    names: Vec<(String, Fate)>,
    /// Whether a member that is not named goes.
    others_go: bool,
}

/// What becomes of a member.
#[derive(Debug)]
pub(super) enum Fate {
    Stays,
    Goes,
    /// Its own members are looked at.
    Within(Prune),
}

impl Prune {
    pub(super) fn of(layout: &Layout) -> Self {
        let mut prune = Prune { others_go: layout.keep.is_some(), ..Prune::default() };
        for path in layout.keep.iter().flatten() {
            prune.keep(path);
        }
        for path in &layout.drop {
            prune.drop(path);
        }
        prune
    }

    /// What becomes of the member of this name.
    pub(super) fn fate(&self, name: &[u8]) -> &Fate {
        let known = self.names.iter().find(|(known, _)| known.as_bytes() == name);
        known.map_or(if self.others_go { &Fate::Goes } else { &Fate::Stays }, |(_, fate)| fate)
    }

    /// Whether something else than an object goes too: nothing in it could have been meant.
    pub(super) fn wants_object(&self) -> bool {
        self.others_go
    }

    fn keep(&mut self, path: &[String]) {
        match path {
            [] => {}
            [name] => *self.entry(name) = Fate::Stays,
            [name, within @ ..] => match self.entry(name) {
                Fate::Stays => {}
                Fate::Within(prune) => prune.keep(within),
                fate @ Fate::Goes => {
                    let mut prune = Prune { others_go: true, ..Prune::default() };
                    prune.keep(within);
                    *fate = Fate::Within(prune);
                }
            },
        }
    }

    fn drop(&mut self, path: &[String]) {
        match path {
            [] => {}
            [name] => *self.entry(name) = Fate::Goes,
            [name, within @ ..] => match self.entry(name) {
                Fate::Goes => {}
                Fate::Within(prune) => prune.drop(within),
                fate @ Fate::Stays => {
                    let mut prune = Prune::default();
                    prune.drop(within);
                    *fate = Fate::Within(prune);
                }
            },
        }
    }

    fn entry(&mut self, name: &str) -> &mut Fate {
        let known = self.names.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            let fate = if self.others_go { Fate::Goes } else { Fate::Stays };
            self.names.push((name.into(), fate));
            self.names.len() - 1
        });
        &mut self.names[at].1
    }
}

/// A name that is written: a field's, an object's that fields are written into, or one that a member is renamed to.
#[derive(Debug)]
pub(super) struct Slot {
    pub name: String,
    /// `"name":`
    pub literal: Vec<u8>,
    /// The field whose value stands here.
    pub set: Option<u16>,
    /// Fields that are written into it.
    pub inner: Vec<Slot>,
    /// Whether it belongs to a renamed member.
    pub renamed: bool,
}

impl Slot {
    fn new(name: &str) -> Self {
        let mut literal = vec![];
        quote(&mut literal, name.as_bytes());
        literal.push(b':');
        Slot { name: name.into(), literal, set: None, inner: vec![], renamed: false }
    }
}

/// The slots of a layout, and for each renamed member its slot. Of several fields of one name the last one counts,
/// and a field takes the place of what was to be written into it.
pub(super) fn slots(layout: &Layout) -> (Vec<Slot>, Vec<(String, usize)>) {
    let mut slots = vec![];
    for (index, field) in layout.set.iter().enumerate() {
        add(&mut slots, &field.path, index as u16);
    }
    let mut rename = vec![];
    for (old, new) in &layout.rename {
        let at = find_or_add(&mut slots, new);
        slots[at].renamed = true;
        rename.push((old.clone(), at));
    }
    (slots, rename)
}

fn add(slots: &mut Vec<Slot>, path: &Path, index: u16) {
    let Some((last, way)) = path.split_last() else { return };
    let mut slots = slots;
    for name in way {
        let at = find_or_add(slots, name);
        slots = &mut slots[at].inner;
    }
    let at = find_or_add(slots, last);
    slots[at].set = Some(index);
    slots[at].inner.clear();
}

fn find_or_add(slots: &mut Vec<Slot>, name: &str) -> usize {
    slots.iter().position(|slot| slot.name == name).unwrap_or_else(|| {
        slots.push(Slot::new(name));
        slots.len() - 1
    })
}
