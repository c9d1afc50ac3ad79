//! What a table's bytes mean, kept beside them: an edited file on old tables either goes on or stops with its ways out.
//!
//! With every commit a hash goes into the metadata; the words themselves stand in the changelog, under a key that no
//! row has. Equal: go on. Aggregates only added: go on, and say so. Anything else would read old bytes as something
//! they are not.

use crate::transport::TransportError;

/// The key of the record in a changelog that says what its bytes mean. Texts are UTF-8 and never begin like this, and
/// no row of numbers has its length.
pub const KEY: &[u8] = b"\xff\xffstreamrun meaning";

/// What an edit does to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Nothing.
    Same,
    /// It computes these as well.
    Added(Vec<String>),
    /// It is another table.
    Other,
}

/// Compares what the bytes meant with what they would be read as. The first lines say what kind of table it is, by
/// what, and how its windows lie; those behind name the aggregates, in the order of their cells.
pub fn compare(old: &str, new: &str) -> Edit {
    if old == new {
        return Edit::Same;
    }
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    // Cells are appended: only what comes behind all the old ones leaves them where they are.
    match old.len() >= 3 && new.starts_with(&old) {
        true => Edit::Added(new[old.len()..].iter().map(|line| (*line).to_owned()).collect()),
        false => Edit::Other,
    }
}

/// The table of a node is not what the file says.
pub fn mismatch(node: &str, old: Option<&str>, new: &str) -> TransportError {
    let indented = |text: &str| text.lines().map(|l| format!("\n    {l}")).collect::<String>();
    let old = old.map_or_else(|| "\n    (unknown)".to_owned(), indented);
    TransportError::fatal(format!(
        "the table of `{node}` was made by another file\n  it holds:{old}\n  the file says:{}",
        indented(new)
    ))
    .hint(format!(
        "undo the edit; or give the node another name, for a new table beside the old one; or start it over with \
         `streamrun run --reset {node}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_may_be_added_and_nothing_else() {
        let old = "tumble\nby a string\nevery 60000 ms, offset 0 ms\ncount()";
        assert_eq!(compare(old, old), Edit::Same);
        assert_eq!(compare(old, &format!("{old}\nmin(x)")), Edit::Added(vec!["min(x)".to_owned()]));
        assert_eq!(
            compare(old, "tumble\nby a string\nevery 60000 ms, offset 0 ms\nmin(x)\ncount()"),
            Edit::Other
        );
        assert_eq!(compare(old, "tumble\nby b string\nevery 60000 ms, offset 0 ms\ncount()"), Edit::Other);
        assert_eq!(compare("count\nby a string", "count\nby a string\nx"), Edit::Other);
    }
}
