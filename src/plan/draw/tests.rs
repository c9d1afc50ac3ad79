//! Drawings of a small and a large pipeline: what is in them, and that nothing lies over anything.

use super::layers::{Layers, Stop};
use super::places::{ABOUT_SIZE, Place, Places, text_width};
use super::*;
use crate::plan::check;

const LARGE: &str = include_str!("large.toml");

/// Names and expressions with what each format takes for its own.
const AWKWARD: &str = r##"
name = "a.b-c_d"
[schema.s]
x = "string"
[source.from]
topic = "a_b.c-d"
schema = "s"
[filter.graph]
from = "from"
when = '''x == "<b>&#\"'" ||
  x == "*_`$~"'''
[sink.end]
from = "graph"
topic = "from"
"##;

fn plan(source: &str) -> Plan {
    let checked = check(source, &[]);
    checked.plan.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// All examples of kinds, and the pipelines above.
fn plans() -> Vec<Plan> {
    let examples = crate::operators::KINDS.iter().map(|kind| kind.example);
    examples.chain([LARGE, AWKWARD]).map(plan).collect()
}

#[test]
fn a_drawing_has_every_thing_and_every_arrow() {
    let plan = plan(LARGE);
    let drawing = Drawing::of(&plan);
    let looks = |look: Look| drawing.things.iter().filter(|thing| thing.look == look).count();
    assert_eq!(looks(Look::Topic), 4 + 9);
    assert_eq!(looks(Look::Source), 3);
    assert_eq!(looks(Look::Table), 5);
    assert_eq!(looks(Look::Sink), 10);
    assert_eq!(drawing.arrows.iter().filter(|arrow| arrow.reads).count(), 3);
    assert_eq!(drawing.arrows.iter().filter(|arrow| arrow.route.is_some()).count(), 5);
    for arrow in &drawing.arrows {
        assert!(arrow.from < arrow.to, "{arrow:?}");
    }
}

#[test]
fn the_picture_of_a_small_pipeline() {
    let text = "name = \"p\"\n[source.a]\ntopic = \"in\"\n[sink.b]\nfrom = \"a\"\ntopic = \"out\"\n";
    let plan = plan(text);
    assert_eq!(
        mermaid(&plan),
        "flowchart LR\n  t0([\"in\"])\n  t1[\"a<br/>source\"]\n  t2[\"b<br/>sink\"]\n  t3([\"out\"])\n  \
         t0 --> t1\n  t1 --> t2\n  t2 --> t3\n"
    );
    let dot = dot(&plan);
    assert!(dot.starts_with("digraph \"p\" {\n"), "{dot}");
    assert!(dot.contains("  t1 [label=\"a\\nsource\"];\n"), "{dot}");
    assert!(dot.ends_with("  t0 -> t1;\n  t1 -> t2;\n  t2 -> t3;\n}\n"), "{dot}");
    let text = super::text(&plan);
    assert!(text.starts_with("p: 1 source, 0 nodes, 1 sink, exactly once\n\n  a     source  in\n"), "{text}");
    assert!(text.contains("  reads:    in\n  writes:   out\n"), "{text}");
}

#[test]
fn nothing_lies_over_anything() {
    for plan in plans() {
        let drawing = Drawing::of(&plan);
        let layers = Layers::of(&drawing);
        let places = Places::of(&drawing, &layers);
        let boxes: Vec<Area> = places.stops.iter().map(Area::of).collect();
        for (at, a) in boxes.iter().enumerate() {
            assert!(a.left >= 0.0 && a.top >= -1.0, "{a:?}");
            assert!(a.right <= places.width && a.low <= places.height + 1.0, "{a:?}");
            for b in &boxes[..at] {
                assert!(!a.meets(b), "{}: {a:?} {b:?}", plan.settings.name);
            }
        }
    }
}

#[test]
fn arrows_go_from_column_to_column_and_routes_have_room() {
    for plan in plans() {
        let drawing = Drawing::of(&plan);
        let layers = Layers::of(&drawing);
        let places = Places::of(&drawing, &layers);
        let column = |stop: usize| layers.columns.iter().position(|c| c.contains(&stop)).expect("it has one");
        for link in &layers.links {
            assert_eq!(column(link.from) + 1, column(link.to), "{link:?}");
            let (from, to) = (places.stops[link.from], places.stops[link.to]);
            let route =
                drawing.arrows[link.arrow].route.as_deref().filter(|_| link.first).unwrap_or_default();
            let room = to.x - from.x - from.width;
            assert!(room >= text_width(route, ABOUT_SIZE) + 20.0, "{route}: {room}");
        }
        let things = layers.stops.iter().filter(|stop| matches!(stop, Stop::Thing(_))).count();
        assert_eq!(things, drawing.things.len());
        assert_eq!(layers.columns.iter().map(Vec::len).sum::<usize>(), layers.stops.len());
    }
}

#[test]
fn few_arrows_of_a_large_pipeline_cross() {
    let layers = Layers::of(&Drawing::of(&plan(LARGE)));
    assert!(layers.crossings() <= 6, "{}", layers.crossings());
}

#[test]
fn a_drawing_is_the_same_every_time() {
    for draw in [text, mermaid, dot, svg] {
        assert_eq!(draw(&plan(LARGE)), draw(&plan(LARGE)));
    }
}

#[test]
fn what_formats_take_for_their_own_is_escaped() {
    let plan = plan(AWKWARD);
    let shown = "x == &quot;&lt;b&gt;&amp;#\\&quot;&#39;&quot; || x == ";
    let picture = svg(&plan);
    assert!(picture.contains(shown), "{picture}");
    assert!(balanced(&picture), "{picture}");
    let chart = mermaid(&plan);
    assert!(
        chart.contains("x == #quot;#lt;b#gt;#amp;#35;#92;#quot;'#quot; || x == #quot;#42;#95;#96;"),
        "{chart}"
    );
    assert!(chart.lines().skip(1).all(|line| line.matches('"').count() % 2 == 0), "{chart}");
    let dot = dot(&plan);
    assert!(dot.contains(r#"x == \"<b>&#\\\"'\" || x == \"*_`$"#), "{dot}");
    assert_eq!(text(&plan).lines().filter(|line| line.contains("filter")).count(), 1);
}

#[test]
fn every_picture_is_balanced_xml_with_words() {
    for plan in plans() {
        let picture = svg(&plan);
        assert!(balanced(&picture), "{picture}");
        assert!(
            picture.contains("<title id=\"title\">") && picture.contains("<desc id=\"desc\">"),
            "{picture}"
        );
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }
}

/// Whether each tag is closed by its own name, in order.
fn balanced(xml: &str) -> bool {
    let mut open = vec![];
    for piece in xml.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { return false };
        let name = tag.trim_matches('/').split([' ', '\n']).next().unwrap_or_default();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) if open.pop() == Some(name) => {}
            (true, _) => return false,
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    open.is_empty()
}

#[derive(Debug)]
struct Area {
    left: f64,
    right: f64,
    top: f64,
    low: f64,
}

impl Area {
    fn of(place: &Place) -> Self {
        let Place { x, y, width, height } = *place;
        Area { left: x, right: x + width, top: y - height / 2.0, low: y + height / 2.0 }
    }

    fn meets(&self, other: &Area) -> bool {
        // Places are rounded to whole pixels.
        let apart = 10.0;
        self.left < other.right
            && other.left < self.right
            && self.top < other.low + apart
            && other.top < self.low + apart
    }
}
