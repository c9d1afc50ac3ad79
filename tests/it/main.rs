//! What holds for the whole of streamrun, from outside.

mod documents;
mod expressions;
mod scanner;
mod splice;
mod tidy;
