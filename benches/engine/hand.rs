//! The yardstick: what `pipelines/sensor.toml` does as one loop for nothing else. The scanner, the stores and the
//! outbox are the engine's; frames that anybody could read, steps, `dyn` and tallies are what it does without.

use streamrun::codec::Scanner;
use streamrun::codec::json::quote;
use streamrun::frame::{Body, EMPTY, Frame, Origin, Register};
use streamrun::headers;
use streamrun::operator::StreamTime;
use streamrun::outbox::{Outbox, Target, TopicId};
use streamrun::plan::Plan;
use streamrun::rows::Rows;
use streamrun::runtime::task::ROWS_A_COMMIT;
use streamrun::store::{Row, RowMut, Store, StoreId, Stores, Table, Windows};
use streamrun::time::write_timestamp;
use streamrun::transport::Record;

const MINUTE: i64 = 60_000;
const LATE_BY: i64 = 5_000;

/// Where the plan keeps what the loop needs.
struct Topics {
    enriched: TopicId,
    aggregates: TopicId,
    dead_letters: TopicId,
    readings: String,
}

pub struct Hand {
    scanner: Scanner,
    sensor_id: Register,
    temperature: Register,
    timestamp: Register,
    topics: Topics,
    stores: Stores,
    counts: StoreId<Table>,
    windows: StoreId<Windows>,
    changelogs: [(usize, TopicId); 2],
    /// Of a window: no reading, no least, no largest, no sum, none to divide by.
    fresh: [u64; 5],
    largest: i64,
    clock: i64,
    due: i64,
    closed: usize,
    arena: Vec<u8>,
}

impl Hand {
    pub fn new(plan: &Plan) -> Self {
        let run = &plan.runs[0];
        let register = |name: &str| run.fields.iter().find(|f| f.path == [name]).unwrap().register.unwrap();
        let topic = |name: &str| {
            TopicId(plan.topics.all().iter().position(|topic| topic.name == name).unwrap() as u16)
        };
        let table = |name: &str| plan.node(name).unwrap().1.table.as_ref().unwrap();
        let (counts, windows) = (table("per_sensor"), table("per_minute"));
        Hand {
            scanner: Scanner::new(run.fields.clone(), run.touched.clone()),
            sensor_id: register("sensor_id"),
            temperature: register("temperature"),
            timestamp: register("timestamp"),
            topics: Topics {
                enriched: topic("enriched-readings"),
                aggregates: topic("window-aggregates"),
                dead_letters: plan.dead_letters,
                readings: "sensor-readings".into(),
            },
            stores: Stores::new(&plan.stores),
            counts: StoreId::new(counts.store),
            windows: StoreId::new(windows.store),
            changelogs: [
                (counts.store as usize, counts.changelog),
                (windows.store as usize, windows.changelog),
            ],
            fresh: [0, f64::INFINITY.to_bits(), f64::NEG_INFINITY.to_bits(), 0, 0],
            largest: i64::MIN,
            clock: i64::MIN,
            due: i64::MAX,
            closed: 0,
            arena: vec![],
        }
    }

    /// Works through records; how many it came through before a commit is needed.
    pub fn process(&mut self, records: &[Record<'_>], out: &mut Outbox) -> usize {
        let mut arena = std::mem::take(&mut self.arena);
        let done = self.work(records, &mut arena, out);
        self.arena = arena;
        done
    }

    #[inline(always)]
    fn work(&mut self, records: &[Record<'_>], arena: &mut Vec<u8>, out: &mut Outbox) -> usize {
        let mut registers = EMPTY;
        for (done, record) in records.iter().enumerate() {
            if self.due <= self.clock && !self.step(self.clock, out) {
                return done;
            }
            arena.clear();
            let mut frame = Frame {
                payload: record.value.unwrap_or_default(),
                key: record.key,
                headers: record.headers,
                registers: &mut registers,
                present: 0,
                arena: &mut *arena,
                constants: &[],
                body: Body::default(),
                timestamp: 0,
                stamp: record.timestamp,
                origin: Origin::default(),
                variant: 0,
                seen: 0,
            };
            if self.scanner.scan(&mut frame).is_err() {
                unreachable!("the readings are good JSON");
            }
            let (temperature, time) = (frame.float(self.temperature), frame.int(self.timestamp));
            let sensor = frame.bytes(self.sensor_id);
            if record.key != Some(sensor) {
                unreachable!("the readings are keyed by their sensor");
            }
            if time > self.largest {
                let clock = time - LATE_BY;
                if clock >= self.due {
                    let before = std::mem::replace(&mut self.clock, clock);
                    if !self.step(clock, out) {
                        self.clock = before.max(self.due);
                        return done;
                    }
                }
                self.largest = time;
                self.clock = self.clock.max(clock);
            }
            let reason = match () {
                () if sensor.is_empty() => "sensor_id is empty",
                () if temperature < 0.0 => "temperature below sensor range",
                () if temperature > 150.0 => "temperature above sensor range",
                () => "",
            };
            if !reason.is_empty() {
                dead_letter(&self.topics, reason, record, out);
                continue;
            }
            let status: &[u8] = match () {
                () if temperature >= 80.0 => br#","status":"critical"}"#,
                () if temperature >= 60.0 => br#","status":"warning"}"#,
                () => br#","status":"normal"}"#,
            };
            let key = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(sensor);
                true
            };
            let value = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(&frame.payload[..frame.body.end as usize]);
                bytes.extend_from_slice(if frame.body.empty { &status[1..] } else { status });
                true
            };
            out.record(self.topics.enriched, Target::Key, time, key, value, &[]);
            let mut row = self.stores.get_mut(self.counts).touch(sensor, &[0]);
            row.set(0, row.get(0) + 1);
            let end = (time.div_euclid(MINUTE) + 1) * MINUTE;
            if end <= self.clock {
                continue;
            }
            let (row, opened) = self.stores.get_mut(self.windows).touch(end, sensor, &self.fresh);
            gather(row, temperature);
            if opened {
                self.due = self.due.min(end);
            }
        }
        records.len()
    }

