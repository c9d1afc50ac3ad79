//! Functions: signature, what they are for, an example and what it comes to.

use super::layout::{columns, wrapped};
use crate::expr::{FUNCTIONS, Function, Stands};

/// The groups, each by the function it begins with: the table has them in this order.
const GROUPS: &[(&str, &str)] = &[
    ("if", "Choosing, and what may be absent"),
    ("int", "Conversions"),
    ("min", "Numbers"),
    ("len", "Texts and lists"),
    ("hour", "Time"),
    ("random", "In [generate] only"),
    ("count", "Over many records, in `compute` only; min and max with one argument, too"),
];

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// All there is to say of a function. `sqrt` will do for `math::sqrt`.
pub fn text(name: &str) -> Option<String> {
    let named = |f: &&Function| f.name == name;
    let short = |f: &&Function| f.name.rsplit_once("::").is_some_and(|(_, short)| short == name);
    let function = FUNCTIONS.iter().find(named).or_else(|| FUNCTIONS.iter().find(short))?;
    let stands = match function.stands {
        Stands::Anywhere => "",
        Stands::Generate => {
            "It stands in [generate] only: a pipeline's results are a function of its records."
        }
        Stands::Compute => "It stands in `compute` only: it summarises many records.",
        Stands::Both => "In `compute`, with one argument, it summarises many records.",
    };
    let example = columns([(function.example, format!("→ {}", function.result).as_str())], 4);
    let parts =
        [wrapped(&function.signature(), 0), wrapped(function.summary, 2), wrapped(stands, 2), example];
    Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"))
}

/// All functions by group, names only.
pub fn list() -> String {
    let mut out = String::new();
    for (at, (first, title)) in GROUPS.iter().enumerate() {
        let after = GROUPS.get(at + 1).and_then(|(next, _)| position(next)).unwrap_or(FUNCTIONS.len());
        let names = FUNCTIONS[position(first).unwrap_or(after)..after].iter().map(|f| f.name);
        out.push_str(&format!("  {title}\n{}", wrapped(&names.collect::<Vec<_>>().join(" "), 4)));
    }
    out
}

fn position(name: &str) -> Option<usize> {
    FUNCTIONS.iter().position(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_in_one_group() {
        let starts: Vec<usize> =
            GROUPS.iter().map(|(first, _)| position(first).expect("it is there")).collect();
        assert!(starts[0] == 0 && starts.is_sorted(), "{starts:?}");
        let listed = list();
        for function in FUNCTIONS {
            let words = listed.split_whitespace().filter(|word| *word == function.name).count();
            assert!(words >= 1, "{}: {words}", function.name);
        }
    }

    #[test]
    fn groups_say_where_their_functions_stand() {
        for function in FUNCTIONS {
            let at = position(function.name).expect("it is there");
            let generate = position("random").expect("it is there");
            let compute = position("count").expect("it is there");
            assert_eq!(
                function.stands == Stands::Generate,
                (generate..compute).contains(&at),
                "{function:?}"
            );
            assert_eq!(function.stands == Stands::Compute, at >= compute, "{function:?}");
        }
    }
}
