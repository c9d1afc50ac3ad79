//! What holds for the whole of streamrun, from outside.

mod broken;
mod commands;
mod documents;
mod edits;
mod examples;
mod expressions;
mod extremes;
mod local;
mod meaning;
mod scanner;
mod schema;
mod splice;
mod tidy;
