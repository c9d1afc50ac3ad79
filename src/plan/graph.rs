//! The nodes of the file by name, who feeds whom, and an order in which each comes behind what feeds it.

use super::faults::Faults;
use super::kind::OperatorKind;
use super::names;
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::operators;
use crate::spec::{Entry, Table, Value};

/// What a `[kind.name]` is.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// A source.
    Source,
    /// A node or a sink.
    Node(&'static OperatorKind),
}

impl What {
    /// The kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            What::Source => "source",
            What::Node(kind) => kind.name,
        }
    }
}

/// A `[kind.name]` of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section<'s> {
    /// What it is.
    pub what: What,
    /// Its name.
    pub name: &'s str,
    /// Where the name stands.
    pub place: Place,
    /// Its keys and values.
    pub table: &'s Table,
}

/// One of the inputs of a section.
#[derive(Clone, Debug)]
pub struct Link<'s> {
    /// The name as it is written, a route's included.
    pub text: &'s Passage,
    /// The section it names.
    pub to: usize,
    /// The named output of it, if it names one.
    pub route: Option<&'s str>,
}

/// The sections, what feeds each, and an order.
#[derive(Debug)]
pub struct Graph<'s> {
    /// In the order of the file.
    pub sections: Vec<Section<'s>>,
    /// What each names in `from`; a name that is no section is left out and has been reported.
    pub inputs: Vec<Vec<Link<'s>>>,
    /// The node whose table each names in `table`.
    pub tables: Vec<Option<Link<'s>>>,
    /// Whether a section names something in `from` or `table` that could not be found: nothing is known of it.
    pub broken: Vec<bool>,
    /// Each behind what feeds it, otherwise as in the file.
    pub order: Vec<usize>,
}

/// Reads all `[kind.name]`s of the file.
pub fn read<'s>(root: &'s Table, faults: &mut Faults) -> Graph<'s> {
    let sections = sections(root, faults);
    let mut graph = Graph {
        inputs: vec![],
        tables: vec![],
        broken: vec![false; sections.len()],
        order: vec![],
        sections,
    };
    for at in 0..graph.sections.len() {
        let (inputs, table) = graph.links(at, faults);
        graph.inputs.push(inputs);
        graph.tables.push(table);
    }
    graph.order = graph.sorted(faults);
    graph
}

fn sections<'s>(root: &'s Table, faults: &mut Faults) -> Vec<Section<'s>> {
    let mut sections: Vec<Section<'s>> = vec![];
    for entry in &root.entries {
        let what = match entry.key.as_str() {
            "source" => What::Source,
            kind => match operators::KINDS.iter().find(|k| k.name == kind) {
                Some(kind) => What::Node(kind),
                None => continue,
            },
        };
        let Some(table) = entry.value.as_table() else {
            faults.add(not_a_table(&entry.key, entry));
            continue;
        };
        for inner in &table.entries {
            let Some(table) = inner.value.as_table() else {
                faults.add(no_name(&entry.key, inner));
                continue;
            };
            let section = Section { what, name: &inner.key, place: inner.place, table };
            named(&section, &sections, faults);
            sections.push(section);
        }
    }
    sections.sort_by_key(|s| s.place);
    sections
}

fn not_a_table(kind: &str, entry: &Entry) -> Diagnostic {
    Diagnostic::error(Code::WrongForm, format!("`{kind}` needs a name"), entry.place)
        .help(format!("write `[{kind}.NAME]` and its keys below"))
}

/// `[filter]` with keys right inside: the name is missing.
fn no_name(kind: &str, entry: &Entry) -> Diagnostic {
    Diagnostic::error(Code::WrongForm, format!("`[{kind}]` has no name"), entry.place)
        .label(format!("this would be a {kind} called `{}`", entry.key))
        .help(format!("write `[{kind}.NAME]` above its keys"))
}

fn named(section: &Section<'_>, before: &[Section<'_>], faults: &mut Faults) {
    if !names::is_name(section.name) {
        faults.add(names::bad_name(section.name, section.place));
    }
    if section.name == names::DEAD_LETTERS {
        faults.add(
            Diagnostic::error(Code::DuplicateName, "`dead_letters` is taken", section.place)
                .label("every pipeline has an output of this name"),
        );
    }
    if let Some(first) = before.iter().find(|s| s.name == section.name) {
        faults.add(
            Diagnostic::error(
                Code::DuplicateName,
                format!("`{}` is both a {} and a {}", section.name, first.what.kind(), section.what.kind()),
                section.place,
            )
            .also(first.place, "first here")
            .help("sources, nodes and sinks share one name space: rename one of them"),
        );
    }
}

