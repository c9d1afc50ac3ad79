//! The text of an expression as tokens with their spans, and the slips that can be seen in its characters.
//!
//! evalexpr has a lexer of its own, without positions and more lenient. This one cuts every text that it accepts into
//! the same tokens (`parse` checks that, token by token), bounds its size before anything quadratic or recursive sees
//! it, and says for each text that it refuses what was meant.

use crate::diagnostic::{Code, Diagnostic, Passage};
use std::ops::Range;

/// More bytes than this are no expression.
pub(super) const MAX_BYTES: usize = 4096;
/// More tokens than this are no expression.
pub(super) const MAX_TOKENS: usize = 1000;

/// A token and where it stands in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Name(String),
    /// `-` and `!` too, whichever they turn out to be.
    Operator(&'static str),
    Open,
    Close,
    Comma,
}

/// The tokens of a text, or nothing when at least one fault was found.
pub(super) fn lex(passage: &Passage, faults: &mut Vec<Diagnostic>) -> Option<Vec<Token>> {
    if passage.text.len() > MAX_BYTES {
        let message = format!("the expression has {} bytes, more than {MAX_BYTES}", passage.text.len());
        faults.push(Diagnostic::error(Code::ExpressionTooLong, message, passage.whole()));
        return None;
    }
    let mut lexer = Lexer { passage, text: &passage.text, at: 0, tokens: vec![], faults: vec![] };
    while lexer.faults.len() < MAX_FAULTS && lexer.next() {}
    let (found, mut slips) = (lexer.tokens, lexer.faults);
    if found.len() > MAX_TOKENS {
        let message = format!("the expression has {} tokens, more than {MAX_TOKENS}", found.len());
        slips.push(Diagnostic::error(Code::ExpressionTooLong, message, passage.whole()));
    }
    let sound = slips.is_empty();
    faults.append(&mut slips);
    sound.then_some(found)
}

/// So many faults in one text say that it is no expression at all.
const MAX_FAULTS: usize = 5;

/// Every operator, longer ones before those they start with.
const OPERATORS: [&str; 14] = ["==", "!=", ">=", "<=", "&&", "||", "+", "-", "*", "/", "%", "^", "<", ">"];

/// What other languages write, and what is meant. Tried before the operators, longest first.
const SLIPS: [(&str, &str); 10] = [
    ("===", "=="),
    ("!==", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("<>", "!="),
    ("**", "^"),
    ("&&=", ""),
    ("||=", ""),
    ("??", "coalesce"),
    ("->", ""),
];

struct Lexer<'p> {
    passage: &'p Passage,
    text: &'p str,
    at: usize,
    tokens: Vec<Token>,
    faults: Vec<Diagnostic>,
}

