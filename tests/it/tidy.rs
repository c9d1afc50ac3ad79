//! The source tree keeps its own rules: who sees whom, which crate lives where, who prints, how a file looks.
//!
//! Text is read, not types: comments and the contents of string literals are blanked first, `use` trees are spelt
//! out, `super::` is resolved. Unit tests (from `#[cfg(test)] mod` on, and files named `tests.rs`) may see anything.
//! To change the architecture on purpose, change the tables below in the same commit.

use source::{
    Source, before_tests, code_of, files_under, is_tests, is_word, is_word_character, module_of, paths_in,
    relative, sources, tokens,
};
use std::fs;
use std::path::Path;

mod source;

/// Which of our modules a module must not see, or all that it may.
enum Sees {
    Only(&'static [&'static str]),
    Never(&'static [&'static str]),
}

impl Sees {
    fn allow(&self, module: &str) -> bool {
        match self {
            Sees::Only(few) => few.contains(&module),
            Sees::Never(some) => !some.contains(&module),
        }
    }
}

/// Who may see whom. A module sees itself; the rules of all prefixes of its path hold.
const LAYERS: &[(&str, Sees)] = &[
    ("diagnostic", Sees::Only(&[])),
    ("spec", Sees::Only(&["diagnostic"])),
    ("codec", Sees::Never(&["plan", "operators", "runtime", "transport", "cli", "http"])),
    ("store", Sees::Never(&["plan", "operators", "runtime", "transport", "cli", "http"])),
    ("expr", Sees::Never(&["plan", "operators", "runtime", "transport", "cli", "http"])),
    ("operators", Sees::Never(&["runtime", "transport", "cli", "http"])),
    ("plan", Sees::Never(&["runtime", "transport", "cli", "http"])),
    ("metrics", Sees::Only(&[])),
    ("http", Sees::Never(&["spec", "expr", "operators", "transport", "cli", "testing"])),
    ("transport::kafka", Sees::Only(KAFKA_SEES)),
    ("runtime", Sees::Never(&["spec", "cli", "http"])),
];

/// What lies below the transports: records on their way, and words for time and types.
const KAFKA_SEES: &[&str] =
    &["transport", "headers", "outbox", "partitioner", "rows", "frame", "time", "types", "metrics"];

/// The only places that name a crate.
const CRATES: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["src/diagnostic/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("evalexpr", &["src/expr/"]),
    ("hyper", &["src/http/"]),
    ("hyper_util", &["src/http/"]),
    ("mimalloc", &["src/main.rs"]),
    ("rdkafka", &["src/transport/kafka/"]),
    ("regex", &["src/expr/"]),
    ("tokio", &["src/http/", "src/runtime/control.rs", "src/cli/signals.rs"]),
    ("toml", &["src/spec/"]),
    ("toml_edit", &["src/cli/"]),
    ("warp", &["src/http/"]),
];

/// Who may write to the terminal and end the process.
const PRINTERS: &[&str] = &["src/cli/", "src/main.rs"];
const PRINTING: &[&str] =
    &["println!", "eprintln!", "print!", "eprint!", "dbg!", "process::exit", "io::stdout", "io::stderr"];

const MOST_LINES: usize = 500;
/// Data tables: a line each, however many there are.
const LONG_FILES: &[&str] = &["src/expr/functions/table.rs"];
const LONGEST_LINE: usize = 120;

/// Paths of a machine that somebody worked on; in two halves, so that this file does not find itself.
const WORKPLACES: &[&str] = &[concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/tm", "p/wt")];

#[test]
fn layers_are_kept() {
    verdict(sources().iter().flat_map(|file| layer_faults(&file.path, &file.code)));
}

#[test]
fn a_crate_is_named_in_one_place() {
    verdict(sources().iter().flat_map(|file| crate_faults(&file.path, &file.code)));
}

#[test]
fn the_library_prints_nothing() {
    verdict(sources().iter().flat_map(|file| print_faults(&file.path, &file.code)));
}

#[test]
fn files_can_be_read_in_one_sitting() {
    verdict(sources().iter().flat_map(|file| shape_faults(&file.path, &file.text)));
}

#[test]
fn a_directory_says_what_it_owns() {
    let files = sources();
    verdict(directories(&files).iter().flat_map(|dir| directory_faults(dir, &files)));
}

#[test]
fn no_workplace_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files_under(root);
    assert!(files.len() > 20, "the tree was not found: {files:?}");
    verdict(files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        workplace_faults(&relative(path), &text)
    }));
}

