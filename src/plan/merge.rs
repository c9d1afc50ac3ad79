//! Several edges as one: fields of one name become one field, and each edge says what has to be moved for it.

use super::faults::Faults;
use super::shape::{FieldId, Fields, Shape, Variant};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::frame::Register;
use crate::types::Type;

/// What an edge into a merge does to a frame. Most do nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adjust {
    /// Fields that are known under another id behind the merge; `None`: absent on this edge.
    pub moves: Vec<(Option<FieldId>, FieldId)>,
    /// Which way of writing the record this edge brings.
    pub variant: Option<u16>,
}

impl Adjust {
    /// The moves as registers, for those fields that anything behind the merge reads. A field that is moved is read
    /// here: it gets its register now, so merges are resolved from the sinks upwards.
    pub fn registers(&self, fields: &mut Fields) -> (Vec<(Register, Register)>, Vec<Register>) {
        let (mut moves, mut clears) = (vec![], vec![]);
        for (from, to) in &self.moves {
            let Some(to) = fields.info(*to).register else { continue };
            match from {
                Some(from) => moves.push((fields.register(*from), to)),
                None => clears.push(to),
            }
        }
        (moves, clears)
    }
}

/// The shape behind a merge, and what each edge has to do. `next` hands out variants' ids.
pub fn merge(
    inputs: &[(String, Shape)],
    place: Place,
    fields: &mut Fields,
    next: &mut u16,
    faults: &mut Faults,
) -> (Shape, Vec<Adjust>) {
    let [first, rest @ ..] = inputs else { unreachable!("a merge has inputs") };
    let mut adjusts = vec![Adjust::default(); inputs.len()];
    if rest.is_empty() {
        return (first.1.clone(), adjusts);
    }
    let mut shape = first.1.clone();
    shape.fields.clear();
    shape.poisoned = inputs.iter().flat_map(|(_, s)| s.poisoned.clone()).collect();
    shape.open = inputs.iter().any(|(_, s)| s.open);
    shape.key_unknown = inputs.iter().any(|(_, s)| s.key_unknown);
    shape.late_by = inputs.iter().map(|(_, s)| s.late_by).max().unwrap_or(0);
    shape.has_origin = inputs.iter().all(|(_, s)| s.has_origin);
    shape.roots = inputs.iter().flat_map(|(_, s)| s.roots.iter().copied()).collect();
    shape.roots.sort_unstable();
    shape.roots.dedup();
    for name in names(inputs) {
        match field(&name, inputs, place, fields, faults) {
            Some(id) => {
                for ((_, input), adjust) in inputs.iter().zip(&mut adjusts) {
                    if input.get(&name) != Some(id) {
                        adjust.moves.push((input.get(&name), id));
                    }
                }
                shape.fields.push((name, id));
            }
            None => shape.poisoned.push(name),
        }
    }
    shape.key = common(inputs, &shape, |s| s.key.as_ref());
    // One key in two spellings lies in two partitions.
    let alike = inputs.iter().all(|(_, s)| s.key_json == inputs[0].1.key_json);
    shape.partitioned = common(inputs, &shape, |s| s.partitioned.as_ref()).filter(|_| alike);
    shape.variants = variants(inputs, &mut adjusts, next, place, faults);
    (shape, adjusts)
}

/// All names, in the order in which they first appear.
fn names(inputs: &[(String, Shape)]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for (name, _) in inputs.iter().flat_map(|(_, shape)| &shape.fields) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The field of a name behind the merge: the same where it is the same everywhere, otherwise a new one.
fn field(
    name: &str,
    inputs: &[(String, Shape)],
    place: Place,
    fields: &mut Fields,
    faults: &mut Faults,
) -> Option<FieldId> {
    let ids: Vec<_> = inputs.iter().map(|(_, shape)| shape.get(name)).collect();
    let first = ids.iter().flatten().next().copied()?;
    if ids.iter().all(|id| *id == Some(first)) {
        return Some(first);
    }
    let info = fields.info(first).clone();
    for (other, (input, _)) in ids.iter().zip(inputs) {
        let Some(other) = other else { continue };
        let other = fields.info(*other);
        if other.ty.kind != info.ty.kind {
            faults.add(conflict(name, input, place, [(info.ty, info.declared), (other.ty, other.declared)]));
            return None;
        }
    }
    let optional = ids.iter().any(|id| id.is_none_or(|id| fields.info(id).ty.optional));
    let ty = Type { kind: info.ty.kind, optional };
    Some(fields.add(info.file, ty, info.time, info.declared))
}

fn conflict(name: &str, input: &str, place: Place, sides: [(Type, Option<Place>); 2]) -> Diagnostic {
    let [(first, _), (second, _)] = sides;
    let fault = Diagnostic::error(
        Code::MergeConflict,
        format!("`{name}` is {first} in one input and {second} in another"),
        place,
    )
    .label(format!("`{input}` does not fit the others"))
    .help(format!("set or rename `{name}` in a map before the merge"));
    let mut seen = None;
    sides.into_iter().fold(fault, |fault, (ty, declared)| match declared {
        Some(place) if seen != Some(place) => {
            seen = Some(place);
            fault.also(place, format!("{ty} here"))
        }
        _ => fault,
    })
}

/// The fields behind the merge that all inputs agree on, by name, for what `of` asks.
fn common<'i>(
    inputs: &'i [(String, Shape)],
    merged: &Shape,
    of: impl Fn(&'i Shape) -> Option<&'i Vec<FieldId>>,
) -> Option<Vec<FieldId>> {
    let names = |shape: &'i Shape| -> Option<Vec<&'i str>> {
        of(shape)?.iter().map(|id| shape.name_of(*id)).collect()
    };
    let first = names(&inputs[0].1)?;
    for (_, shape) in &inputs[1..] {
        if names(shape)? != first {
            return None;
        }
    }
    first.into_iter().map(|name| merged.get(name)).collect()
}

/// One way of writing where all agree; otherwise each edge brings its own, under an id of its own. Ways that were told
/// apart further up keep their ids, so one id must not stand for two ways.
fn variants(
    inputs: &[(String, Shape)],
    adjusts: &mut [Adjust],
    next: &mut u16,
    place: Place,
    faults: &mut Faults,
) -> Vec<Variant> {
    let first = &inputs[0].1.variants;
    if inputs.iter().all(|(_, s)| s.variants == *first) {
        return first.clone();
    }
    let mut variants: Vec<Variant> = vec![];
    let mut mixed = None;
    for ((name, shape), adjust) in inputs.iter().zip(adjusts) {
        if let [only] = shape.variants.as_slice() {
            *next += 1;
            adjust.variant = Some(*next);
            variants.push(Variant { id: *next, layout: only.layout.clone() });
            continue;
        }
        for variant in &shape.variants {
            match variants.iter().find(|v| v.id == variant.id) {
                None => variants.push(variant.clone()),
                Some(known) if known.layout == variant.layout => {}
                Some(_) => mixed = Some(name),
            }
        }
    }
    if let Some(name) = mixed {
        faults.add(
            Diagnostic::error(
                Code::TooManyPaths,
                "too many ways lead into this merge to be told apart",
                place,
            )
            .label(format!("what `{name}` has merged comes on another way, too, and was changed in between"))
            .help("change fields before the first merge, or behind the last"),
        );
    }
    variants
}
