//! What holds for the whole of streamrun, from outside.

mod commands;
mod broken;
mod documents;
mod examples;
mod expressions;
mod edits;
mod extremes;
mod scanner;
mod schema;
mod splice;
mod tidy;
