//! Expressions against evalexpr's own evaluator: the same value or the same failure, but for the differences that
//! the language names; each of those has its test here.

use evalexpr::{
    ContextWithMutableVariables, EvalexprResult, HashMapContext, Node, Operator, Value as Theirs,
    build_operator_tree,
};
use std::sync::Arc;
use streamrun::diagnostic::{Code, Diagnostic, Passage, Place};
use streamrun::expr::{Dice, Expression, Field, Names, Param, Setting, compile};
use streamrun::frame::{EMPTY, Frame, Register, Registers, Text, Value};
use streamrun::operator::ReasonId;
use streamrun::types::{Kind, Type};

const FIELDS: [(&str, Kind); 10] = [
    ("i", Kind::Int),
    ("j", Kind::Int),
    ("big", Kind::Int),
    ("f", Kind::Float),
    ("g", Kind::Float),
    ("s", Kind::String),
    ("t", Kind::String),
    ("long.name", Kind::String),
    ("b", Kind::Bool),
    ("c", Kind::Bool),
];

#[derive(Default)]
struct Fields {
    constants: Vec<u8>,
    reasons: Vec<String>,
}

impl Names for Fields {
    fn field(&mut self, name: &str) -> Option<Field> {
        let at = FIELDS.iter().position(|(field, _)| *field == name)?;
        Some(Field { register: Register(at as u8), ty: Type::required(FIELDS[at].1), declared: None })
    }

    fn has_field(&self, name: &str) -> Option<Place> {
        FIELDS.iter().any(|(field, _)| *field == name).then(Place::default)
    }

    fn param(&mut self, _: &str) -> Option<Param> {
        None
    }

    fn candidates(&self) -> Vec<String> {
        FIELDS.iter().map(|(name, _)| name.to_string()).collect()
    }

    fn describe(&self) -> Option<String> {
        None
    }

    fn subject(&self) -> String {
        "the record".to_owned()
    }

    fn constant(&mut self, text: &str) -> Text {
        let start = self.constants.len();
        self.constants.extend_from_slice(text.as_bytes());
        Text::constant(start, self.constants.len())
    }

    fn reason(&mut self, text: &str) -> ReasonId {
        self.reasons.push(text.to_owned());
        ReasonId(self.reasons.len() as u16 - 1)
    }
}

/// A record as both sides see it.
struct Record {
    ours: Vec<Ours>,
    theirs: HashMapContext,
}

#[derive(Clone, Debug, PartialEq)]
enum Ours {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Record {
    fn new(values: Vec<Ours>) -> Self {
        let mut theirs = HashMapContext::new();
        for ((name, _), value) in FIELDS.iter().zip(&values) {
            theirs.set_value(name.to_string(), value.theirs()).expect("a fresh name");
        }
        Record { ours: values, theirs }
    }

    fn random(dice: &Dice) -> Self {
        let one = |kind: Kind| match kind {
            Kind::Int => Ours::Int(*pick(dice, &[0, 1, -1, 2, 3, 7, 1000, -42])),
            Kind::Float => Ours::Float(*pick(dice, &[0.0, -0.0, 1.0, 0.5, -2.25, 1e9, 1e-9, 95.5])),
            Kind::Bool => Ours::Bool(dice.bits() & 1 == 1),
            _ => Ours::Text(
                pick(dice, &["", "a", "abc", "ABC", " ü ", "sensor-7", "\u{1F980}", "0"]).to_string(),
            ),
        };
        let mut values: Vec<_> = FIELDS.iter().map(|(_, kind)| one(*kind)).collect();
        values[2] = Ours::Int(*pick(dice, &[i64::MAX, i64::MIN, i64::MAX - 1, (1 << 53) + 1]));
        Record::new(values)
    }

