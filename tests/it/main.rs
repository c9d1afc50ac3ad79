//! What holds for the whole of streamrun, from outside.

mod documents;
mod examples;
mod expressions;
mod scanner;
mod splice;
mod tidy;
