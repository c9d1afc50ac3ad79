//! A plan as text: what `check` prints of a file that is sound.

use super::source::SourcePlan;
use super::{NodePlan, Plan, REPARTITION};
use std::collections::HashMap;
use std::fmt::Write;

/// One line of the tree.
#[derive(Debug)]
struct Line {
    tree: String,
    kind: String,
    what: String,
    rest: String,
}

/// How a source or node hangs in the tree.
#[derive(Clone, Copy, Debug)]
struct Hanging<'h> {
    /// What stands before its name.
    branch: &'h str,
    /// What stands before the names below it.
    below: &'h str,
}

impl Plan {
    /// What was understood of the file, for a person.
    pub fn explain(&self, path: &str) -> String {
        let (summary, creates) = (self.summary(), self.creates().join(", "));
        format!("{path} is sound: {summary}\n\n{}\n  creates: {creates}\n", self.tree())
    }

    /// Sources, and what stands behind each, a line each.
    pub fn tree(&self) -> String {
        let tree = Tree::of(self);
        let mut lines = vec![];
        for source in self.named_sources() {
            lines.push(Line {
                tree: source.name.clone(),
                kind: "source".to_owned(),
                what: self.topics_of(source),
                rest: promises(source),
            });
            self.below(&tree, &source.name, &mut lines);
        }
        let width = |of: fn(&Line) -> &str| lines.iter().map(|l| of(l).chars().count()).max().unwrap_or(0);
        let (tree, kind, what) = (width(|l| &l.tree), width(|l| &l.kind), width(|l| &l.what));
        let mut out = String::new();
        for line in &lines {
            let Line { tree: t, kind: k, what: w, rest } = line;
            let text = format!("  {t:tree$}   {k:kind$}  {w:what$}  {rest}");
            let _ = writeln!(out, "{}", text.trim_end());
        }
        out
    }

    /// "1 source, 5 nodes, 2 sinks, exactly once".
    pub fn summary(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let nodes = self.nodes.iter().filter(|n| n.kind != REPARTITION).count();
        let sinks = self.nodes.iter().filter(|n| n.kind == "sink").count();
        let guarantee = if self.settings.exactly_once { "exactly once" } else { "at least once" };
        [
            count(self.named_sources().count(), "source"),
            count(nodes - sinks, "node"),
            count(sinks, "sink"),
            guarantee.to_owned(),
        ]
        .join(", ")
    }

    /// The topics that the pipeline makes for itself.
    pub fn creates(&self) -> Vec<String> {
        let internal: Vec<_> =
            self.topics.all().iter().filter(|t| t.role.is_internal()).map(|t| t.name.clone()).collect();
        if internal.is_empty() { vec!["nothing".to_owned()] } else { internal }
    }

    fn topics_of(&self, source: &SourcePlan) -> String {
        let names: Vec<_> = source.topics.iter().map(|t| self.topics.get(*t).name.as_str()).collect();
        names.join(", ")
    }

    /// The lines of what stands behind a source. The list takes the place of the stack: chains may be long.
    fn below(&self, tree: &Tree<'_>, source: &str, lines: &mut Vec<Line>) {
        let mut todo = tree.children(source, true);
        todo.reverse();
        let mut todo: Vec<_> =
            todo.into_iter().map(|(node, hanging)| (node, String::new(), hanging)).collect();
        while let Some((node, indent, hanging)) = todo.pop() {
            lines.push(self.line(tree, node, &indent, hanging));
            let below = format!("{indent}{}", hanging.below);
            let children = tree.children(&node.name, false).into_iter().rev();
            todo.extend(children.map(|(child, hanging)| (child, below.clone(), hanging)));
        }
    }

    fn line(&self, tree: &Tree<'_>, node: &NodePlan, indent: &str, hanging: Hanging<'_>) -> Line {
        let mut rest = vec![];
        let arrows: Vec<_> = tree.under(&node.name).iter().filter_map(|n| arrow(n)).collect();
        if !arrows.is_empty() {
            rest.push(format!("→ {}", arrows.join(", ")));
        }
        if let Some(target) = node.target.as_deref() {
            rest.push(format!("→ {target}"));
        }
        if node.inputs.len() > 1 {
            rest.push(format!("merges {}", node.inputs.join(", ")));
        } else if let Some(route) = node.inputs.first().filter(|i| i.contains('.')) {
            rest.push(format!("from {route}"));
        }
        Line {
            tree: format!("{indent}{}{}", hanging.branch, node.name),
            kind: node.kind.to_owned(),
            // An expression may run over several lines; this is one.
            what: short(&node.what.lines().map(str::trim).collect::<Vec<_>>().join(" ")),
            rest: rest.join(", "),
        }
    }
}

/// Whose line stands under whose.
struct Tree<'p>(HashMap<&'p str, Vec<&'p NodePlan>>);

impl<'p> Tree<'p> {
    /// A node's line stands under that of its first input, or of the table it reads.
    fn of(plan: &'p Plan) -> Self {
        let mut tree: HashMap<&str, Vec<&NodePlan>> = HashMap::new();
        for node in &plan.nodes {
            let first = node.inputs.first().and_then(|first| first.split('.').next());
            if let Some(above) = node.reads.as_deref().or(first) {
                tree.entry(above).or_default().push(node);
            }
        }
        Tree(tree)
    }

    fn under(&self, name: &str) -> &[&'p NodePlan] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The nodes under a name, each with how it hangs. A sink that is said with an arrow has no line of its own; that
    /// of a source needs one. What hangs under a source is drawn as if more came: the next source may follow.
    fn children(&self, name: &str, source: bool) -> Vec<(&'p NodePlan, Hanging<'static>)> {
        let (arrows, mut children): (Vec<_>, Vec<_>) =
            self.under(name).iter().copied().partition(|node| arrow(node).is_some());
        children.sort_by_key(|node| node.place);
        if source {
            children.extend(arrows);
        }
        let last = children.len().saturating_sub(1);
        let hanging = |at: usize| match at == last && !source {
            true => Hanging { branch: "└ ", below: "  " },
            false => Hanging { branch: "├ ", below: "│ " },
        };
        children.into_iter().enumerate().map(|(at, node)| (node, hanging(at))).collect()
    }
}

/// What was understood, within a line: an expression may be long, and of several lines.
fn short(what: &str) -> String {
    const MOST: usize = 72;
    let line = |c: char| if c.is_control() { ' ' } else { c };
    match what.char_indices().nth(MOST) {
        Some((end, _)) => what[..end].chars().map(line).chain(['…']).collect(),
        None => what.chars().map(line).collect(),
    }
}

/// The topic of a sink that is said on its input's line.
fn arrow(node: &NodePlan) -> Option<&str> {
    let simple = node.inputs.len() == 1 && !node.inputs[0].contains('.') && node.kind != REPARTITION;
    node.target.as_deref().filter(|_| simple)
}

/// What a source's records promise.
fn promises(source: &SourcePlan) -> String {
    let mut promises = vec![];
    if let Some(key) = &source.key {
        promises.push(format!("keyed by {}", key.name));
    }
    if let Some((name, _)) = &source.event_time {
        promises.push(format!("time from {name}"));
    }
    promises.join(", ")
}
