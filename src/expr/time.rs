//! Points and spans of time as texts, written and read as everywhere else; formats of the author's own are jiff's,
//! of which this is the only user.

use crate::time::{format_duration, parse_timestamp, write_timestamp};
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use std::fmt;

/// A point in time as RFC 3339 in UTC; nothing beyond the years that can be written.
pub(super) fn rfc3339(ms: i64) -> Option<String> {
    let mut text = vec![];
    write_timestamp(&mut text, ms)?;
    String::from_utf8(text).ok()
}

/// The point in time that an RFC 3339 text names.
pub(super) fn parse_rfc3339(text: &str) -> Option<i64> {
    parse_timestamp(text.as_bytes())
}

/// The point in time that a text names in a format of `strftime`. Without an offset in it, it is UTC.
pub(super) fn parse(format: &str, text: &str) -> Option<i64> {
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    if let Ok(time) = parsed.to_timestamp() {
        return Some(time.as_millisecond());
    }
    let date = parsed.to_date().ok()?;
    let time = parsed.to_time().unwrap_or(jiff::civil::Time::midnight());
    let zoned = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// Writes a point in time in a format of `strftime`.
pub(super) fn format(format: &str, ms: i64, out: &mut Vec<u8>) -> Option<()> {
    BrokenDownTime::from(Timestamp::from_millisecond(ms).ok()?).format(format, out).ok()
}

/// What is wrong with a format for writing.
pub(super) fn check_format(text: &str) -> Result<(), String> {
    let time = BrokenDownTime::from(Timestamp::UNIX_EPOCH);
    time.format(text, &mut Vec::<u8>::new()).map_err(|error| error.to_string())
}

/// What is wrong with a format for reading: it must read what it wrote.
pub(super) fn check_parse_format(text: &str) -> Result<(), String> {
    let mut sample = vec![];
    let time = BrokenDownTime::from(Timestamp::UNIX_EPOCH);
    time.format(text, &mut sample).map_err(|error| error.to_string())?;
    let sample = String::from_utf8_lossy(&sample);
    BrokenDownTime::parse(text, sample.as_bytes()).map_err(|error| error.to_string())?;
    match parse(text, &sample) {
        Some(_) => Ok(()),
        None => Err("it names no date".to_owned()),
    }
}

/// The hour of the day, in UTC.
pub(super) fn hour(ms: i64) -> i64 {
    ms.div_euclid(3_600_000).rem_euclid(24)
}

/// A span of time: `90s`, `250ms`, `1h30m`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}
