//! Aggregates as cells of a row: what `compute` gathers while records come in.
//!
//! Each aggregate has its own cells in the order of the plan. Nothing is touched before everything that can fail has
//! been tried: arguments are evaluated first, and a sum of integers is looked at before it is changed.

use crate::expr::{Aggregate, AggregateCall, Expression};
use crate::frame::{Frame, Register, Value};
use crate::operator::{ReasonId, RecordError};
use crate::rows;
use crate::store::{Row, RowMut};
use crate::types::{Kind, Type};

/// One aggregate of a node.
#[derive(Debug)]
pub struct Slot {
    function: Aggregate,
    argument: Option<Expression>,
    /// What the argument is.
    kind: Kind,
    /// Its first cell.
    cell: usize,
    /// What that holds as long as it has seen nothing, where it is told by that.
    neutral: Option<u64>,
    /// Where a row shows it.
    shown: Register,
    /// Whether it may be absent from a row.
    optional: bool,
    overflow: ReasonId,
    /// The reason for a row of a window in which a required aggregate has seen nothing: it came after the records.
    unseen: ReasonId,
}

/// What cannot fail and meets nothing absent: counts of records, and aggregates of float fields that are always there.
/// They go straight from a register to a cell, sorted by what is done, so that nothing is left to decide for a record.
#[derive(Debug, Default)]
struct Direct {
    counts: Vec<usize>,
    least: Vec<(usize, Register)>,
    most: Vec<(usize, Register)>,
    sums: Vec<(usize, Register)>,
}

/// All aggregates of a node.
#[derive(Debug, Default)]
pub struct Slots {
    slots: Vec<Slot>,
    direct: Direct,
    /// The others, by their place in `slots`.
    evaluated: Vec<usize>,
    /// The cells of a row that has seen nothing.
    pub fresh: Vec<u64>,
    /// The cells that hold texts.
    pub texts: Vec<usize>,
    /// Whether cells can be absent.
    pub optional: bool,
    sums: bool,
}

impl Slots {
    /// Adds an aggregate that a row shows in a register; `overflow` is the reason for a sum that is too large,
    /// `unseen` for a row that was there before the aggregate was.
    pub fn add(&mut self, call: AggregateCall, shown: Register, overflow: ReasonId, unseen: ReasonId) {
        let cell = self.fresh.len();
        let (kind, optional) =
            call.argument.as_ref().map_or((Kind::Int, false), |a| (a.ty.kind, a.ty.optional));
        let (float, text) = (kind == Kind::Float, matches!(kind, Kind::String | Kind::Json | Kind::List(_)));
        let keeps_one =
            matches!(call.function, Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last);
        match call.function {
            Aggregate::Min if float => self.fresh.push(f64::INFINITY.to_bits()),
            Aggregate::Max if float => self.fresh.push(f64::NEG_INFINITY.to_bits()),
            Aggregate::Min => self.fresh.push(i64::MAX as u64),
            Aggregate::Max => self.fresh.push(i64::MIN as u64),
            Aggregate::Avg => self.fresh.extend([0, 0]),
            Aggregate::Count | Aggregate::Sum | Aggregate::First | Aggregate::Last => self.fresh.push(0),
        }
        if keeps_one && text {
            self.texts.push(cell);
        }
        self.optional |=
            keeps_one && (text || optional || matches!(call.function, Aggregate::First | Aggregate::Last));
        self.sums |= call.function == Aggregate::Sum && kind == Kind::Int;
        let (function, argument) = (call.function, call.argument);
        let optional = call.ty.optional;
        let neutral = matches!(function, Aggregate::Min | Aggregate::Max) && !text;
        let neutral = neutral.then(|| self.fresh[cell]);
        let slot = Slot { function, argument, kind, cell, neutral, shown, optional, overflow, unseen };
        if !self.direct.add(&slot) {
            self.evaluated.push(self.slots.len());
        }
        self.slots.push(slot);
    }

    /// Those whose arguments have to be evaluated, in the order of the values.
    #[inline]
    fn evaluated(&self) -> impl Iterator<Item = &Slot> {
        self.evaluated.iter().map(|at| &self.slots[*at])
    }

    /// The arguments for a record.
    #[inline]
    pub fn evaluate(&self, frame: &mut Frame<'_>, values: &mut Vec<Value>) -> Result<(), RecordError> {
        if self.evaluated.is_empty() { Ok(()) } else { self.arguments(frame, values) }
    }

    #[inline(never)]
    fn arguments(&self, frame: &mut Frame<'_>, values: &mut Vec<Value>) -> Result<(), RecordError> {
        values.clear();
        for slot in self.evaluated() {
            values.push(match &slot.argument {
                Some(argument) => argument.value(frame)?,
                None => Value::Int(1),
            });
        }
        Ok(())
    }

    /// Whether some sum of integers has to be looked at before a row is changed.
    pub fn can_overflow(&self) -> bool {
        self.sums
    }

    /// Whether the sums of a row have room for these values; `None`: there is no row yet.
    #[cold]
    pub fn room(&self, row: Option<Row<'_>>, values: &[Value]) -> Result<(), RecordError> {
        for (slot, value) in self.evaluated().zip(values) {
            if let (Aggregate::Sum, Value::Int(add), Some(row)) = (slot.function, value, &row)
                && (row.get(slot.cell) as i64).checked_add(*add).is_none()
            {
                return Err(RecordError::new(slot.overflow));
            }
        }
        Ok(())
    }

    /// Takes a record's values into a row.
    #[inline]
    pub fn update(&self, mut row: RowMut<'_>, values: &[Value], frame: &Frame<'_>) {
        self.direct.update(&mut row, frame);
        if !self.evaluated.is_empty() {
            self.take_in(row, values, frame);
        }
    }

