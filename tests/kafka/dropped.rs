//! A transport that is dropped, whatever it was doing: it ends soon, it takes nothing down with it, and what it left
//! open is decided. And one whose broker is dropped.

use crate::support::producer::{Producer, Raw};
use crate::support::{Cluster, Place, until};
use std::sync::Arc;
use std::time::{Duration, Instant};
use streamrun::outbox::{Outbox, Target, TopicId};
use streamrun::transport::kafka::{self, Kafka, Settings, Topic};
use streamrun::transport::{Event, Limits, Partition, Position, Transport};

const PARTITIONS: u32 = 2;
const RECORDS: i64 = 1_000;
const LONGEST: Duration = Duration::from_secs(30);
/// The longest that a drop may take, and where nobody answers.
const SOON: Duration = Duration::from_secs(4);
const IN_VAIN: Duration = Duration::from_secs(12);
/// As long as a transport listens to a silent changelog before it asks whether anybody is there, and for its question.
const SILENT: Duration = Duration::from_secs(50);
const LIMITS: Limits = Limits { records: 100, bytes: 1 << 20 };
const IN: TopicId = TopicId(0);
const OUT: TopicId = TopicId(1);

/// What a transport is in the middle of, and how it gets there.
type State = (&'static str, fn(&mut Kafka));

/// What a transport is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Make {
    Usual,
    AtLeastOnce,
    ConsumerProtocol,
}

/// Every state in turn, on one broker.
pub fn in_any_state() {
    in_any_state_of(Make::Usual);
}

pub fn at_least_once_in_any_state() {
    in_any_state_of(Make::AtLeastOnce);
}

pub fn with_the_consumer_protocol_in_any_state() {
    in_any_state_of(Make::ConsumerProtocol);
}

fn in_any_state_of(make: Make) {
    let place = place(crate::broker::shared());
    let states: [State; 8] = [
        ("opened", |_| {}),
        ("joining", |kafka| kafka.join(&[IN]).expect("it joins")),
        ("assigned", |kafka| drop(assigned(kafka))),
        ("begun", |kafka| begun(kafka)),
        ("with a batch", |kafka| drop(some_records(kafka))),
        ("with a record held back", |kafka| {
            begun(kafka);
            kafka.wait(LONGEST);
        }),
        ("in a transaction", |kafka| {
            begun(kafka);
            kafka.send(&outbox()).expect("sent");
        }),
        ("reading a changelog", |kafka| {
            let of = Partition { topic: IN, index: 0 };
            let (first, end) = kafka.bounds(of).expect("bounds");
            kafka.changelog(of, first, end).expect("a chunk");
        }),
    ];
    for (round, (state, to)) in states.iter().enumerate() {
        let mut kafka = open_as(&place, &format!("{round}"), make);
        to(&mut kafka);
        soon(state, SOON, kafka);
    }
    // Whoever comes next in the last one's place is let in, and nothing hangs. The server's own sharing out lets nobody
    // in before the session of the last one is over.
    let instance = if make == Make::ConsumerProtocol { "another" } else { "7" };
    let mut kafka = open_as(&place, instance, make);
    let positions = some_records(&mut kafka);
    kafka.send(&outbox()).expect("sent");
    kafka.commit(&positions).expect("committed");
    soon("behind a commit", SOON, kafka);
}

/// One that is told to give back what it has, and is dropped instead.
pub fn before_it_has_answered() {
    let place = place(crate::broker::shared());
    let mut first = open(&place, "first");
    begun(&mut first);
    let mut second = open(&place, "second");
    second.join(&[IN]).expect("it joins");
    until("the group asks for what it gave", LONGEST, || {
        second.wait(Duration::from_millis(5));
        matches!(first.poll(LIMITS).expect("a poll"), Event::Revoked(_)).then_some(())
    });
    soon("asked to give back", SOON, first);
    soon("the other one", SOON, second);
}

/// A topic that is deleted and made again is another one, which nothing but its id says.
pub fn a_topic_that_is_made_again_has_another_id() {
    let place = place(crate::broker::shared());
    let id = |instance| open(&place, instance).topic_id(OUT).expect("it is told").expect("it has one");
    let first = id("first");
    assert_eq!(id("second"), first);
    place.cluster.tool(&format!("topics --delete --topic {}", place.topic("out")));
    until("the end of a topic", LONGEST, || {
        (place.reader().partitions(&place.topic("out")) == 0).then_some(())
    });
    place.create("out", PARTITIONS as i32, &[]);
    assert_ne!(id("third"), first);
}

