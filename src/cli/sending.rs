//! Records on their way to a topic, at a pace or as fast as they can.

use super::output;
use super::progress::{Progress, grouped};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use streamrun::produce::{Destination, Feed, Pace};
use streamrun::time::{Clock, SystemClock, format_duration};

/// More records than this go out as fast as they can, unless something else is asked for.
pub const MANY: u64 = 1000;
/// What is written at once, when there is no pace.
const BATCH: u64 = 10_000;

/// What is sent where.
pub struct Sending<'s> {
    /// Where records come from.
    pub feed: Feed<'s>,
    /// The topic they go to.
    pub topic: &'s str,
    /// When each is due; none: at once.
    pub pace: Option<Pace>,
    /// How many there are to be; none: all there are.
    pub count: Option<u64>,
    /// Who takes them.
    pub destination: &'s mut dyn Destination,
}

/// What has been sent.
pub struct Sent {
    records: u64,
    within: Duration,
}

impl Sending<'_> {
    /// Who has to wait is told for how long, and how not to.
    pub fn announce(&self) {
        if let (Some(pace), Some(count)) = (self.pace, self.count) {
            let whole = pace.when(count.saturating_sub(1)).as_secs() as i64;
            if whole >= 5 {
                let (count, whole) = (grouped(count), format_duration(whole.saturating_mul(1000)));
                output::note(&format!(
                    "{count} records to `{}` within {whole}; `--interval 0s` sends them at once\n",
                    self.topic
                ));
            }
        }
    }

    /// Sends them all.
    pub fn send(&mut self) -> Result<Sent, ExitCode> {
        let mut progress = Progress::new(self.count);
        let (since, mut sent) = (Instant::now(), 0);
        let all = self.count.unwrap_or(u64::MAX);
        let mut more = true;
        while more && sent < all {
            let due = self.pace.map_or(sent + BATCH, |pace| pace.due(since.elapsed()).min(sent + BATCH));
            let (now, before) = (SystemClock.now_ms(), sent);
            while more && sent < due.min(all) && (sent == before || !self.feed.may_wait()) {
                more = self.one(now).or_else(|code| {
                    // What could be sent is sent.
                    self.destination.flush().map_err(super::failed)?;
                    Err(code)
                })?;
                sent += more as u64;
            }
            self.destination.flush().map_err(super::failed)?;
            progress.at(sent);
            if let Some(pace) = self.pace.filter(|_| more && sent < all) {
                std::thread::sleep(pace.when(sent).saturating_sub(since.elapsed()));
            }
        }
        progress.end();
        Ok(Sent { records: sent, within: since.elapsed() })
    }

    /// Sends the next record, if there is one.
    fn one(&mut self, now: i64) -> Result<bool, ExitCode> {
        let Some(made) = self.feed.next_record(now).map_err(super::failed)? else { return Ok(false) };
        self.destination.send(self.topic, now, made.key, made.value).map_err(super::failed)?;
        Ok(true)
    }

    /// "sent 30 records to `sensor-readings`, 3 of them bad (seed 4711)"
    pub fn summary(&self, sent: &Sent, seed: Option<u64>) -> String {
        let records = format!("{} record{}", grouped(sent.records), if sent.records == 1 { "" } else { "s" });
        let bad = match self.feed.made_bad() {
            0 => String::new(),
            bad => format!(", {} of them bad", grouped(bad)),
        };
        let seconds = sent.within.as_secs_f64();
        let speed = match self.pace.is_none() && sent.records > MANY {
            true => {
                format!(" in {seconds:.2} s: {} a second", grouped((sent.records as f64 / seconds) as u64))
            }
            false => String::new(),
        };
        let seed = seed.map_or(String::new(), |seed| format!(" (seed {seed})"));
        format!("sent {records} to `{}`{bad}{speed}{seed}\n", self.topic)
    }
}
