//! Which column each thing stands in, and in which order: the first half of a layered layout.
//!
//! Columns follow the longest way from a topic that is read, but all sinks share one and what they write the next.
//! An arrow over several columns gets a stop in each column between, so that nothing is drawn over anything. Orders
//! start from a walk along the arrows and are then improved by medians and by swapping neighbours; ties are broken by
//! what was first, so that the same plan looks the same on every run.

use super::{Drawing, Look};

/// What stands in a column: a thing, or an arrow on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Thing(usize),
    /// An arrow, by its index.
    Way(usize),
}

/// The columns with their stops in order, and what connects neighbouring columns.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The stops, things first, by their indexes.
    pub stops: Vec<Stop>,
    /// The stops of each column from top to bottom.
    pub columns: Vec<Vec<usize>>,
    /// From a stop to one in the next column.
    pub links: Vec<Link>,
    /// What each stop is linked to in the column before.
    pub before: Vec<Vec<usize>>,
    /// And behind.
    pub behind: Vec<Vec<usize>>,
}

/// One piece of an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub from: usize,
    pub to: usize,
    pub arrow: usize,
    /// Whether it is the arrow's first piece, which carries the route.
    pub first: bool,
}

const ROUNDS: usize = 24;

impl Layers {
    pub fn of(drawing: &Drawing) -> Self {
        let ranks = ranks(drawing);
        let mut layers = Layers {
            stops: (0..drawing.things.len()).map(Stop::Thing).collect(),
            columns: vec![vec![]; ranks.iter().max().map_or(0, |most| most + 1)],
            links: vec![],
            before: vec![],
            behind: vec![],
        };
        let mut column_of = ranks.clone();
        for (at, arrow) in drawing.arrows.iter().enumerate() {
            let mut from = arrow.from;
            for column in ranks[arrow.from] + 1..ranks[arrow.to] {
                layers.stops.push(Stop::Way(at));
                column_of.push(column);
                let to = layers.stops.len() - 1;
                layers.links.push(Link { from, to, arrow: at, first: from == arrow.from });
                from = to;
            }
            layers.links.push(Link { from, to: arrow.to, arrow: at, first: from == arrow.from });
        }
        layers.before = vec![vec![]; layers.stops.len()];
        layers.behind = layers.before.clone();
        for link in &layers.links {
            layers.before[link.to].push(link.from);
            layers.behind[link.from].push(link.to);
        }
        for stop in layers.walk() {
            layers.columns[column_of[stop]].push(stop);
        }
        layers.improve();
        layers
    }

    /// All stops, each behind the first that leads to it, depth first.
    fn walk(&self) -> Vec<usize> {
        let mut order = vec![];
        let mut seen = vec![false; self.stops.len()];
        for root in 0..self.stops.len() {
            let mut stack = vec![root];
            while let Some(stop) = stack.pop() {
                if !std::mem::replace(&mut seen[stop], true) {
                    order.push(stop);
                    stack.extend(self.behind[stop].iter().rev());
                }
            }
        }
        order
    }

    /// Fewer crossings: medians to and fro, then neighbours swapped; the best order that was met stays.
    fn improve(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for round in 0..ROUNDS {
            let down = round % 2 == 0;
            let columns: Vec<usize> = (0..self.columns.len()).collect();
            for column in if down { columns } else { columns.into_iter().rev().collect() } {
                self.by_medians(column, down);
            }
            self.swap_neighbours();
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn by_medians(&mut self, column: usize, down: bool) {
        let places = self.places();
        let median = |stop: usize| {
            let near = if down { &self.before[stop] } else { &self.behind[stop] };
            let mut near: Vec<usize> = near.iter().map(|other| places[*other]).collect();
            near.sort_unstable();
            let middle = near.len() / 2;
            match near.len() {
                0 => None,
                n if n % 2 == 1 => Some(2 * near[middle]),
                _ => Some(near[middle - 1] + near[middle]),
            }
        };
        let mut keyed: Vec<(usize, usize)> = self.columns[column]
            .iter()
            .enumerate()
            .map(|(at, stop)| (median(*stop).unwrap_or(2 * at), *stop))
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        self.columns[column] = keyed.into_iter().map(|(_, stop)| stop).collect();
    }

    /// Neighbours in a column change places where fewer links cross then.
    fn swap_neighbours(&mut self) {
        let places = &mut self.places();
        for column in 0..self.columns.len() {
            for at in 1..self.columns[column].len() {
                let (upper, lower) = (self.columns[column][at - 1], self.columns[column][at]);
                if self.crossed(lower, upper, places) < self.crossed(upper, lower, places) {
                    self.columns[column].swap(at - 1, at);
                    places.swap(upper, lower);
                }
            }
        }
    }

    /// How many links of two neighbours cross each other if the one stands above the other.
    fn crossed(&self, upper: usize, lower: usize, places: &[usize]) -> usize {
        let side = |near: &[Vec<usize>]| -> usize {
            let above = |a: &usize| near[lower].iter().filter(|b| places[*a] > places[**b]).count();
            near[upper].iter().map(above).sum()
        };
        side(&self.before) + side(&self.behind)
    }

    /// Where each stop stands in its column.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.stops.len()];
        for column in &self.columns {
            column.iter().enumerate().for_each(|(at, stop)| places[*stop] = at);
        }
        places
    }

    /// How many links cross.
    pub fn crossings(&self) -> usize {
        (1..self.columns.len()).map(|column| self.crossings_before(column)).sum()
    }

    fn crossings_before(&self, column: usize) -> usize {
        let places = self.places();
        let ends: Vec<(usize, usize)> = self.columns[column]
            .iter()
            .flat_map(|stop| self.before[*stop].iter().map(|other| (places[*other], places[*stop])))
            .collect();
        let crossed = |(at, a): (usize, &(usize, usize))| {
            ends[..at].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count()
        };
        ends.iter().enumerate().map(crossed).sum()
    }
}

/// The column of each thing. Things stand behind what has an arrow to them, so one pass will do.
fn ranks(drawing: &Drawing) -> Vec<usize> {
    let mut ranks = vec![0; drawing.things.len()];
    for at in 0..drawing.things.len() {
        for arrow in drawing.arrows.iter().filter(|arrow| arrow.to == at) {
            ranks[at] = ranks[at].max(ranks[arrow.from] + 1);
        }
    }
    let is_sink = |at: &usize| drawing.things[*at].look == Look::Sink;
    let Some(last) = (0..ranks.len()).filter(is_sink).map(|at| ranks[at]).max() else { return ranks };
    for at in (0..ranks.len()).filter(is_sink) {
        ranks[at] = last;
        for arrow in drawing.arrows.iter().filter(|arrow| arrow.from == at) {
            ranks[arrow.to] = last + 1;
        }
    }
    ranks
}