/// With nobody there any more to say goodbye to.
pub fn without_a_broker() {
    let cluster = Arc::new(Cluster::start(1));
    let place = place(cluster.clone());
    let mut kafka = open(&place, "alone");
    begun(&mut kafka);
    kafka.send(&outbox()).expect("sent");
    cluster.kill9(1);
    soon("without a broker", IN_VAIN, kafka);
}

/// The broker goes while a changelog is read: that is noticed, and another client reads on once it is back.
pub fn a_changelog_that_breaks_off() {
    let cluster = Arc::new(Cluster::start_mortal());
    let place = place(cluster.clone());
    let mut kafka = open(&place, "reader");
    let of = Partition { topic: IN, index: 0 };
    let (mut next, end) = kafka.bounds(of).expect("bounds");
    until("what is there", LONGEST, || {
        next = kafka.changelog(of, next, end + 1).expect("a chunk").next;
        (next == end).then_some(())
    });
    cluster.kill9(1);
    until("an error", SILENT, || kafka.changelog(of, next, end + 1).err());
    cluster.restart(1);
    let producer = Producer::new(place.cluster.bootstrap());
    let one =
        Raw { key: Some(b"k".to_vec()), value: Some(b"{}".to_vec()), partition: Some(0), ..Raw::default() };
    producer.send(&place.topic("in"), &one);
    producer.flush();
    until("the record that was missing", LONGEST, || {
        next = kafka.changelog(of, next, end + 1).map_or(next, |chunk| chunk.next);
        (next == end + 1).then_some(())
    });
}

fn place(cluster: Arc<Cluster>) -> Place {
    let place = Place::on(cluster, "dropped");
    for what in ["in", "out"] {
        place.create(what, PARTITIONS as i32, &[]);
    }
    let producer = Producer::new(place.cluster.bootstrap());
    for at in 0..RECORDS {
        let key = Some(at.to_string().into_bytes());
        producer.send(&place.topic("in"), &Raw { key, value: Some(b"{}".to_vec()), ..Raw::default() });
    }
    producer.flush();
    place
}

fn open(place: &Place, instance: &str) -> Kafka {
    open_as(place, instance, Make::Usual)
}

fn open_as(place: &Place, instance: &str, make: Make) -> Kafka {
    let consumer_protocol = make == Make::ConsumerProtocol;
    let session = ("session.timeout.ms".to_owned(), "3000".to_owned());
    let settings = Settings {
        brokers: vec![place.cluster.bootstrap().to_owned()],
        group: place.name.clone(),
        exactly_once: make != Make::AtLeastOnce,
        consumer_protocol,
        consumer: if consumer_protocol { vec![] } else { vec![session] },
        ..Settings::default()
    };
    let cluster = kafka::Cluster::connect(settings).expect("it answers");
    let topic = |what: &str, written| Topic { name: place.topic(what), written };
    let instance = format!("{}-{instance}", place.name);
    Kafka::open(&cluster, &[topic("in", false), topic("out", true)], instance).expect("opened")
}

fn assigned(kafka: &mut Kafka) -> Vec<Partition> {
    kafka.join(&[IN]).expect("it joins");
    until("an assignment", LONGEST, || match kafka.poll(LIMITS).expect("a poll") {
        Event::Assigned(partitions) if !partitions.is_empty() => Some(partitions),
        _ => None,
    })
}

fn begun(kafka: &mut Kafka) {
    for partition in assigned(kafka) {
        kafka.begin(partition, 0).expect("begun");
    }
}

/// Reads some records: where all inputs stand behind them.
fn some_records(kafka: &mut Kafka) -> Vec<Position> {
    begun(kafka);
    until("records", LONGEST, || match kafka.poll(LIMITS).expect("a poll") {
        Event::Records(runs) => {
            Some(runs.iter().map(|run| position(run.partition, run.records.len())).collect())
        }
        _ => None,
    })
}

fn position(partition: Partition, records: usize) -> Position {
    Position { partition, offset: records as i64, metadata: String::new() }
}

fn outbox() -> Outbox {
    let mut out = Outbox::default();
    let put = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(b"x");
        true
    };
    out.record(OUT, Target::Key, 1, put, put, &[]);
    out
}

fn soon(state: &str, most: Duration, kafka: Kafka) {
    let since = Instant::now();
    drop(kafka);
    let took = since.elapsed();
    println!("dropped {state}: {took:.1?}");
    assert!(took < most, "{state}: it took {took:?}");
}
