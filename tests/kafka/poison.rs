//! Records as nobody should send them: each becomes an output or a dead letter, once, and the engine goes on.

use crate::support::engine::DEADLINE;
use crate::support::producer::{Producer, Raw, send_and_abort};
use crate::support::reader::Found;
use crate::support::{Engine, Place, until};
use std::time::{SystemTime, UNIX_EPOCH};

/// More than the output's topic takes, and less than any other limit.
const LARGE: usize = 900_000;
const MOST_BYTES: &str = "2000";
/// Records of which many go into a batch.
const SMALL: i64 = 5_000;
/// Records behind the odd ones, as they should be.
const SOUND: i64 = 100;

const PIPELINE: &str = r#"
name = "NAME"
dead_letters = "NAME-dead"

[schema.reading]
id = "int"
text = "string?"

[source.readings]
topic = "NAME-in"
schema = "reading"

[map.seen]
from = "readings"
set.seen = 'true'

[sink.out]
from = "seen"
topic = "NAME-out"
"#;

/// What is to become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Output,
    Dead,
    /// A dead letter, and no more of it than that topic takes.
    Cut,
    /// One or the other.
    Either,
}

pub fn each_odd_record_comes_out_once() {
    let place = Place::shared("poison");
    // The broker refuses times that lie ahead, where nobody tells it not to.
    place.create("in", 1, &[("message.timestamp.after.max.ms", "9223372036854775807")]);
    place.create("out", 1, &[("max.message.bytes", MOST_BYTES)]);
    place.pipeline(PIPELINE);
    let odd = odd();
    send(&place, &odd);
    let mut engine = Engine::start(&place, "a");
    until_written(&place, &mut engine, 0);
    sound(&place);
    until_written(&place, &mut engine, SOUND - 1);
    engine.terminated().with(0);
    let faults = faults(&place, &odd);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The output's topic takes less from one moment on, in the middle of batches that are larger than that: a batch that
/// is refused says nothing of the small records in it.
pub fn a_topic_that_takes_less_from_now_on() {
    let place = Place::shared("lowered");
    place.create("in", 1, &[]);
    place.create("out", 1, &[]);
    place.pipeline(PIPELINE);
    let (producer, topic) = (Producer::new(place.cluster.bootstrap()), place.topic("in"));
    producer.send(&topic, &sound_record(0));
    producer.flush();
    let mut engine = Engine::start(&place, "a");
    until_written(&place, &mut engine, 0);
    let out = place.topic("out");
    let lower = format!("configs --alter --topic {out} --add-config max.message.bytes={MOST_BYTES}");
    place.cluster.tool(&lower);
    for id in 1..=SMALL {
        producer.send(&topic, &sound_record(id));
        if id == SMALL / 2 {
            let large = format!(r#"{{"id":-1,"text":"{}"}}"#, "x".repeat(5_000));
            producer.send(&topic, &Raw { value: Some(large.into_bytes()), ..sound_record(0) });
        }
    }
    producer.flush();
    until_written(&place, &mut engine, SMALL);
    let said = engine.terminated().with(0);
    assert!(said.contains("takes smaller records than it used to"), "no batch was refused");
    let reader = place.reader();
    let ids: Vec<i64> = reader.read(&out).iter().map(|found| found.json()["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (0..=SMALL).collect::<Vec<_>>());
    let dead = reader.read(&place.topic("dead"));
    let why: Vec<String> = dead.iter().map(|found| found.header("streamrun-reason")).collect();
    assert!(why.len() == 1 && why[0].starts_with("output is too large"), "{why:?}");
}

/// An output's topic that is compacted takes no record without a key, nor a batch with one in it: it may be known from
/// the start, or have become so.
pub fn a_compacted_topic_and_no_key() {
    for later in [false, true] {
        let place = Place::shared("compacted");
        place.create("in", 1, &[]);
        place.create("out", 1, &[("cleanup.policy", if later { "delete" } else { "compact" })]);
        place.pipeline(PIPELINE);
        let (producer, topic) = (Producer::new(place.cluster.bootstrap()), place.topic("in"));
        producer.send(&topic, &sound_record(0));
        producer.flush();
        let mut engine = Engine::start(&place, "a");
        until_written(&place, &mut engine, 0);
        if later {
            let out = place.topic("out");
            place.cluster.tool(&format!("configs --alter --topic {out} --add-config cleanup.policy=compact"));
        }
        producer.send(&topic, &Raw { key: None, ..sound_record(1) });
        producer.send(&topic, &sound_record(2));
        producer.flush();
        until_written(&place, &mut engine, 2);
        engine.terminated().with(0);
        let dead = place.reader().read(&place.topic("dead"));
        let why: Vec<String> = dead.iter().map(|found| found.header("streamrun-reason")).collect();
        assert!(why.len() == 1 && why[0].starts_with("output has no key"), "later: {later}, {why:?}");
        assert_eq!(dead[0].json()["id"], 1);
    }
}

/// All that is odd about keys, values, headers, times and sizes.
fn odd() -> Vec<(&'static str, Raw, Fate)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis() as i64;
    let json = |id: i64| Some(format!(r#"{{"id":{id}}}"#).into_bytes());
    let good = |id: i64| Raw { key: Some(b"k".to_vec()), value: json(id), ..Raw::default() };
    let value = |value: &[u8]| Raw { value: Some(value.to_vec()), ..good(0) };
    let at = |id: i64, timestamp: i64| Raw { timestamp: Some(timestamp), ..good(id) };
    let large =
        |id: i64, size: usize| value(format!(r#"{{"id":{id},"text":"{}"}}"#, "x".repeat(size)).as_bytes());
    let header =
        |value: Option<&[u8]>| vec![("h".to_owned(), value.map(<[u8]>::to_vec)), ("h".to_owned(), None)];
    vec![
        ("no key", Raw { key: None, ..good(1_001) }, Fate::Output),
        ("an empty key", Raw { key: Some(vec![]), ..good(1_002) }, Fate::Output),
        ("a key of no text", Raw { key: Some(vec![0xff, 0, 0xfe]), ..good(1_003) }, Fate::Output),
        ("no value", Raw { value: None, ..good(0) }, Fate::Dead),
        ("an empty value", value(b""), Fate::Dead),
        ("a value of no text", value(&[0xff; 64]), Fate::Dead),
        ("a text that is none inside", value(b"{\"id\":1004,\"text\":\"\xff\"}"), Fate::Dead),
        ("zeros", value(&[0; 64]), Fate::Dead),
        ("another type", value(br#"{"id":"many"}"#), Fate::Dead),
        ("deep", value("[".repeat(100_000).as_bytes()), Fate::Dead),
        ("headers without values", Raw { headers: header(None), ..good(1_005) }, Fate::Output),
        ("headers twice", Raw { headers: header(Some(b"\xff")), ..good(1_006) }, Fate::Output),
        ("no time", at(1_007, -1), Fate::Either),
        ("long ago", at(1_008, 1), Fate::Output),
        ("in a while", at(1_009, now + 1_000_000_000_000), Fate::Dead),
        ("at the end of time", at(1_010, i64::MAX), Fate::Dead),
        ("large", large(1_011, LARGE), Fate::Cut),
        ("a little too large", large(1_012, 3_000), Fate::Cut),
        ("large and of no use", value(&vec![b'x'; LARGE]), Fate::Dead),
    ]
}

fn send(place: &Place, odd: &[(&str, Raw, Fate)]) {
    let (bootstrap, topic) = (place.cluster.bootstrap(), place.topic("in"));
    let producer = Producer::new(bootstrap);
    for (_, raw, _) in odd {
        producer.send(&topic, raw);
    }
    producer.flush();
    // Nobody ever wrote these.
    let aborted: Vec<Raw> = (5_000..5_010).map(sound_record).collect();
    send_and_abort(bootstrap, &topic, &aborted);
    for (id, codec) in (0..).zip(["none", "gzip", "snappy", "lz4", "zstd"]) {
        let producer = Producer::with(bootstrap, &[("compression.type", codec)]);
        producer.send(&topic, &sound_record(2_000 + id));
        producer.flush();
    }
    producer.send(&topic, &sound_record(0));
    producer.flush();
}

fn sound(place: &Place) {
    let producer = Producer::new(place.cluster.bootstrap());
    (1..SOUND).for_each(|id| producer.send(&place.topic("in"), &sound_record(id)));
    producer.flush();
}

fn sound_record(id: i64) -> Raw {
    Raw { key: Some(b"k".to_vec()), value: Some(format!(r#"{{"id":{id}}}"#).into_bytes()), ..Raw::default() }
}

fn until_written(place: &Place, engine: &mut Engine, id: i64) {
    let reader = place.reader();
    until(&format!("the output {id}"), DEADLINE, || {
        engine.is_alive("behind odd records");
        let out = reader.read(&place.topic("out"));
        out.iter().any(|found| found.json()["id"] == id).then_some(())
    });
}

fn faults(place: &Place, odd: &[(&str, Raw, Fate)]) -> Vec<String> {
    let reader = place.reader();
    let (input, out) = (reader.read(&place.topic("in")), reader.read(&place.topic("out")));
    let dead = reader.read(&place.topic("dead"));
    let named = odd.iter().map(|(what, _, fate)| (*what, *fate));
    let named = named.chain(std::iter::repeat(("a sound one", Fate::Output)));
    let mut faults: Vec<String> = input
        .iter()
        .zip(named)
        .filter_map(|(found, (what, fate))| fault(found, what, fate, &out, &dead))
        .collect();
    let all = out.len() + dead.len();
    if all != input.len() {
        faults.push(format!("{} records came in, {} and {} went out", input.len(), out.len(), dead.len()));
    }
    faults
}

/// What is wrong with what has become of a record.
fn fault(input: &Found, what: &str, fate: Fate, out: &[Found], dead: &[Found]) -> Option<String> {
    let id = &input.json()["id"];
    let out: Vec<_> = out.iter().filter(|found| !id.is_null() && found.json()["id"] == *id).collect();
    let offset = input.offset.to_string();
    // An output that was cut is told by its beginning: it says nothing of a record, for it may be a row of many.
    let begins = format!(r#"{{"id":{id},"#).into_bytes();
    let is_cut_off = |found: &&Found| found.value.as_deref().is_some_and(|value| value.starts_with(&begins));
    let is_its = |found: &&Found| match fate {
        Fate::Cut => is_cut_off(found),
        _ => found.header("streamrun-offset") == offset,
    };
    let dead: Vec<_> = dead.iter().filter(is_its).collect();
    let sound = match (&out[..], &dead[..], fate) {
        ([out], [], Fate::Output | Fate::Either) => is_carried(input, out),
        ([], [dead], Fate::Dead | Fate::Either) => dead.key == input.key && dead.value == input.value,
        ([], [dead], Fate::Cut) => is_cut(input, dead),
        _ => false,
    };
    let short = |found: &&Found| {
        format!(
            "{} bytes, because {}",
            found.value.as_ref().map_or(0, Vec::len),
            found.header("streamrun-reason")
        )
    };
    let (out, dead): (Vec<_>, Vec<_>) = (out.iter().map(short).collect(), dead.iter().map(short).collect());
    (!sound)
        .then(|| format!("{what} ({offset}): {fate:?} was expected; outputs {out:?}; dead letters {dead:?}"))
}

/// Key, time and headers pass through.
fn is_carried(input: &Found, out: &Found) -> bool {
    let timed = input.timestamp.is_none() || out.timestamp == input.timestamp;
    timed && out.key == input.key && out.headers == input.headers && out.json()["seen"] == true
}

/// What is too large says how large it was as a whole, which holds more than came in, and by what it can be told.
fn is_cut(input: &Found, dead: &Found) -> bool {
    let came_in = input.value.as_ref().map_or(0, Vec::len);
    let whole: usize = dead.header("streamrun-size").parse().unwrap_or(0);
    let kept = dead.value.as_ref().map_or(0, Vec::len);
    let said = !dead.header("streamrun-reason").is_empty() && dead.header("streamrun-sha256").len() == 64;
    said && whole > came_in && kept <= whole && dead.key == input.key
}
