//! The engine as a process that is killed again and again while records keep coming. What holds afterwards is read
//! from the topics alone.
//!
//! `STREAMRUN_KILLS` kills more often, `STREAMRUN_SEED` repeats what chance decided.

use crate::support::Random;
use crate::support::program::{Place, Watched};
use feeder::Feeder;
use std::time::{Duration, Instant};

mod check;
mod feeder;

const KILLS: u64 = 50;
const SEED: u64 = 20_260_101;

/// The sensor pipeline, with its numbers smaller and every stream of it sunk.
const PIPELINE: &str = r#"
name = "killed"
dead_letters = "dead"

[run]
commit_every = "20ms"
workers = 3

[schema.reading]
id = "int"
sensor_id = "string"
temperature = "float"
timestamp = "timestamp(ms)"

[source.readings]
topic = "readings"
schema = "reading"
key = "sensor_id"
event_time = "timestamp"
late_by = "5s"
partitions = 4

[branch.valid]
from = "readings"
reject = [{ when = 'temperature < 0.0', reason = "too cold" }]

[map.enriched]
from = "valid"
set.status = [{ when = 'temperature >= 80.0', then = "critical" }, { otherwise = "normal" }]

[count.per_sensor]
from = "valid"
by = "sensor_id"

[alert.busy]
table = "per_sensor"
every = "1s"
when = 'count > 5'
message = "{sensor_id} has sent {count} readings"
once = true

[tumble.per_window]
from = "valid"
by = "sensor_id"
every = "10s"
compute.readings = 'count()'
compute.min_temp = 'min(temperature)'
compute.max_temp = 'max(temperature)'
compute.sum_temp = 'sum(temperature)'

[sink.enriched_out]
from = "enriched"
topic = "enriched"

[sink.counted_out]
from = "per_sensor"
topic = "counted"

[sink.windows_out]
from = "per_window"
topic = "windows"

[sink.busy_out]
from = "busy"
topic = "busy"
"#;

fn setting(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn killed_at_any_instant_it_does_everything_once() {
    let (seed, kills) = (setting("STREAMRUN_SEED", SEED), setting("STREAMRUN_KILLS", KILLS));
    println!("STREAMRUN_SEED={seed} STREAMRUN_KILLS={kills}");
    let (place, mut dice, since) = (Place::new(PIPELINE), Random::new(seed), Instant::now());
    let feeder = Feeder::start(&place.log(), seed);
    let (mut written, mut fruitful, mut output) = (0, 0, Watched::new(&place, "enriched"));
    for kill in 0..kills {
        let mut engine = place.engine("");
        // On a machine that is busy it would otherwise be killed at its start only.
        if kill % 2 == 1 {
            engine.until("output", |_| output.count() > written);
        }
        std::thread::sleep(Duration::from_millis(5 + dice.below(296)));
        let over = engine.is_over();
        let said = engine.kill();
        assert!(over.is_none(), "STREAMRUN_SEED={seed}, kill {kill}: it had ended by itself\n{said}");
        let so_far = output.count();
        fruitful += usize::from(so_far > written);
        written = so_far;
    }
    let sent = feeder.stop();
    let took = since.elapsed();
    place.run_to_end("--close-windows").with(0);
    println!(
        "{kills} kills within {took:.1?}, {fruitful} of them behind new commits; {} records, {written} before the last run",
        sent.len()
    );
    assert!(fruitful > kills as usize / 3, "it hardly came to anything between the kills: {fruitful}");
    let faults = check::faults(&place, &sent);
    assert!(faults.is_empty(), "STREAMRUN_SEED={seed}, STREAMRUN_KILLS={kills}:\n{}", faults.join("\n"));
}

/// How long it takes from a kill to the first output of the next process.
#[test]
fn output_goes_on_within_a_second_of_a_kill() {
    let place = Place::new(PIPELINE);
    let feeder = Feeder::start(&place.log(), SEED);
    let (mut slowest, mut output) = (Duration::ZERO, Watched::new(&place, "enriched"));
    for _ in 0..5 {
        let mut engine = place.engine("");
        let before = output.count();
        engine.until("output", |_| output.count() > before + 500);
        let killed = Instant::now();
        engine.kill();
        let (before, mut next) = (output.count(), place.engine(""));
        next.until("output after a kill", |_| output.count() > before);
        slowest = slowest.max(killed.elapsed());
    }
    feeder.stop();
    println!("from a kill to the first output behind it: {slowest:.0?} at most");
    assert!(slowest < Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 1 }), "{slowest:?}");
}
