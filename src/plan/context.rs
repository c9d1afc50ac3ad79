//! What a kind's `check` works with: its input's shape, expressions, settings, stores, topics, faults.

use super::cut::Cut;
use super::faults::Faults;
use super::kind::NodeTable;
use super::scope::{RowScope, Scope, Shared};
use super::shape::{FieldId, FileId, Shape};
use super::table::TablePlan;
use super::topics::{Role, TopicPlan, Topics};
use super::values::{duration, flag, number};
use crate::diagnostic::{Code, Diagnostic, Passage, Place};
use crate::expr::{self, AggregateCall, Condition, Expression, Setting};
use crate::frame::{MAX_REGISTERS, Register};
use crate::operator::{Operator, ReasonId};
use crate::outbox::TopicId;
use crate::spec::{Table, Value};
use crate::store::{KeyShape, StoreDecl};
use crate::types::{Kind, TimeFormat, Type};
use std::cell::RefCell;
use std::sync::Arc;

/// A table another node may look through.
#[derive(Clone, Debug)]
pub struct KnownTable {
    /// The node it belongs to.
    pub node: String,
    /// What its rows hold.
    pub plan: TablePlan,
    /// Who can show its rows.
    pub owner: Option<Arc<dyn Operator>>,
}

/// What all nodes of a plan add to.
#[derive(Debug, Default)]
pub struct Registry {
    /// The topics.
    pub topics: Topics,
    /// The stores.
    pub stores: Vec<StoreDecl>,
    /// The tables.
    pub tables: Vec<KnownTable>,
}

/// What a kind's `check` works with.
#[derive(Debug)]
pub struct CheckContext<'c> {
    /// The pipeline's name.
    pub pipeline: &'c str,
    /// Fields, params, constants, reasons.
    pub shared: &'c RefCell<Shared>,
    /// Topics, stores, tables.
    pub registry: &'c mut Registry,
    /// What is wrong.
    pub faults: &'c mut Faults,
    /// What comes in.
    pub input: Shape,
    /// What the input is called in messages.
    pub subject: String,
    /// The register file of the rows that the node makes or keeps.
    pub rows: FileId,
    /// The topic for dead letters.
    pub dead_letters: &'c str,
    /// Names of original members that are written over.
    pub touched: &'c mut Vec<Touched>,
    /// Whether its inputs are of tasks that feed each other: they meet only behind a repartition.
    pub apart: bool,
    /// The plan's index of the next source.
    pub next_source: usize,
    /// Where the input is cut, if it is.
    pub cut: Option<Cut>,
}

/// A name of an original member that somebody writes over: whoever reads it has to look out for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The file of the records.
    pub file: FileId,
    /// The source they come from.
    pub root: usize,
    /// The name.
    pub name: String,
}

/// What a node groups by.
#[derive(Debug)]
pub struct Grouping {
    /// The names, as they are written.
    pub names: Vec<String>,
    /// The fields.
    pub ids: Vec<FieldId>,
    /// Their kinds.
    pub kinds: Vec<Kind>,
    /// How the key is made.
    pub key: KeyShape,
}

