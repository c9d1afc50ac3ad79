//! The plan, put together from what the pass has checked.

use super::cases::Case;
use super::check::{CheckedNode, Side};
use super::context::{Registry, Touched};
use super::cut;
use super::faults::Faults;
use super::generate::Generate;
use super::graph::{Graph, What};
use super::kind::Rows;
use super::merge::Adjust;
use super::params::Params;
use super::parts::Parts;
use super::scope::Shared;
use super::settings::Settings;
use super::shape::{Meta, Shape};
use super::source::{self, SourcePlan};
use super::steps::{self, Edge, Step, Stop};
use super::topics::{Role, Topics};
use super::{Reasons, TablePlan};
use crate::codec;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::frame::{Register, Text};
use crate::operator::{NodeId, Operator};
use crate::outbox::TopicId;
use crate::store::StoreDecl;
use std::sync::Arc;

/// What the near side of a repartition is, among the kinds of nodes.
pub const REPARTITION: &str = "repartition";

/// A pipeline, ready to be run.
#[derive(Debug)]
pub struct Plan {
    /// What stands outside the nodes.
    pub settings: Settings,
    /// The params with their values.
    pub params: Params,
    /// All topics.
    pub topics: Topics,
    /// The one for dead letters.
    pub dead_letters: TopicId,
    /// The sources, each with how it runs.
    pub sources: Vec<SourcePlan>,
    /// How each source runs.
    pub runs: Vec<SourceRun>,
    /// The nodes and sinks, each behind what feeds it.
    pub nodes: Vec<NodePlan>,
    /// The stores.
    pub stores: Vec<StoreDecl>,
    /// The constant texts.
    pub constants: Vec<u8>,
    /// The reasons for dead letters.
    pub reasons: Reasons,
    /// How many places routes are kept in.
    pub slots: usize,
    /// How many parts there are that have nothing to do with each other.
    pub parts: usize,
    /// What makes up records.
    pub generates: Vec<Generate>,
    /// The tests.
    pub cases: Vec<Case>,
}

/// How a source runs.
#[derive(Debug)]
pub struct SourceRun {
    /// What the scanner decodes.
    pub fields: Vec<codec::Field>,
    /// Names that sinks write over.
    pub touched: Vec<String>,
    /// What a record has beside its fields, and where it goes.
    pub metas: Vec<(Meta, Register)>,
    /// The names of its topics, among the plan's constants.
    pub topics: Vec<(TopicId, Text)>,
    /// The register of the key field.
    pub key: Option<Register>,
    /// The register of the event time.
    pub event_time: Option<Register>,
    /// What a record does.
    pub steps: Vec<Step>,
    /// Which part it belongs to.
    pub part: usize,
}

/// A node or sink.
#[derive(Debug)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Its kind.
    pub kind: &'static str,
    /// What was understood.
    pub what: String,
    /// The topic it writes, if it is a sink.
    pub target: Option<String>,
    /// What feeds it, as it is written.
    pub inputs: Vec<String>,
    /// What runs.
    pub operator: Arc<dyn Operator>,
    /// Its table.
    pub table: Option<TablePlan>,
    /// A table of its own that is not shown.
    pub marks: Option<TablePlan>,
    /// What it hands on.
    pub output: Option<Shape>,
    /// The wall-clock interval in milliseconds at which it wants to be called.
    pub tick_ms: Option<i64>,
    /// The node whose table it looks through.
    pub reads: Option<String>,
    /// What a row that it makes does.
    pub steps: Vec<Step>,
    /// Which part it belongs to; if it keeps nothing, one of those that feed it.
    pub part: usize,
    /// When something of it ends: every so many milliseconds, shifted by so many.
    pub beat: Option<(i64, i64)>,
}

/// The pieces.
#[derive(Debug)]
pub struct Checked<'g> {
    /// What stands outside the nodes.
    pub settings: Settings,
    /// Names and order.
    pub graph: &'g Graph<'g>,
    /// Fields, params, constants, reasons.
    pub shared: Shared,
    /// Topics, stores, tables.
    pub registry: Registry,
    /// The sources, in order.
    pub sources: Vec<SourcePlan>,
    /// The nodes, in order.
    pub nodes: Vec<CheckedNode>,
    /// Names that sinks write over.
    pub touched: Vec<Touched>,
    /// Which sources belong together.
    pub parts: Parts,
}

