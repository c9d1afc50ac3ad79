//! Time as text: RFC 3339 and durations.
