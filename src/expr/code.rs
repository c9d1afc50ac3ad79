//! What a checked expression is compiled to: a constant, a register, or a closure, typed by what it gives.

use crate::frame::{Frame, Register, Text, Value};
use crate::operator::RecordError;

/// Compiled code. It takes the frame exclusively because what makes text writes to the arena.
pub type Closure<T> = Box<dyn Fn(&mut Frame<'_>) -> Result<T, RecordError> + Send + Sync>;

/// What fits a register.
pub(super) trait Cell: Copy + Send + Sync + 'static {
    /// A register that is set.
    fn read(frame: &Frame<'_>, register: Register) -> Self;
    /// A value that is there; the plan knows its type.
    fn of(value: Value) -> Self;
    fn value(self) -> Value;
}

impl Cell for f64 {
    #[inline(always)]
    fn read(frame: &Frame<'_>, register: Register) -> Self {
        frame.float(register)
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Float(x) => x,
            _ => f64::from_bits(value.bits()),
        }
    }

    fn value(self) -> Value {
        Value::Float(self)
    }
}

impl Cell for i64 {
    #[inline(always)]
    fn read(frame: &Frame<'_>, register: Register) -> Self {
        frame.int(register)
    }

    fn of(value: Value) -> Self {
        value.bits() as i64
    }

    fn value(self) -> Value {
        Value::Int(self)
    }
}

impl Cell for bool {
    #[inline(always)]
    fn read(frame: &Frame<'_>, register: Register) -> Self {
        frame.bool(register)
    }

    fn of(value: Value) -> Self {
        value.bits() != 0
    }

    fn value(self) -> Value {
        Value::Bool(self)
    }
}

impl Cell for Text {
    #[inline(always)]
    fn read(frame: &Frame<'_>, register: Register) -> Self {
        frame.text(register)
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Text(text) => text,
            _ => Text::EMPTY,
        }
    }

    fn value(self) -> Value {
        Value::Text(self)
    }
}

/// A typed operand. The two simple forms are kept apart so that what takes them needs no call.
pub(super) enum Code<T> {
    Constant(T),
    Field(Register),
    Run(Closure<T>),
}

impl<T: Cell> Code<T> {
    pub fn run(run: impl Fn(&mut Frame<'_>) -> Result<T, RecordError> + Send + Sync + 'static) -> Self {
        Code::Run(Box::new(run))
    }

    #[inline(always)]
    pub fn get(&self, frame: &mut Frame<'_>) -> Result<T, RecordError> {
        match self {
            Code::Constant(constant) => Ok(*constant),
            Code::Field(register) => Ok(T::read(frame, *register)),
            Code::Run(run) => run(frame),
        }
    }

    pub fn closure(self) -> Closure<T> {
        match self {
            Code::Constant(constant) => Box::new(move |_| Ok(constant)),
            Code::Field(register) => Box::new(move |frame| Ok(T::read(frame, register))),
            Code::Run(run) => run,
        }
    }

    /// One operand in, one value out.
    pub fn map<R: Cell>(
        self,
        f: impl Fn(&mut Frame<'_>, T) -> Result<R, RecordError> + Send + Sync + 'static,
    ) -> Code<R> {
        match self {
            Code::Field(register) => Code::run(move |frame| f(frame, T::read(frame, register))),
            other => {
                let operand = other.closure();
                Code::run(move |frame| {
                    let value = operand(frame)?;
                    f(frame, value)
                })
            }
        }
    }

    /// Two operands in, one value out; the left one first. The common pairs of operands cost one call in all.
    pub fn join<R: Cell>(
        self,
        right: Self,
        f: impl Fn(&mut Frame<'_>, T, T) -> Result<R, RecordError> + Send + Sync + 'static,
    ) -> Code<R> {
        match (self, right) {
            (Code::Field(a), Code::Constant(b)) => Code::run(move |frame| f(frame, T::read(frame, a), b)),
            (Code::Field(a), Code::Field(b)) => {
                Code::run(move |frame| f(frame, T::read(frame, a), T::read(frame, b)))
            }
            (Code::Run(a), Code::Constant(b)) => Code::run(move |frame| {
                let a = a(frame)?;
                f(frame, a, b)
            }),
            (a, b) => Code::run(move |frame| {
                let a = a.get(frame)?;
                let b = b.get(frame)?;
                f(frame, a, b)
            }),
        }
    }
}
