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
        uncover(layout, name);
    }
    layout.drop.push(original);
}

/// What the original object has under a name that something else was renamed to is gone for good: it does not come
/// back when that something goes on to another name.
fn uncover(layout: &mut Layout, name: &str) {
    if !layout.rename.iter().any(|(old, _)| old == name) {
        layout.drop.push(vec![name.to_owned()]);
    }
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

/// Gives top-level fields other names, `(old, new)` each, all at once: two may change places.
pub fn rename(layout: &mut Layout, pairs: &[(String, String)]) {
    let renamed = |name: &str| pairs.iter().find(|(old, _)| old == name).map(|(_, new)| new.clone());
    let taken = |name: &str| pairs.iter().any(|(_, new)| new == name);
    // What was set as a whole hides what the original object has under its name.
    let (mut hidden, mut firsts) = (vec![], vec![]);
    for (old, new) in pairs {
        let first = original(layout, &vec![old.clone()]).remove(0);
        match layout.set.iter().any(|s| s.path.len() == 1 && s.path[0] == *old) {
            true => hidden.push(first),
            false => firsts.push((first, new.clone())),
        }
    }
    layout.set.retain(|s| renamed(&s.path[0]).is_some() || !taken(&s.path[0]));
    for set in &mut layout.set {
        set.path[0] = renamed(&set.path[0]).unwrap_or_else(|| set.path[0].clone());
    }
    let before = std::mem::take(&mut layout.rename);
    for (old, new) in before {
        if renamed(&new).is_none() {
            match taken(&new) {
                true => hidden.push(old),
                false => layout.rename.push((old, new)),
            }
        } else {
            hidden.push(new);
        }
    }
    layout.rename.extend(firsts);
    hidden.retain(|name| !layout.rename.iter().any(|(old, _)| old == name));
    layout.drop.extend(hidden.into_iter().map(|name| vec![name]));
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
