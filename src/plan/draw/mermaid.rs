//! For Markdown: a Mermaid flowchart.

use super::{Drawing, Look, cut};
use crate::plan::Plan;

/// A plan as a flowchart.
pub fn mermaid(plan: &Plan) -> String {
    let drawing = Drawing::of(plan);
    let mut out = "flowchart LR\n".to_owned();
    for (at, thing) in drawing.things.iter().enumerate() {
        let about = match thing.about.as_str() {
            "" => String::new(),
            about => format!("<br/>{}", escaped(&cut(about, 48))),
        };
        let (open, close) = match thing.look {
            Look::Topic => ("([", "])"),
            Look::Table => ("[(", ")]"),
            Look::Source | Look::Node | Look::Sink => ("[", "]"),
        };
        out.push_str(&format!("  t{at}{open}\"{}{about}\"{close}\n", escaped(&thing.name)));
    }
    for arrow in &drawing.arrows {
        let line = if arrow.reads { "-.->" } else { "-->" };
        let route = arrow.route.as_ref().map(|route| format!("|\"{}\"|", escaped(route)));
        out.push_str(&format!("  t{} {line}{} t{}\n", arrow.from, route.unwrap_or_default(), arrow.to));
    }
    out
}

/// Labels stand in quotes, are HTML, and some programs look for Markdown in them; what means something there is written
/// as Mermaid's own entities.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            // Within a word it is no emphasis.
            '_' if inside => out.push('_'),
            '#' | '`' | '\\' | '*' | '_' | '~' | '$' => out.push_str(&format!("#{};", u32::from(c))),
            c => out.push(c),
        }
        before = c;
    }
    out
}
