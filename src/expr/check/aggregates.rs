//! Aggregates in `compute`: the argument is an expression over one record of the input, the result a cell of the row.

use super::{Checker, Scope};
use crate::diagnostic::Code;
use crate::expr::aggregate::Aggregate;
use crate::expr::functions::{Function, Stands};
use crate::expr::parse::Ast;
use crate::expr::tree::Node;
use crate::expr::{AggregateCall, ByNames, Expression, Names, Setting};
use crate::types::{Kind, Type};
use std::ops::Range;

impl Checker<'_> {
    /// An aggregate: its argument is an expression over the input, its result a cell of the row.
    pub(super) fn aggregate(
        &mut self,
        ast: &Ast,
        function: &Function,
        head: &Range<usize>,
        arguments: &[Ast],
    ) -> Option<Node> {
        let aggregate = Aggregate::named(function.name)?;
        if !matches!(self.scope, Scope::Row { .. }) {
            self.no_aggregate(function, head);
            return None;
        }
        let counted = match function.stands {
            Stands::Both => true,
            _ => self.counts(function, ast, arguments),
        };
        if !counted {
            return None;
        }
        let argument = match arguments {
            [argument] => Some(self.over_input(argument)?),
            _ => None,
        };
        let of = argument.as_ref().map_or(Type::required(Kind::Int), |argument| argument.ty);
        let ty = match aggregate.gives(of) {
            Ok(ty) => ty,
            Err(needs) => return self.wrong_aggregate(function, &arguments[0], of, needs),
        };
        let text = self.normal(ast);
        let known = self.cells.iter().find(|(known, _)| *known == text).map(|(_, field)| *field);
        let field = match known {
            Some(field) => field,
            None => {
                let place = self.passage.at(ast.range.clone());
                let call = AggregateCall { function: aggregate, argument, ty, text: text.clone(), place };
                let Scope::Row { row, .. } = &mut self.scope else { return None };
                let field = row.aggregate(call);
                self.cells.push((text, field));
                field
            }
        };
        Some(self.field_node(field, &ast.range))
    }

    fn no_aggregate(&mut self, function: &Function, head: &Range<usize>) {
        let name = function.name;
        let message = format!("`{name}` summarises many records, and here is one");
        let fault = self.fault(Code::AggregateOutsideCompute, head, message);
        self.faults.push(match function.stands {
            Stands::Both => fault.help(format!("`{name}(a, b)` compares two values of one record")),
            _ => fault.help("aggregates stand in `compute` of a window, not inside of each other"),
        });
    }

    fn wrong_aggregate(
        &mut self,
        function: &Function,
        argument: &Ast,
        ty: Type,
        needs: &str,
    ) -> Option<Node> {
        let message = format!("`{}` needs {needs}, found {ty}", function.name);
        let fault = self.fault(Code::TypeMismatch, &argument.range, message).label(ty.to_string());
        self.faults.push(fault);
        None
    }

    /// An argument of an aggregate sees one record of the input.
    fn over_input(&mut self, argument: &Ast) -> Option<Expression> {
        let Scope::Row { input, .. } = &mut self.scope else { return None };
        let input: &mut dyn Names = &mut **input;
        let before = self.faults.len();
        let node = {
            let scope = Scope::Record(&mut *input);
            Checker::new(self.passage, scope, Setting::Record, self.faults).node(argument)
        };
        debug_assert!(node.is_some() || self.faults.len() > before, "no node without a fault");
        Some(Expression::new(node?, &self.passage.text, &mut ByNames(input)))
    }

    /// A text without white space outside of quotes, so that equal calls have equal texts.
    fn normal(&self, ast: &Ast) -> String {
        let mut quoted = false;
        let mut escaped = false;
        let keep = |c: &char| {
            let closes = *c == '"' && !escaped;
            escaped = quoted && *c == '\\' && !escaped;
            quoted ^= closes;
            quoted || !c.is_whitespace()
        };
        self.text(&ast.range).chars().filter(keep).collect()
    }
}
