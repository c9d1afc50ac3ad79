//! JSON in: a projecting scanner.
//!
//! It accepts and refuses exactly the documents that `serde_json` accepts and refuses, undeclared members and
//! skipped strings included, and then what the schema refuses; it decodes only what somebody reads. Beside it,
//! what expressions and sinks need of raw JSON: the elements of a list, unescaping, quoting.
//!
//! Order of reading: [`scan`], then what it stands on: `schema` (names to meanings), `order` (the prediction),
//! `decode`, `skip`, `number`, `string`; `fault` says what was wrong.

mod decode;
mod explain;
mod fault;
mod list;
mod number;
mod order;
mod quote;
mod scan;
mod schema;
mod seen;
mod skip;
mod string;

pub use fault::{Fault, ScanError, Syntax};
pub use list::{is_null, list_elements, members};
pub use quote::{needs_escape, quote};
pub use scan::Scanner;
pub use schema::Field;
pub use string::unescape;

/// The first byte from `at` on that is no white space.
#[inline(always)]
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}
