//! What a file means.

pub mod properties;
