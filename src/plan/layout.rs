//! How a record would be written, as nodes change it on its way: what stays of the original object, under which
//! names, and what is set.
//!
//! Everything is kept in terms of the original's names, so that a sink can write a record in one pass however many
//! maps it went through.

use crate::frame::Register;
use crate::types::{TimeFormat, Type};

pub use crate::codec::{Base, Layout, Path, SetField};

/// Sets a field that a node has put into a register.
pub fn added(layout: &mut Layout, name: &str, register: Register, ty: Type, time: TimeFormat) {
    set(layout, SetField { path: path(name), register, kind: ty.kind, time, optional: ty.optional });
}

/// A dotted name as a path.
pub fn path(name: &str) -> Path {
    name.split('.').map(str::to_owned).collect()
}

/// Sets a field.
pub fn set(layout: &mut Layout, field: SetField) {
    layout.set.retain(|s| !s.path.starts_with(&field.path) || s.path == field.path);
    match layout.set.iter_mut().find(|s| s.path == field.path) {
        Some(old) => *old = field,
        None => layout.set.push(field),
    }
}

/// Leaves a field out.
pub fn drop(layout: &mut Layout, name: &str) {
    let path = path(name);
    layout.set.retain(|s| !s.path.starts_with(&path));
    let original = original(layout, &path);
    if path.len() == 1 {
        layout.rename.retain(|(_, new)| new != name);
    }
    layout.drop.push(original);
}

/// Leaves all but these fields out.
pub fn keep(layout: &mut Layout, names: &[String]) {
    let paths: Vec<_> = names.iter().map(|n| path(n)).collect();
    layout.set.retain(|s| paths.iter().any(|p| s.path.starts_with(p) || p.starts_with(&s.path)));
    let originals: Vec<_> = paths.iter().map(|p| original(layout, p)).collect();
    layout.rename.retain(|(_, new)| paths.iter().any(|p| p[0] == *new));
    layout.keep = Some(match layout.keep.take() {
        None => originals,
        Some(before) => both(&before, &originals),
    });
}

/// Gives a top-level field another name.
pub fn rename(layout: &mut Layout, old: &str, new: &str) {
    let was_set = layout.set.iter().any(|s| s.path[0] == old);
    layout.set.retain(|s| s.path[0] != new);
    for set in layout.set.iter_mut().filter(|s| s.path[0] == old) {
        set.path[0] = new.to_owned();
    }
    let first = original(layout, &vec![old.to_owned()]).remove(0);
    layout.rename.retain(|(o, n)| *o != first && n != new);
    // Where the whole field was set, what the original object had under the name is not to come back.
    if was_set && layout.set.iter().any(|s| s.path.len() == 1 && s.path[0] == new) {
        layout.drop.push(vec![first]);
    } else {
        layout.rename.push((first, new.to_owned()));
    }
}

/// What a path was called in the original object.
fn original(layout: &Layout, path: &Path) -> Path {
    let mut original = path.clone();
    if let Some((old, _)) = layout.rename.iter().find(|(_, new)| *new == path[0]) {
        original[0] = old.clone();
    }
    original
}

/// What two lists of kept paths have in common: the longer of two of which one lies in the other.
fn both(a: &[Path], b: &[Path]) -> Vec<Path> {
    let mut common = vec![];
    for x in a {
        for y in b {
            if x.starts_with(y) {
                common.push(x.clone());
            } else if y.starts_with(x) {
                common.push(y.clone());
            }
        }
    }
    common.dedup();
    common
}
