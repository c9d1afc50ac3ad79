//! Points and spans of time as texts. The only user of jiff here.

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use std::fmt;

/// A point in time as RFC 3339 in UTC; nothing beyond the years that can be written.
pub(super) fn rfc3339(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// The point in time that an RFC 3339 text names.
pub(super) fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
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
    BrokenDownTime::from(rfc3339(ms)?).format(format, out).ok()
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

/// A span of time in the largest unit that leaves no rest: `90s`, `250ms`, `2h`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        match units.iter().find(|(ms, _)| self.0 != 0 && self.0 % ms == 0) {
            Some((ms, unit)) => write!(f, "{}{unit}", self.0 / ms),
            None => write!(f, "{}ms", self.0),
        }
    }
}
