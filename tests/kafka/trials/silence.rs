//! Windows that silence closes, and brokers that say nothing because they cannot.

use crate::support::engine::DEADLINE;
use crate::support::producer::{Producer, Raw};
use crate::support::{Cluster, Engine, Place, until};
use std::sync::Arc;
use std::time::Duration;

const PIPELINE: &str = r#"
name = "NAME"

[schema.reading]
id = "string"
at = "timestamp(ms)"

[source.readings]
topic = "NAME-in"
schema = "reading"
key = "id"
event_time = "at"
idle_after = "4s"

[tumble.second]
from = "readings"
by = "id"
every = "1s"
compute.n = 'count()'

[sink.out]
from = "second"
topic = "NAME-out"
"#;

const START: i64 = 1_767_225_600_000;
/// Longer than it takes for a silence to close a window, and to ask in vain whether it is one.
const HUNG: Duration = Duration::from_secs(10);
/// Shorter than a commit is tried.
const DEAD: Duration = Duration::from_secs(6);

/// The only broker dies, or hangs; what is written when it is back is in time for the window that was open before.
pub fn an_outage_is_none() {
    for killed in [false, true] {
        let cluster = Arc::new(if killed { Cluster::start_mortal() } else { Cluster::start(1) });
        let place = Place::on(cluster.clone(), "silence");
        place.create("in", 1, &[]);
        place.create("out", 1, &[]);
        place.pipeline(PIPELINE);
        let mut engine = Engine::start(&place, "a");
        write(&place, START);
        until("the first record", DEADLINE, || {
            engine.is_alive("before the outage");
            engine.said().contains("committed number=1").then_some(())
        });
        if killed {
            cluster.kill9(1)
        } else {
            cluster.pause(1)
        }
        std::thread::sleep(if killed { DEAD } else { HUNG });
        if killed {
            cluster.restart(1)
        } else {
            cluster.resume(1)
        }
        write(&place, START + 500);
        let out = until("the window", DEADLINE, || {
            engine.is_alive("behind the outage");
            Some(place.reader().read(&place.topic("out"))).filter(|out| !out.is_empty())
        });
        assert_eq!(out[0].json()["n"], 2, "killed: {killed}");
        engine.terminated().with(0);
    }
}

fn write(place: &Place, at: i64) {
    let producer = Producer::new(place.cluster.bootstrap());
    let value = Some(format!(r#"{{"id":"a","at":{at}}}"#).into_bytes());
    producer.send(&place.topic("in"), &Raw { key: Some(b"a".to_vec()), value, ..Raw::default() });
    producer.flush();
}
