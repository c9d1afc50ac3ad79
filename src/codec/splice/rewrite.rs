//! Member by member: the path of records that already have an added name, and of layouts that keep, drop, rename or
//! write into objects. Cold, and it may allocate; but it is linear in the record.
//!
//! A name is written once, where it stood first; of several original values the last one counts, as it does to any
//! reader.

use super::edits::{Fate, Prune, Slot};
use super::{Base, Splice, SpliceError, open_text, write_value};
use crate::codec::json::{is_null, members, unescape};
use crate::frame::Frame;
use std::borrow::Cow;
use std::collections::HashMap;

type Written = Result<(), SpliceError>;

/// An original value, and what of it stays.
#[derive(Clone, Copy)]
struct Original<'r> {
    raw: &'r [u8],
    prune: Option<&'r Prune>,
}

/// An original member that stays.
struct Member<'r> {
    /// Between the quotes, escapes and all.
    name: &'r [u8],
    value: Original<'r>,
    /// The slot of its name, or of its new one.
    slot: Option<usize>,
}

impl Splice {
    #[cold]
    #[inline(never)]
    pub(super) fn rewrite(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Written {
        let mut made = vec![];
        let raw = match self.base {
            Base::Json => frame.payload,
            Base::Text | Base::Bytes => {
                open_text(frame, &mut made);
                made.push(b'}');
                &made
            }
            Base::Fresh => b"{}",
        };
        if !is_object(raw) {
            return Err(SpliceError::NotAnObject);
        }
        let document = Original { raw, prune: Some(&self.prune) };
        let mut rewriting = Rewriting { splice: self, frame, out };
        rewriting.object(document, &self.slots, &self.rename, 0)
    }
}

struct Rewriting<'w, 'f> {
    splice: &'w Splice,
    frame: &'w Frame<'f>,
    out: &'w mut Vec<u8>,
}

impl Rewriting<'_, '_> {
    /// An object of which `depth` names lead to.
    fn object(
        &mut self,
        original: Original<'_>,
        slots: &[Slot],
        rename: &[(String, usize)],
        depth: u8,
    ) -> Written {
        let mut done = vec![false; slots.len()];
        self.out.push(b'{');
        for member in staying(original, slots, rename) {
            match member.slot {
                None => self.copy(&member)?,
                Some(slot) if done[slot] => {}
                Some(slot) => {
                    done[slot] = true;
                    self.slot(&slots[slot], Some(member.value), depth)?;
                }
            }
        }
        for (slot, _) in slots.iter().zip(done).filter(|(_, done)| !done) {
            self.slot(slot, None, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// What stands under a name: our value, or the original one with our fields in it.
    fn slot(&mut self, slot: &Slot, original: Option<Original<'_>>, depth: u8) -> Written {
        let Some(index) = slot.set else { return self.inner(slot, original, depth.saturating_add(1)) };
        let field = &self.splice.set[index as usize];
        let mut made = vec![];
        if self.frame.is_set(field.register) {
            let written = write_value(&mut made, self.frame, field.register, field.kind, field.time);
            written.map_err(|e| SpliceError::of(e, index))?;
        }
        let value = Original { raw: &made, prune: None };
        self.inner(slot, (!made.is_empty()).then_some(value), depth.saturating_add(1))
    }

    /// An original value under a slot's name, with the slot's inner fields written into it.
    fn inner(&mut self, slot: &Slot, original: Option<Original<'_>>, depth: u8) -> Written {
        let first = self.first_set(&slot.inner);
        match (original, first) {
            (None, None) => Ok(()),
            (Some(value), _) if !slot.inner.is_empty() && is_object(value.raw) => {
                self.name(&slot.literal);
                self.object(value, &slot.inner, &[], depth)
            }
            (Some(value), None) => {
                self.name(&slot.literal);
                self.value(value)
            }
            (Some(value), Some(index)) if !is_null(value.raw) => Err(SpliceError::InTheWay(index, depth)),
            (_, Some(_)) => {
                self.name(&slot.literal);
                self.object(Original { raw: b"{}", prune: None }, &slot.inner, &[], depth)
            }
        }
    }

    /// The first field within that has a value.
    fn first_set(&self, slots: &[Slot]) -> Option<u16> {
        let is_set = |index: &u16| self.frame.is_set(self.splice.set[*index as usize].register);
        slots.iter().find_map(|slot| slot.set.filter(is_set).or_else(|| self.first_set(&slot.inner)))
    }

    fn copy(&mut self, member: &Member<'_>) -> Written {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(member.name);
        self.out.extend_from_slice(b"\":");
        self.value(member.value)
    }

    fn value(&mut self, value: Original<'_>) -> Written {
        if value.prune.is_some() && is_object(value.raw) {
            return self.object(value, &[], &[], 0);
        }
        self.out.extend_from_slice(value.raw);
        Ok(())
    }

    fn name(&mut self, literal: &[u8]) {
        self.separate();
        self.out.extend_from_slice(literal);
    }

    /// A comma, but behind the opening brace: no value ends with one.
    fn separate(&mut self) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
    }
}

/// The members that stay, with the slots that their names, or their new names, have.
fn staying<'r>(original: Original<'r>, slots: &[Slot], rename: &[(String, usize)]) -> Vec<Member<'r>> {
    let stays = |Found { name, plain, raw }: Found<'r>| {
        let prune = match original.prune.map_or(&Fate::Stays, |prune| prune.fate(&plain)) {
            Fate::Goes => return None,
            Fate::Within(prune) if prune.wants_object() && !is_object(raw) => return None,
            Fate::Within(prune) => Some(prune),
            Fate::Stays => None,
        };
        let renamed = rename.iter().find(|(old, _)| old.as_bytes() == &*plain).map(|(_, slot)| *slot);
        let slot = renamed.or_else(|| slots.iter().position(|slot| slot.name.as_bytes() == &*plain));
        // The name of a renamed member is its own.
        let displaced = renamed.is_none() && slot.is_some_and(|slot| slots[slot].renamed);
        (!displaced).then_some(Member { name, value: Original { raw, prune }, slot })
    };
    once(original.raw).into_iter().filter_map(stays).collect()
}

/// A member as it was found.
struct Found<'r> {
    name: &'r [u8],
    /// The name without its escapes.
    plain: Cow<'r, [u8]>,
    raw: &'r [u8],
}

/// Up to so many members, comparing their names is faster than hashing them.
const FEW: usize = 16;

/// Each member once, where its name stands first and with the value that stands last. An object may have very many
/// members, and a record must not stall its task: beyond a few they are found by hash.
fn once(raw: &[u8]) -> Vec<Found<'_>> {
    let (mut found, mut places) = (Vec::<Found<'_>>::with_capacity(FEW), HashMap::new());
    for (name, raw) in members(raw) {
        let plain = plain(name);
        let place = match found.len() {
            ..=FEW => found.iter().position(|earlier| earlier.plain == plain),
            _ => places.get(&plain).copied(),
        };
        if let Some(place) = place {
            found[place].raw = raw;
            continue;
        }
        found.push(Found { name, plain, raw });
        if found.len() > FEW {
            // The first time all of them, then each new one.
            let fresh = found.iter().enumerate().skip(places.len());
            places.extend(fresh.map(|(place, found)| (found.plain.clone(), place)));
        }
    }
    found
}

/// A name without its escapes.
fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', name).is_none() {
        return Cow::Borrowed(name);
    }
    let mut out = vec![];
    unescape(name, &mut out);
    Cow::Owned(out)
}

fn is_object(raw: &[u8]) -> bool {
    raw.trim_ascii_start().first() == Some(&b'{')
}
