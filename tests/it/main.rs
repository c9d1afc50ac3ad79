//! What holds for the whole of streamrun, from outside.

// The lint knows unit tests; helpers of these are tests, too.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod backlog;
mod bites;
mod broken;
mod closing;
mod commands;
mod documents;
mod edits;
mod ends;
mod every_k;
mod examples;
mod expressions;
mod extremes;
mod failing;
mod http;
mod http_limits;
mod killed;
mod large;
mod local;
mod meaning;
mod members;
mod regroup;
mod renames;
mod resets;
mod scanner;
mod schema;
mod seeds;
mod snapshots;
mod splice;
mod support;
mod surroundings;
mod test_meaning;
mod test_verb;
mod tidy;
