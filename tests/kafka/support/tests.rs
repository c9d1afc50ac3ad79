//! The tools themselves, tried on brokers before anything is concluded from what they say.

use super::producer::{Producer, Raw, send_and_abort};
use super::proxy::{Api, Proxy};
use super::reader::{self, Found};
use super::{Cluster, Place, until};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use std::sync::Arc;
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(60);

/// Keys, values, headers and times come back as they were, whatever they are; what was taken back does not.
pub fn as_written() {
    let place = Place::shared("written");
    place.create("t", 1, &[("message.timestamp.after.max.ms", "9223372036854775807")]);
    let records = [
        raw(None, None, Some(5), &[]),
        raw(Some(b""), Some(b""), Some(i64::MAX), &[("h", None)]),
        raw(Some(&[0xff]), Some(&[0xff; 9]), Some(1), &[("h", Some(b"1")), ("h", Some(b""))]),
        raw(Some(b"k"), Some(&[b'x'; 900_000]), Some(1_735_689_600_000), &[]),
    ];
    let producer = Producer::new(place.cluster.bootstrap());
    records.iter().for_each(|raw| producer.send(&place.topic("t"), raw));
    producer.flush();
    send_and_abort(place.cluster.bootstrap(), &place.topic("t"), &records);
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let producer = Producer::with(place.cluster.bootstrap(), &[("compression.type", codec)]);
        producer.send(&place.topic("t"), &records[3]);
        producer.flush();
    }
    let read = place.reader().read(&place.topic("t"));
    let expected = records.iter().chain(std::iter::repeat_n(&records[3], 4));
    assert_eq!(read.len(), records.len() + 4, "records that were taken back are not there");
    for (found, raw) in read.iter().zip(expected) {
        let Found { timestamp, key, value, headers, .. } = found.clone();
        assert_eq!((timestamp, key, headers), (raw.timestamp, raw.key.clone(), raw.headers.clone()));
        assert!(value == raw.value, "a value of {:?} bytes", raw.value.as_ref().map(Vec::len));
    }
    timeless(&place);
}

/// Nobody sets this time by chance: it is the one that means none.
fn timeless(place: &Place) {
    place.create("timeless", 1, &[]);
    let producer = Producer::new(place.cluster.bootstrap());
    producer.send(&place.topic("timeless"), &raw(None, Some(b"x"), Some(-1), &[]));
    producer.flush();
    let read = place.reader().read(&place.topic("timeless"));
    assert_eq!(read.iter().map(|found| found.timestamp).collect::<Vec<_>>(), [None]);
}

fn raw(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    timestamp: Option<i64>,
    headers: &[(&str, Option<&[u8]>)],
) -> Raw {
    let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), value.map(<[u8]>::to_vec)));
    let (key, value) = (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
    Raw { partition: Some(0), key, value, timestamp, headers: headers.collect() }
}

/// An open transaction shows between the two ends of a topic, and a group's positions once they are committed.
pub fn open_transactions() {
    let place = Place::shared("open");
    place.create("t", 1, &[]);
    let (topic, reader) = (place.topic("t"), place.reader());
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", place.cluster.bootstrap()).set("transactional.id", &place.name);
    let client: BaseProducer = config.create().expect("a producer");
    client.init_transactions(LONGEST).expect("an id");
    client.begin_transaction().expect("a transaction");
    client.send(BaseRecord::to(&topic).key("k").payload("v").partition(0)).expect("room");
    client.flush(LONGEST).expect("written");
    assert_eq!(reader.ends(&topic), [(0, 1)], "it is open");
    client.commit_transaction(LONGEST).expect("committed");
    until("the commit", LONGEST, || (reader.ends(&topic) == [(2, 2)]).then_some(()));
    assert_eq!(reader.read(&topic).len(), 1);
    let group = reader::consumer(place.cluster.bootstrap(), "read_committed", Some(&place.name));
    assert_eq!(reader::committed(&group, &topic, 1), Some(vec![None]));
}

/// A broker that is killed, or hangs, has its records when it is back.
pub fn die_and_come_back() {
    let cluster = Arc::new(Cluster::start_mortal());
    let place = Place::on(cluster.clone(), "back");
    place.create("t", 2, &[]);
    let (topic, producer) = (place.topic("t"), Producer::new(cluster.bootstrap()));
    let mut sent = 0;
    let mut send = || {
        (0..100).for_each(|_| producer.send(&topic, &raw(Some(b"k"), Some(b"v"), Some(1), &[])));
        sent += 100;
        sent
    };
    send();
    cluster.kill9(1);
    send();
    cluster.restart(1);
    send();
    cluster.pause(1);
    let sent = send();
    cluster.resume(1);
    producer.flush();
    assert_eq!(place.reader().read(&topic).len(), sent, "each of them once");
}

/// Whoever begins at the proxy stays there, and whoever does not is not held up.
pub fn proxied() {
    let (cluster, proxy) = Proxy::start();
    let place = Place::on(Arc::new(cluster), "proxied");
    place.create("t", 1, &[]);
    let topic = place.topic("t");
    let one = raw(Some(b"k"), Some(b"v"), Some(1), &[]);
    let through = Producer::new(&proxy.address());
    through.send(&topic, &one);
    through.flush();
    proxy.hole(true);
    through.send(&topic, &one);
    let straight = Producer::new(place.cluster.bootstrap());
    straight.send(&topic, &one);
    straight.flush();
    assert_eq!(place.reader().read(&topic).len(), 2, "one is held up");
    proxy.hole(false);
    through.flush();
    proxy.swallow(Api::Produce, 2);
    through.send(&topic, &one);
    through.flush();
    assert_eq!(proxy.swallowed(), (2, 0));
    assert_eq!(
        place.reader().read(&topic).len(),
        4,
        "an idempotent write is not repeated for a reply that was lost"
    );
}