    fn evaluate(&self, expression: &Expression, fields: &Fields) -> Result<Ours, String> {
        let mut registers = EMPTY;
        let (mut arena, mut payload) = (vec![], String::new());
        let mut texts = vec![];
        for value in &self.ours {
            let start = payload.len();
            if let Ours::Text(text) = value {
                payload.push_str(text);
            }
            texts.push(Text::payload(start, payload.len()));
        }
        let mut frame = empty(&mut registers, &mut arena, payload.as_bytes(), &fields.constants);
        for (at, value) in self.ours.iter().enumerate() {
            let value = match value {
                Ours::Bool(b) => Value::Bool(*b),
                Ours::Int(i) => Value::Int(*i),
                Ours::Float(x) => Value::Float(*x),
                Ours::Text(_) => Value::Text(texts[at]),
            };
            frame.set(Register(at as u8), value);
        }
        match expression.value(&mut frame) {
            Ok(Value::Bool(b)) => Ok(Ours::Bool(b)),
            Ok(Value::Int(i)) => Ok(Ours::Int(i)),
            Ok(Value::Float(x)) => Ok(Ours::Float(x)),
            Ok(Value::Text(text)) => Ok(Ours::Text(frame.str_of(text).to_owned())),
            Ok(Value::Absent) => panic!("nothing here may be absent"),
            Err(error) => Err(fields.reasons[error.reason.0 as usize].clone()),
        }
    }
}

fn empty<'r>(
    registers: &'r mut Registers,
    arena: &'r mut Vec<u8>,
    payload: &'r [u8],
    constants: &'r [u8],
) -> Frame<'r> {
    Frame { payload, ..Frame::new(registers, arena, constants) }
}

impl Ours {
    fn theirs(&self) -> Theirs {
        match self {
            Ours::Bool(b) => Theirs::Boolean(*b),
            Ours::Int(i) => Theirs::Int(*i),
            Ours::Float(x) => Theirs::Float(*x),
            Ours::Text(text) => Theirs::String(text.clone()),
        }
    }

    fn is(&self, theirs: &Theirs) -> bool {
        match (self, theirs) {
            (Ours::Bool(a), Theirs::Boolean(b)) => a == b,
            (Ours::Int(a), Theirs::Int(b)) => a == b,
            (Ours::Float(a), Theirs::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Ours::Text(a), Theirs::String(b)) => a == b,
            _ => false,
        }
    }
}

/// evalexpr's evaluation, but for the two differences that are about what is evaluated at all: only the arm that `if`
/// takes, and `&&` and `||` up to what decides.
fn lazily(node: &Node, context: &HashMapContext) -> EvalexprResult<Theirs> {
    let boolean = |node: &Node| lazily(node, context).and_then(|value| value.as_boolean());
    let children = node.children();
    match node.operator() {
        Operator::And if !boolean(&children[0])? => return Ok(Theirs::Boolean(false)),
        Operator::Or if boolean(&children[0])? => return Ok(Theirs::Boolean(true)),
        Operator::FunctionIdentifier { identifier } if identifier == "if" => {
            let list = children[0].children()[0].children();
            return lazily(&list[if boolean(&list[0])? { 1 } else { 2 }], context);
        }
        _ => {}
    }
    let mut node = node.clone();
    for child in node.children_mut() {
        let value = lazily(child, context)?;
        *child.operator_mut() = Operator::Const { value };
        child.children_mut().clear();
    }
    node.eval_with_context(context)
}

fn pick<'l, T>(dice: &Dice, list: &'l [T]) -> &'l T {
    &list[dice.int(0, list.len() as i64 - 1).expect("a list of something") as usize]
}

/// Writes typed expressions.
struct Writer<'d> {
    dice: &'d Dice,
}

