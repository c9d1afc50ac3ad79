//! The plan as a loop runs it: for each source, and for each node that makes fresh rows, its subtree as steps in
//! preorder, each with the index behind its own subtree.
//!
//! Traversal is depth first in the order of the file, so that no branch of a fan-out reads what another one left in
//! the registers. What lies behind a merge stands in the steps once a path.

use super::merge::Adjust;
use super::shape::Fields;
use crate::frame::{Frame, Register};
use crate::operator::{NodeId, Operator, Port, Seen};
use std::ops::Range;
use std::sync::Arc;

/// The most steps that one source or node may lead to: merges behind branches multiply.
pub const MAX_STEPS: usize = 4096;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The node it belongs to.
    pub node: NodeId,
    /// The first step behind this one's subtree.
    pub after: u32,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Runs a node.
    Run {
        /// The node.
        operator: Arc<dyn Operator>,
        /// The input it gets the record on.
        port: Port,
        /// What a record that passes has come to: used, if the node keeps it.
        seen: u8,
        /// Where the routes that it chooses are kept, if anything behind it asks.
        slot: u16,
    },
    /// Goes on only if the node that keeps its routes in `slot` chose this one.
    Gate {
        /// Where the routes are kept.
        slot: u16,
        /// The route, as a bit.
        route: u8,
    },
    /// Brings a record into the shape behind a merge.
    Adjust(Box<Moves>),
}

/// What an edge into a merge does to a frame.
#[derive(Clone, Debug)]
pub struct Moves {
    /// From one register to another.
    moves: Vec<(Register, Register)>,
    /// What this edge does not have.
    clears: Vec<Register>,
    /// The way the record would be written.
    variant: Option<u16>,
}

impl Moves {
    /// Does it.
    pub fn run(&self, frame: &mut Frame<'_>) {
        for (from, to) in &self.moves {
            frame.copy(*from, *to);
        }
        for register in &self.clears {
            frame.present &= !(1 << register.0);
        }
        if let Some(variant) = self.variant {
            frame.variant = variant;
        }
    }
}

/// An edge, seen from where records come from.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Where it leads.
    pub to: NodeId,
    /// The named output it comes out of; 0 is the node's own.
    pub route: u8,
    /// What has to be done on the way.
    pub adjust: Adjust,
}

/// What the flattening knows of a node.
#[derive(Clone, Debug)]
pub struct Stop {
    /// What runs.
    pub operator: Arc<dyn Operator>,
    /// Whether a record that passes has reached a table.
    pub keeps: bool,
    /// Whether it has named outputs.
    pub routed: bool,
    /// What it feeds, in the order of the file.
    pub edges: Vec<Edge>,
}

/// Flattens what stands behind a list of edges. `None`: more steps than may be.
///
/// `slots` numbers the places where routes are kept, over all lists of a plan: rows that are run in the middle of
/// another list must not write over its routes. Slot 0 is for nodes without routes.
pub fn flatten(edges: &[Edge], stops: &[Stop], fields: &mut Fields, slots: &mut u16) -> Option<Vec<Step>> {
    let mut steps = Flatten { stops, fields, steps: vec![], slots };
    steps.edges(edges)?;
    Some(steps.steps)
}

struct Flatten<'f> {
    stops: &'f [Stop],
    fields: &'f mut Fields,
    steps: Vec<Step>,
    slots: &'f mut u16,
}

/// What is still to be done: the list takes the place of the stack, because chains may be long.
enum Todo<'e> {
    /// An edge, with the slot of the node it comes out of; 0 if that has no named outputs.
    Edge(&'e Edge, u16),
    /// The end of the subtree of these steps.
    Close(Range<usize>),
}

impl<'e> Flatten<'e> {
    fn edges(&mut self, edges: &'e [Edge]) -> Option<()> {
        let mut todo: Vec<_> = edges.iter().rev().map(|edge| Todo::Edge(edge, 0)).collect();
        while let Some(next) = todo.pop() {
            match next {
                Todo::Edge(edge, routed) => {
                    let first = self.steps.len();
                    let slot = self.edge(edge, routed)?;
                    todo.push(Todo::Close(first..self.steps.len()));
                    let behind = self.stops[edge.to.0 as usize].edges.iter().rev();
                    todo.extend(behind.map(|edge| Todo::Edge(edge, slot)));
                }
                Todo::Close(steps) => {
                    let after = self.steps.len() as u32;
                    self.steps[steps].iter_mut().for_each(|step| step.after = after);
                }
            }
        }
        Some(())
    }

    /// The steps of an edge and of the node it leads to; the slot for what stands behind.
    fn edge(&mut self, edge: &Edge, routed: u16) -> Option<u16> {
        if routed > 0 {
            self.push(edge.to, Action::Gate { slot: routed, route: edge.route })?;
        }
        let (moves, clears) = edge.adjust.registers(self.fields);
        if !moves.is_empty() || !clears.is_empty() || edge.adjust.variant.is_some() {
            self.push(
                edge.to,
                Action::Adjust(Box::new(Moves { moves, clears, variant: edge.adjust.variant })),
            )?;
        }
        let stop = &self.stops[edge.to.0 as usize];
        let slot = match stop.routed {
            true => {
                *self.slots = self.slots.saturating_add(1);
                *self.slots
            }
            false => 0,
        };
        let seen = if stop.keeps { Seen::USED } else { 0 };
        self.push(edge.to, Action::Run { operator: stop.operator.clone(), port: 0, seen, slot })?;
        Some(slot)
    }

    fn push(&mut self, node: NodeId, action: Action) -> Option<()> {
        self.steps.push(Step { action, node, after: 0 });
        (self.steps.len() <= MAX_STEPS).then_some(())
    }
}
