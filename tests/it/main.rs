//! What holds for the whole of streamrun, from outside.

mod documents;
mod scanner;
mod splice;
mod tidy;
