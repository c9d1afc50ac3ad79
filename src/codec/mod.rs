//! Records as bytes: decoding into registers, writing back.