fn verdict(faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

// Layers.

fn layer_faults(path: &str, code: &str) -> Vec<String> {
    let module = module_of(path);
    let mut faults = sibling_faults(path, &module, code);
    for seen in paths_in(code, &module) {
        let Some(top) = seen.first().filter(|top| module.first() != Some(top)) else { continue };
        let broken = LAYERS.iter().filter(|(layer, sees)| is_in(&module, layer) && !sees.allow(top));
        faults.extend(
            broken.map(|(layer, _)| format!("{path}: `{layer}` must not see `crate::{}`", seen.join("::"))),
        );
    }
    faults
}

fn is_in(module: &[String], layer: &str) -> bool {
    let layer: Vec<&str> = layer.split("::").collect();
    module.len() >= layer.len() && module.iter().zip(&layer).all(|(a, b)| a == b)
}

/// Operators never see each other, and neither do transports.
fn sibling_faults(path: &str, module: &[String], code: &str) -> Vec<String> {
    let [kind, own, ..] = module else { return vec![] };
    if kind != "operators" && kind != "transport" {
        return vec![];
    }
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(kind);
    let is_module = |name: &str| parent.join(name).is_dir() || parent.join(format!("{name}.rs")).is_file();
    let seen = paths_in(code, module).into_iter();
    let others =
        seen.filter(|seen| seen.len() > 1 && seen[0] == *kind && seen[1] != *own && is_module(&seen[1]));
    others.map(|seen| format!("{path}: `{kind}::{own}` must not see `crate::{}`", seen.join("::"))).collect()
}

// Crates and printing.

fn crate_faults(path: &str, code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let elsewhere = CRATES.iter().filter(|(_, homes)| !homes.iter().any(|home| path.starts_with(home)));
    let named = elsewhere.filter(|(name, _)| names_crate(&tokens, name));
    named.map(|(name, homes)| format!("{path}: `{name}` is named in {} only", homes.join(", "))).collect()
}

/// `name::…`, `use name…`, `extern crate name`; not `ours::name::…`.
fn names_crate(tokens: &[&str], name: &str) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at.checked_sub(1).map(|before| tokens[before]);
        let after = tokens.get(at + 1).copied();
        // A leading `::` has no word before it.
        let inside = before == Some("::") && at >= 2 && (is_word(tokens[at - 2]) || tokens[at - 2] == ">");
        let imported = matches!(before, Some("use" | "crate"));
        *token == name && !inside && (after == Some("::") || imported)
    })
}

fn print_faults(path: &str, code: &str) -> Vec<String> {
    if PRINTERS.iter().any(|printer| path.starts_with(printer)) {
        return vec![];
    }
    let is_called = |name: &str| {
        let mut hits = code.match_indices(name);
        hits.any(|(at, _)| !code[..at].ends_with(is_word_character))
    };
    let used = PRINTING.iter().filter(|name| is_called(name));
    used.map(|name| format!("{path}: `{name}` outside {}", PRINTERS.join(", "))).collect()
}

// Shape.

fn shape_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = vec![];
    if !text.starts_with("//! ") {
        faults.push(format!("{path}:1: a file starts with `//!` and what it owns"));
    }
    let lines = before_tests(text).lines().count();
    if lines > MOST_LINES && !LONG_FILES.contains(&path) && !is_tests(path) {
        faults.push(format!(
            "{path}: {lines} lines before the tests, more than {MOST_LINES}: look for a second noun"
        ));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let width = line.chars().count();
        // A fault that a test expects is one line, however long.
        if width > LONGEST_LINE && !is_tests(path) {
            faults.push(format!("{path}:{number}: {width} characters, more than {LONGEST_LINE}"));
        }
        if line.contains('\t') {
            faults.push(format!("{path}:{number}: a tab"));
        }
    }
    faults
}

/// Every directory under `src` that holds a file, `src` itself left out.
fn directories(files: &[Source]) -> Vec<String> {
    let parents = files.iter().filter_map(|file| Some(file.path.rsplit_once('/')?.0.to_owned()));
    let mut directories: Vec<String> = parents.filter(|dir| dir != "src").collect();
    directories.dedup();
    directories
}

/// A directory's `mod.rs`, or the file of its name beside it, says in a sentence what it owns.
fn directory_faults(dir: &str, files: &[Source]) -> Vec<String> {
    let root =
        files.iter().find(|file| file.path == format!("{dir}/mod.rs") || file.path == format!("{dir}.rs"));
    let Some(root) = root else { return vec![format!("{dir}: no `mod.rs` says what it owns")] };
    let first = root.text.lines().next().unwrap_or_default();
    if first.trim_start_matches("//!").split_whitespace().count() < 3 {
        return vec![format!("{}:1: a sentence on what this directory owns", root.path)];
    }
    vec![]
}

fn workplace_faults(path: &str, text: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines());
    let named =
        lines.filter_map(|(n, line)| Some((n, WORKPLACES.iter().find(|place| line.contains(*place))?)));
    named
        .map(|(number, place)| format!("{path}:{number}: `{place}` is a path of somebody's machine"))
        .collect()
}

// The checks find what they are for.

