//! Warnings: what is declared and never used, and merges that a record can pass twice.

use super::faults::Faults;
use super::graph::{Graph, What};
use super::kind::Rows;
use super::schema::Schema;
use super::scope::Shared;
use crate::diagnostic::{Code, Diagnostic};
use std::cell::RefCell;

/// Adds the warnings.
pub fn warn(graph: &Graph<'_>, shared: &RefCell<Shared>, schemas: &[Schema], faults: &mut Faults) {
    for param in shared.borrow().params.all().iter().filter(|p| !p.used) {
        faults.add(Diagnostic::warning(
            Code::Unused,
            format!("no expression and no setting uses the param `{}`", param.name),
            param.place,
        ));
    }
    for schema in schemas.iter().filter(|s| !s.used) {
        let message = format!("no source has the schema `{}`", schema.name);
        faults.add(Diagnostic::warning(Code::Unused, message, schema.place));
    }
    nodes(graph, faults);
    twice(graph, faults);
    let misread = |d: &Diagnostic| {
        use Code::{Empty, ReservedKind, UnknownKey, UnknownKind, UnknownSection, WrongForm};
        matches!(d.code, Empty | ReservedKind | UnknownKey | UnknownKind | UnknownSection | WrongForm)
    };
    if graph.sections.is_empty() && !faults.found.iter().any(misread) {
        faults.add(
            Diagnostic::file(Code::NoOutput, "the file has no source and no node")
                .help("`streamrun new NAME` writes one to start from"),
        );
    }
}

/// What hands records on to nobody, and keeps nothing of them either.
fn nodes(graph: &Graph<'_>, faults: &mut Faults) {
    let mut read = vec![false; graph.sections.len()];
    for link in graph.inputs.iter().flatten().chain(graph.tables.iter().flatten()) {
        read[link.to] = true;
    }
    for (at, section) in graph.sections.iter().enumerate() {
        let keeps = match section.what {
            What::Source => false,
            What::Node(kind) => {
                !kind.has_output || matches!(kind.rows, Rows::Keeps | Rows::Makes | Rows::Reads)
            }
        };
        if keeps || read[at] {
            continue;
        }
        let kind = section.what.kind();
        let message = format!("nothing reads from the {kind} `{}`", section.name);
        faults.add(
            Diagnostic::warning(Code::Unused, message, section.place)
                .help(format!("add a sink: `[sink.NAME]` with `from = \"{}\"`", section.name)),
        );
    }
}

/// A way from a source to a node: the source, and the routes taken on it.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    source: usize,
    routes: Vec<(usize, Option<String>)>,
}

/// More ways than this are not told apart.
const MAX_WAYS: usize = 64;

/// A record that can reach a merge on two ways passes it twice.
fn twice(graph: &Graph<'_>, faults: &mut Faults) {
    let mut ways: Vec<Vec<Way>> = vec![vec![]; graph.sections.len()];
    for at in &graph.order {
        let inputs: Vec<Vec<Way>> =
            graph.inputs[*at].iter().map(|link| through(graph, link, &ways)).collect();
        for (i, later) in inputs.iter().enumerate() {
            let met = inputs[..i].iter().position(|earlier| meet(graph, earlier, later));
            if let Some(first) = met {
                let (first, second) = (&graph.inputs[*at][first], &graph.inputs[*at][i]);
                faults.add(
                    Diagnostic::warning(
                        Code::TwicePassed,
                        format!("a record can pass `{}` twice", graph.sections[*at].name),
                        second.text.whole(),
                    )
                    .label("once on this way")
                    .also(first.text.whole(), "and once on this one")
                    .help("routes of a branch exclude each other: merge those"),
                );
                break;
            }
        }
        ways[*at] = match graph.sections[*at].what {
            What::Source => vec![Way { source: *at, routes: vec![] }],
            // Rows that a node makes are other records than those it gets.
            What::Node(kind) if kind.rows == Rows::Makes || kind.rows == Rows::Reads => {
                vec![Way { source: *at, routes: vec![] }]
            }
            What::Node(_) => inputs.into_iter().flatten().take(MAX_WAYS).collect(),
        };
    }
}

fn through(graph: &Graph<'_>, link: &super::graph::Link<'_>, ways: &[Vec<Way>]) -> Vec<Way> {
    let branches = graph.sections[link.to].table.get("routes").is_some();
    let mut through = ways[link.to].clone();
    for way in through.iter_mut().filter(|_| branches) {
        way.routes.push((link.to, link.route.map(str::to_owned)));
    }
    through
}

/// Whether one record can come on both ways: from one source, and nowhere along two routes that exclude each other.
fn meet(graph: &Graph<'_>, a: &[Way], b: &[Way]) -> bool {
    let excluded = |x: &Way, y: &Way| {
        x.routes.iter().any(|(branch, route)| {
            let other = y.routes.iter().find(|(b, _)| b == branch);
            other.is_some_and(|(_, other)| other != route && !looks_further(graph, *branch))
        })
    };
    a.iter().any(|x| b.iter().any(|y| x.source == y.source && !excluded(x, y)))
}

/// Whether a branch has a route that lets records look at the others.
fn looks_further(graph: &Graph<'_>, branch: usize) -> bool {
    let routes =
        graph.sections[branch].table.get("routes").and_then(|e| e.value.as_array()).unwrap_or_default();
    routes.iter().filter_map(|r| r.as_table()).any(|r| r.get("all").is_some())
}
