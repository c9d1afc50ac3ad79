//! Rust as text: files, words, paths. Enough of the language to keep rules by, and no parser.

use std::fs;
use std::path::{Path, PathBuf};

/// A file under `src`.
pub struct Source {
    /// From the root of the project, with `/`.
    pub path: String,
    pub text: String,
    /// The text without comments, contents of literals, and unit tests.
    pub code: String,
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rust = files_under(&root).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let files: Vec<Source> = rust
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let path = relative(&path);
            let code = if is_tests(&path) { String::new() } else { code_of(&text) };
            Source { path, text, code }
        })
        .collect();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the tree was not found");
    files
}

/// Whether a file holds unit tests and nothing else.
pub fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Every file, sorted, but for what is built, hidden (`.ci` is ours) or not text.
pub fn files_under(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the directory is there");
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    entries.sort();
    let mut files = vec![];
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let skipped = name == "target" || name == "Cargo.lock" || (name.starts_with('.') && name != ".ci");
        match (skipped, path.is_dir()) {
            (true, _) => {}
            (false, true) => files.extend(files_under(&path)),
            (false, false) => files.push(path),
        }
    }
    files
}

pub fn relative(path: &Path) -> String {
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are both `a::b`.
pub fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.trim_end_matches("/mod");
    inner.split('/').filter(|s| !matches!(*s, "lib" | "main")).map(str::to_owned).collect()
}

/// Every path that starts at `crate` or `super`, from the crate's root, with `{}` spelt out.
pub fn paths_in(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let starts = at == 0 || tokens[at - 1] != "::";
        if !starts || tokens.get(at + 1) != Some(&"::") {
            continue;
        }
        let ups = tokens[at..].chunks(2).take_while(|pair| *pair == ["super", "::"]).count();
        match *token {
            "crate" => spell(&tokens[at + 2..], vec![], &mut paths),
            "super" => {
                let base = module[..module.len().saturating_sub(ups)].to_vec();
                spell(&tokens[at + 2 * ups..], base, &mut paths)
            }
            _ => 0,
        };
    }
    paths
}

/// One path from `tokens` on; a group is each of its members. Answers how many tokens it took.
fn spell(tokens: &[&str], mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    at += spell(&tokens[at..], path.clone(), paths).max(1);
                    while tokens.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some(name) if is_word(name) => path.push((*name).to_owned()),
            other => {
                paths.push(path);
                return at + usize::from(other == Some(&"*"));
            }
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            // `as name` belongs to the path that it renames.
            let renamed = if tokens.get(at) == Some(&"as") { 2 } else { 0 };
            paths.push(path);
            return at + renamed;
        }
        at += 1;
    }
}

/// Words, `::`, and single characters.
pub fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = vec![];
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !is_word_character(c)).unwrap_or(rest.len());
        let length = match word {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            _ => word,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

pub fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub fn is_word(token: &str) -> bool {
    token.starts_with(is_word_character)
}

/// The text without comments and the contents of literals, up to the unit tests. Lines stay where they are.
pub fn code_of(text: &str) -> String {
    let text = before_tests(text);
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let skipped = skipped(rest, code.ends_with(is_word_character));
        if skipped > 0 {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            at += skipped;
        } else {
            let Some(c) = rest.chars().next() else { break };
            code.push(c);
            at += c.len_utf8();
        }
    }
    code
}

/// The bytes of the comment or literal that `rest` starts with; 0 if it starts with neither.
fn skipped(rest: &str, in_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    let hashes = rest.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if !in_word && rest.starts_with('r') && rest[1 + hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let from = 2 + hashes;
        return rest[from..].find(&close).map_or(rest.len(), |end| from + end + close.len());
    }
    match rest.chars().next() {
        Some('"') => quoted(rest, '"'),
        // A lifetime has no second quote; a character literal has it behind one character or an escape.
        Some('\'') if rest[1..].starts_with('\\') => quoted(rest, '\''),
        Some('\'') => {
            let end = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            if rest[end..].starts_with('\'') { end + 1 } else { 0 }
        }
        _ => 0,
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Tests come last: what stands before the first `#[cfg(test)]` that is on a line of its own before a `mod`.
pub fn before_tests(text: &str) -> &str {
    let module = |at: usize| text[at..].lines().nth(1).is_some_and(|next| next.starts_with("mod "));
    let mut found = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at);
    let at = found.find(|at| (*at == 0 || text[..*at].ends_with('\n')) && module(*at));
    &text[..at.unwrap_or(text.len())]
}

#[test]
fn paths_are_spelt_out() {
    let module = ["operators".to_owned(), "filter".to_owned()];
    let check = |code: &str, expected: &[&str]| {
        let paths: Vec<String> = paths_in(code, &module).iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, expected, "{code}");
    };
    check("use crate::a::{self, b::{c, d as e}, f::*};", &["a::self", "a::b::c", "a::b::d", "a::f"]);
    check("use super::map::Map;", &["operators::map::Map"]);
    check("use super::super::plan;", &["plan"]);
    check("pub(crate) fn f(x: crate::a::B) {}", &["a::B"]);
    check("use std::a::crate_name;", &[]);
    assert_eq!(module_of("src/transport/kafka/mod.rs"), ["transport", "kafka"]);
    assert_eq!(module_of("src/spec/tree.rs"), ["spec", "tree"]);
}

#[test]
fn literals_and_comments_are_blanked() {
    let code = code_of(
        "let a = '\"'; /* x */ let b: &'static str = \"\\\"y\"; let c = '\\''; let d = r#\"z\"\"#; e",
    );
    let words: Vec<&str> = tokens(&code);
    let expected = "let a = ; let b : & ' static str = ; let c = ; let d = ; e";
    assert_eq!(words.join(" "), expected);
}
