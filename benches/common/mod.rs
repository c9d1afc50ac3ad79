//! Timing for benches: contestants in turn, several rounds, and ratios within a round, since machines are shared
//! and a figure alone says little. What is measured is the thread's own time on a core, not what others take.

use std::time::{Duration, Instant};

/// One way of doing the work: a name, and a round of so many repetitions.
pub struct Contestant<'c> {
    name: &'c str,
    run: Box<dyn FnMut(u64) + 'c>,
}

impl<'c> Contestant<'c> {
    /// `work` does the work once.
    pub fn new<T>(name: &'c str, mut work: impl FnMut() -> T + 'c) -> Self {
        let run = move |times| {
            for _ in 0..times {
                std::hint::black_box(work());
            }
        };
        Contestant { name, run: Box::new(run) }
    }

    fn ns(&mut self, times: u64) -> f64 {
        let (start, on_core) = (Instant::now(), on_core());
        (self.run)(times);
        let took = match (on_core, self::on_core()) {
            (Some(before), Some(after)) => after - before,
            _ => start.elapsed(),
        };
        took.as_nanos() as f64 / times as f64
    }
}

/// How long this thread has been on a core, where the system says so.
pub fn on_core() -> Option<Duration> {
    // The sum is brought up to date when the scheduler is entered.
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Runs the contestants in turn and prints, for each, the least and the median nanoseconds of `units` units that it
/// does in a call, how many of them that is a second, in millions, and the ratio to the first contestant: median,
/// least and most over the rounds. Returns each one's nanoseconds, round by round.
pub fn compare(
    title: &str,
    rounds: usize,
    units: usize,
    mut contestants: Vec<Contestant<'_>>,
) -> Vec<Vec<f64>> {
    let times = contestants.iter_mut().map(calibrate).collect::<Vec<_>>();
    let mut measured = vec![vec![]; contestants.len()];
    for _ in 0..rounds {
        for ((contestant, times), measured) in contestants.iter_mut().zip(&times).zip(&mut measured) {
            measured.push(contestant.ns(*times) / units as f64);
        }
    }
    println!("{title}, ns min / median of {rounds} rounds; M/s; ratio to the first, median (least–most)");
    let first = measured[0].clone();
    for (contestant, measured) in contestants.iter().zip(&measured) {
        let mut ratios: Vec<f64> = measured.iter().zip(&first).map(|(ns, first)| ns / first).collect();
        let mut sorted = measured.clone();
        sorted.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        println!(
            "  {:<28} {:>8.1} / {:>8.1} {:>8.2}   {:.2} ({:.2}–{:.2})",
            contestant.name,
            sorted[0],
            sorted[rounds / 2],
            1e3 / sorted[rounds / 2],
            ratios[rounds / 2],
            ratios[0],
            ratios[rounds - 1],
        );
    }
    measured
}

/// The median.
#[allow(dead_code, reason = "not every bench asks")]
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// How often to call for a round of about a tenth of a second; warms up, too.
fn calibrate(contestant: &mut Contestant<'_>) -> u64 {
    const ROUND: Duration = Duration::from_millis(100);
    let (mut times, mut ns) = (1, contestant.ns(1));
    while ns * (times as f64) < ROUND.as_nanos() as f64 / 10.0 {
        times *= 2;
        ns = contestant.ns(times);
    }
    (ROUND.as_nanos() as f64 / ns).ceil() as u64
}
