//! The nodes of the file by name, who feeds whom, and an order in which each comes behind what feeds it.

use super::faults::Faults;
use super::kind::OperatorKind;
use super::names::{self, some};
use super::{source, toplevel};
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::operators;
use crate::spec::{Entry, Item, Table, Value};
use std::collections::HashMap;

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
    /// The sections by name; of two with one name the first.
    names: HashMap<&'s str, usize>,
    /// Names whose sections are at fault themselves: nothing more is said of them.
    hidden: Vec<&'s str>,
}

/// More sections than this are no pipeline. Nodes, topics and files are numbered with 16 bits.
pub const MAX_SECTIONS: usize = 10_000;

/// Reads all `[kind.name]`s of the file.
pub fn read<'s>(root: &'s Table, faults: &mut Faults) -> Graph<'s> {
    let (mut sections, hidden) = sections(root, faults);
    if sections.len() > MAX_SECTIONS {
        let message = format!("{} sources, nodes and sinks; at most {MAX_SECTIONS} can be", sections.len());
        faults.add(Diagnostic::error(Code::TooLarge, message, sections[MAX_SECTIONS].place));
        sections.truncate(MAX_SECTIONS);
    }
    let mut names = HashMap::new();
    for (at, section) in sections.iter().enumerate() {
        names.entry(section.name).or_insert(at);
    }
    let broken = vec![false; sections.len()];
    let mut graph = Graph { inputs: vec![], tables: vec![], broken, order: vec![], sections, names, hidden };
    for at in 0..graph.sections.len() {
        let (inputs, table) = graph.links(at, faults);
        graph.inputs.push(inputs);
        graph.tables.push(table);
    }
    graph.order = graph.sorted(faults);
    graph
}

/// The sections in the order of the file, and the names of what could have been one.
fn sections<'s>(root: &'s Table, faults: &mut Faults) -> (Vec<Section<'s>>, Vec<&'s str>) {
    let (mut sections, mut hidden) = (vec![], vec![]);
    for entry in &root.entries {
        let what = match entry.key.as_str() {
            "source" => What::Source,
            kind => match operators::KINDS.iter().find(|k| k.name == kind) {
                Some(kind) => What::Node(kind),
                None if toplevel::is_known(kind) => continue,
                None => {
                    let inner = entry.value.as_table().map(|t| t.entries.as_slice()).unwrap_or_default();
                    hidden.extend(inner.iter().map(|e| e.key.as_str()));
                    continue;
                }
            },
        };
        match entry.value.as_table() {
            Some(table) => of_kind(what, table, entry, &mut sections, faults),
            None => faults.add(not_a_table(&entry.key, entry)),
        }
    }
    sections.sort_by_key(|s| s.place);
    let mut first: HashMap<&str, Section<'_>> = HashMap::new();
    for section in &sections {
        named(section, first.get(section.name), faults);
        first.entry(section.name).or_insert(*section);
    }
    (sections, hidden)
}

/// All sections of a kind.
fn of_kind<'s>(
    what: What,
    table: &'s Table,
    kind: &Entry,
    sections: &mut Vec<Section<'s>>,
    faults: &mut Faults,
) {
    let mut nameless = false;
    for inner in &table.entries {
        let found = match (&inner.value.item, inner.value.as_array().and_then(<[Value]>::first)) {
            (Item::Table(found), _) => Some(found),
            (_, Some(Value { item: Item::Table(found), .. })) => {
                faults.add(twice_bracketed(what.kind(), inner));
                Some(found)
            }
            _ => None,
        };
        match found {
            Some(found) => {
                let table = dotted(what, inner, found, faults).unwrap_or(found);
                sections.push(Section { what, name: &inner.key, place: inner.place, table });
            }
            // One header without a name, however many keys stand below it.
            None if nameless => {}
            None => {
                nameless = true;
                faults.add(no_name(what.kind(), kind, inner));
            }
        }
    }
}

fn not_a_table(kind: &str, entry: &Entry) -> Diagnostic {
    Diagnostic::error(Code::WrongForm, format!("`{kind}` needs a name"), entry.place)
        .help(format!("write `[{kind}.NAME]` and its keys below"))
}

/// `[filter]` with keys right inside: the name is missing.
fn no_name(kind: &str, entry: &Entry, inner: &Entry) -> Diagnostic {
    Diagnostic::error(Code::WrongForm, format!("`[{kind}]` has no name"), entry.place)
        .also(inner.place, format!("this would be a {kind} called `{}`", inner.key))
        .help(format!("write `[{kind}.NAME]`"))
}

fn twice_bracketed(kind: &str, inner: &Entry) -> Diagnostic {
    let name = &inner.key;
    Diagnostic::error(Code::WrongForm, format!("`{kind}.{name}` is a list"), inner.place)
        .help(format!("write `[{kind}.{name}]`, once bracketed"))
}

