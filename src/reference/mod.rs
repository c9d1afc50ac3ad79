//! What `help` says and what editors know of the language, out of the tables that the language itself is made of.
//!
//! Nothing is said twice: kinds, sections, functions and codes carry their own words, and here they are only found
//! and set. Whatever is added there appears here by itself. Nothing is printed.

mod functions;
mod kinds;
mod layout;
mod overview;
mod schema;
mod sections;

pub use overview::overview;
pub use schema::schema;

use crate::diagnostic::{Code, did_you_mean};
use crate::plan::toplevel::RESERVED;
use layout::wrapped;

/// A command of the program, as the command line describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it is called.
    pub name: String,
    /// What it does, in a sentence.
    pub about: String,
    /// All of its help.
    pub help: String,
}

/// The schema as it stands in its file.
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// All that is known by a name: it may be a kind and a function at once. Nothing, if nobody knows it.
pub fn topic(name: &str, commands: &[Command]) -> Option<String> {
    let command = commands.iter().find(|command| command.name == name).map(|command| command.help.clone());
    let parts =
        [kinds::text(name), sections::text(name), functions::text(name), code(name), reserved(name), command];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| part.trim_end().to_owned()).collect();
    let text = if parts.is_empty() { sections::key(name)? } else { parts.join("\n\n\n") };
    Some(format!("{}\n", text.trim_end()))
}

/// The topic that was likely meant.
pub fn similar(name: &str, commands: &[Command]) -> Option<String> {
    let mut topics: Vec<String> = commands.iter().map(|command| command.name.clone()).collect();
    topics.extend(kinds::names().chain(sections::names()).chain(functions::names()).map(str::to_owned));
    topics.extend(Code::ALL.iter().map(|code| code.text().to_owned()));
    topics.extend(sections::keys().into_iter().map(|(_, key)| key.name.to_owned()));
    did_you_mean(name, topics.iter().map(String::as_str)).map(str::to_owned)
}

fn code(name: &str) -> Option<String> {
    let code = Code::ALL.iter().find(|code| code.text() == name)?;
    Some(format!("{code}: a fault or warning of `streamrun check`\n\n{}", wrapped(code.meaning(), 2)))
}

fn reserved(name: &str) -> Option<String> {
    let (_, what) = RESERVED.iter().find(|(kind, _)| *kind == name)?;
    Some(format!("{name}: planned, and cannot be used yet\n\n{}", wrapped(what, 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_text_that_fits_a_terminal() {
        let names = kinds::names().chain(sections::names()).chain(functions::names());
        let codes = Code::ALL.iter().map(|code| code.text());
        let reserved = RESERVED.iter().map(|(name, _)| *name);
        let keys: Vec<&str> = sections::keys().into_iter().map(|(_, key)| key.name).collect();
        for name in names.chain(codes).chain(reserved).chain(keys) {
            let text = topic(name, &[]).unwrap_or_else(|| panic!("{name}"));
            assert!(text.len() > name.len() + 10, "{text}");
            // Examples stand as they are; what is set here keeps to the width.
            let set = text.split("\nExample").next().unwrap_or_default();
            for line in set.lines() {
                assert!(line.chars().count() <= layout::WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn a_kind_and_a_function_of_one_name_are_both_told_of() {
        let text = topic("count", &[]).expect("it is known");
        assert!(text.contains("counts the records of each group"), "{text}");
        assert!(text.contains("how many records there are"), "{text}");
    }

    #[test]
    fn a_misspelt_topic_is_recognised() {
        assert_eq!(topic("fliter", &[]), None);
        assert_eq!(similar("fliter", &[]).as_deref(), Some("filter"));
        assert_eq!(similar("unknown-feild", &[]).as_deref(), Some("unknown-field"));
        assert_eq!(similar("late-by", &[]).as_deref(), Some("late_by"));
        assert_eq!(similar("xyzzy", &[]), None);
    }
}
