//! What records look like to who inspects a topic: as text for people ([`Page`]), a line of JSON for programs
//! ([`json_line`]), in the order of their times over all partitions ([`Reader`]).

mod base64;
mod changelog;
mod json;
mod reader;
mod source;
mod tail;
mod text;

pub use changelog::{Changelog, Decoded};
pub use json::json_line;
pub use reader::{Entry, From, Reader};
pub use source::Source;
pub use tail::tail;
pub use text::Page;
