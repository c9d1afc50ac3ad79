//! Made-up records: the expressions of `[generate.SOURCE]`, seeded.

use super::key::Keyer;
use super::tree::{Member, tree, write};
use crate::codec::splice::Unwritable;
use crate::codec::{write_key_text, write_value};
use crate::expr::Dice;
use crate::frame::{EMPTY, Frame, Register, Registers, Value};
use crate::plan::Plan;
use crate::plan::generate::Generate;
use crate::plan::source::Format;
use crate::types::{Kind, TimeFormat};
use std::fmt;

/// Makes up one record after the other. The same plan, seed and times make the same records.
///
/// The dice lie in the plan: of two generators of one source, only the newer one may be used.
#[derive(Debug)]
pub struct Generator<'p> {
    plan: &'p Plan,
    generate: &'p Generate,
    members: Vec<Member>,
    /// Whether a record is the text of its one field.
    is_text: bool,
    /// The field that is the key, and whether it is written as JSON.
    key_field: Option<(usize, bool)>,
    keyer: Option<Keyer>,
    bad: Option<Mix>,
    made_bad: u64,
    /// What the last record was made of.
    values: Vec<Value>,
    registers: Registers,
    arena: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// A record that was made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made<'g> {
    /// Its key, if it has one.
    pub key: Option<&'g [u8]>,
    /// Its value.
    pub value: &'g [u8],
}

/// A record that could not be made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmade {
    /// The field for which there is no value.
    pub field: String,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for Unmade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`set.{}` has no value for a record: {}", self.field, self.reason)
    }
}

impl std::error::Error for Unmade {}

/// Which records are bad ones: one of each ten, at a place that the dice choose, so that there are some among few.
#[derive(Debug)]
struct Mix {
    dice: Dice,
    at: i64,
    chosen: i64,
}

impl Mix {
    const BLOCK: i64 = 10;

    fn is_bad(&mut self) -> bool {
        if self.at == 0 {
            self.chosen = self.dice.int(0, Mix::BLOCK - 1).unwrap_or(0);
        }
        let bad = self.at == self.chosen;
        self.at = (self.at + 1) % Mix::BLOCK;
        bad
    }
}

impl<'p> Generator<'p> {
    /// Records of the plan's generator with this index.
    pub fn new(plan: &'p Plan, index: usize, seed: u64) -> Self {
        let generate = &plan.generates[index];
        let source = &plan.sources[generate.source];
        generate.dice.reseed(seed);
        let key_field = source.key.as_ref().and_then(|key| {
            let field = generate.fields.iter().position(|field| field.name == key.name)?;
            Some((field, key.json))
        });
        Generator {
            plan,
            generate,
            members: tree(generate.fields.iter().map(|field| field.name.as_str())),
            is_text: source.format == Format::Text && generate.fields.len() == 1,
            key_field,
            keyer: Keyer::of(source),
            bad: None,
            made_bad: 0,
            values: vec![],
            registers: EMPTY,
            arena: vec![],
            key: vec![],
            value: vec![],
        }
    }

    /// With bad records among them, about one in ten.
    pub fn with_bad(mut self, seed: u64) -> Self {
        let bad = !self.generate.bad.is_empty();
        self.bad = bad.then(|| Mix { dice: Dice::new(!seed, 0), at: 0, chosen: 0 });
        self
    }

    /// How many bad records there have been.
    pub fn made_bad(&self) -> u64 {
        self.made_bad
    }

    /// The next record, made at this time.
    pub fn next_record(&mut self, now_ms: i64) -> Result<Made<'_>, Unmade> {
        let has_key = match self.bad.as_mut().is_some_and(Mix::is_bad) {
            true => self.bad(),
            false => self.good(now_ms)?,
        };
        Ok(Made { key: has_key.then_some(&self.key), value: &self.value })
    }

    /// Bad records come one after the other, so that all of them come.
    fn bad(&mut self) -> bool {
        let bad = &self.generate.bad[(self.made_bad % self.generate.bad.len() as u64) as usize];
        self.made_bad += 1;
        self.value.clear();
        self.value.extend_from_slice(bad.as_bytes());
        self.key_of_value()
    }

    fn key_of_value(&mut self) -> bool {
        let key = self.keyer.as_ref().and_then(|keyer| keyer.key(&self.value));
        let has_key = key.is_some();
        self.key = key.unwrap_or_default();
        has_key
    }

    fn good(&mut self, now_ms: i64) -> Result<bool, Unmade> {
        self.generate.dice.set_now(now_ms);
        self.arena.clear();
        self.values.clear();
        let mut frame = Frame::new(&mut self.registers, &mut self.arena, &self.plan.constants);
        let fields = &self.generate.fields;
        for field in fields {
            let value = field.expression.value(&mut frame).map_err(|error| {
                let reason = self.plan.reasons.sentence(error.reason).to_owned();
                Unmade { field: field.name.clone(), reason }
            })?;
            self.values.push(value);
        }
        self.value.clear();
        let values = &self.values;
        let mut put = |number: usize, out: &mut Vec<u8>| {
            let (field, as_json) = (&fields[number], !self.is_text);
            frame.set(ONLY, values[number]);
            written(&frame, field.expression.ty.kind, field.time, as_json, out)
                .map_err(|error| Unmade { field: field.name.clone(), reason: explain(error) })
        };
        match self.is_text {
            true => put(0, &mut self.value)?,
            false => write(&self.members, &mut self.value, &mut put)?,
        };
        let Some((field, as_json)) = self.key_field else { return Ok(self.key_of_value()) };
        self.key.clear();
        frame.set(ONLY, values[field]);
        // A time in a key is milliseconds, as the source's promise has it.
        let kind = fields[field].expression.ty.kind;
        Ok(written(&frame, kind, TimeFormat::Millis, as_json, &mut self.key).unwrap_or(false))
    }
}

