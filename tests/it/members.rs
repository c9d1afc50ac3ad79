//! Members of a group, one turn at a time: what only shows when it is known who does what when.

use crate::support::scenario::{Act, START};
use crate::support::world::{options, sim};
use crate::support::{Scenario, World, outcome};
use std::sync::Arc;
use streamrun::runtime::{Broken, Turn, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::sim::{Cluster, Sim};

const TWO: &str = r#"
name = "p"
dead_letters = "dead"

[schema.reading]
k = "string"
x = "float"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"

[source.other]
topic = "other"
schema = "reading"
key = "k"
event_time = "at"
"#;

const ONCE: &str = r#"
name = "p"

[schema.reading]
k = "string"
x = "float"
at = "timestamp(ms)"

[source.in]
topic = "in"
schema = "reading"
key = "k"
event_time = "at"

[count.seen]
from = "in"
by = "k"

[alert.busy]
table = "seen"
every = "1s"
once = true
when = 'count >= 1'
message = "{k}"

[sink.out]
from = "busy"
topic = "out"
"#;

/// Turns until there is nothing left to do.
fn settle(worker: &mut Worker<Sim>) {
    while worker.turn().unwrap() != Turn::Idle {}
}

/// An alert moves no input: that a table is another one by now shows in the number of the commit alone.
#[test]
fn a_parked_task_that_only_a_tick_has_changed_is_restored() {
    let scenario = Scenario::new("parked", ONCE).reading("in", "a", 0, "1");
    let (cluster, clock) = (Cluster::default(), ManualClock::at(START));
    scenario.plan.topics.all().iter().for_each(|topic| cluster.create(&topic.name, 2));
    let new = || {
        let clock = Arc::new(clock.clone());
        Worker::new(
            scenario.plan.clone(),
            sim(&scenario, &cluster),
            clock,
            options(&scenario, Broken::Nothing),
        )
    };
    let Act::Send(sent) = &scenario.acts[0] else { panic!("a record") };
    let value = sent.value.clone().map(String::into_bytes);
    let key = sent.key.clone().map(String::into_bytes);
    let entry = streamrun::transport::sim::Entry { timestamp: START, key, value, headers: vec![] };
    cluster.write("in", 1, entry);
    let (mut first, mut second) = (new(), new());
    settle(&mut first);
    first.commit_now().unwrap();
    // The second one joins and the first lets go of everything; before it is told what it holds now, the other one has
    // had a tick and has left again.
    second.turn().unwrap();
    first.turn().unwrap();
    settle(&mut second);
    clock.advance(1_000);
    settle(&mut second);
    second.finish().unwrap();
    assert_eq!(
        outcome::topics(&scenario.plan, &cluster)["out"].concat().len(),
        1,
        "the second one has said it"
    );
    settle(&mut first);
    clock.advance(5_000);
    settle(&mut first);
    first.commit_now().unwrap();
    assert_eq!(outcome::topics(&scenario.plan, &cluster)["out"].concat().len(), 1, "it is said once");
}

/// An input that has nothing more to say is noticed to be silent while the other one never is.
#[test]
fn a_silent_input_holds_nobody_back_under_load() {
    let nodes = r#"
[tumble.ten]
from = ["in", "other"]
by = "k"
every = "10s"
compute.n = 'count()'

[sink.out]
from = "ten"
topic = "out"
"#;
    let mut scenario = Scenario::new("load", &format!("{TWO}{nodes}")).batch(1).reading("other", "a", 0, "1");
    scenario = scenario.settle();
    for at in 1..40 {
        scenario = scenario.reading("in", "a", at * 1_000, "1").reading("in", "a", at * 1_000, "1");
        scenario.acts.extend([Act::Clock(1_000), Act::Turns(1)]);
    }
    let mut world = World::new(&scenario, vec![], Broken::Nothing);
    scenario.acts.iter().for_each(|act| world.act(act).unwrap());
    assert!(!world.cluster.records("out").concat().is_empty(), "windows close");
}

/// A group shares out each topic by itself: of topics of different widths two inputs of one task can go to two members.
#[test]
fn topics_of_different_widths_cannot_be_merged() {
    let nodes = "\n[map.all]\nfrom = [\"in\", \"other\"]\nset.y = 'x'\n\n[sink.out]\nfrom = \"all\"\ntopic = \"out\"\n";
    let text = format!("{TWO}{nodes}").replace("key = \"k\"\n", "");
    let scenario = Scenario::new("widths", &text).topic("in", 3).topic("other", 2);
    let mut world = World::new(&scenario, vec![], Broken::Nothing);
    let why = world.stops().expect("it stops");
    assert!(why.starts_with("the topics behind `in` have different numbers of partitions: [3, 2]"), "{why}");
}

/// Grouped together, a key would have rows in two tasks.
#[test]
fn topics_of_different_widths_cannot_be_grouped_together() {
    let text = format!("{TWO}\n[count.all]\nfrom = [\"in\", \"other\"]\nby = \"k\"\n");
    let scenario = Scenario::new("widths", &text).topic("in", 3).topic("other", 2);
    let why = World::run(&scenario, vec![], Broken::Nothing).unwrap_err();
    assert_eq!(why, "every worker stops");
}

/// Two partitions that are read, then four.
fn widened(text: &str) -> Result<World<'static>, String> {
    let scenario =
        Box::leak(Box::new(Scenario::new("widened", text).partitions(2).reading("in", "a", 0, "1").settle()));
    let mut world = World::new(scenario, vec![], Broken::Nothing);
    scenario.acts.iter().try_for_each(|act| world.act(act))?;
    world.cluster.widen("in", 4);
    Ok(world)
}

#[test]
fn partitions_that_are_added_under_a_table_stop_the_worker_and_the_next() {
    let mut world = widened(ONCE).unwrap();
    let mut said = vec![];
    for _ in 0..2 {
        let why = world.stops().unwrap();
        said.push(why);
    }
    for why in said {
        assert!(why.contains("topic `in` had 2 partitions and has 4 now: keys lie elsewhere now"), "{why}");
        assert!(why.contains("another `name`"), "{why}");
    }
}

const KEYED: &str = "\n[sink.out]\nfrom = \"in\"\ntopic = \"out\"\n";

#[test]
fn partitions_that_are_added_under_a_key_stop_the_worker() {
    let text = format!("{}{KEYED}", ONCE.split_once("[count").unwrap().0);
    let why = widened(&text).unwrap().stops().unwrap();
    assert!(
        why.contains("topic `in` had 2 partitions and has 4 now") && why.contains("start it again"),
        "{why}"
    );
}

/// They are read from their beginning, wherever the source starts: everything in them is new.
#[test]
fn partitions_that_are_added_where_nothing_has_a_key_are_read_as_well() {
    let text = format!("{}{KEYED}", ONCE.split_once("[count").unwrap().0);
    let text = text.replace("key = \"k\"\n", "start = \"latest\"\n");
    let mut world = widened(&text).unwrap();
    assert!(world.cluster.records("out").concat().is_empty(), "nothing is new");
    let entry = streamrun::transport::sim::Entry {
        timestamp: START,
        key: None,
        value: Some(format!(r#"{{"k":"a","x":1.0,"at":{START}}}"#).into_bytes()),
        headers: vec![],
    };
    world.cluster.write("in", 3, entry);
    world.act(&Act::Settle).unwrap();
    world.act(&Act::Commit).unwrap();
    assert_eq!(world.cluster.records("out").concat().len(), 1);
}
