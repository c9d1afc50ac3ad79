//! A repartition: where a node groups by what its records are not partitioned by, the plan is cut before it.
//!
//! On the near side a writer keys the records by the group and writes them, as a sink would, to a topic named after
//! the node. On the far side a source reads them back, into the same fields and registers: to what stands behind it
//! a record looks as it did before. How it would be written begins anew, because what was set is in its bytes now.

use super::context::{CheckContext, Grouping};
use super::kind::{Built, NodeTable};
use super::layout::{Base, Layout};
use super::shape::{FieldId, Shape, Variant};
use super::source::{CutPlan, Format, SourceField, SourcePlan, Start};
use super::topics::{Role, TopicPlan};
use super::writer::Writer;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::operators;
use crate::outbox::TopicId;
use crate::store::KeyShape;

/// What a kind's check has found out: its input has to be cut.
#[derive(Debug)]
pub struct Cut {
    /// The topic between the sides.
    pub topic: TopicId,
    /// What records are keyed by.
    pub key: KeyShape,
    /// The same by name.
    pub by: Vec<String>,
    /// What comes in on the near side.
    pub before: Shape,
    /// How records look on the far side.
    pub behind: Shape,
}

/// What the near and the far side of a node's repartition are called. No name in a file has a `-`.
pub fn name_of(node: &str) -> String {
    format!("{node}-repartition")
}

impl CheckContext<'_> {
    /// Cuts the input before a node: from here on it is what comes back. `index` is the plan's index of its source.
    pub(super) fn cut(&mut self, node: &NodeTable<'_>, grouping: &Grouping, by: Place) -> Option<()> {
        let mut before = self.input.clone();
        let base = base(&mut before).or_else(|| {
            self.faults.add(bytes(&self.subject, grouping, by));
            None
        })?;
        let ids = grouping.ids.clone();
        let variants = vec![Variant { id: 0, layout: Layout::new(base) }];
        let roots = vec![self.next_source];
        let (key, partitioned) = (Some(ids.clone()), Some(ids));
        let behind = Shape { key, partitioned, key_json: false, variants, roots, ..before.clone() };
        let topic = self.topic(TopicPlan {
            name: format!("{}-{}", self.pipeline, name_of(node.kept_as())),
            role: Role::Repartition,
            owner: node.name.to_owned(),
            partitions: None,
            config: vec![],
            place: Some(node.text("was").map_or(node.place, |was| was.place)),
        });
        let key = self.key_shape(&grouping.ids);
        self.input = behind.clone();
        self.cut = Some(Cut { topic, key, by: grouping.names.clone(), before, behind });
        Some(())
    }

    /// The near side of a cut.
    pub(super) fn near_side(&mut self, cut: &Cut) -> Built {
        self.written(&cut.before);
        let writer = Writer::new(&cut.before, self);
        let topics = self.registry.topics.all().iter().map(|topic| topic.name.clone()).collect();
        let target = self.registry.topics.get(cut.topic).name.clone();
        let what = format!("by {}, + 1 commit interval", cut.by.join(", "));
        let built = Built { what, target: Some(target), ..Built::default() };
        built.running(Some(operators::repartition(cut.topic, cut.key.clone(), writer, topics)))
    }

    /// The far side of a cut.
    pub(super) fn far_side(&self, cut: &Cut, node: &NodeTable<'_>) -> SourcePlan {
        let shared = self.shared.borrow();
        let field = |(name, id): &(String, FieldId)| {
            let info = shared.fields.info(*id);
            SourceField { name: name.clone(), id: *id, ty: info.ty, time: info.time }
        };
        SourcePlan {
            name: name_of(node.name),
            place: node.place,
            topics: vec![cut.topic],
            format: match cut.behind.variants[0].layout.base {
                Base::Text => Format::Text,
                Base::Json | Base::Bytes | Base::Fresh => Format::Json,
            },
            schema: None,
            fields: cut.behind.fields.iter().map(field).collect(),
            shape: cut.behind.clone(),
            key: None,
            event_time: None,
            late_by: 0,
            idle_after: None,
            max_future: i64::MAX,
            start: Start::Earliest,
            skip_null: false,
            partitions: None,
            retention: None,
            cut: Some(CutPlan {
                node: node.name.to_owned(),
                by: cut.by.clone(),
                from: cut.before.roots.clone(),
            }),
        }
    }
}

/// What records are on the way: texts if that is all they are, otherwise objects, and texts among them become such.
/// None: bytes, beside which no field can be written.
fn base(shape: &mut Shape) -> Option<Base> {
    let plain = |variant: &Variant| variant.layout == Layout::new(Base::Text);
    if shape.variants.iter().any(|variant| variant.layout.base == Base::Bytes) {
        return None;
    }
    if shape.variants.iter().all(plain) {
        return Some(Base::Text);
    }
    for variant in shape.variants.iter_mut().filter(|variant| plain(variant)) {
        variant.layout.keep = Some(vec![vec![crate::codec::text::FIELD.to_owned()]]);
    }
    Some(Base::Json)
}

fn bytes(subject: &str, grouping: &Grouping, by: Place) -> Diagnostic {
    let message = format!("{subject} is not keyed by {}", grouping.names.join(", "));
    Diagnostic::error(Code::NeedsRepartition, message, by)
        .label("they would be written keyed by this, but bytes have no room for a field")
        .help("if they are text, say so at the source: `format = \"text\"`")
}
