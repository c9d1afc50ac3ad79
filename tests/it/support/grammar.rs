//! Pipelines made up from a grammar. Every stream has a text `k`, by which everything is keyed, and a float `x`.

use super::random::Random;
use std::fmt::Write;

/// A pipeline being made up.
#[derive(Debug)]
pub struct Grammar<'r> {
    dice: &'r mut Random,
    text: String,
    streams: Vec<Stream>,
    tables: Vec<(String, &'static str)>,
    nodes: usize,
    pub sources: usize,
    /// Whether silence closes windows.
    pub idle: bool,
    /// Whether some nodes group by another field than the key.
    regroups: bool,
}

/// Something to read from.
#[derive(Clone, Debug)]
struct Stream {
    name: String,
    /// Whether it has the optional integer `n`.
    has_n: bool,
}

const SCHEMA: &str = r#"
[schema.reading]
k = "string"
x = "float"
n = "int?"
at = "timestamp(ms)"
"#;

impl<'r> Grammar<'r> {
    /// A pipeline.
    pub fn new(dice: &'r mut Random) -> Self {
        let sources = dice.within(1, 3) as usize;
        let regroups = dice.one_in(4);
        // When something comes out of a repartition is a matter of commits, and so what a wall clock finds then.
        let idle = dice.one_in(4) && !regroups;
        let text = format!("name = \"p\"\ndead_letters = \"dead\"\n{SCHEMA}");
        let mut made =
            Grammar { dice, text, streams: vec![], tables: vec![], nodes: 0, sources, idle, regroups };
        for source in 0..sources {
            made.source(source);
        }
        for _ in 0..made.dice.within(2, 6) {
            made.node();
        }
        if !idle && !regroups && made.dice.one_in(2) {
            made.alert();
        }
        made.sinks();
        made
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn put(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}", line.as_ref());
    }

    fn source(&mut self, at: usize) {
        let late_by = *self.dice.pick(&["0s", "1s", "5s"]);
        self.put(format!("\n[source.s{at}]\ntopic = \"t{at}\"\nschema = \"reading\"\nkey = \"k\""));
        self.put(format!("event_time = \"at\"\nlate_by = \"{late_by}\"\nmax_future = \"1000d\""));
        if self.idle {
            self.put("idle_after = \"15s\"");
        }
        if self.dice.one_in(4) {
            self.put("on_null = \"skip\"");
        }
        self.streams.push(Stream { name: format!("s{at}"), has_n: true });
    }

    /// What a node reads: one stream, now and then two.
    fn from(&mut self) -> (String, bool) {
        let first = self.dice.pick(&self.streams).clone();
        let second = self.dice.pick(&self.streams).clone();
        // Where both sides of a repartition meet it is open which comes first.
        if !self.regroups && self.dice.one_in(4) && first.name != second.name {
            return (format!("[\"{}\", \"{}\"]", first.name, second.name), first.has_n && second.has_n);
        }
        (format!("\"{}\"", first.name), first.has_n)
    }

    fn node(&mut self) {
        let name = format!("n{}", self.nodes);
        self.nodes += 1;
        let (from, has_n) = self.from();
        match self.dice.below(6) {
            0 => self.filter(&name, &from),
            1 => self.map(&name, &from, has_n),
            2 => self.branch(&name, &from, has_n),
            3 => self.count(&name, &from),
            _ => return self.tumble(&name, &from, has_n),
        }
        self.streams.push(Stream { name, has_n });
    }

    fn condition(&mut self) -> String {
        let x = self.dice.within(-2, 12);
        match self.dice.below(4) {
            0 => format!("x < {x}.0"),
            1 => format!("x >= {x}.0"),
            2 => "k != \"c\"".to_owned(),
            _ => format!("k == \"a\" || x > {x}.0"),
        }
    }

    fn filter(&mut self, name: &str, from: &str) {
        let when = self.condition();
        self.put(format!("\n[filter.{name}]\nfrom = {from}\nwhen = '{when}'"));
    }

    fn map(&mut self, name: &str, from: &str, has_n: bool) {
        self.put(format!("\n[map.{name}]\nfrom = {from}\nset.\"deep.y{name}\" = 'x + 1.0'"));
        if self.dice.one_in(2) {
            self.put("set.x = 'x * 2.0'");
        }
        if has_n && self.dice.one_in(2) {
            self.put("set.n = '100 / (coalesce(n, 1) - 2)'");
        }
    }

    fn branch(&mut self, name: &str, from: &str, has_n: bool) {
        let (reject, hot, odd) = (self.condition(), self.condition(), self.condition());
        let all = self.dice.one_in(2);
        self.put(format!("\n[branch.{name}]\nfrom = {from}"));
        if self.dice.one_in(2) {
            self.put(format!("reject = [{{ when = '{reject}', reason = \"rejected\" }}]"));
        }
        self.put(format!(
            "routes = [{{ to = \"hot\", when = '{hot}', all = {all} }}, {{ to = \"odd\", when = '{odd}' }}]"
        ));
        for route in ["hot", "odd"] {
            self.streams.push(Stream { name: format!("{name}.{route}"), has_n });
        }
    }

    fn count(&mut self, name: &str, from: &str) {
        let by = if self.regroups && self.dice.one_in(2) { "x" } else { "k" };
        self.put(format!("\n[count.{name}]\nfrom = {from}\nby = \"{by}\""));
        self.tables.push((name.to_owned(), "count >= 2"));
    }

    fn tumble(&mut self, name: &str, from: &str, has_n: bool) {
        let every = *self.dice.pick(&["1s", "5s", "10s", "1m", "1h"]);
        self.put(format!("\n[tumble.{name}]\nfrom = {from}\nby = \"k\"\nevery = \"{every}\""));
        if self.dice.one_in(3) {
            self.put("offset = \"700ms\"");
        }
        if self.dice.one_in(3) {
            self.put("late = \"dead-letter\"");
        }
        let largest = *self.dice.pick(&["max(x)", "sum(x)", "last(x)", "first(x)"]);
        self.put(format!("compute.x = '{largest}'"));
        for (field, expression) in [("c", "count()"), ("mean", "avg(x)"), ("ratio", "20 / (count() - 2)")] {
            if self.dice.one_in(3) {
                self.put(format!("compute.{field} = '{expression}'"));
            }
        }
        if has_n && self.dice.one_in(2) {
            let of_n = *self.dice.pick(&["sum(n)", "min(n)", "last(n)"]);
            self.put(format!("compute.n = '{of_n}'"));
        }
        self.tables.push((name.to_owned(), "x > 3.0"));
        self.streams.push(Stream { name: name.to_owned(), has_n: false });
    }

    fn alert(&mut self) {
        if self.tables.is_empty() {
            return;
        }
        let (table, when) = self.dice.pick(&self.tables).clone();
        let once = self.dice.one_in(2);
        self.put(format!("\n[alert.said]\ntable = \"{table}\"\nevery = \"20s\"\nwhen = '{when}'"));
        self.put(format!("message = \"{{k}} in {table}\"\nonce = {once}"));
        self.put("\n[sink.said_out]\nfrom = \"said\"\ntopic = \"said\"");
    }

    fn sinks(&mut self) {
        let streams: Vec<_> = self.streams.clone();
        for (at, stream) in streams.iter().enumerate() {
            if at + 1 == streams.len() || self.dice.one_in(2) {
                self.put(format!("\n[sink.o{at}]\nfrom = \"{}\"\ntopic = \"o{at}\"", stream.name));
            }
        }
    }
}
