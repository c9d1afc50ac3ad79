//! What holds for the whole of streamrun, from outside.

mod tidy;
