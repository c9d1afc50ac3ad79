//! Functions with an argument that is prepared at check time: regular expressions, time formats, names of fields.

use super::Checker;
use crate::diagnostic::Code;
use crate::expr::functions::{self, Function, Takes};
use crate::expr::parse::Ast;
use crate::expr::time;
use crate::expr::tree::{Constant, Node};
use crate::types::Kind;

impl Checker<'_> {
    /// An argument that must be known at check time.
    pub(super) fn constant_text(&mut self, argument: &Ast, function: &Function) -> Option<String> {
        let node = self.argument(argument, function, Takes::Constant, argument)?;
        match node.as_constant() {
            Some(Constant::Text(text)) => Some(text.clone()),
            _ => {
                let message = format!("`{}` needs a text that is known before any record is", function.name);
                let fault = self.fault(Code::NeedsConstant, &argument.range, message);
                self.faults.push(fault.help("a text in quotes, or a param"));
                None
            }
        }
    }

    fn bad_pattern(&mut self, argument: &Ast, message: String) -> Option<Node> {
        self.faults.push(self.fault(Code::BadPattern, &argument.range, message));
        None
    }

    pub(super) fn matches(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let text = self.argument(&arguments[0], function, Takes::Text, ast);
        let pattern = self.constant_text(&arguments[1], function)?;
        match regex::Regex::new(&pattern) {
            Ok(regex) => self.run(ast, Kind::Bool, functions::matches(regex), None, vec![text?]),
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.bad_pattern(&arguments[1], format!("this is no regular expression: {reason}"))
            }
        }
    }

    pub(super) fn format_time(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let when = self.argument(&arguments[0], function, Takes::Timestamp, ast);
        let format = self.constant_text(&arguments[1], function)?;
        match time::check_format(&format) {
            Ok(()) => self.run(ast, Kind::String, functions::format_time(format), Some(BEYOND), vec![when?]),
            Err(error) => self.bad_pattern(&arguments[1], format!("this is no time format: {error}")),
        }
    }

    pub(super) fn parse_time(&mut self, ast: &Ast, function: &Function, arguments: &[Ast]) -> Option<Node> {
        let text = self.argument(&arguments[0], function, Takes::Text, ast);
        let format = match arguments.get(1) {
            Some(argument) => Some((argument, self.constant_text(argument, function)?)),
            None => None,
        };
        if let Some((argument, format)) = &format
            && let Err(error) = time::check_parse_format(format)
        {
            return self.bad_pattern(argument, format!("no time can be read in this format: {error}"));
        }
        let run = functions::parse_time(format.map(|(_, format)| format));
        self.run(ast, Kind::Timestamp, run, Some("text that is no time"), vec![text?])
    }
}

const BEYOND: &str = "time beyond the year 9999";