impl Lexer<'_> {
    /// Takes one token; false at the end.
    fn next(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return false };
        match first {
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '(' => self.push(TokenKind::Open, 1),
            ')' => self.push(TokenKind::Close, 1),
            ',' => self.push(TokenKind::Comma, 1),
            '"' => self.string(),
            '\'' => self.single_quotes(),
            '/' if rest.starts_with("//") || rest.starts_with("/*") => self.comment(),
            c if is_word(c) => self.word(),
            _ => self.symbol(),
        }
        true
    }

    fn push(&mut self, kind: TokenKind, len: usize) {
        self.tokens.push(Token { kind, range: self.at..self.at + len });
        self.at += len;
    }

    /// Records a fault and goes on behind it.
    fn fault(&mut self, len: usize, message: impl Into<String>, help: &str) {
        let place = self.passage.at(self.at..self.at + len);
        let fault = Diagnostic::error(Code::ExpressionSyntax, message, place);
        self.faults.push(if help.is_empty() { fault } else { fault.help(help) });
        self.at += len;
    }

    fn string(&mut self) {
        let mut text = String::new();
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => return self.push(TokenKind::Text(text), i + 2),
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    Some((_, c)) => {
                        let (start, len) = (self.at + 1 + i, 1 + c.len_utf8());
                        let message = format!("`\\{c}` is no escape: only `\\\"` and `\\\\` are");
                        let place = self.passage.at(start..start + len);
                        self.faults.push(Diagnostic::error(Code::ExpressionSyntax, message, place));
                        text.push(c);
                    }
                    None => break,
                },
                c => text.push(c),
            }
        }
        self.fault(self.text.len() - self.at, "the text has no closing quote", "end it with `\"`");
    }

    fn single_quotes(&mut self) {
        let rest = &self.text[self.at + 1..];
        let inside = rest.find('\'').map_or(rest, |end| &rest[..end]);
        let len = (inside.len() + 2).min(self.text.len() - self.at);
        let help = format!("`\"{inside}\"`");
        self.fault(len, "texts in expressions stand in double quotes", &help);
    }

    fn comment(&mut self) {
        let rest = &self.text[self.at..];
        let end = match rest.starts_with("//") {
            true => rest.find('\n'),
            false => rest.find("*/").map(|end| end + 2),
        };
        self.fault(
            end.unwrap_or(rest.len()),
            "an expression has no comments",
            "put it behind a `#`, outside the expression's quotes",
        );
    }

    /// A number, a name, or `true` and `false`.
    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..len];
        let starts_like_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if starts_like_number {
            return self.number(word, rest);
        }
        if word.parse::<f64>().is_ok() {
            let help = "`math::is_nan(x)` and `math::is_infinite(x)` ask for such numbers";
            return self.fault(len, format!("`{word}` is not a name, and no number to compute with"), help);
        }
        match word {
            "true" => self.push(TokenKind::Bool(true), len),
            "false" => self.push(TokenKind::Bool(false), len),
            _ if is_name(word) => self.push(TokenKind::Name(word.to_owned()), len),
            // The other half of a `?` that has been reported.
            ":" if !self.faults.is_empty() => self.at += len,
            _ => {
                let help = format!("`field(\"{word}\")` reads a field whose name is no identifier");
                self.fault(len, format!("`{word}` is not a name"), &help);
            }
        }
    }

    fn number(&mut self, word: &str, rest: &str) {
        if let Some(int) = integer(word) {
            return self.push(TokenKind::Int(int), word.len());
        }
        if let Ok(float) = word.parse() {
            return self.push(TokenKind::Float(float), word.len());
        }
        let whole = with_exponent(word, rest);
        match whole.parse() {
            Ok(float) => self.push(TokenKind::Float(float), whole.len()),
            Err(_) => self.fault(word.len(), format!("`{word}` is not a number"), ""),
        }
    }

    fn symbol(&mut self) {
        let rest = &self.text[self.at..];
        if let Some((slip, meant)) = SLIPS.iter().find(|(slip, _)| rest.starts_with(slip)) {
            return self.slip(slip, meant);
        }
        let behind = rest.strip_prefix(['+', '-', '*', '/', '%', '^']);
        if behind.is_some_and(|behind| behind.starts_with('=') && !behind.starts_with("==")) {
            return self.fault(2, format!("`{}` would assign: expressions have no effects", &rest[..2]), "");
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            return self.push(TokenKind::Operator(operator), operator.len());
        }
        self.character(rest.chars().next().expect("there is a character at `at`"));
    }

    fn slip(&mut self, slip: &str, meant: &str) {
        let message = format!("`{slip}` is no operator");
        match meant {
            "" => self.fault(slip.len(), message, ""),
            "coalesce" => self.fault(slip.len(), message, "`coalesce(x, default)`"),
            _ => self.fault(slip.len(), message, &format!("`{meant}`")),
        }
    }

    /// A character that starts nothing.
    fn character(&mut self, c: char) {
        match c {
            '!' => self.push(TokenKind::Operator("!"), 1),
            '=' => self.fault(1, "`=` would assign: expressions have no effects", "`==` compares"),
            '&' => self.fault(1, "`&` is no operator", "`&&` is and, `bitand(a, b)` works on bits"),
            '|' => self.fault(1, "`|` is no operator", "`||` is or, `bitor(a, b)` works on bits"),
            '?' => {
                self.fault(1, "`?` is no operator", "`if(condition, a, b)` chooses");
                // What follows belongs to it, and would only be a second fault.
                self.at = self.text.len();
            }
            ';' => {
                self.fault(1, "`;` is no operator: expressions have no effects", "one expression, one value")
            }
            // The other half of a `[` that has been reported.
            ']' if !self.faults.is_empty() => self.at += 1,
            '[' | ']' => {
                self.fault(1, format!("`{c}` is no operator"), "`contains((\"a\", \"b\"), x)` takes a list")
            }
            _ => self.fault(c.len_utf8(), format!("`{c}` means nothing in an expression"), ""),
        }
    }
}

/// What names and numbers are made of. Two colons belong to a name, one does not (`word` ends before it).
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '@' | '#' | '$')
}

/// Identifiers, joined by `.` or `::`.
fn is_name(word: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    word.split("::").all(|path| path.split('.').all(identifier))
}

/// An integer as evalexpr reads it: decimal, or hexadecimal behind `0x`.
fn integer(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

/// `1e-3` is three tokens to evalexpr's first pass and one to its second: the sign and what follows belong to it.
fn with_exponent<'t>(word: &str, rest: &'t str) -> &'t str {
    let behind = &rest[word.len()..];
    if !behind.starts_with(['+', '-']) {
        return &rest[..word.len()];
    }
    let digits = behind[1..].find(|c| !is_word(c)).unwrap_or(behind.len() - 1);
    &rest[..word.len() + 1 + digits]
}
