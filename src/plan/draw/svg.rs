//! A picture that stands alone: no fonts, scripts or styles from elsewhere, in light and dark.

use super::layers::{Layers, Link, Stop};
use super::places::{ABOUT_SIZE, PORT, Place, Places, lines, text_width};
use super::{Drawing, Look, one_line};
use crate::plan::Plan;
use std::fmt::Write;

const MARGIN: f64 = 24.0;
const HEADING: f64 = 60.0;
const FOOT: f64 = 30.0;
/// An arrow's head.
const HEAD: f64 = 8.0;

/// The style: a light one, and what is other in the dark.
const STYLE: &str = include_str!("style.css");

/// A plan as a picture.
pub fn svg(plan: &Plan) -> String {
    let drawing = Drawing::of(plan);
    let layers = Layers::of(&drawing);
    let places = Places::of(&drawing, &layers);
    let picture = Picture { drawing: &drawing, layers: &layers, places: &places };
    let (name, summary) = (one_line(&plan.settings.name), plan.summary());
    let foot = format!("what cannot be used goes to {}", one_line(&plan.settings.dead_letters));
    let text =
        text_width(&name, 16.0).max(text_width(&summary, ABOUT_SIZE)).max(text_width(&foot, ABOUT_SIZE));
    let width = places.width.max(text) + 2.0 * MARGIN;
    let height = places.height + HEADING + FOOT + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>\n{STYLE}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
        escaped(&name),
        escaped(&described(&drawing, &summary)),
    );
    let _ = writeln!(out, "<text class=\"heading\" x=\"{MARGIN}\" y=\"30\">{}</text>", escaped(&name));
    let _ = writeln!(out, "<text class=\"about\" x=\"{MARGIN}\" y=\"47\">{}</text>", escaped(&summary));
    let _ = writeln!(out, "<g transform=\"translate({MARGIN} {HEADING})\">");
    picture.arrows(&mut out);
    picture.things(&mut out);
    picture.routes(&mut out);
    out.push_str("</g>\n");
    let y = height - MARGIN / 2.0;
    let _ = writeln!(out, "<text class=\"about\" x=\"{MARGIN}\" y=\"{y:.0}\">{}</text>", escaped(&foot));
    out.push_str("</svg>\n");
    out
}

/// The whole drawing in words, for those who do not see it.
fn described(drawing: &Drawing, summary: &str) -> String {
    let said = drawing.arrows.iter().map(|arrow| {
        let (from, to) = (&drawing.things[arrow.from].name, &drawing.things[arrow.to].name);
        match (&arrow.route, arrow.reads) {
            (Some(route), _) => format!("{from} feeds {to} with {route}"),
            (None, true) => format!("{to} looks through the table {from}"),
            (None, false) => format!("{from} feeds {to}"),
        }
    });
    format!("{summary}. {}.", said.collect::<Vec<_>>().join("; "))
}

struct Picture<'p> {
    drawing: &'p Drawing,
    layers: &'p Layers,
    places: &'p Places,
}