#[test]
fn a_layer_that_reaches_up_is_found() {
    let faults = |path: &str, code: &str| layer_faults(path, &code_of(code)).len();
    assert_eq!(faults("src/spec/tree.rs", "use crate::diagnostic::Place;"), 0);
    assert_eq!(faults("src/spec/tree.rs", "use crate::plan::Plan;"), 1);
    assert_eq!(
        faults("src/spec/tree.rs", "use crate::{diagnostic::{Code, Place}, types::Type as T, plan};"),
        2
    );
    assert_eq!(faults("src/spec/tree.rs", "use super::super::plan::Plan;"), 1);
    assert_eq!(faults("src/spec/tree.rs", "use super::text;\nfn f() { super::text::passage() }"), 0);
    assert_eq!(faults("src/spec/tree.rs", "fn f() { crate::runtime::run() }"), 1);
    assert_eq!(faults("src/spec/tree.rs", "// crate::runtime\nconst A: &str = \"crate::runtime::x\";"), 0);
    assert_eq!(faults("src/spec/tree.rs", "#[cfg(test)]\nmod tests {\n    use crate::runtime;\n}"), 0);
    assert_eq!(faults("src/diagnostic/mod.rs", "use crate::types::Type;"), 1);
    assert_eq!(faults("src/plan/check.rs", "use crate::operators::KINDS;"), 0);
    assert_eq!(faults("src/plan/check.rs", "use crate::transport::Transport;"), 1);
    assert_eq!(faults("src/codec/json.rs", "use crate::{\n    frame::Frame,\n    runtime::Worker,\n};"), 1);
    assert_eq!(faults("src/store/mod.rs", "use crate::operators::count::Count;"), 1);
    assert_eq!(
        faults("src/transport/kafka/mod.rs", "use crate::{headers, outbox::Outbox, transport::Event};"),
        0
    );
    assert_eq!(faults("src/transport/kafka/mod.rs", "use crate::expr;"), 1);
    assert_eq!(faults("src/operators/filter.rs", "use crate::cli::run;"), 1);
}

#[test]
fn a_crate_away_from_home_is_found() {
    let faults = |path: &str, code: &str| crate_faults(path, &code_of(code)).len();
    assert_eq!(faults("src/spec/mod.rs", "use toml::de;"), 0);
    assert_eq!(faults("src/plan/mod.rs", "use toml::de;"), 1);
    assert_eq!(faults("src/plan/mod.rs", "fn f(x: ::toml::Value) {}"), 1);
    assert_eq!(faults("src/plan/mod.rs", "use regex as r;"), 1);
    assert_eq!(faults("src/plan/mod.rs", "fn f() { evalexpr::eval(); warp::serve() }"), 2);
    assert_eq!(faults("src/plan/mod.rs", "use toml_edit::Item;"), 1);
    assert_eq!(faults("src/plan/mod.rs", "let toml = 1; crate::expr::regex::f(toml)"), 0);
    assert_eq!(faults("src/plan/mod.rs", "//! `toml::de` is not here\nconst A: &str = r#\"toml::de\"#;"), 0);
    assert_eq!(faults("src/cli/run.rs", "use clap::Parser;"), 0);
    assert_eq!(faults("src/runtime/mod.rs", "use clap::Parser;"), 1);
}

#[test]
fn printing_is_found() {
    let faults = |path: &str, code: &str| print_faults(path, &code_of(code)).len();
    assert_eq!(faults("src/plan/mod.rs", "fn f() { println!(\"x\") }"), 1);
    assert_eq!(faults("src/plan/mod.rs", "fn f() { eprintln!(\"x\"); std::process::exit(1) }"), 2);
    assert_eq!(faults("src/plan/mod.rs", "fn f() { pprint!(\"println!\") } // println!"), 0);
    assert_eq!(faults("src/cli/run.rs", "fn f() { println!(\"x\") }"), 0);
}

#[test]
fn shapeless_files_are_found() {
    let faults = |text: &str| shape_faults("src/x.rs", text).len();
    assert_eq!(faults("//! It owns x.\n"), 0);
    assert_eq!(faults("fn f() {}\n"), 1);
    assert_eq!(faults(&format!("//! X.\n{}", "\n".repeat(500))), 1);
    assert_eq!(faults(&format!("//! X.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(500))), 0);
    assert_eq!(faults(&format!("//! {}\n", "é".repeat(116))), 0);
    assert_eq!(faults(&format!("//! {}\n", "é".repeat(117))), 1);
    assert_eq!(faults("//! X.\n\tfn f() {}\n"), 1);
}

#[test]
fn undescribed_directories_are_found() {
    let file = |path: &str, text: &str| Source { path: path.into(), text: text.into(), code: String::new() };
    let faults =
        |files: &[Source]| directories(files).iter().flat_map(|d| directory_faults(d, files)).count();
    assert_eq!(faults(&[file("src/a/mod.rs", "//! What it owns.\n"), file("src/a/b.rs", "")]), 0);
    assert_eq!(faults(&[file("src/a/b.rs", "//! What it owns.\n")]), 1);
    assert_eq!(faults(&[file("src/a/mod.rs", "//! A.\n")]), 1);
}

#[test]
fn workplaces_are_found() {
    let path = format!("see {}", WORKPLACES[0]);
    assert_eq!(
        workplace_faults("README.md", &path),
        [format!("README.md:1: `{}` is a path of somebody's machine", WORKPLACES[0])]
    );
    assert_eq!(workplace_faults("README.md", "a home, a work of art"), [""; 0]);
}
