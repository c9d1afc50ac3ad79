//! Functions on numbers.

use super::{Choice, RunFn, float, int, text};
use crate::frame::{Frame, Value};
use crate::types::Kind;

/// A function from floats to a float.
macro_rules! floats {
    ($($name:ident: $body:expr;)*) => {
        $(pub(super) fn $name(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
            let f: fn(f64, f64) -> f64 = $body;
            Some(Value::Float(f(float(v, 0), float(v, 1))))
        })*
    };
}

floats! {
    ln: |x, _| x.ln();
    log: |x, base| x.log(base);
    log2: |x, _| x.log2();
    log10: |x, _| x.log10();
    exp: |x, _| x.exp();
    exp2: |x, _| x.exp2();
    pow: |x, y| x.powf(y);
    cos: |x, _| x.cos();
    acos: |x, _| x.acos();
    cosh: |x, _| x.cosh();
    acosh: |x, _| x.acosh();
    sin: |x, _| x.sin();
    asin: |x, _| x.asin();
    sinh: |x, _| x.sinh();
    asinh: |x, _| x.asinh();
    tan: |x, _| x.tan();
    atan: |x, _| x.atan();
    tanh: |x, _| x.tanh();
    atanh: |x, _| x.atanh();
    atan2: |y, x| y.atan2(x);
    sqrt: |x, _| x.sqrt();
    cbrt: |x, _| x.cbrt();
    hypot: |x, y| x.hypot(y);
    floor: |x, _| x.floor();
    ceil: |x, _| x.ceil();
}

/// A function from integers to an integer.
macro_rules! ints {
    ($($name:ident: $body:expr;)*) => {
        $(pub(super) fn $name(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
            let f: fn(i64, i64) -> i64 = $body;
            Some(Value::Int(f(int(v, 0), int(v, 1))))
        })*
    };
}

ints! {
    bitand: |a, b| a & b;
    bitor: |a, b| a | b;
    bitxor: |a, b| a ^ b;
    bitnot: |a, _| !a;
    // The distance counts modulo 64, as the processor has it: shifting never fails.
    shl: |a, b| a.wrapping_shl(b as u32);
    shr: |a, b| a.wrapping_shr(b as u32);
}

/// A question about a float.
macro_rules! tests {
    ($($name:ident: $body:expr;)*) => {
        $(pub(super) fn $name(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
            let f: fn(f64) -> bool = $body;
            Some(Value::Bool(f(float(v, 0))))
        })*
    };
}

tests! {
    is_nan: f64::is_nan;
    is_finite: f64::is_finite;
    is_infinite: f64::is_infinite;
    is_normal: f64::is_normal;
}

/// To the nearest, halves away from zero; to so many decimals if the second argument says so.
pub(super) fn round(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    let x = float(v, 0);
    if v.len() < 2 {
        return Some(Value::Float(x.round()));
    }
    // 10^22 is the last power of ten that a float holds exactly, and no float needs as many decimals.
    let scale = 10f64.powi(int(v, 1).clamp(-22, 22) as i32);
    let scaled = x * scale;
    Some(Value::Float(if scaled.is_finite() { scaled.round() / scale } else { x }))
}

pub(super) fn abs(kind: Kind) -> Option<Choice> {
    let (fails, run): (_, RunFn) = match kind {
        Kind::Float => (None, |_, v| Some(Value::Float(float(v, 0).abs()))),
        Kind::Int => (Some(super::super::compile::OVERFLOW), |_, v| int(v, 0).checked_abs().map(Value::Int)),
        _ => return None,
    };
    Some(Choice { gives: kind, fails, run })
}

/// `int(x)`.
pub(super) fn to_int(kind: Kind) -> Option<Choice> {
    let (fails, run): (_, RunFn) = match kind {
        Kind::Int | Kind::Timestamp => (None, |_, v| Some(v[0])),
        Kind::Float => (Some("float without an integer"), |_, v| truncate(float(v, 0)).map(Value::Int)),
        Kind::String => (Some("text that is no integer"), |frame, v| {
            frame.str_of(text(v, 0)).parse().ok().map(Value::Int)
        }),
        _ => return None,
    };
    Some(Choice { gives: Kind::Int, fails, run })
}

/// Towards zero, where the result is an integer of 64 bits. 2^63 itself is not, −2^63 is; NaN is neither.
fn truncate(x: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&x).then_some(x as i64)
}

/// `float(x)`.
pub(super) fn to_float(kind: Kind) -> Option<Choice> {
    let (fails, run): (_, RunFn) = match kind {
        Kind::Float => (None, |_, v| Some(v[0])),
        Kind::Int => (None, |_, v| Some(Value::Float(int(v, 0) as f64))),
        Kind::String => {
            (Some("text that is no number"), |frame, v| number(frame.str_of(text(v, 0))).map(Value::Float))
        }
        _ => return None,
    };
    Some(Choice { gives: Kind::Float, fails, run })
}

/// The finite number that a text is: `inf` and `nan` are words.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

/// The least of the numbers; NaN loses against any of them.
pub(in super::super) fn least(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    extreme(v, f64::min, i64::min)
}

/// The largest of the numbers; NaN loses against any of them.
pub(in super::super) fn largest(_: &mut Frame<'_>, v: &[Value]) -> Option<Value> {
    extreme(v, f64::max, i64::max)
}

fn extreme(v: &[Value], floats: fn(f64, f64) -> f64, ints: fn(i64, i64) -> i64) -> Option<Value> {
    let pick = |a: Value, b: Value| match (a, b) {
        (Value::Float(a), Value::Float(b)) => Value::Float(floats(a, b)),
        (Value::Int(a), Value::Int(b)) => Value::Int(ints(a, b)),
        (a, _) => a,
    };
    v.iter().copied().reduce(pick)
}
