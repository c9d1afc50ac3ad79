//! From what was written to what it means: one pass over the nodes, each behind what feeds it.
//!
//! A fault never stops the pass. What a faulty node would hand on is given as far as it is known, and names whose
//! meaning a fault has hidden are passed over in silence further down.

use super::assemble::{self, Checked};
use super::cases;
use super::context::{CheckContext, KnownTable, Registry, Touched};
use super::damage::Damage;
use super::faults::Faults;
use super::files::Files;
use super::form::{self, Key};
use super::generate;
use super::graph::{self, Graph, Link, Section, What};
use super::kind::{Built, NodeTable};
use super::layout::{Base, Layout};
use super::merge::{Adjust, merge};
use super::params::{Override, Params};
use super::parts::Parts;
use super::schema;
use super::scope::Shared;
use super::settings::{self, Settings};
use super::shape::{FileId, Shape};
use super::source::{self, SourceContext, SourcePlan};
use super::unused;
use super::{Plan, toplevel};
use crate::diagnostic::{Code, Diagnostic};
use crate::operators;
use crate::spec::Table;
use std::cell::RefCell;
use std::collections::HashMap;

/// Checks a file: its plan, unless something is wrong, and all that is wrong or suspicious.
pub fn check(
    source: &str,
    root: &Table,
    overrides: &[Override],
    faults: Faults,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut faults = faults;
    let damage = Damage::of(source, &faults.found);
    toplevel::check(root, &mut faults);
    let shared = RefCell::new(Shared {
        params: Params::read(root.table("params"), overrides, &damage, &mut faults),
        ..Shared::default()
    });
    let settings = settings::read(root, &shared, &mut faults);
    let graph = graph::read(root, &mut faults);
    let mut pass = Pass::new(&settings, &graph, &shared, &damage, faults);
    pass.schemas_known = root.get("schema").is_none_or(|e| e.value.as_table().is_some());
    let mut schemas = schema::read(root.table("schema"), &mut pass.faults);
    for at in graph.order.clone() {
        match graph.sections[at].what {
            What::Source => pass.source(at, &mut schemas),
            What::Node(_) => pass.node(at),
        }
    }
    pass.topics();
    pass.widths();
    let generates = generate::read(root, &pass.sources, &shared, &mut pass.faults);
    let cases = cases::read(root, &graph, &pass.checked, &pass.sources, &shared, &mut pass.faults);
    unused::warn(&graph, &shared, &schemas, &mut pass.faults);
    let Pass { faults, checked, registry, sources, touched, parts, .. } = pass;
    let mut faults = faults;
    let plan = match faults.errors() {
        0 => assemble::assemble(
            Checked {
                settings,
                graph: &graph,
                shared: shared.into_inner(),
                registry,
                sources,
                nodes: checked,
                touched,
                parts,
            },
            generates,
            cases,
            &mut faults,
        ),
        _ => None,
    };
    (plan, faults.sorted(&damage, source))
}

/// A node that has been checked.
#[derive(Debug)]
pub struct CheckedNode {
    /// Which section of the file it is.
    pub section: usize,
    /// What became of it.
    pub built: Built,
    /// What each edge into it has to do.
    pub adjusts: Vec<Adjust>,
    /// What comes in.
    pub input: Shape,
    /// Where it stands, if its input is cut.
    pub side: Side,
}

/// Where a node stands to a repartition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// There is none.
    Uncut,
    /// It writes to it.
    Near,
    /// It is fed by it, which is the source of this index.
    Far(usize),
}

struct Pass<'p> {
    settings: &'p Settings,
    graph: &'p Graph<'p>,
    shared: &'p RefCell<Shared>,
    damage: &'p Damage,
    registry: Registry,
    faults: Faults,
    files: Files,
    sources: Vec<SourcePlan>,
    checked: Vec<CheckedNode>,
    /// What comes out of each section.
    outputs: Vec<Vec<(Option<String>, Shape)>>,
    variants: u16,
    touched: Vec<Touched>,
    parts: Parts,
    schemas_known: bool,
}

impl<'p> Pass<'p> {
    fn new(
        settings: &'p Settings,
        graph: &'p Graph<'p>,
        shared: &'p RefCell<Shared>,
        damage: &'p Damage,
        faults: Faults,
    ) -> Self {
        let files = Files::of(graph, &mut shared.borrow_mut().fields);
        let outputs = vec![vec![]; graph.sections.len()];
        let (registry, sources, checked) = (Registry::default(), vec![], vec![]);
        Pass {
            settings,
            graph,
            shared,
            damage,
            registry,
            faults,
            files,
            sources,
            checked,
            outputs,
            variants: 0,
            touched: vec![],
            parts: Parts::default(),
            schemas_known: true,
        }
    }

