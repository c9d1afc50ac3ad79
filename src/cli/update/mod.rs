//! Rewriting a file's expectations so that its tests pass, every other byte as it was.
//!
//! The places that `check` knows are spliced, nothing is printed anew: comments and layout are the author's. What
//! would come out is checked and tested before it is written, aside and then renamed, so that a file is either what
//! it was or what passes.

mod layout;
mod literal;
mod splice;

use super::input::File;
use splice::Splice;
use std::io::Write;
use std::path::Path;
use streamrun::diagnostic::Place;
use streamrun::plan;
use streamrun::spec::{self, Entry, Item, Table, Value};
use streamrun::testing::{self, Correction};

/// What is to be rewritten: tests by their index in the file, each with its corrections.
pub type Wanted = [(usize, Vec<Correction>)];

/// The file with these corrections made; why not if it would not pass then.
pub fn update(file: &File, wanted: &Wanted) -> Result<String, String> {
    let root = spec::parse(&file.source, &mut vec![]);
    let mut splices = vec![];
    for correction in wanted.iter().flat_map(|(_, corrections)| corrections) {
        splices.push(match correction {
            Correction::Late { place, count } => Splice { place: *place, text: count.to_string() },
            Correction::Rows { place, rows } => {
                let entry = entry_at(&root, *place).ok_or("an expectation was not found again")?;
                layout::list(&file.source, entry, rows)?
            }
        });
    }
    let source = splice::apply(&file.source, splices);
    passes(&source, wanted).map(|()| source)
}

/// Whether the file is sound and every test that was rewritten passes.
fn passes(source: &str, wanted: &Wanted) -> Result<(), String> {
    let plan = plan::check(source, &[]).plan.ok_or("what would be written is not sound")?;
    for (at, _) in wanted {
        let case = plan.cases.get(*at).ok_or("a test was not found again")?;
        if !testing::run(source, &[], case).passed() {
            return Err(format!("`{}` would still fail", case.name));
        }
    }
    Ok(())
}

/// The entry whose key stands at a place.
fn entry_at(table: &Table, place: Place) -> Option<&Entry> {
    table.entries.iter().find_map(|entry| match entry.place == place {
        true => Some(entry),
        false => within(&entry.value, place),
    })
}

fn within(value: &Value, place: Place) -> Option<&Entry> {
    match &value.item {
        Item::Table(table) => entry_at(table, place),
        Item::Array(values) => values.iter().find_map(|value| within(value, place)),
        _ => None,
    }
}

/// Writes the file, unless somebody else has changed it meanwhile. A link stays a link.
pub fn write(file: &File, updated: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", file.path);
    let path = std::fs::canonicalize(&file.path).map_err(failed)?;
    let bytes = std::fs::read(&path).map_err(failed)?;
    let Some(mark) = bytes.strip_suffix(file.source.as_bytes()) else {
        return Err(format!("{} was changed while its tests ran", file.path));
    };
    aside(&path, &[mark, updated.as_bytes()].concat()).map_err(failed)
}

fn aside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let write = || {
        let mut file = std::fs::File::create_new(&aside)?;
        file.write_all(bytes)?;
        file.set_permissions(std::fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&aside, path)
    };
    let written = write();
    if written.as_ref().is_err_and(|error| error.kind() != std::io::ErrorKind::AlreadyExists) {
        let _ = std::fs::remove_file(&aside);
    }
    written
}