impl<'s> Graph<'s> {
    /// The section of a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.sections.iter().position(|s| s.name == name)
    }

    fn links(&mut self, at: usize, faults: &mut Faults) -> (Vec<Link<'s>>, Option<Link<'s>>) {
        let table = self.sections[at].table;
        let texts = |key: &str| -> Vec<&'s Passage> {
            let values = table.get(key).map(|e| e.value.one_or_many()).unwrap_or_default();
            values.iter().filter_map(Value::as_text).collect()
        };
        let mut inputs: Vec<Link<'s>> = vec![];
        let What::Node(kind) = self.sections[at].what else { return (inputs, None) };
        let takes = |key| kind.keys.iter().any(|k| k.name == key);
        if takes("from") {
            for text in texts("from") {
                match self.link(text, faults) {
                    Some(link) if inputs.iter().any(|i| i.to == link.to && i.route == link.route) => {
                        faults.add(Diagnostic::error(
                            Code::DuplicateName,
                            format!("`{}` is merged with itself", text.text),
                            text.whole(),
                        ));
                    }
                    Some(link) => inputs.push(link),
                    None => self.broken[at] = true,
                }
            }
        }
        let reads = texts("table").first().copied().filter(|_| takes("table"));
        let table = reads.and_then(|text| self.table_link(text, faults));
        self.broken[at] |= reads.is_some() && table.is_none();
        (inputs, table)
    }

    /// A name in `from`: a source, a node, or a named output of one.
    fn link(&self, text: &'s Passage, faults: &mut Faults) -> Option<Link<'s>> {
        let (name, route) = match text.text.split_once('.') {
            Some((name, route)) => (name, Some(route)),
            None => (text.text.as_str(), None),
        };
        let Some(to) = self.find(name) else {
            faults.add(self.unknown(text, name));
            return None;
        };
        match self.sections[to].what {
            What::Node(kind) if !kind.has_output => {
                faults.add(
                    Diagnostic::error(
                        Code::NotAnInput,
                        format!("nothing comes out of `{name}`, a {}", kind.name),
                        text.whole(),
                    )
                    .also(self.sections[to].place, "declared here")
                    .help("name what feeds it instead"),
                );
                None
            }
            _ => Some(Link { text, to, route }),
        }
    }

    fn table_link(&self, text: &'s Passage, faults: &mut Faults) -> Option<Link<'s>> {
        let Some(to) = self.find(&text.text) else {
            faults.add(self.unknown(text, &text.text));
            return None;
        };
        let keeps =
            matches!(self.sections[to].what, What::Node(kind) if kind.keys.iter().any(|k| k.name == "was"));
        if keeps {
            return Some(Link { text, to, route: None });
        }
        let kind = self.sections[to].what.kind();
        faults.add(
            Diagnostic::error(
                Code::NoTable,
                format!("`{}` is a {kind} and has no table", text.text),
                text.whole(),
            )
            .also(self.sections[to].place, "declared here")
            .help("name a count or a window"),
        );
        None
    }

    fn unknown(&self, text: &Passage, name: &str) -> Diagnostic {
        let outputs = self.sections.iter().filter(|s| match s.what {
            What::Source => true,
            What::Node(kind) => kind.has_output,
        });
        let names: Vec<_> = outputs.map(|s| s.name).collect();
        let fault = Diagnostic::error(
            Code::UnknownNode,
            format!("there is no source or node `{name}`"),
            text.whole(),
        )
        .suggest(name, names.iter().copied());
        if name == names::DEAD_LETTERS {
            return fault.help("dead letters leave the pipeline: read their topic in another source");
        }
        match names.is_empty() {
            true => fault,
            false => fault.note(format!("there are {}", names.join(", "))),
        }
    }

    /// Everything behind what feeds it. What lies on a circle is reported once, and then takes part as if the link
    /// that closes the circle were not there.
    fn sorted(&mut self, faults: &mut Faults) -> Vec<usize> {
        let mut order = vec![];
        let mut state = vec![Visit::New; self.sections.len()];
        for at in 0..self.sections.len() {
            self.visit(at, &mut state, &mut vec![], &mut order, faults);
        }
        order
    }

    fn visit(
        &mut self,
        at: usize,
        state: &mut [Visit],
        path: &mut Vec<usize>,
        order: &mut Vec<usize>,
        faults: &mut Faults,
    ) {
        if state[at] != Visit::New {
            return;
        }
        state[at] = Visit::Open;
        path.push(at);
        let links: Vec<_> = self.inputs[at].iter().chain(&self.tables[at]).cloned().collect();
        for link in links {
            if state[link.to] == Visit::Open {
                faults.add(self.cycle(path, &link));
                self.broken[at] = true;
                self.inputs[at].retain(|l| l.to != link.to);
                self.tables[at] = self.tables[at].take().filter(|l| l.to != link.to);
            } else {
                self.visit(link.to, state, path, order, faults);
            }
        }
        path.pop();
        state[at] = Visit::Done;
        order.push(at);
    }

    fn cycle(&self, path: &[usize], link: &Link<'_>) -> Diagnostic {
        let from = path.iter().position(|p| *p == link.to).unwrap_or(0);
        // The path leads against the stream; said with it, it reads as the records would go.
        let mut names: Vec<_> = path[from..].iter().rev().map(|p| self.sections[*p].name).collect();
        names.push(names[0]);
        let names: Vec<_> = names.iter().map(|n| format!("`{n}`")).collect();
        let fault = Diagnostic::error(
            Code::Cycle,
            format!("records would go in a circle: {}", names.join(" → ")),
            link.text.whole(),
        )
        .label("this closes the circle");
        match link.to == path[path.len() - 1] {
            true => fault,
            false => fault.also(self.sections[link.to].place, "which starts here"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}