    /// Closes the windows that end by a time; `false`: the rest behind a commit.
    #[cold]
    #[inline(never)]
    fn step(&mut self, to: i64, out: &mut Outbox) -> bool {
        while self.due <= to {
            let (now, topic) = (self.due, self.topics.aggregates);
            while self.stores.get(self.windows).due().is_some_and(|due| due.0 <= now) {
                if self.closed >= ROWS_A_COMMIT {
                    return false;
                }
                let (windows, closed) = (self.stores.get_mut(self.windows), &mut self.closed);
                windows.close(StreamTime(now), Rows::ROOM, |end, key, row| {
                    *closed += 1;
                    write_row(topic, end, key, &row, out);
                });
            }
            self.due = self.stores.get(self.windows).due().map_or(i64::MAX, |due| due.0);
        }
        true
    }

    /// How many readings of each sensor there have been.
    pub fn counts(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.stores.get(self.counts).committed_iter().map(|(key, row)| (key, row.get(0)))
    }

    pub fn prepare(&mut self, out: &mut Outbox) {
        for (store, changelog) in self.changelogs {
            self.stores.iter_mut().nth(store).unwrap().commit(changelog, self.clock.max(0), out);
        }
    }

    pub fn committed(&mut self) {
        self.stores.iter_mut().for_each(Store::committed);
        self.closed = 0;
    }
}

#[inline(always)]
fn gather(mut row: RowMut<'_>, temperature: f64) {
    let float = |bits| f64::from_bits(bits);
    row.set(0, row.get(0) + 1);
    row.set(1, float(row.get(1)).min(temperature).to_bits());
    row.set(2, float(row.get(2)).max(temperature).to_bits());
    row.set(3, (float(row.get(3)) + temperature).to_bits());
    row.set(4, row.get(4) + 1);
}

fn write_row(topic: TopicId, end: i64, key: &[u8], row: &Row<'_>, out: &mut Outbox) {
    let write_key = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(key);
        true
    };
    let value = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(br#"{"sensor_id":"#);
        quote(bytes, key);
        bytes.extend_from_slice(br#","window_start":""#);
        write_timestamp(bytes, end - MINUTE).unwrap();
        bytes.extend_from_slice(br#"","window_end":""#);
        write_timestamp(bytes, end).unwrap();
        bytes.extend_from_slice(br#"","readings":"#);
        bytes.extend_from_slice(itoa::Buffer::new().format(row.get(0)).as_bytes());
        let average = f64::from_bits(row.get(3)) / row.get(4) as f64;
        let floats: [(&[u8], f64); 3] = [
            (br#","min_temp":"#, f64::from_bits(row.get(1))),
            (br#","max_temp":"#, f64::from_bits(row.get(2))),
            (br#","avg_temp":"#, average),
        ];
        for (name, value) in floats {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        }
        bytes.push(b'}');
        true
    };
    out.record(topic, Target::Key, end - 1, write_key, value, &[]);
}

#[cold]
fn dead_letter(topics: &Topics, reason: &str, record: &Record<'_>, out: &mut Outbox) {
    let mut added = vec![];
    let offset = record.offset.to_string();
    let entries = [
        ("streamrun-reason", reason),
        ("streamrun-node", "valid"),
        ("streamrun-topic", topics.readings.as_str()),
        ("streamrun-partition", "0"),
        ("streamrun-offset", offset.as_str()),
    ];
    entries
        .iter()
        .for_each(|(name, value)| headers::push(&mut added, name.as_bytes(), Some(value.as_bytes())));
    let key = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(record.key.unwrap_or_default());
        true
    };
    let value = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(record.value.unwrap_or_default());
        true
    };
    out.record(topics.dead_letters, Target::Key, record.timestamp, key, value, &added);
}
