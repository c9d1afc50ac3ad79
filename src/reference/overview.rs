//! The overview: what there is, a line each.

use super::layout::columns;
use super::{Command, functions, kinds, sections};

/// What `help` says without a topic.
pub fn overview(commands: &[Command]) -> String {
    let commands = columns(commands.iter().map(|c| (c.name.as_str(), c.about.as_str())), 2);
    [
        "One TOML file is one pipeline: `[kind.name]` tables, each saying where its records come `from`.\n"
            .into(),
        format!("Commands\n\n{commands}"),
        format!("Kinds, `[kind.name]`\n\n{}", kinds::list()),
        format!("Sections beside them\n\n{}", sections::list()),
        format!("Functions\n\n{}", functions::list()),
        "`streamrun help TOPIC` tells more of any of these, of a key, or of the code of a fault.\n".into(),
    ]
    .join("\n")
}