    fn source(&mut self, at: usize, schemas: &mut Vec<schema::Schema>) {
        let section = self.graph.sections[at];
        form::conform(section.table, source::KEYS, &title(&section), section.place, &mut self.faults);
        let mut cx = SourceContext {
            shared: self.shared,
            schemas,
            schemas_known: self.schemas_known,
            topics: &mut self.registry.topics,
            faults: &mut self.faults,
        };
        let mut source =
            source::check(section.name, section.place, section.table, self.files.own(at), &mut cx);
        source.shape.open |= self.damage.reaches(section.place);
        source.shape.roots = vec![self.sources.len()];
        self.parts.add(&[]);
        self.outputs[at] = vec![(None, source.shape.clone())];
        self.sources.push(source);
    }

    fn node(&mut self, at: usize) {
        let section = self.graph.sections[at];
        let What::Node(kind) = section.what else { return };
        form::conform(section.table, kind.keys, &title(&section), section.place, &mut self.faults);
        let (input, adjusts) = self.input(at);
        let node = NodeTable { kind, name: section.name, place: section.place, table: section.table };
        let mut cx = CheckContext {
            pipeline: &self.settings.name,
            shared: self.shared,
            registry: &mut self.registry,
            faults: &mut self.faults,
            subject: subject(&self.graph.inputs[at]),
            rows: self.files.rows(at),
            dead_letters: &self.settings.dead_letters,
            touched: &mut self.touched,
            apart: self.parts.feed_each_other(&input.roots),
            next_source: self.sources.len(),
            cut: None,
            input: input.clone(),
        };
        let built = (kind.check)(&node, &mut cx);
        let cut = cx.cut.take();
        let (input, side) = match &cut {
            None => (input, Side::Uncut),
            Some(cut) => (cut.behind.clone(), Side::Far(cx.next_source)),
        };
        let sides = cut.map(|cut| (cx.near_side(&cut), cx.far_side(&cut, &node), cut));
        let adjusts = match sides {
            None => adjusts,
            Some((near, far, cut)) => {
                self.parts.join(&cut.before.roots);
                self.parts.add(&cut.before.roots);
                self.checked.push(CheckedNode {
                    section: at,
                    built: near,
                    adjusts,
                    input: cut.before,
                    side: Side::Near,
                });
                self.sources.push(far);
                vec![]
            }
        };
        if let Some(table) = &built.table {
            let (node, owner) = (section.name.to_owned(), built.operator.clone());
            self.registry.tables.push(KnownTable { node, plan: table.clone(), owner });
        }
        let roots = match &self.graph.tables[at] {
            Some(read) => self.roots_of(read.to),
            None => input.roots.clone(),
        };
        self.parts.join(&roots);
        self.outputs[at] = built.outputs.clone();
        let damaged = self.damage.reaches(section.place);
        for (_, shape) in &mut self.outputs[at] {
            shape.open |= damaged;
            shape.roots.clone_from(&roots);
        }
        self.checked.push(CheckedNode { section: at, built, adjusts, input: Shape { roots, ..input }, side });
    }

    /// The sources whose records a section hands on or has made its rows of.
    fn roots_of(&self, section: usize) -> Vec<usize> {
        let node = self.checked.iter().rfind(|node| node.section == section);
        node.map(|node| node.input.roots.clone()).unwrap_or_default()
    }

    /// What comes into a node: the merge of its inputs, or a shape of which nothing is known.
    fn input(&mut self, at: usize) -> (Shape, Vec<Adjust>) {
        let links = &self.graph.inputs[at];
        let mut inputs = vec![];
        for link in links {
            match self.output(link) {
                Ok(shape) => inputs.push((link.text.text.clone(), shape)),
                Err(Some(fault)) => self.faults.add(*fault),
                Err(None) => {}
            }
        }
        if inputs.len() < links.len()
            || inputs.is_empty()
            || self.graph.broken[at]
            || self.damage.reaches(self.graph.sections[at].place)
        {
            return (unknown(self.files.own(at)), vec![]);
        }
        let place = match (links.first(), links.last()) {
            (Some(first), Some(last)) => {
                crate::diagnostic::Place { start: first.text.place.start, end: last.text.place.end }
            }
            _ => self.graph.sections[at].place,
        };
        let fields = &mut self.shared.borrow_mut().fields;
        merge(&inputs, place, fields, &mut self.variants, &mut self.faults)
    }