impl Writer<'_> {
    fn one<'l>(&self, list: &[&'l str]) -> &'l str {
        pick::<&str>(self.dice, list)
    }

    fn any(&self, kind: Kind, depth: u32) -> String {
        match kind {
            Kind::Int => self.int(depth),
            Kind::Float => self.float(depth),
            Kind::Bool => self.bool(depth),
            _ => self.text(depth),
        }
    }

    fn int(&self, depth: u32) -> String {
        let leaf = ["i", "j", "big", "i", "0", "1", "2", "7", "0x1f", "9223372036854775807"];
        if depth == 0 {
            return self.one(&leaf).to_owned();
        }
        let a = || self.int(depth - 1);
        let bits = self.one(&["bitand", "bitor", "bitxor", "min", "max"]);
        match self.dice.bits() % 10 {
            0 => format!("-{}", self.operand(Kind::Int, depth)),
            1 => format!("({})", a()),
            2 => format!("{bits}({}, {})", a(), a()),
            3 => format!("bitnot({})", a()),
            4 => format!("{}({}, {})", self.one(&["shl", "shr"]), a(), self.one(&["0", "1", "63"])),
            5 => format!("len({})", self.text(depth - 1)),
            6 => format!("if({}, {}, {})", self.bool(depth - 1), a(), a()),
            _ => format!(
                "{} {} {}",
                self.operand(Kind::Int, depth),
                self.one(&["+", "-", "*", "/", "%"]),
                self.operand(Kind::Int, depth)
            ),
        }
    }

    /// An operand of arithmetic; without parentheses precedence decides, the same way on both sides.
    fn operand(&self, kind: Kind, depth: u32) -> String {
        let inner = self.any(kind, depth - 1);
        let arithmetic = matches!(kind, Kind::Int | Kind::Float) && self.dice.bits() & 1 == 0;
        if arithmetic { inner } else { format!("({inner})") }
    }

    fn float(&self, depth: u32) -> String {
        let leaf = ["f", "g", "f", "1.5", "0.0", "1e3", "2.5e-1", "7.", ".5"];
        if depth == 0 {
            return self.one(&leaf).to_owned();
        }
        let (a, number) = (|| self.float(depth - 1), || self.number(depth - 1));
        let math = [
            "sqrt", "cbrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "atan", "tanh", "asin", "abs",
        ];
        match self.dice.bits() % 10 {
            0 => format!("-({})", a()),
            1 => format!("{} ^ {}", self.leaf_number(), self.leaf_number()),
            2 => format!("math::{}({})", self.one(&math), a()),
            3 => format!("math::{}({}, {})", self.one(&["pow", "log", "atan2", "hypot"]), number(), number()),
            4 => format!("{}({})", self.one(&["round", "floor", "ceil"]), number()),
            5 => format!(
                "{}({}, {}, 3.5)",
                self.one(&["min", "max"]),
                self.one(&["f", "g"]),
                self.one(&["f", "-2.0"])
            ),
            6 => format!("if({}, {}, {})", self.bool(depth - 1), a(), a()),
            _ => format!(
                "({}) {} {}",
                a(),
                self.one(&["+", "-", "*", "/", "%"]),
                self.parenthesised_number(depth)
            ),
        }
    }

    fn leaf_number(&self) -> &'static str {
        self.one(&["i", "f", "2", "0.5", "-1", "(j)"])
    }

    fn number(&self, depth: u32) -> String {
        if self.dice.bits() & 1 == 0 { self.int(depth) } else { self.float(depth) }
    }

    fn parenthesised_number(&self, depth: u32) -> String {
        format!("({})", self.number(depth - 1))
    }

    fn bool(&self, depth: u32) -> String {
        if depth == 0 {
            return self.one(&["b", "c", "true", "false", "b"]).to_owned();
        }
        let a = || self.bool(depth - 1);
        let compare = self.one(&["<", "<=", ">", ">="]);
        let equal = self.one(&["==", "!="]);
        let kind = *pick(self.dice, &[Kind::Int, Kind::Float, Kind::Bool, Kind::String]);
        match self.dice.bits() % 10 {
            0 => format!("!({})", a()),
            1 => format!("{} && {}", a(), a()),
            2 => format!("({}) || {}", a(), a()),
            3 => format!("({}) {equal} ({})", self.any(kind, depth - 1), self.any(kind, depth - 1)),
            4 => format!("{} {compare} {}", self.int(depth - 1), self.float(0)),
            5 => format!("({}) {compare} ({})", self.text(depth - 1), self.text(depth - 1)),
            6 => format!(
                "contains(({}, {}), {})",
                self.any(kind, 0),
                self.any(kind, depth - 1),
                self.any(kind, 0)
            ),
            7 => format!(
                "contains_any(({0}, {1}), ({1}, {2}))",
                self.any(kind, 0),
                self.any(kind, 0),
                self.any(kind, depth - 1)
            ),
            8 => format!(
                "math::{}({})",
                self.one(&["is_nan", "is_finite", "is_infinite", "is_normal"]),
                self.number(depth - 1)
            ),
            _ => format!("({}) {compare} ({})", self.number(depth - 1), self.number(depth - 1)),
        }
    }

    fn text(&self, depth: u32) -> String {
        let leaf = ["s", "t", "long.name", "\"\"", "\"abc\"", "\"ü\\\"\\\\\"", "\"sensor-7\""];
        if depth == 0 {
            return self.one(&leaf).to_owned();
        }
        let a = || self.text(depth - 1);
        match self.dice.bits() % 7 {
            0 => format!("str::{}({})", self.one(&["to_lowercase", "to_uppercase", "trim"]), a()),
            1 => format!(
                "str::from({})",
                self.any(*pick(self.dice, &[Kind::Int, Kind::Float, Kind::Bool]), depth - 1)
            ),
            2 => format!("str::substring(\"abcdefgh\", {})", self.one(&["0", "0, 8", "3, 5", "8", "2, 2"])),
            3 => format!("if({}, {}, {})", self.bool(depth - 1), a(), a()),
            4 => format!("typeof({})", self.one(&["i", "f", "s", "b", "(1, 2)", "1.5"])),
            _ => format!("{} + {}", a(), a()),
        }
    }
}

