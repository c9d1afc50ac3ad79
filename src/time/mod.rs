//! Time, and the few quantities an author writes as text.
//!
//! Timestamps are milliseconds since 1970 in UTC and durations are milliseconds, both `i64`. Every timestamp that
//! is read from text can be written back: what lies outside the years 0000 to 9999 is neither read nor written.
//! Nothing but [`SystemClock`] asks what time it is.

mod clock;
mod duration;
mod interval;
mod rfc3339;
mod size;

pub use clock::{Clock, ManualClock, SystemClock};
pub use duration::{format_duration, parse_duration};
pub use interval::end_of;
pub use rfc3339::{Rfc3339, is_writable, parse_timestamp, write_timestamp};
pub use size::parse_size;
