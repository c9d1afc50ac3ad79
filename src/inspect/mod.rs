//! What a record looks like to who inspects it.