impl CheckContext<'_> {
    /// An expression over the input.
    pub fn expression(&mut self, text: &Passage) -> Option<Expression> {
        let input = self.input.clone();
        self.expression_over(text, &input)
    }

    /// An expression over records of a shape.
    pub fn expression_over(&mut self, text: &Passage, shape: &Shape) -> Option<Expression> {
        let mut scope = Scope { shape, subject: self.subject.clone(), shared: self.shared };
        let mut faults = vec![];
        let expression = expr::compile(text, &mut scope, Setting::Record, &mut faults);
        self.report(faults, shape);
        expression
    }

    /// An expression that decides.
    pub fn condition(&mut self, text: &Passage) -> Option<Condition> {
        let input = self.input.clone();
        self.condition_over(text, &input)
    }

    /// An expression over records of a shape that decides.
    pub fn condition_over(&mut self, text: &Passage, shape: &Shape) -> Option<Condition> {
        let expression = self.expression_over(text, shape)?;
        match expression.ty {
            Type { kind: Kind::Bool, optional: false } => Some(expression.into_condition()),
            ty => {
                self.faults.add(not_a_condition(text, ty));
                None
            }
        }
    }

    /// An expression of `compute`: aggregates over the input, the rest over `row`.
    pub fn compute(
        &mut self,
        text: &Passage,
        row: &Shape,
        subject: &str,
        aggregates: &mut Vec<(AggregateCall, FieldId)>,
    ) -> Option<Expression> {
        let input_shape = self.input.clone();
        let mut input = Scope { shape: &input_shape, subject: self.subject.clone(), shared: self.shared };
        let row_scope = Scope { shape: row, subject: subject.to_owned(), shared: self.shared };
        let mut row_scope = RowScope { row: row_scope, aggregates };
        let mut faults = vec![];
        let expression = expr::compile_compute(text, &mut input, &mut row_scope, &mut faults);
        self.report(faults, &input_shape);
        expression
    }

    /// Takes over the faults of an expression, but for what only follows from a fault further up.
    fn report(&mut self, faults: Vec<Diagnostic>, shape: &Shape) {
        for fault in faults {
            let hidden = fault.code == Code::UnknownField
                && (shape.open || unknown_name(&fault).is_some_and(|name| self.follows(name, shape)));
            if !hidden {
                self.faults.add(fault);
            }
        }
    }

    /// Whether a name is unknown only because what would have made it known is at fault.
    fn follows(&self, name: &str, shape: &Shape) -> bool {
        shape.poisoned.iter().any(|poisoned| poisoned == name) || self.shared.borrow().params.is_faulty(name)
    }

    /// A field of the input, by a name that stands in a text.
    pub fn field(&mut self, name: &Passage) -> Option<FieldId> {
        if let Some(id) = self.input.get(&name.text) {
            return Some(id);
        }
        if !self.input.open && !self.input.poisoned.contains(&name.text) {
            let fault = self.unknown_field(name);
            self.faults.add(fault);
        }
        None
    }

    fn unknown_field(&self, name: &Passage) -> Diagnostic {
        let message = format!("{} has no field `{}`", self.subject, name.text);
        let fault = Diagnostic::error(Code::UnknownField, message, name.whole());
        let names = self.input.fields.iter().map(|(n, _)| n.as_str());
        let fault = match self.shared.borrow().params.get(&name.text) {
            Some(param) => fault.label("a field is needed here").also(param.place, "this is a param"),
            None => fault.label("not a field").suggest(&name.text, names),
        };
        match self.input.fields.is_empty() {
            true => fault.note(format!("{} has no declared fields", self.subject)),
            false => {
                let described = self.input.describe(&self.shared.borrow().fields);
                fault.note(format!("{} has {described}", self.subject))
            }
        }
    }

    /// A field's type.
    pub fn ty(&self, id: FieldId) -> Type {
        self.shared.borrow().fields.info(id).ty
    }

    /// How a field stands in JSON.
    pub fn time_format(&self, id: FieldId) -> TimeFormat {
        self.shared.borrow().fields.info(id).time
    }

    /// A field's register.
    pub fn register(&mut self, id: FieldId) -> Register {
        self.shared.borrow_mut().fields.register(id)
    }

    /// A new field in the file of `shape`, with a register.
    pub fn new_field(&mut self, shape: &Shape, ty: Type, time: TimeFormat, place: Place) -> FieldId {
        let fields = &mut self.shared.borrow_mut().fields;
        let id = fields.add(shape.file, ty, time, Some(place));
        fields.register(id);
        id
    }

    /// Whether records of a shape have more fields already than they can carry: that is a fault, and more of them are
    /// not looked at.
    pub fn is_full(&self, shape: &Shape) -> bool {
        self.shared.borrow().fields.width(shape.file) > MAX_REGISTERS
    }

    /// The id of a reason.
    pub fn reason(&mut self, sentence: &str) -> ReasonId {
        self.shared.borrow_mut().reasons.id(sentence)
    }

    /// What the node groups by: fields that are there, of a kind with an order. Where records of one group may lie in
    /// several partitions the input is cut, and from here on is what comes out of a repartition.
    pub fn grouping(&mut self, node: &NodeTable<'_>) -> Option<Grouping> {
        let value = node.value("by")?;
        let mut grouping = Grouping { names: vec![], ids: vec![], kinds: vec![], key: KeyShape(vec![]) };
        let mut parts = vec![];
        let mut sound = true;
        for name in value.one_or_many().iter().filter_map(Value::as_text) {
            let Some(id) = self.field(name) else {
                sound = false;
                continue;
            };
            if grouping.ids.contains(&id) {
                self.faults.add(Diagnostic::error(
                    Code::DuplicateName,
                    format!("`{}` is grouped by twice", name.text),
                    name.whole(),
                ));
                sound = false;
                continue;
            }
            sound &= self.groupable(name, id, "group");
            parts.push((self.register(id), self.ty(id).kind));
            grouping.names.push(name.text.clone());
            grouping.kinds.push(self.ty(id).kind);
            grouping.ids.push(id);
        }
        if !sound || grouping.ids.is_empty() {
            return None;
        }
        grouping.key = KeyShape(parts);
        self.meet(node, value, &grouping)?;
        Some(grouping)
    }

    /// Whether a field can be the group or the key of a record, as `role` says.
    pub fn groupable(&mut self, name: &Passage, id: FieldId, role: &str) -> bool {
        let (ty, declared) = {
            let shared = self.shared.borrow();
            let info = shared.fields.info(id);
            (info.ty, info.declared)
        };
        let (fault, here) = if ty.optional {
            let fault =
                Diagnostic::error(Code::MayBeAbsent, format!("`{}` may be absent", name.text), name.whole())
                    .label(format!("every record needs a {role}"))
                    .help(format!("set it in a map first: `set.{0} = 'coalesce({0}, …)'`", name.text))
                    .help("or reject what has none, in a branch".to_owned());
            (fault, "declared optional here")
        } else if matches!(ty.kind, Kind::Json | Kind::List(_)) {
            let message = format!("`{}` is {}, which cannot be a {role}", name.text, ty.kind);
            let fault = Diagnostic::error(Code::CannotGroup, message, name.whole())
                .label("a string, number, boolean or timestamp is needed");
            (fault, "declared here")
        } else {
            return true;
        };
        self.faults.add(match declared {
            Some(place) => fault.also(place, here),
            None => fault,
        });
        false
    }

    /// Records that agree in what the node groups by have to meet in one task.
    fn meet(&mut self, node: &NodeTable<'_>, by: &Value, grouping: &Grouping) -> Option<()> {
        if self.input.open || self.input.key_unknown {
            return None;
        }
        let partitioned = self.input.partitioned.as_ref().filter(|_| !self.apart);
        match partitioned.is_some_and(|ids| ids.iter().all(|id| grouping.ids.contains(id))) {
            true => Some(()),
            false => self.cut(node, grouping, by.place),
        }
    }

    /// A duration in milliseconds, at least `least`.
    pub fn duration(&mut self, table: &Table, key: &str, least: i64) -> Option<i64> {
        duration(key, &table.get(key)?.value, least, self.shared, self.faults)
    }

    /// A boolean, or the param that a text names.
    pub fn flag(&mut self, table: &Table, key: &str) -> Option<bool> {
        flag(key, &table.get(key)?.value, self.shared, self.faults)
    }

    /// A whole number, or the param that a text names.
    pub fn number(&mut self, table: &Table, key: &str, least: i64) -> Option<i64> {
        number(key, &table.get(key)?.value, least, self.shared, self.faults)
    }

    /// A table of another node.
    pub fn table(&self, name: &str) -> Option<KnownTable> {
        self.registry.tables.iter().find(|t| t.node == name).cloned()
    }

    /// How long the source of these records lets windows wait, in milliseconds.
    pub fn late_by(&self) -> i64 {
        self.input.late_by
    }

    /// Records of this shape are written: the names that are set are to be looked out for when they are read.
    pub fn written(&mut self, shape: &Shape) {
        for set in shape.variants.iter().flat_map(|v| &v.layout.set) {
            let touched = |root: &usize| Touched { file: shape.file, root: *root, name: set.path[0].clone() };
            self.touched.extend(shape.roots.iter().map(touched));
        }
    }

    /// A topic that the node writes or reads.
    pub fn topic(&mut self, topic: TopicPlan) -> TopicId {
        self.registry.topics.add(topic)
    }

    /// The changelog of a node's table.
    pub fn changelog(&mut self, node: &NodeTable<'_>) -> TopicId {
        let was = node.text("was");
        let name = node.kept_as();
        self.registry.topics.add(TopicPlan {
            name: format!("{}-{name}-changelog", self.pipeline),
            role: Role::Changelog,
            owner: node.name.to_owned(),
            partitions: None,
            config: vec![],
            place: Some(was.map_or(node.place, |was| was.place)),
        })
    }

    /// A store, by the plan's index.
    pub fn store(&mut self, declared: StoreDecl) -> u16 {
        self.registry.stores.push(declared);
        self.registry.stores.len() as u16 - 1
    }
}

/// The name that a fault calls unknown, which stands last in its message: "`valid` has no field `temprature`".
pub fn unknown_name(fault: &Diagnostic) -> Option<&str> {
    (fault.code == Code::UnknownField).then(|| fault.message.rsplit('`').nth(1)).flatten()
}

fn not_a_condition(text: &Passage, ty: Type) -> Diagnostic {
    let fault = match ty.optional && ty.kind == Kind::Bool {
        true => Diagnostic::error(Code::MayBeAbsent, "the condition may be absent", text.whole())
            .label("needs a value")
            .help("`coalesce(…, false)`"),
        false => Diagnostic::error(Code::TypeMismatch, "a condition is needed", text.whole())
            .label(format!("this is {ty}")),
    };
    match ty.kind {
        Kind::Int | Kind::Float => fault.help("compare it: `… > 0`"),
        Kind::String => fault.help("compare it: `… == \"…\"`"),
        _ => fault,
    }
}
