//! What an expression costs a record: ours, evalexpr with a context, and the same by hand over the same frames.
//!
//! `cargo bench --bench expressions`. Contestants take turns, so that a noisy machine is noisy to all of them; ratios
//! are of the medians.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use evalexpr::{ContextWithMutableVariables, HashMapContext, Node, build_operator_tree};
use std::hint::black_box;
use std::time::Instant;
use streamrun::diagnostic::{Passage, Place};
use streamrun::expr::{Expression, Field, Names, Param, ParamValue, Setting, compile};
use streamrun::frame::{EMPTY, Frame, Register, Registers, Text, Value};
use streamrun::operator::ReasonId;
use streamrun::types::{Kind, Type};

const RECORDS: usize = 1024;
const PASSES: usize = 200;
const ROUNDS: usize = 15;
const TEMPERATURE: Register = Register(0);

/// One field, four params.
#[derive(Default)]
struct Sensor {
    constants: Vec<u8>,
}

impl Names for Sensor {
    fn field(&mut self, name: &str) -> Option<Field> {
        let field = Field { register: TEMPERATURE, ty: Type::required(Kind::Float), declared: None };
        (name == "temperature").then_some(field)
    }

    fn has_field(&self, _: &str) -> Option<Place> {
        None
    }

    fn param(&mut self, name: &str) -> Option<Param> {
        let value = match name {
            "coldest" => 0.0,
            "warning_temp" => 60.0,
            "critical_temp" => 80.0,
            "hottest" => 150.0,
            _ => return None,
        };
        Some(Param { value: ParamValue::Float(value), declared: Place::default() })
    }

    fn candidates(&self) -> Vec<String> {
        vec![]
    }

    fn describe(&self) -> Option<String> {
        None
    }

    fn subject(&self) -> String {
        "`valid`".to_owned()
    }

    fn constant(&mut self, text: &str) -> Text {
        let start = self.constants.len();
        self.constants.extend_from_slice(text.as_bytes());
        Text::constant(start, self.constants.len())
    }

    fn reason(&mut self, _: &str) -> ReasonId {
        ReasonId(0)
    }
}

/// Temperatures in an order that no branch predictor learns.
fn temperatures() -> Vec<f64> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    (0..RECORDS).map(|_| next() * 160.0 - 5.0).collect()
}

fn frame<'r>(registers: &'r mut Registers, arena: &'r mut Vec<u8>, constants: &'r [u8]) -> Frame<'r> {
    Frame::new(registers, arena, constants)
}

/// Nanoseconds a record of one turn: the record is put into its register and worked on.
fn turn(
    values: &[f64],
    passes: usize,
    frame: &mut Frame<'_>,
    work: &mut dyn FnMut(&mut Frame<'_>, &[f64]) -> u64,
) -> f64 {
    let start = Instant::now();
    for _ in 0..passes {
        black_box(work(frame, black_box(values)));
    }
    start.elapsed().as_nanos() as f64 / (passes * values.len()) as f64
}

/// Every contestant loops over the records itself, so that none pays for a call that the engine would not make.
fn over(values: &[f64], frame: &mut Frame<'_>, mut one: impl FnMut(&mut Frame<'_>) -> u64) -> u64 {
    values.iter().fold(0, |sum, value| {
        frame.set(TEMPERATURE, Value::Float(*value));
        sum + one(frame)
    })
}

fn result(value: Value) -> u64 {
    match value {
        Value::Bool(b) => b as u64,
        Value::Text(text) => text.len() as u64,
        _ => 0,
    }
}

fn theirs(tree: &Node, context: &mut HashMapContext, x: f64) -> u64 {
    context.set_value("temperature".to_owned(), x.into()).expect("a float stays a float");
    match tree.eval_with_context(context).expect("it evaluates") {
        evalexpr::Value::Boolean(b) => b as u64,
        evalexpr::Value::String(text) => text.len() as u64,
        _ => 0,
    }
}

fn compiled(text: &str) -> (Expression, Vec<u8>) {
    let (mut names, mut faults) = (Sensor::default(), vec![]);
    let passage = Passage::plain(text, 0);
    let expression = compile(&passage, &mut names, Setting::Record, &mut faults);
    (expression.unwrap_or_else(|| panic!("{faults:?}")), names.constants)
}

/// Minimum and median.
fn summary(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn contest(title: &str, text: &str, by_hand: fn(&mut Frame<'_>) -> u64) {
    let values = temperatures();
    let (expression, constants) = compiled(text);
    let tree = build_operator_tree(text).expect("it parses");
    let mut context = HashMapContext::new();
    for (name, value) in
        [("coldest", 0.0), ("warning_temp", 60.0), ("critical_temp", 80.0), ("hottest", 150.0)]
    {
        context.set_value(name.to_owned(), value.into()).expect("a fresh name");
    }
    let (mut registers, mut arena) = (EMPTY, vec![]);
    let mut frame = frame(&mut registers, &mut arena, &constants);
    let mut hand = |frame: &mut Frame<'_>, values: &[f64]| over(values, frame, by_hand);
    let mut ours = |frame: &mut Frame<'_>, values: &[f64]| {
        over(values, frame, |frame| expression.value(frame).map_or(0, result))
    };
    let mut evalexpr = |frame: &mut Frame<'_>, values: &[f64]| {
        over(values, frame, |frame| theirs(&tree, &mut context, frame.float(TEMPERATURE)))
    };
    assert_eq!(hand(&mut frame, &values), ours(&mut frame, &values), "{text}");
    assert_eq!(hand(&mut frame, &values), evalexpr(&mut frame, &values), "{text}");
    let (mut a, mut b, mut c) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        a.push(turn(&values, PASSES, &mut frame, &mut hand));
        b.push(turn(&values, PASSES, &mut frame, &mut ours));
        c.push(turn(&values, PASSES / 20, &mut frame, &mut evalexpr));
    }
    let (a, b, c) = (summary(&mut a), summary(&mut b), summary(&mut c));
    println!("{title}: {text}");
    println!("  by hand   {:7.2} / {:7.2} ns", a.0, a.1);
    println!("  ours      {:7.2} / {:7.2} ns   {:.1}x by hand", b.0, b.1, b.1 / a.1);
    println!("  evalexpr  {:7.2} / {:7.2} ns   {:.0}x ours", c.0, c.1, c.1 / b.1);
}

fn main() {
    contest("two comparisons", "temperature >= coldest && temperature <= hottest", |frame| {
        let x = frame.float(TEMPERATURE);
        (0.0..=150.0).contains(&x) as u64
    });
    contest("two comparisons, either", "temperature < coldest || temperature > hottest", |frame| {
        let x = frame.float(TEMPERATURE);
        !(0.0..=150.0).contains(&x) as u64
    });
    let grades = "if(temperature >= critical_temp, \"critical\", if(temperature >= warning_temp, \"warning\", \"normal\"))";
    contest("three-way if over texts", grades, |frame| {
        let x = frame.float(TEMPERATURE);
        let text = if x >= 80.0 {
            Text::constant(0, 8)
        } else if x >= 60.0 {
            Text::constant(8, 15)
        } else {
            Text::constant(15, 21)
        };
        result(Value::Text(black_box(text)))
    });
    contest("arithmetic", "(temperature - 32.0) * 5.0 / 9.0 > 20.0", |frame| {
        ((frame.float(TEMPERATURE) - 32.0) * 5.0 / 9.0 > 20.0) as u64
    });
}