/// Puts the pieces together. All of them are sound; what can still be wrong is their number.
pub fn assemble(
    mut pieces: Checked<'_>,
    generates: Vec<Generate>,
    cases: Vec<Case>,
    faults: &mut Faults,
) -> Option<Plan> {
    resolve_merges(&mut pieces);
    let parts = pieces.parts.numbers();
    let (mut edges, behind) = edges(&pieces);
    let stops = stops(&pieces, &mut edges);
    let (mut runs, mut slots) = (vec![], 0);
    for (at, source) in pieces.sources.iter().enumerate() {
        let edges = match &source.cut {
            Some(_) => &behind[at],
            None => &edges[pieces.graph.find(&source.name)?],
        };
        let steps = steps::flatten(edges, &stops, &mut pieces.shared.fields, &mut slots);
        let steps = within(steps, &source.name, source.place, faults)?;
        let names = come_from(&pieces.sources, at)
            .into_iter()
            .map(|id| (id, pieces.shared.constants.text(&pieces.registry.topics.get(id).name)));
        let topics = names.collect();
        runs.push(SourceRun { steps, topics, part: parts[at], ..run(at, &pieces) });
    }
    let mut nodes = vec![];
    for at in 0..pieces.nodes.len() {
        nodes.push(node(at, &mut pieces, (&stops, &mut slots), &parts, faults)?);
    }
    let dead = pieces.registry.topics.all().iter().position(|t| t.role == Role::DeadLetters)?;
    Some(Plan {
        dead_letters: TopicId(dead as u16),
        settings: pieces.settings,
        params: pieces.shared.params,
        topics: pieces.registry.topics,
        sources: pieces.sources,
        runs,
        nodes,
        stores: pieces.registry.stores,
        constants: pieces.shared.constants.bytes,
        reasons: pieces.shared.reasons,
        slots: slots as usize + 1,
        parts: parts.iter().max().map_or(0, |p| p + 1),
        generates,
        cases,
    })
}

/// Fields that are known under another id behind a merge get their registers, from the sinks upwards: a merge may
/// read what another one has merged.
fn resolve_merges(pieces: &mut Checked<'_>) {
    for node in pieces.nodes.iter().rev() {
        for adjust in &node.adjusts {
            adjust.registers(&mut pieces.shared.fields);
        }
    }
}

