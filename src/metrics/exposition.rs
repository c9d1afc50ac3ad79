//! The text that Prometheus reads, version 0.0.4: families one behind the other, each with its help and type once.

use std::fmt::{Display, Write};

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only goes up; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The text so far.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// A family that is being written.
#[derive(Debug)]
pub struct Family<'e> {
    text: &'e mut String,
    name: &'static str,
}

impl Exposition {
    /// What a server says that it is.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family.
    pub fn family(&mut self, name: &'static str, ty: Type, help: &str) -> Family<'_> {
        debug_assert_eq!(ty == Type::Counter, name.ends_with("_total"), "{name}");
        let ty = match ty {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
        };
        self.head(name, ty, help);
        Family { text: &mut self.text, name }
    }

    /// A histogram of seconds, as a whole family.
    pub fn histogram(&mut self, name: &'static str, help: &str, seen: &super::Histogram) {
        self.head(name, "histogram", help);
        let out = &mut self.text;
        for (bound, count) in seen.cumulated() {
            let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {count}", seconds(bound as i64));
        }
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {}", seen.count());
        let _ = writeln!(out, "{name}_sum {}", seconds(seen.sum_ms() as i64));
        let _ = writeln!(out, "{name}_count {}", seen.count());
    }

    fn head(&mut self, name: &str, ty: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {ty}");
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// A number, told from the others of its family by its labels.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.text.push_str(self.name);
        for (at, (label, is)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(is));
        }
        let behind = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{behind} {value}");
        self
    }
}

/// A label's value, as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Milliseconds as Prometheus wants times.
pub fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_reads_as_prometheus_wants_it() {
        let mut out = Exposition::default();
        out.family("a_total", Type::Counter, "With a \\ and\na line.")
            .value(&[], 1)
            .value(&[("x", "say \"hi\"\\\n"), ("y", "ü")], 2.5);
        let mut seen = super::super::Histogram::default();
        seen.observe(3);
        out.histogram("b_seconds", "B.", &seen);
        let text = out.finish();
        assert!(text.starts_with(
            "# HELP a_total With a \\\\ and\\na line.\n# TYPE a_total counter\na_total 1\n\
             a_total{x=\"say \\\"hi\\\"\\\\\\n\",y=\"ü\"} 2.5\n# HELP b_seconds B.\n"
        ));
        assert!(text.contains("b_seconds_bucket{le=\"0.002\"} 0\nb_seconds_bucket{le=\"0.005\"} 1\n"));
        assert!(
            text.ends_with("b_seconds_bucket{le=\"+Inf\"} 1\nb_seconds_sum 0.003\nb_seconds_count 1\n"),
            "{text}"
        );
    }
}
