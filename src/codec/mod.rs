//! Records as bytes: decoding into registers, writing back.
//!
//! [`json`] reads: one pass over the original bytes validates all of them and fills the registers that somebody
//! reads. [`splice`] writes: the original bytes with the added fields before the closing brace. [`text`] and
//! [`bytes`] are the formats that are no JSON. Nothing here knows where records come from or go to, and no input,
//! however broken, makes any of it panic.

pub mod bytes;
pub mod json;
pub mod splice;
pub mod text;

pub use json::{Field, ScanError, Scanner};
pub use splice::{Base, Layout, Path, SetField, Splice, SpliceError, write_key_text, write_value};