    #[inline(never)]
    fn take_in(&self, mut row: RowMut<'_>, values: &[Value], frame: &Frame<'_>) {
        for (slot, value) in self.evaluated().zip(values) {
            slot.update(&mut row, *value, frame);
        }
    }

    /// Shows what a row has gathered. A window that was open when an aggregate was added may have nothing for it: what
    /// the others have gathered is shown, and the row fails.
    pub fn show(&self, stored: &Row<'_>, row: &mut rows::Row) -> Result<(), RecordError> {
        let mut shown = Ok(());
        for slot in &self.slots {
            let value = match slot.is_unseen(stored) {
                true => Value::Absent,
                false => slot.value(stored, row),
            };
            if !value.is_set() && !slot.optional {
                shown = Err(RecordError::new(slot.unseen));
            }
            row.set(slot.shown, value);
        }
        shown
    }
}

impl Direct {
    /// Adds an aggregate; `false`: it needs the longer way.
    fn add(&mut self, slot: &Slot) -> bool {
        let cell = slot.cell;
        let float = |argument: &Expression| argument.ty == Type::required(Kind::Float);
        let field = slot.argument.as_ref().map(|a| a.register().filter(|_| float(a)));
        match (slot.function, field) {
            (Aggregate::Count, None | Some(Some(_))) => self.counts.push(cell),
            (Aggregate::Min, Some(Some(field))) => self.least.push((cell, field)),
            (Aggregate::Max, Some(Some(field))) => self.most.push((cell, field)),
            (Aggregate::Sum, Some(Some(field))) => self.sums.push((cell, field)),
            (Aggregate::Avg, Some(Some(field))) => {
                self.sums.push((cell, field));
                self.counts.push(cell + 1);
            }
            _ => return false,
        }
        true
    }

    #[inline(always)]
    fn update(&self, row: &mut RowMut<'_>, frame: &Frame<'_>) {
        for cell in &self.counts {
            row.set(*cell, row.get(*cell) + 1);
        }
        for (cell, field) in &self.least {
            row.change_float(*cell, |least| least.min(frame.float(*field)));
        }
        for (cell, field) in &self.most {
            row.change_float(*cell, |most| most.max(frame.float(*field)));
        }
        for (cell, field) in &self.sums {
            row.change_float(*cell, |sum| sum + frame.float(*field));
        }
    }
}

impl Slot {
    #[inline]
    fn update(&self, row: &mut RowMut<'_>, value: Value, frame: &Frame<'_>) {
        let at = self.cell;
        match (self.function, value) {
            (_, Value::Absent) => {}
            (Aggregate::Count, _) => row.set(at, row.get(at) + 1),
            (Aggregate::Sum, Value::Int(add)) => row.set(at, (row.get(at) as i64).wrapping_add(add) as u64),
            (Aggregate::Sum, Value::Float(add)) => row.set(at, (f64::from_bits(row.get(at)) + add).to_bits()),
            (Aggregate::Avg, value) => {
                row.set(at, (f64::from_bits(row.get(at)) + as_float(value)).to_bits());
                row.set(at + 1, row.get(at + 1) + 1);
            }
            (Aggregate::Min, Value::Float(x)) => row.set(at, f64::from_bits(row.get(at)).min(x).to_bits()),
            (Aggregate::Max, Value::Float(x)) => row.set(at, f64::from_bits(row.get(at)).max(x).to_bits()),
            (Aggregate::Min, Value::Int(x)) => row.set(at, (row.get(at) as i64).min(x) as u64),
            (Aggregate::Max, Value::Int(x)) => row.set(at, (row.get(at) as i64).max(x) as u64),
            (Aggregate::First, _) if row.is_set(at) => {}
            (_, Value::Text(text)) => self.update_text(row, frame.bytes_of(text)),
            (_, value) => row.set(at, value.bits()),
        }
    }

    #[inline(never)]
    fn update_text(&self, row: &mut RowMut<'_>, text: &[u8]) {
        let replaces = !row.is_set(self.cell)
            || match self.function {
                Aggregate::Min => text < row.text(self.cell),
                Aggregate::Max => text > row.text(self.cell),
                _ => true,
            };
        if replaces {
            row.set_text(self.cell, text);
        }
    }

    /// Whether it is as it was when the row was fresh, in a row that is not.
    fn is_unseen(&self, stored: &Row<'_>) -> bool {
        match self.function {
            Aggregate::First | Aggregate::Last => !stored.is_set(self.cell),
            _ => self.neutral.is_some_and(|n| stored.is_set(self.cell) && stored.get(self.cell) == n),
        }
    }

    fn value(&self, stored: &Row<'_>, row: &mut rows::Row) -> Value {
        let at = self.cell;
        match self.function {
            Aggregate::Count => Value::Int(stored.get(at) as i64),
            Aggregate::Sum if self.kind == Kind::Float => Value::Float(f64::from_bits(stored.get(at))),
            Aggregate::Sum => Value::Int(stored.get(at) as i64),
            Aggregate::Avg => match stored.get(at + 1) {
                0 => Value::Absent,
                count => Value::Float(f64::from_bits(stored.get(at)) / count as f64),
            },
            _ if self.optional && !stored.is_set(at) => Value::Absent,
            _ => match self.kind {
                Kind::String | Kind::Json | Kind::List(_) => row.text(stored.text(at)),
                Kind::Float => Value::Float(f64::from_bits(stored.get(at))),
                Kind::Bool => Value::Bool(stored.get(at) != 0),
                Kind::Int | Kind::Timestamp | Kind::Duration => Value::Int(stored.get(at) as i64),
            },
        }
    }
}

fn as_float(value: Value) -> f64 {
    match value {
        Value::Float(x) => x,
        Value::Int(i) => i as f64,
        _ => 0.0,
    }
}