fn compiled(text: &str) -> (Option<Expression>, Fields, Vec<Diagnostic>) {
    let (mut fields, mut faults) = (Fields::default(), vec![]);
    let expression = compile(&Passage::plain(text, 0), &mut fields, Setting::Record, &mut faults);
    (expression, fields, faults)
}

#[test]
fn thousands_of_expressions_agree_with_evalexpr() {
    const SEED: u64 = 11_03_01;
    const BUDGET: usize = 40_000;
    println!("seed {SEED}");
    let dice = Dice::new(SEED, 0);
    let writer = Writer { dice: &dice };
    let kinds = [Kind::Int, Kind::Float, Kind::Bool, Kind::String];
    let (mut values, mut failures, mut folded) = (0, 0, 0);
    for round in 0..BUDGET {
        let text = writer.any(kinds[round % 4], 1 + round as u32 % 4);
        let tree = build_operator_tree(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let (expression, fields, faults) = compiled(&text);
        for _ in 0..2 {
            let record = Record::random(&dice);
            let theirs = lazily(&tree, &record.theirs);
            let Some(expression) = &expression else {
                // Ours fails at check time, in an arm that may not be taken; so does theirs, which takes every arm.
                let theirs = tree.eval_with_context(&record.theirs);
                assert!(faults.iter().any(|fault| fault.code == Code::ConstantFails), "{text}: {faults:?}");
                assert!(theirs.is_err(), "{text} has a constant that fails, but gives {theirs:?}");
                folded += 1;
                continue;
            };
            match (record.evaluate(expression, &fields), theirs) {
                (Ok(ours), Ok(theirs)) if ours.is(&theirs) => values += 1,
                (Err(_), Err(_)) => failures += 1,
                (ours, theirs) => panic!("{text} on {:?}\nours {ours:?}\ntheirs {theirs:?}", record.ours),
            }
        }
    }
    println!("{values} values, {failures} failures, {folded} at check time");
    assert!(
        values > BUDGET && failures > BUDGET / 40,
        "{values} values and {failures} failures test too little"
    );
}

/// What evalexpr makes of it, with the fields of a plain record.
fn theirs(text: &str) -> EvalexprResult<Theirs> {
    evalexpr::eval_with_context(text, &plain().theirs)
}

fn ours(text: &str) -> Ours {
    let (expression, fields, faults) = compiled(text);
    let expression = expression.unwrap_or_else(|| panic!("{text}: {faults:?}"));
    plain().evaluate(&expression, &fields).unwrap_or_else(|reason| panic!("{text}: {reason}"))
}

fn codes(text: &str) -> Vec<Code> {
    compiled(text).2.iter().map(|fault| fault.code).collect()
}

fn plain() -> Record {
    let text = |text: &str| Ours::Text(text.to_owned());
    Record::new(vec![
        Ours::Int(1),
        Ours::Int(0),
        Ours::Int(i64::MAX),
        Ours::Float(1.0),
        Ours::Float(2.5),
        text("a"),
        text("grüße"),
        text(""),
        Ours::Bool(true),
        Ours::Bool(false),
    ])
}

#[test]
fn numbers_compare_as_numbers_and_other_kinds_not_at_all() {
    assert_eq!(theirs("1 == 1.0"), Ok(Theirs::Boolean(false)));
    assert_eq!(ours("1 == 1.0"), Ours::Bool(true));
    assert_eq!(ours("i == f"), Ours::Bool(true));
    assert_eq!(ours("contains((1, 2), f)"), Ours::Bool(true));
    assert_eq!(theirs("s == 1"), Ok(Theirs::Boolean(false)));
    assert_eq!(codes("s == 1"), [Code::TypeMismatch]);
}

#[test]
fn dividing_integers_warns() {
    assert_eq!(theirs("10 / 4"), Ok(Theirs::Int(2)));
    assert_eq!(ours("10 / 4"), Ours::Int(2));
    assert_eq!(codes("10 / 4"), [Code::IntegerDivision]);
    assert_eq!(codes("10.0 / 4"), []);
}

#[test]
fn if_evaluates_the_arm_it_takes() {
    assert!(theirs("if(j == 0, 0, i / j)").is_err());
    assert_eq!(ours("if(j == 0, 0, i / j)"), Ours::Int(0));
}

#[test]
fn logic_stops_at_what_decides() {
    assert!(theirs("j == 0 || i / j > 1").is_err());
    assert_eq!(ours("j == 0 || i / j > 1"), Ours::Bool(true));
    assert!(theirs("j != 0 && i / j > 1").is_err());
    assert_eq!(ours("j != 0 && i / j > 1"), Ours::Bool(false));
}

#[test]
fn unknown_names_and_wrong_types_are_faults_with_a_place() {
    let check = |text: &str, code: Code, place: &str| {
        assert!(theirs(text).is_err(), "{text}");
        let faults = compiled(text).2;
        let at = faults[0].primary.as_ref().unwrap().place.range();
        assert_eq!((faults[0].code, &text[at]), (code, place), "{text}");
    };
    check("1 + nothing", Code::UnknownField, "nothing");
    check("1 + nothing(2)", Code::UnknownFunction, "nothing");
    check("i + s", Code::TypeMismatch, "s");
    check("b && i", Code::TypeMismatch, "i");
}

#[test]
fn mixed_numbers_are_floats() {
    assert_eq!(theirs("min(1, 2.0)"), Ok(Theirs::Int(1)));
    assert_eq!(ours("min(1, 2.0)"), Ours::Float(1.0));
    assert_eq!(theirs("if(b, 1, 2.0)"), Ok(Theirs::Int(1)));
    assert_eq!(ours("if(b, 1, 2.0)"), Ours::Float(1.0));
}

#[test]
fn some_functions_are_ours() {
    assert!(theirs("round(g, 2)").is_err());
    assert_eq!(ours("round(g, 2)"), Ours::Float(2.5));
    assert!(theirs("field(\"s\")").is_err());
    assert_eq!(ours("field(\"s\")"), Ours::Text("a".to_owned()));
}

#[test]
fn what_only_evalexpr_accepts_is_a_fault() {
    for text in [
        "s t",
        "min i",
        "i >",
        "i // why",
        "/* why */ i",
        "",
        " ",
        "inf",
        "nan",
        "i + Infinity",
        "4(5)",
        "i,",
    ] {
        let parsed = build_operator_tree(text);
        println!("{text:?}: evalexpr says {parsed:?}");
        assert_eq!(codes(text), [Code::ExpressionSyntax], "{text}");
    }
    for text in ["i >", "i // why", "", "inf", "min i"] {
        assert!(build_operator_tree(text).is_ok(), "{text} is no difference");
    }
}

#[test]
fn expressions_have_no_effects() {
    for text in ["i = 1", "i += 1", "b &&= c", "i; j"] {
        assert!(build_operator_tree(text).is_ok(), "{text}");
        assert_eq!(codes(text), [Code::ExpressionSyntax], "{text}");
    }
}

#[test]
fn substring_counts_characters_and_never_fails() {
    assert_eq!(theirs("str::substring(s, 0, 9)").ok(), None);
    assert_eq!(ours("str::substring(s, 0, 9)"), Ours::Text("a".to_owned()));
    assert_eq!(ours("str::substring(t, 2, 4)"), Ours::Text("üß".to_owned()));
    assert!(
        std::panic::catch_unwind(|| theirs("str::substring(t, 0, 3)")).is_err(),
        "it panics inside of a character"
    );
}

#[test]
fn integers_beyond_the_machine_differ_where_evalexpr_panics() {
    assert_eq!(ours("shl(1, 65)"), Ours::Int(2));
    assert_eq!(codes("math::abs(-9223372036854775807 - 1)"), [Code::ConstantFails]);
}

#[test]
fn dice_stand_in_generated_records_only() {
    let (mut fields, mut faults) = (Fields::default(), vec![]);
    let setting = Setting::Generate(Arc::new(Dice::new(1, 0)));
    let passage = Passage::plain("random()", 0);
    assert!(compile(&passage, &mut fields, setting, &mut faults).is_some(), "{faults:?}");
    assert_eq!(codes("random()"), [Code::GenerateOnly]);
}
