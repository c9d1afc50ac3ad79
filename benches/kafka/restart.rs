//! How long it takes to the first output: of a first start, after a kill, and with a million keys to restore.

use super::broker::Broker;
use super::input;
use super::pipeline::Pipeline;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::process::Child;
use std::time::{Duration, Instant};

const KEYS: u64 = 1_000_000;

/// Measures and prints.
pub fn report(broker: &Broker) {
    broker.topic("restart-in", 4);
    input::fill(broker, "restart-in", 4_000_000, KEYS);
    let one = |text: String| format!("{text}\n[run]\nworkers = 1\n");
    let pipeline = Pipeline::new(broker, "restart", "restart-in", one);
    let since = Instant::now();
    let mut engine = pipeline.command().spawn().unwrap();
    let output = Output::new(broker, "restart-enriched-readings");
    output.grows_beyond(0);
    println!("start to the first output: {:.2} s", since.elapsed().as_secs_f64());
    for kill in 0..3 {
        std::thread::sleep(Duration::from_millis(500));
        let (at, since) = (output.end(), end(&mut engine));
        engine = pipeline.command().spawn().unwrap();
        output.grows_beyond(at);
        println!("kill -9 {kill} and restart to the next output: {:.2} s", since.elapsed().as_secs_f64());
    }
    end(&mut engine);
    pipeline.to_end();
    restored(&pipeline, "from a snapshot");
    std::fs::remove_dir_all(pipeline.state()).unwrap();
    restored(&pipeline, "from the changelogs");
}

/// Runs it once more with nothing to read, and says what the log says of the restore.
fn restored(pipeline: &Pipeline, how: &str) {
    let before = pipeline.said().len();
    let since = Instant::now();
    let mut engine = pipeline.command().spawn().unwrap();
    while pipeline.said()[before..].matches("tables restored").count() < 4 {
        assert!(since.elapsed() < Duration::from_secs(120), "no restore:\n{}", pipeline.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("start to tables restored, up to {KEYS} keys, {how}: {:.2} s", since.elapsed().as_secs_f64());
    end(&mut engine);
}

fn end(engine: &mut Child) -> Instant {
    engine.kill().unwrap();
    engine.wait().unwrap();
    Instant::now()
}

/// The committed end of a topic.
struct Output {
    consumer: BaseConsumer,
    topic: String,
}

impl Output {
    fn new(broker: &Broker, topic: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &broker.address).set("isolation.level", "read_committed");
        Output { consumer: config.create().unwrap(), topic: topic.to_owned() }
    }

    fn end(&self) -> i64 {
        let of =
            |p| self.consumer.client().fetch_watermarks(&self.topic, p, Duration::from_secs(10)).unwrap().1;
        (0..4).map(of).sum()
    }

    fn grows_beyond(&self, end: i64) {
        let since = Instant::now();
        while self.end() <= end {
            assert!(since.elapsed() < Duration::from_secs(60), "nothing comes out");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
