//! A wall clock that is set back while the engine runs.

use std::sync::Arc;
use streamrun::plan::{self, Plan};
use streamrun::runtime::{Options, Turn, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::sim::{Cluster, Entry, Sim};

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_767_225_600_000;

const PIPELINE: &str = r#"
name = "p"

[schema.reading]
id = "string"
at = "timestamp(ms)"

[source.readings]
topic = "readings"
schema = "reading"
key = "id"
event_time = "at"
idle_after = "10s"
max_future = "2d"

[count.per_id]
from = "readings"
by = "id"

[alert.busy]
table = "per_id"
every = "30s"
when = 'count > 0'
message = "{id}"

[tumble.windows]
from = "readings"
by = "id"
every = "10s"
compute.n = 'count()'

[sink.out]
from = "per_id"
topic = "out"

[sink.alerts]
from = "busy"
topic = "alerts"

[sink.windows_out]
from = "windows"
topic = "windows"
"#;

struct World {
    cluster: Cluster,
    clock: ManualClock,
    worker: Worker<Sim>,
}

impl World {
    fn new() -> Self {
        let plan: Arc<Plan> = Arc::new(plan::check(PIPELINE, &[]).plan.expect("it is sound"));
        let (cluster, clock) = (Cluster::default(), ManualClock::at(NOW));
        plan.topics.all().iter().for_each(|topic| cluster.create(&topic.name, 1));
        let sim = Sim::new(cluster.clone(), plan.topics.all().iter().map(|t| t.name.clone()).collect());
        let worker = Worker::new(plan, sim, Arc::new(clock.clone()), Options::default());
        let mut world = World { cluster, clock, worker };
        world.settle();
        world
    }

    fn send(&self, id: &str, at: i64) {
        let value = format!(r#"{{"id":"{id}","at":{at}}}"#).into_bytes();
        let entry =
            Entry { timestamp: at, key: Some(id.as_bytes().to_vec()), value: Some(value), headers: vec![] };
        self.cluster.write("readings", 0, entry).expect("the topic is there");
    }

    fn settle(&mut self) {
        while self.worker.turn().expect("a turn") == Turn::Busy {}
    }

    /// Lets time pass, in steps of a tenth of a second.
    fn wait(&mut self, ms: i64) {
        for _ in 0..ms / 100 {
            self.clock.advance(100);
            self.settle();
        }
    }

    fn written(&self, topic: &str) -> usize {
        self.cluster.records(topic).iter().map(Vec::len).sum()
    }
}

#[test]
fn a_clock_set_back_does_not_put_off_commits() {
    let mut world = World::new();
    world.send("a", NOW);
    world.wait(200);
    assert_eq!(world.written("out"), 1);
    world.clock.advance(-HOUR);
    world.send("a", NOW + 1);
    world.wait(200);
    assert_eq!(world.written("out"), 2, "it is committed within the usual time");
}

#[test]
fn a_clock_set_back_does_not_put_off_alerts() {
    let mut world = World::new();
    world.send("a", NOW);
    world.wait(40_000);
    assert_eq!(world.written("alerts"), 1);
    world.clock.advance(-HOUR);
    world.wait(40_000);
    assert!(world.written("alerts") >= 2, "tables are looked through again");
}

#[test]
fn a_clock_set_back_a_little_repeats_no_alert() {
    let mut world = World::new();
    world.send("a", NOW);
    world.wait(30_000);
    assert_eq!(world.written("alerts"), 1);
    world.clock.advance(-500);
    world.wait(2_000);
    assert_eq!(world.written("alerts"), 1, "the same half minute has begun twice");
    world.wait(30_000);
    assert_eq!(world.written("alerts"), 2);
}

#[test]
fn a_clock_set_back_does_not_keep_windows_open() {
    let mut world = World::new();
    world.send("a", NOW);
    world.wait(200);
    world.clock.advance(-HOUR);
    world.wait(40_000);
    assert_eq!(world.written("windows"), 1, "the topic is silent, so its window closes");
}
