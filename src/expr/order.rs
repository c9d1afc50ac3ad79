//! Whether tokens stand in an order that makes an expression: operands and operators alternate, parentheses balance,
//! nothing nests too deep. What people write out of habit gets its own message.
//!
//! evalexpr accepts more (`a b`, `min a`, `a >`) and finds out at run time, without a position.

use super::functions;
use super::lex::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Passage};
use std::ops::Range;

/// Deeper than this nobody reads, and recursion must end somewhere.
const MAX_DEPTH: usize = 128;

type Fault = Box<Diagnostic>;

/// The first thing that is out of order, if there is one: behind it everything else is a guess.
pub(super) fn check(passage: &Passage, tokens: &[Token]) -> Result<(), Fault> {
    if tokens.is_empty() {
        let fault = Diagnostic::error(Code::ExpressionSyntax, "the expression is empty", passage.place);
        return Err(Box::new(fault));
    }
    let mut order = Order { passage, tokens, at: 0, levels: vec![Level::default()] };
    while order.at < tokens.len() {
        order.operand()?;
        while order.closes_or_ends()? {}
    }
    order.end()
}

/// An open parenthesis (the first level has none).
#[derive(Default)]
struct Level {
    open: Option<usize>,
    /// Prefix operators that wait for their operand to end.
    prefixes: usize,
}

struct Order<'t> {
    passage: &'t Passage,
    tokens: &'t [Token],
    at: usize,
    levels: Vec<Level>,
}

