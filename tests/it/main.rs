//! What holds for the whole of streamrun, from outside.

mod broken;
mod commands;
mod documents;
mod edits;
mod every_k;
mod examples;
mod expressions;
mod extremes;
mod http;
mod http_limits;
mod local;
mod meaning;
mod scanner;
mod schema;
mod splice;
mod support;
mod tidy;
