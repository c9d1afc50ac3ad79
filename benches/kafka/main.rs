//! The engine on a real broker, beside the client's own speed.
//!
//! ```sh
//! cargo bench --bench kafka                       # 10 million readings; twenty minutes
//! cargo bench --bench kafka -- 2000000 speed      # fewer, and only a part: speed, latency, restart
//! ```
//!
//! The broker is the bench's own and is warmed first: a cold JVM takes twice the time. Machines are shared, so what
//! counts are ratios within a round, and the time on cores a record.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops when something is wrong"
)]

#[path = "../engine/readings.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod readings;

mod broker;
mod copy;
mod input;
mod latency;
mod pipeline;
mod process;
mod restart;
mod speed;

use broker::Broker;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [what, address, from, to, count, every] = arguments.as_slice()
        && what == "copy"
    {
        // Without a number there are no transactions.
        let every = every.parse().ok().map(Duration::from_millis);
        return copy::run(address, from, to, count.parse().unwrap(), every);
    }
    let count = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(10_000_000);
    let part = arguments.iter().find(|a| a.parse::<usize>().is_err()).map(String::as_str);
    let wanted = |name: &str| part.is_none_or(|part| part == name);
    let broker = Broker::start();
    speed::warm_up(&broker);
    if wanted("speed") {
        speed::report(&broker, count);
    }
    if wanted("latency") {
        latency::report(&broker);
    }
    if wanted("restart") {
        restart::report(&broker);
    }
}
