//! Where each thing stands: the second half of a layered layout.
//!
//! Columns are as wide as their widest thing, and the gaps between them as wide as the routes written there. Within a
//! column each stop wants to stand at the mean of what it is linked to; the order and the distances are kept, and
//! under those the sum of the squares of what is not granted is the least there is.

use super::layers::{Layers, Stop};
use super::{Drawing, Look, cut};

/// Sizes of text, in pixels, and how wide a character is guessed to be: most monospaced fonts have 0.6.
pub const NAME_SIZE: f64 = 13.0;
pub const ABOUT_SIZE: f64 = 11.0;
const CHARACTER: f64 = 0.62;

/// The most characters of what is said of a thing.
pub const ABOUT: usize = 34;
const NAME: usize = 40;

const BETWEEN: f64 = 18.0;
const GAP: f64 = 56.0;
/// Arrows that end at one thing stand so far apart: a line of text.
pub const PORT: f64 = 18.0;
const WAY: f64 = 14.0;
/// An odd number: the last one goes from left to right, and leaves as many arrows straight as there is room for.
const ROUNDS: usize = 61;

/// A stop's place: the middle of its left side, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Everything's place.
#[derive(Clone, Debug)]
pub struct Places {
    pub stops: Vec<Place>,
    pub width: f64,
    pub height: f64,
}

/// How wide a text is guessed to be.
pub fn text_width(text: &str, size: f64) -> f64 {
    let wide = |c: char| if u32::from(c) >= 0x1100 { 1.7 } else { 1.0 };
    text.chars().map(wide).sum::<f64>() * size * CHARACTER
}

/// A thing's two lines, as far as there is room.
pub fn lines(drawing: &Drawing, thing: usize) -> (String, String) {
    let thing = &drawing.things[thing];
    (cut(&thing.name, NAME), cut(&thing.about, ABOUT))
}

impl Places {
    pub fn of(drawing: &Drawing, layers: &Layers) -> Self {
        let mut stops: Vec<Place> = (0..layers.stops.len())
            .map(|stop| {
                let (width, height) = size(drawing, layers, stop);
                Place { width, height, ..Place::default() }
            })
            .collect();
        let width = across(drawing, layers, &mut stops);
        let height = down(layers, &mut stops);
        Places { stops, width, height }
    }
}

fn size(drawing: &Drawing, layers: &Layers, stop: usize) -> (f64, f64) {
    let Stop::Thing(thing) = layers.stops[stop] else { return (0.0, WAY) };
    let (name, about) = lines(drawing, thing);
    let text = text_width(&name, NAME_SIZE).max(text_width(&about, ABOUT_SIZE));
    let least = match drawing.things[thing].look {
        Look::Topic => 30.0,
        Look::Table => 54.0,
        _ => 44.0,
    };
    let ports = layers.before[stop].len() as f64;
    (text.max(60.0) + 28.0, f64::max(least, (ports + 0.5) * PORT))
}

/// Puts the columns beside each other; how wide they are together.
fn across(drawing: &Drawing, layers: &Layers, stops: &mut [Place]) -> f64 {
    let mut x = 0.0;
    for (at, column) in layers.columns.iter().enumerate() {
        if at > 0 {
            x += gap(drawing, layers, column);
        }
        let width = column.iter().map(|stop| stops[*stop].width).fold(0.0, f64::max);
        for stop in column {
            (stops[*stop].x, stops[*stop].width) = (x, width);
        }
        x += width;
    }
    x
}

/// How wide the gap before a column is: the routes that end there have room in its second half.
fn gap(drawing: &Drawing, layers: &Layers, column: &[usize]) -> f64 {
    let named = layers.links.iter().filter(|link| link.first && column.contains(&link.to));
    let routes = named.filter_map(|link| drawing.arrows[link.arrow].route.as_ref());
    let widest = routes.map(|route| text_width(route, ABOUT_SIZE)).fold(0.0, f64::max);
    GAP + widest
}

/// Puts the stops of each column below each other; how high they are together.
fn down(layers: &Layers, stops: &mut [Place]) -> f64 {
    for column in &layers.columns {
        let mut y = 0.0;
        for stop in column {
            stops[*stop].y = y + stops[*stop].height / 2.0;
            y += stops[*stop].height + BETWEEN;
        }
    }
    for round in 0..ROUNDS {
        let columns: Vec<usize> = (0..layers.columns.len()).collect();
        let before = round % 2 == 0;
        for column in if before { columns } else { columns.into_iter().rev().collect() } {
            settle(layers, &layers.columns[column], stops, before);
        }
    }
    close_gaps(stops)
}

/// Takes out what is empty across all columns; how high everything is then.
fn close_gaps(stops: &mut [Place]) -> f64 {
    let mut order: Vec<usize> = (0..stops.len()).collect();
    let top = |place: &Place| place.y - place.height / 2.0;
    order.sort_by(|a, b| top(&stops[*a]).total_cmp(&top(&stops[*b])));
    let mut low = order.first().map_or(0.0, |first| top(&stops[*first]));
    let mut shift = low;
    for stop in order {
        let place = &mut stops[stop];
        shift += (top(place) - low - 2.0 * BETWEEN).max(0.0);
        low = low.max(place.y + place.height / 2.0);
        place.y = (place.y - shift).round();
    }
    stops.iter().map(|place| place.y + place.height / 2.0).fold(0.0, f64::max)
}

/// Moves the stops of a column towards what they are linked to in the column before, or behind.
fn settle(layers: &Layers, column: &[usize], stops: &mut [Place], before: bool) {
    let mut wanted = vec![];
    let mut offset = 0.0;
    for (at, stop) in column.iter().enumerate() {
        if at > 0 {
            offset += (stops[column[at - 1]].height + stops[*stop].height) / 2.0 + BETWEEN;
        }
        let near = if before { &layers.before[*stop] } else { &layers.behind[*stop] };
        let mean = near.iter().map(|other| stops[*other].y).sum::<f64>() / near.len() as f64;
        let wish = if near.is_empty() { stops[*stop].y } else { mean };
        // An arrow on its way is best straight.
        let weight = match (layers.stops[*stop], near.is_empty()) {
            (Stop::Way(_), _) => 8.0,
            (Stop::Thing(_), false) => 2.0,
            (Stop::Thing(_), true) => 1.0,
        };
        wanted.push((wish - offset, weight, offset));
    }
    let granted = ascending(&wanted.iter().map(|(wish, weight, _)| (*wish, *weight)).collect::<Vec<_>>());
    for ((stop, value), (_, _, offset)) in column.iter().zip(granted).zip(wanted) {
        stops[*stop].y = value + offset;
    }
}

/// The ascending values nearest to those wished for, by weighted squares: neighbours in the wrong order are pooled.
fn ascending(wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = vec![];
    for (wish, weight) in wishes {
        pools.push((*wish, *weight, 1));
        while let [.., (a, wa, na), (b, wb, nb)] = pools[..] {
            if a <= b {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push(((a * wa + b * wb) / (wa + wb), wa + wb, na + nb));
        }
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}