impl Picture<'_> {
    fn things(&self, out: &mut String) {
        for (stop, place) in self.layers.stops.iter().zip(&self.places.stops) {
            let Stop::Thing(at) = *stop else { continue };
            let thing = &self.drawing.things[at];
            let (name, about) = lines(self.drawing, at);
            let _ = writeln!(out, "<g class=\"{}\">", class(thing.look));
            let title = format!("{} {}", thing.name, thing.about);
            let _ = writeln!(out, "<title>{}</title>", escaped(title.trim()));
            outline(thing.look, *place, out);
            let x = place.x + place.width / 2.0;
            let lift = if thing.look == Look::Table { 4.0 } else { 0.0 };
            let (first, second) = match about.is_empty() {
                true => (place.y + 4.5, place.y),
                false => (place.y - 3.5 + lift, place.y + 12.5 + lift),
            };
            let _ =
                writeln!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{first:.1}\">{}</text>", escaped(&name));
            if !about.is_empty() {
                let _ = writeln!(
                    out,
                    "<text class=\"about middle\" x=\"{x:.1}\" y=\"{second:.1}\">{}</text>",
                    escaped(&about)
                );
            }
            out.push_str("</g>\n");
        }
    }

    fn arrows(&self, out: &mut String) {
        for link in &self.layers.links {
            let arrow = &self.drawing.arrows[link.arrow];
            let class = if arrow.reads { "arrow reads" } else { "arrow" };
            let (x0, y0, x1, y1) = self.ends(link);
            let ends = matches!(self.layers.stops[link.to], Stop::Thing(_));
            let tip = if ends { x1 - HEAD + 1.0 } else { x1 };
            let middle = (x0 + tip) / 2.0;
            let _ = write!(
                out,
                "<path class=\"{class}\" d=\"M{x0:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {tip:.1} {y1:.1}"
            );
            match ends {
                true => {
                    let (back, up, low) = (x1 - HEAD, y1 - HEAD / 2.0, y1 + HEAD / 2.0);
                    let _ = writeln!(out, "\"/>");
                    let _ = writeln!(
                        out,
                        "<path class=\"head\" d=\"M{x1:.1} {y1:.1}L{back:.1} {up:.1}L{back:.1} {low:.1}Z\"/>"
                    );
                }
                // On its way it goes straight through the column.
                false => {
                    let _ = writeln!(out, "H{:.1}\"/>", x1 + self.places.stops[link.to].width);
                }
            }
        }
    }

    /// Routes stand at the end of an arrow's first piece, above it, where no two of them meet; the lowest of those that
    /// end at one thing stands below if the arrow comes down to it, out of its way.
    fn routes(&self, out: &mut String) {
        for link in self.layers.links.iter().filter(|link| link.first) {
            if let Some(route) = &self.drawing.arrows[link.arrow].route {
                let (_, from, x, y) = self.ends(link);
                let others = self.layers.links.iter().filter(|other| other.to == link.to);
                let lowest = others.map(|other| self.ends(other).3).all(|other| other <= y);
                let (x, y) = (x - HEAD - 3.0, if lowest && from < y { y + 12.0 } else { y - 4.0 });
                let _ = writeln!(
                    out,
                    "<text class=\"route\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                    escaped(route)
                );
            }
        }
    }

    /// Where a piece of an arrow begins and ends: those that end at one thing keep apart, in the order in which they
    /// come.
    fn ends(&self, link: &Link) -> (f64, f64, f64, f64) {
        let (from, to) = (self.places.stops[link.from], self.places.stops[link.to]);
        let y = |other: &Link| self.places.stops[other.from].y;
        let others: Vec<&Link> = self.layers.links.iter().filter(|other| other.to == link.to).collect();
        let index = |l: &Link| others.iter().position(|other| *other == l).unwrap_or(0);
        let before = |other: &&&Link| (y(other), index(other)) < (y(link), index(link));
        let rank = others.iter().filter(before).count() as f64;
        let port = (rank - (others.len() as f64 - 1.0) / 2.0) * PORT;
        (from.x + from.width, from.y, to.x, to.y + port)
    }
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Topic => "topic",
        Look::Source => "source",
        Look::Node => "node",
        Look::Table => "table",
        Look::Sink => "sink",
    }
}

fn outline(look: Look, place: Place, out: &mut String) {
    let Place { x, y, width, height } = place;
    let top = y - height / 2.0;
    let round = match look {
        Look::Topic => height / 2.0,
        Look::Table => return cylinder(place, out),
        _ => 5.0,
    };
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\"/>"
    );
}

fn cylinder(Place { x, y, width, height }: Place, out: &mut String) {
    let (rx, ry) = (width / 2.0, 6.0);
    let (top, side) = (y - height / 2.0 + ry, height - 2.0 * ry);
    let _ = writeln!(
        out,
        "<path d=\"M{x:.1} {top:.1}a{rx:.1} {ry} 0 0 1 {width:.1} 0v{side:.1}a{rx:.1} {ry} 0 0 1 -{width:.1} 0z\
         m0 0a{rx:.1} {ry} 0 0 0 {width:.1} 0\"/>"
    );
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
