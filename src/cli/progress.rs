//! How far long work has come, on a terminal.

use super::output;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

const WIDTH: usize = 30;
/// Work that takes no longer than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);
const EVERY: Duration = Duration::from_millis(100);

/// A bar that is drawn over itself.
#[derive(Debug)]
pub struct Progress {
    since: Instant,
    drawn: Option<Instant>,
    on: bool,
    total: Option<u64>,
}

impl Progress {
    /// Of so many, if that is known.
    pub fn new(total: Option<u64>) -> Self {
        Progress { since: Instant::now(), drawn: None, on: stderr().is_terminal(), total }
    }

    /// So many are done.
    pub fn at(&mut self, done: u64) {
        let recent = self.drawn.is_some_and(|drawn| drawn.elapsed() < EVERY);
        if !self.on || recent || self.since.elapsed() < PATIENCE {
            return;
        }
        self.drawn = Some(Instant::now());
        output::note(&format!("\r{}\x1b[K", bar(done, self.total)));
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if self.drawn.take().is_some() {
            output::note("\r\x1b[K");
        }
    }
}

fn bar(done: u64, total: Option<u64>) -> String {
    let Some(total) = total.filter(|total| *total > 0) else { return grouped(done) };
    let part = (done.min(total) as f64 / total as f64 * WIDTH as f64) as usize;
    let percent = done.min(total) as u128 * 100 / u128::from(total);
    format!("{}{} {percent:>3}% of {}", "█".repeat(part), "░".repeat(WIDTH - part), grouped(total))
}

/// A number as people read it: 1,250,000.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills() {
        assert_eq!(bar(0, Some(10)), format!("{}   0% of 10", "░".repeat(30)));
        assert_eq!(bar(5, Some(10)), format!("{}{}  50% of 10", "█".repeat(15), "░".repeat(15)));
        assert_eq!(bar(20, Some(10)), format!("{} 100% of 10", "█".repeat(30)));
        assert_eq!(bar(1234, None), "1,234");
        assert_eq!([0, 999, 1000, 1_000_000].map(grouped), ["0", "999", "1,000", "1,000,000"]);
    }
}
