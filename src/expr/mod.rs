//! Expressions: lexed and typed here, parsed by evalexpr, compiled to closures over registers.