/// Where a value stands while it is written.
const ONLY: Register = Register(0);

/// Writes a value, if there is one; whether there is.
fn written(
    frame: &Frame<'_>,
    kind: Kind,
    time: TimeFormat,
    as_json: bool,
    out: &mut Vec<u8>,
) -> Result<bool, Unwritable> {
    if frame.is_set(ONLY) {
        match as_json {
            true => write_value(out, frame, ONLY, kind, time)?,
            false => write_key_text(out, frame, ONLY, kind, time)?,
        }
    }
    Ok(frame.is_set(ONLY))
}

fn explain(error: Unwritable) -> String {
    match error {
        Unwritable::NotFinite => "it is not finite, and JSON has no such number".to_owned(),
        Unwritable::OutOfYears => "it lies outside the years 0000 to 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: &str = include_str!("../../pipelines/sensor.toml");

    fn plan(text: &str) -> Plan {
        let checked = crate::plan::check(text, &[]);
        checked.plan.unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
    }

    fn small(source: &str, generate: &str) -> Plan {
        plan(&format!(
            "name = \"p\"\n[source.s]\ntopic = \"t\"\n{source}\n[sink.o]\nfrom = \"s\"\ntopic = \"o\"\n\
             [generate.s]\n{generate}\n"
        ))
    }

    fn records(plan: &Plan, seed: u64, count: usize, bad: bool) -> Vec<(Option<String>, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let generator = Generator::new(plan, 0, seed);
        let mut generator = if bad { generator.with_bad(seed) } else { generator };
        let mut next = |now| {
            let made = generator.next_record(now).expect("made");
            (made.key.map(text), text(made.value))
        };
        (0..count as i64).map(|n| next(1_767_225_600_000 + n)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_records() {
        let (plan, fresh) = (plan(SENSOR), plan(SENSOR));
        let first = records(&plan, 7, 50, true);
        assert_eq!(first, records(&plan, 7, 50, true));
        assert_ne!(first, records(&plan, 8, 50, true));
        assert_eq!(first, records(&fresh, 7, 50, true), "the plan is no part of it");
    }

    #[test]
    fn fields_stand_in_their_order_and_the_key_is_one_of_them() {
        for (key, value) in records(&plan(SENSOR), 1, 20, false) {
            let json: serde_json::Value = serde_json::from_str(&value).expect("JSON");
            let names: Vec<_> = json.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(names, ["sensor_id", "temperature", "humidity", "location", "timestamp"]);
            assert_eq!(key.as_deref(), json["sensor_id"].as_str());
            assert!(json["timestamp"].as_str().is_some_and(|t| t.starts_with("2026-01-01T00:00:00")));
        }
    }

    #[test]
    fn one_of_ten_is_bad_and_all_bad_ones_come() {
        let plan = plan(SENSOR);
        let bad = &plan.generates[0].bad;
        let all = records(&plan, 3, 100, true);
        for ten in all.chunks(10) {
            assert_eq!(ten.iter().filter(|(_, value)| bad.contains(value)).count(), 1);
        }
        for one in bad {
            let (key, _) = all.iter().find(|(_, value)| value == one).expect("it comes");
            let json: Option<serde_json::Value> = serde_json::from_str(one).ok();
            let id = json.and_then(|json| json.get("sensor_id")?.as_str().map(str::to_owned));
            assert_eq!(*key, id, "{one}");
        }
        let good: Vec<_> = all.into_iter().filter(|(_, value)| !bad.contains(value)).collect();
        let alone = records(&plan, 3, good.len(), false);
        let ids =
            |all: &[(Option<String>, String)]| all.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&good), ids(&alone), "the good ones are what they are without");
    }

    #[test]
    fn dotted_names_are_objects_and_what_cannot_be_made_is_named() {
        let plan = small("", "set.\"a.b\" = 'random_int(1, 1)'\nset.c = '\"x\"'\nset.\"a.d\" = 'now()'");
        let (key, value) = &records(&plan, 1, 1, false)[0];
        assert_eq!((key, value.as_str()), (&None, r#"{"a":{"b":1,"d":"2026-01-01T00:00:00Z"},"c":"x"}"#));

        let broken = small("", "set.a = 'random_int(0, 0)'\nset.b = '1 / random_int(0, 0)'");
        let error = Generator::new(&broken, 0, 1).next_record(0).expect_err("division by zero");
        assert!(error.to_string().starts_with("`set.b` has no value for a record: "), "{error}");
    }

    #[test]
    fn a_text_source_gets_texts() {
        let plan = small("format = \"text\"", "set.value = '\"say \\\"hi\\\" \" + str(random_int(1, 1))'");
        assert_eq!(records(&plan, 1, 1, false), [(None, "say \"hi\" 1".to_owned())]);
    }
}