/// The topics that records of a source may have come from: its own, or those before a repartition.
fn come_from(sources: &[SourcePlan], at: usize) -> Vec<TopicId> {
    let Some(cut) = &sources[at].cut else { return sources[at].topics.clone() };
    let mut topics: Vec<TopicId> = cut.from.iter().flat_map(|from| come_from(sources, *from)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn stops(pieces: &Checked<'_>, edges: &mut [Vec<Edge>]) -> Vec<Stop> {
    let mut stops = vec![];
    for node in &pieces.nodes {
        let What::Node(kind) = pieces.graph.sections[node.section].what else { continue };
        let Some(operator) = node.built.operator.clone() else { continue };
        stops.push(Stop {
            operator,
            keeps: kind.rows == Rows::Keeps && node.side != Side::Near,
            routed: node.built.outputs.len() > 1,
            edges: if node.side == Side::Near { vec![] } else { std::mem::take(&mut edges[node.section]) },
        });
    }
    stops
}

/// What each section feeds, and what each source that stands behind a repartition does, in the order of the file.
fn edges(pieces: &Checked<'_>) -> (Vec<Vec<Edge>>, Vec<Vec<Edge>>) {
    let mut consumers: Vec<_> = pieces.nodes.iter().enumerate().collect();
    consumers.sort_by_key(|(_, node)| node.section);
    let mut producers = vec![None; pieces.graph.sections.len()];
    pieces.nodes.iter().for_each(|node| producers[node.section] = Some(node));
    let mut edges = vec![vec![]; pieces.graph.sections.len()];
    let mut behind = vec![vec![]; pieces.sources.len()];
    for (at, node) in consumers {
        if let Side::Far(source) = node.side {
            behind[source].push(Edge { to: NodeId(at as u16), route: 0, adjust: Adjust::default() });
            continue;
        }
        for (i, link) in pieces.graph.inputs[node.section].iter().enumerate() {
            let outputs = producers[link.to].map(|n| n.built.outputs.as_slice()).unwrap_or_default();
            let route = outputs.iter().position(|(name, _)| name.as_deref() == link.route).unwrap_or(0);
            let adjust = node.adjusts.get(i).cloned().unwrap_or_else(Adjust::default);
            edges[link.to].push(Edge { to: NodeId(at as u16), route: route as u8, adjust });
        }
    }
    (edges, behind)
}

fn within(steps: Option<Vec<Step>>, name: &str, place: Place, faults: &mut Faults) -> Option<Vec<Step>> {
    if steps.is_none() {
        faults.add(
            Diagnostic::error(
                Code::TooManyPaths,
                format!("a record of `{name}` would have too many paths"),
                place,
            )
            .label("what stands behind a merge is run once for each path into it")
            .help(format!("at most {} steps can be: merge fewer branches", steps::MAX_STEPS)),
        );
    }
    steps
}

fn run(at: usize, pieces: &Checked<'_>) -> SourceRun {
    let (source, fields) = (&pieces.sources[at], &pieces.shared.fields);
    let mut touched: Vec<String> = vec![];
    for of in pieces.touched.iter().filter(|of| of.file == source.shape.file && of.root == at) {
        if !touched.contains(&of.name) {
            touched.push(of.name.clone());
        }
    }
    SourceRun {
        fields: source::scanned(source, &pieces.shared),
        touched,
        topics: vec![],
        metas: fields.metas(source.shape.file),
        key: source.key.as_ref().and_then(|key| fields.info(key.field).register),
        event_time: source.event_time.as_ref().and_then(|(_, id)| fields.info(*id).register),
        steps: vec![],
        part: 0,
    }
}

fn node(
    at: usize,
    pieces: &mut Checked<'_>,
    (stops, slots): (&[Stop], &mut u16),
    parts: &[usize],
    faults: &mut Faults,
) -> Option<NodePlan> {
    let section = pieces.graph.sections[pieces.nodes[at].section];
    let side = pieces.nodes[at].side;
    let steps = match pieces.nodes[at].built.rows_in {
        None => Some(vec![]),
        Some(_) => steps::flatten(&stops[at].edges, stops, &mut pieces.shared.fields, slots),
    };
    let steps = within(steps, section.name, section.place, faults)?;
    let node = &mut pieces.nodes[at];
    let built = std::mem::take(&mut node.built);
    Some(NodePlan {
        name: if side == Side::Near { cut::name_of(section.name) } else { section.name.to_owned() },
        place: section.place,
        kind: if side == Side::Near { REPARTITION } else { section.what.kind() },
        what: built.what,
        target: built.target,
        inputs: match side {
            Side::Far(_) => vec![cut::name_of(section.name)],
            _ => pieces.graph.inputs[node.section].iter().map(|l| l.text.text.clone()).collect(),
        },
        operator: built.operator?,
        table: built.table,
        marks: built.marks,
        output: built.outputs.into_iter().next().map(|(_, shape)| shape),
        tick_ms: built.tick_ms,
        reads: built.reads,
        beat: built.beat,
        steps,
        part: node.input.roots.first().map_or(0, |root| parts[*root]),
    })
}

impl Plan {
    /// The node of a name.
    pub fn node(&self, name: &str) -> Option<(NodeId, &NodePlan)> {
        let at = self.nodes.iter().position(|n| n.name == name)?;
        Some((NodeId(at as u16), &self.nodes[at]))
    }

    /// The source of a name.
    pub fn source(&self, name: &str) -> Option<(usize, &SourcePlan)> {
        self.sources.iter().enumerate().find(|(_, s)| s.name == name)
    }

    /// How many repartitions stand before each part, at most.
    pub fn levels(&self) -> Vec<usize> {
        let mut levels = vec![0; self.parts];
        // Each round settles a level, and no part stands behind itself.
        for _ in 0..self.parts {
            for (source, run) in self.sources.iter().zip(&self.runs) {
                let from = source.cut.iter().flat_map(|cut| &cut.from);
                let behind = from.map(|from| levels[self.runs[*from].part] + 1).max();
                levels[run.part] = levels[run.part].max(behind.unwrap_or(0));
            }
        }
        levels
    }

    /// What a part is called: as the first source that it reads.
    pub fn part_name(&self, part: usize) -> &str {
        let first = self.sources.iter().zip(&self.runs).find(|(_, run)| run.part == part);
        first.map_or("", |(source, _)| source.name.as_str())
    }

    /// The sources that the file names, without those that stand for repartitions.
    pub fn named_sources(&self) -> impl Iterator<Item = &SourcePlan> {
        self.sources.iter().filter(|source| source.cut.is_none())
    }

    /// The tables that are shown, with their nodes.
    pub fn tables(&self) -> impl Iterator<Item = (NodeId, &NodePlan, &TablePlan)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(at, node)| Some((NodeId(at as u16), node, node.table.as_ref()?)))
    }
}
