//! Transports: where records come from and go to.

pub mod local;