impl Order<'_> {
    fn kind(&self, at: usize) -> Option<&TokenKind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn fault(&self, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::ExpressionSyntax, message, self.passage.at(range))
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.passage.text[token.range.clone()])
    }

    fn range(&self, at: usize) -> Range<usize> {
        let end = self.passage.text.len();
        self.tokens.get(at).map_or(end..end, |token| token.range.clone())
    }

    fn depth(&self) -> usize {
        self.levels.iter().map(|level| level.prefixes).sum::<usize>() + self.levels.len() - 1
    }

    /// Takes prefixes, opening parentheses and names of functions until a whole operand is taken.
    fn operand(&mut self) -> Result<(), Fault> {
        loop {
            if self.depth() > MAX_DEPTH {
                let message = format!("the expression nests more than {MAX_DEPTH} levels deep");
                let place = self.passage.at(self.range(self.at));
                return Err(Box::new(Diagnostic::error(Code::ExpressionTooLong, message, place)));
            }
            match self.kind(self.at) {
                Some(TokenKind::Operator("-" | "!")) => {
                    self.levels.last_mut().expect("the first level stays").prefixes += 1;
                }
                Some(TokenKind::Open) => {
                    self.levels.push(Level { open: Some(self.at), prefixes: 0 });
                    if self.kind(self.at + 1) == Some(&TokenKind::Close) {
                        let range = self.range(self.at).start..self.range(self.at + 1).end;
                        return Err(Box::new(self.fault(range, "nothing stands between the parentheses")));
                    }
                }
                Some(TokenKind::Name(_)) => {
                    self.habit_before()?;
                    if self.kind(self.at + 1) != Some(&TokenKind::Open) {
                        break;
                    }
                    self.at += 1;
                    self.levels.push(Level { open: Some(self.at), prefixes: 0 });
                    if self.kind(self.at + 1) == Some(&TokenKind::Close) {
                        self.at += 1;
                        self.levels.pop();
                        break;
                    }
                }
                Some(TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Bool(_) | TokenKind::Text(_)) => {
                    break;
                }
                _ => return Err(self.missing_operand()),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// Behind an operand: a `)` is taken and we are behind an operand again (true); an operator or a comma is taken
    /// and an operand must follow, or everything ends (false).
    fn closes_or_ends(&mut self) -> Result<bool, Fault> {
        match self.kind(self.at) {
            None => return Ok(false),
            Some(TokenKind::Close) => {
                self.at += 1;
                if self.levels.len() == 1 {
                    let fault = self.fault(self.range(self.at - 1), "`)` closes nothing");
                    return Err(Box::new(fault.help("take it away, or open it with `(`")));
                }
                self.levels.pop();
                return Ok(true);
            }
            Some(TokenKind::Comma) if self.levels.len() == 1 => {
                let fault = self.fault(self.range(self.at), "`,` separates arguments, and this is no call");
                return Err(Box::new(fault));
            }
            Some(TokenKind::Comma) => {}
            Some(TokenKind::Operator(operator)) if *operator != "!" => {}
            Some(_) => return Err(self.missing_operator()),
        }
        self.levels.last_mut().expect("the first level stays").prefixes = 0;
        self.at += 1;
        match self.at == self.tokens.len() {
            true => Err(self.missing_operand()),
            false => Ok(false),
        }
    }

    fn end(&self) -> Result<(), Fault> {
        match self.levels.last().and_then(|level| level.open) {
            Some(open) => {
                let fault = self.fault(self.range(open), "`(` is never closed");
                Err(Box::new(fault.help("close it with `)`")))
            }
            None => Ok(()),
        }
    }

    fn missing_operand(&self) -> Fault {
        let before = self.at.checked_sub(1).map(|at| self.text(at));
        let here = self.text(self.at);
        let message = match (before, here) {
            (None, here) => format!("a value is missing before `{here}`"),
            (Some(before), "") => format!("a value is missing after `{before}`"),
            (Some(before), here) => format!("a value is missing between `{before}` and `{here}`"),
        };
        let range = if here.is_empty() { self.range(self.at - 1) } else { self.range(self.at) };
        Box::new(self.fault(range, message))
    }

    /// Two operands in a row: a word that is an operator elsewhere, a call without parentheses, or a real gap.
    fn missing_operator(&self) -> Fault {
        let (before, here) = (self.text(self.at - 1), self.text(self.at));
        let range = self.range(self.at);
        let slip = |message: &str, help: String| Box::new(self.fault(range.clone(), message).help(help));
        match here.to_ascii_lowercase().as_str() {
            "and" => return slip("`and` is written `&&`", "`&&`".into()),
            "or" => return slip("`or` is written `||`", "`||`".into()),
            "not" => return slip("`not` is written `!`", "`!x`, or `a != b`".into()),
            "is" => return slip("`is` is no operator", "`==`, or `is_set(x)` for what may be absent".into()),
            "in" => return slip("`in` is no operator", format!("`contains((…), {before})`")),
            "like" => return slip("`like` is no operator", format!("`matches({before}, \"…\")`")),
            "between" => {
                return slip("`between` is no operator", format!("`{before} >= … && {before} <= …`"));
            }
            "mod" => return slip("`mod` is written `%`", "`%`".into()),
            _ => {}
        }
        if functions::named(before).is_some() && self.is_name(self.at - 1) {
            let range = self.range(self.at - 1).start..range.end;
            let fault = self.fault(range, format!("`{before}` is called with parentheses"));
            return Box::new(fault.help(format!("`{before}({here})`")));
        }
        Box::new(self.fault(range, format!("an operator is missing between `{before}` and `{here}`")))
    }

    fn is_name(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(TokenKind::Name(_)))
    }

    /// `not x`: a prefix of other languages.
    fn habit_before(&self) -> Result<(), Fault> {
        let word = self.text(self.at);
        let followed = !matches!(
            self.kind(self.at + 1),
            None | Some(TokenKind::Operator(_) | TokenKind::Comma | TokenKind::Close)
        );
        if word.eq_ignore_ascii_case("not") && followed {
            let fault = self.fault(self.range(self.at), "`not` is written `!`");
            let operand = match self.text(self.at + 1) {
                "(" => "(…)",
                operand => operand,
            };
            return Err(Box::new(fault.help(format!("`!{operand}`"))));
        }
        Ok(())
    }
}
