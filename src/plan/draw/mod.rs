//! A plan as a drawing: what is read, what is done, what is kept, what is written.
//!
//! [`Drawing`] says what there is to draw, once for all formats; each format is a pure function to text, the same on
//! every run. The picture is laid out here: `layers` gives each thing a column and an order in it, `places` gives it
//! a place, `svg` paints.

mod dot;
mod layers;
mod mermaid;
mod places;
mod svg;
mod text;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::text;

use super::{NodePlan, Plan, REPARTITION, Role};

/// What a thing is, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Topic,
    Source,
    Node,
    /// A node that keeps a table.
    Table,
    Sink,
}

/// A thing in the drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    look: Look,
    name: String,
    /// The kind, and what was understood; empty for a topic.
    about: String,
}

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrow {
    from: usize,
    to: usize,
    /// The route that it takes out of a branch.
    route: Option<String>,
    /// Rows are looked up, records do not flow.
    reads: bool,
}

/// All there is to draw. Each thing stands behind whatever has an arrow to it: topics that are read, sources, nodes
/// in the plan's order, topics that are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Drawing {
    things: Vec<Thing>,
    arrows: Vec<Arrow>,
}

impl Drawing {
    fn of(plan: &Plan) -> Self {
        let mut drawing = Drawing::default();
        for topic in plan.topics.all().iter().filter(|topic| topic.role == Role::Input) {
            drawing.thing(Look::Topic, &topic.name, "");
        }
        for source in plan.named_sources() {
            let at = drawing.thing(Look::Source, &source.name, "source");
            for topic in &source.topics {
                let name = &plan.topics.get(*topic).name;
                let from = drawing.things.iter().position(|t| t.look == Look::Topic && t.name == *name);
                drawing.arrow(from, at, None, false);
            }
        }
        for node in &plan.nodes {
            drawing.node(node);
        }
        for node in &plan.nodes {
            drawing.written(node, plan.nodes.len() + plan.named_sources().count());
        }
        drawing
    }

    fn node(&mut self, node: &NodePlan) {
        let look = match (&node.target, &node.table) {
            (Some(_), _) if node.kind != REPARTITION => Look::Sink,
            (_, Some(_)) => Look::Table,
            (_, None) => Look::Node,
        };
        let about =
            if node.what.is_empty() { node.kind.to_owned() } else { format!("{} {}", node.kind, node.what) };
        let at = self.thing(look, &node.name, &about);
        for input in &node.inputs {
            let (name, route) = match input.split_once('.') {
                Some((name, route)) => (name, Some(route.to_owned())),
                None => (input.as_str(), None),
            };
            self.arrow(self.find(name), at, route, false);
        }
        if let Some(table) = &node.reads {
            self.arrow(self.find(table), at, None, true);
        }
    }

    /// The topic of a sink. Several sinks may write one.
    fn written(&mut self, node: &NodePlan, inner: usize) {
        let Some(target) = node.target.as_ref().filter(|_| node.kind != REPARTITION) else { return };
        let inputs = self.things.iter().take_while(|thing| thing.look == Look::Topic).count();
        let known = self.things.iter().skip(inputs + inner).position(|thing| thing.name == *target);
        let to = match known {
            Some(at) => inputs + inner + at,
            None => self.thing(Look::Topic, target, ""),
        };
        self.arrow(self.find(&node.name), to, None, false);
    }

    fn thing(&mut self, look: Look, name: &str, about: &str) -> usize {
        self.things.push(Thing { look, name: one_line(name), about: one_line(about) });
        self.things.len() - 1
    }

    fn arrow(&mut self, from: Option<usize>, to: usize, route: Option<String>, reads: bool) {
        if let Some(from) = from {
            self.arrows.push(Arrow { from, to, route, reads });
        }
    }

    /// A source or node; those have names of their own, which a topic may have, too.
    fn find(&self, name: &str) -> Option<usize> {
        self.things.iter().position(|thing| thing.look != Look::Topic && thing.name == name)
    }
}

/// Expressions may run over several lines, and hold what no text format likes.
fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
