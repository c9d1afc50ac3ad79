//! For Graphviz.

use super::{Drawing, Look, cut};
use crate::plan::Plan;

/// A plan in Graphviz's language.
pub fn dot(plan: &Plan) -> String {
    let drawing = Drawing::of(plan);
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n  \
         edge [fontname=\"Helvetica\", fontsize=10];\n",
        quoted(&plan.settings.name)
    );
    for (at, thing) in drawing.things.iter().enumerate() {
        let shape = match thing.look {
            Look::Topic => ", shape=cds, style=\"\"",
            Look::Table => ", shape=cylinder, style=\"\"",
            Look::Source | Look::Node | Look::Sink => "",
        };
        let label = match thing.about.as_str() {
            "" => thing.name.clone(),
            about => format!("{}\n{}", thing.name, cut(about, 48)),
        };
        out.push_str(&format!("  t{at} [label={}{shape}];\n", quoted(&label)));
    }
    for arrow in &drawing.arrows {
        let mut attributes = vec![];
        attributes.extend(arrow.route.as_ref().map(|route| format!("label={}", quoted(route))));
        attributes.extend(arrow.reads.then(|| "style=dashed".to_owned()));
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        out.push_str(&format!("  t{} -> t{}{attributes};\n", arrow.from, arrow.to));
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