    /// What comes out of a link: the fault if there is no such output, or none if that has been said already.
    fn output(&self, link: &Link<'_>) -> Result<Shape, Option<Box<Diagnostic>>> {
        let outputs = &self.outputs[link.to];
        if outputs.is_empty() {
            return Err(None);
        }
        if let Some((_, shape)) = outputs.iter().find(|(route, _)| route.as_deref() == link.route) {
            return Ok(shape.clone());
        }
        let name = self.graph.sections[link.to].name;
        let route = link.route.unwrap_or_default();
        let routes: Vec<_> = outputs.iter().filter_map(|(r, _)| r.as_deref()).collect();
        let fault = Diagnostic::error(
            Code::UnknownNode,
            format!("`{name}` has no route `{route}`"),
            link.text.at(link.text.text.len() - route.len()..link.text.text.len()),
        )
        .also(self.graph.sections[link.to].place, "declared here")
        .suggest(route, routes.iter().copied());
        Err(Some(Box::new(match routes.is_empty() {
            true => fault.help(format!("name `{name}` alone")),
            false => fault.note(format!("its routes: {}", super::names::some(&routes))),
        })))
    }

    /// One topic cannot be read and written by the same pipeline, nor be internal and anything else.
    fn topics(&mut self) {
        let dead = super::topics::TopicPlan {
            name: self.settings.dead_letters.clone(),
            role: super::topics::Role::DeadLetters,
            owner: super::names::DEAD_LETTERS.to_owned(),
            partitions: None,
            config: vec![],
            place: self.settings.dead_letters_at,
        };
        self.registry.topics.add(dead);
        let mut met: HashMap<&str, Vec<&super::topics::TopicPlan>> = HashMap::new();
        for topic in self.registry.topics.all() {
            let others = met.entry(topic.name.as_str()).or_default();
            self.faults.found.extend(others.iter().filter_map(|o| super::topics::conflict(o, topic)));
            others.push(topic);
        }
    }

    /// A register file has room for so many fields and no more.
    fn widths(&mut self) {
        let shared = self.shared.borrow();
        for (at, section) in self.graph.sections.iter().enumerate() {
            let makes = match section.what {
                What::Source => true,
                What::Node(kind) => kind.rows == super::kind::Rows::Makes,
            };
            let width = shared.fields.width(self.files.own(at));
            let said = |d: &Diagnostic| {
                d.code == Code::TooManyFields && d.primary.as_ref().is_some_and(|l| l.place == section.place)
            };
            if makes && width > crate::frame::MAX_REGISTERS && !self.faults.found.iter().any(said) {
                self.faults.add(
                    Diagnostic::error(
                        Code::TooManyFields,
                        format!(
                            "more than {} fields of `{}` are read or added",
                            crate::frame::MAX_REGISTERS,
                            section.name
                        ),
                        section.place,
                    )
                    .label("a record has room for no more")
                    .help(
                        "fields that only ride along do not count: leave those out of `keep` and expressions",
                    ),
                );
            }
        }
    }
}

fn title(section: &Section<'_>) -> String {
    format!("{} `{}`", section.what.kind(), section.name)
}

fn subject(links: &[Link<'_>]) -> String {
    match links {
        [] => "the input".to_owned(),
        [link] => format!("`{}`", link.text.text),
        _ => format!(
            "the merge of {}",
            links.iter().map(|l| l.text.text.as_str()).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn unknown(file: FileId) -> Shape {
    let mut shape = Shape::new(file, Layout::new(Base::Json));
    shape.open = true;
    shape
}

/// All sections of the file that are no nodes, with their keys: for help, the schema, and the check of the top.
pub fn sections() -> Vec<(&'static str, &'static [Key], &'static str)> {
    vec![
        ("kafka", settings::KAFKA, "the cluster and librdkafka's properties"),
        ("run", settings::RUN, "how the engine runs"),
        ("status", settings::STATUS, "the status endpoint"),
        ("source", source::KEYS, "a topic that is read"),
        ("generate", generate::KEYS, "made-up records for a source"),
        ("test", cases::KEYS, "records sent and rows expected"),
    ]
}

/// The kinds of nodes by name, sources included.
pub fn kinds() -> Vec<&'static str> {
    std::iter::once("source").chain(operators::KINDS.iter().map(|k| k.name)).collect()
}