/// `[filter.a.b]`: what is in it, with the fault that its name is none.
fn dotted<'s>(what: What, inner: &Entry, table: &'s Table, faults: &mut Faults) -> Option<&'s Table> {
    let keys = match what {
        What::Source => source::KEYS,
        What::Node(kind) => kind.keys,
    };
    let [only] = table.entries.as_slice() else { return None };
    let found = only.value.as_table().filter(|_| !keys.iter().any(|k| k.name == only.key))?;
    let place = Place { start: inner.place.start, end: only.place.end.max(inner.place.end) };
    faults.add(names::bad_name(&format!("{}.{}", inner.key, only.key), place));
    Some(found)
}

fn named(section: &Section<'_>, first: Option<&Section<'_>>, faults: &mut Faults) {
    if !names::is_name(section.name) {
        faults.add(names::bad_name(section.name, section.place));
    }
    if section.name == names::DEAD_LETTERS {
        faults.add(
            Diagnostic::error(Code::DuplicateName, "`dead_letters` is taken", section.place)
                .label("every pipeline has an output of this name"),
        );
    }
    if let Some(first) = first {
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
        self.names.get(name).copied()
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
            let fault = self.unknown(text, name, faults.are_many());
            faults.found.extend(fault);
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
            let fault = self.unknown(text, &text.text, faults.are_many());
            faults.found.extend(fault);
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

    /// The fault of a name that nothing has, unless what has it is at fault itself.
    fn unknown(&self, text: &Passage, name: &str, brief: bool) -> Option<Diagnostic> {
        if self.hidden.contains(&name) {
            return None;
        }
        let message = format!("there is no source or node `{name}`");
        let fault = Diagnostic::error(Code::UnknownNode, message, text.at(0..name.len()));
        if brief {
            return Some(fault);
        }
        let outputs = self.sections.iter().filter(|s| match s.what {
            What::Source => true,
            What::Node(kind) => kind.has_output,
        });
        let names: Vec<_> = outputs.map(|s| s.name).collect();
        let fault = fault.suggest(name, names.iter().copied());
        if name == names::DEAD_LETTERS {
            return Some(fault.help("dead letters leave the pipeline: read their topic in another source"));
        }
        Some(match names.is_empty() {
            true => fault,
            false => fault.note(format!("sources and nodes: {}", some(&names))),
        })
    }

    /// Everything behind what feeds it. What lies on a circle is reported once, and then takes part as if the link
    /// that closes the circle were not there.
    fn sorted(&mut self, faults: &mut Faults) -> Vec<usize> {
        let mut walk = Walk { state: vec![Visit::New; self.sections.len()], path: vec![], order: vec![] };
        for at in 0..self.sections.len() {
            self.visit(at, &mut walk, faults);
        }
        walk.order
    }

    /// Depth first. The path is a list and not the stack: a chain may be long.
    fn visit(&mut self, start: usize, walk: &mut Walk, faults: &mut Faults) {
        walk.open(start);
        while let Some((at, next)) = walk.path.last().copied() {
            let Some(link) = self.inputs[at].iter().chain(&self.tables[at]).nth(next).cloned() else {
                walk.close();
                continue;
            };
            if walk.state[link.to] == Visit::Open {
                faults.add(self.cycle(&walk.path, &link));
                self.broken[at] = true;
                self.inputs[at].retain(|l| l.to != link.to);
                self.tables[at] = self.tables[at].take().filter(|l| l.to != link.to);
                continue;
            }
            walk.path.last_mut().expect("the path has been looked at").1 += 1;
            walk.open(link.to);
        }
    }

    fn cycle(&self, path: &[(usize, usize)], link: &Link<'_>) -> Diagnostic {
        let from = path.iter().position(|(p, _)| *p == link.to).unwrap_or(0);
        // The path leads against the stream; said with it, it reads as the records would go.
        let mut names: Vec<_> = path[from..].iter().rev().map(|(p, _)| self.sections[*p].name).collect();
        names.push(names[0]);
        let names: Vec<_> = names.iter().map(|n| format!("`{n}`")).collect();
        let fault = Diagnostic::error(
            Code::Cycle,
            format!("records would go in a circle: {}", names.join(" → ")),
            link.text.whole(),
        )
        .label("this closes the circle");
        match link.to == path[path.len() - 1].0 {
            true => fault,
            false => fault.also(self.sections[link.to].place, "which starts here"),
        }
    }
}

/// A walk along the links, against the stream.
struct Walk {
    state: Vec<Visit>,
    /// The sections that are open, each with the link that comes next.
    path: Vec<(usize, usize)>,
    order: Vec<usize>,
}

impl Walk {
    fn open(&mut self, at: usize) {
        if self.state[at] == Visit::New {
            self.state[at] = Visit::Open;
            self.path.push((at, 0));
        }
    }

    fn close(&mut self) {
        if let Some((at, _)) = self.path.pop() {
            self.state[at] = Visit::Done;
            self.order.push(at);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}
