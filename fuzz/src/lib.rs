//! What each target does with its bytes. `cargo fuzz` and the random test call the same functions.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use streamrun::codec::Scanner;
use streamrun::frame::{Body, Frame, Origin};
use streamrun::plan;
use streamrun::plan::scratch::Scratch;
use streamrun::transport::local::journal::{Log, LogError, Records};

/// The scanner agrees with `serde_json` on what is JSON, and takes objects only.
pub fn scanner(document: &[u8]) {
    let mut scanner = Scanner::new(vec![], vec![]);
    let mut frame = Frame {
        payload: document,
        key: None,
        headers: &[],
        registers: &mut [],
        present: 0,
        arena: &mut vec![],
        constants: &[],
        body: Body::default(),
        timestamp: 0,
        stamp: 0,
        origin: Origin::default(),
        variant: 0,
        seen: 0,
    };
    let scanned = scanner.scan(&mut frame);
    if let Err(error) = scanned {
        assert!(!scanner.explain(error, document).is_empty());
    }
    let class = scanned.err().map(|error| error.class());
    let expected = match serde_json::from_slice::<serde_json::Value>(document) {
        Err(_) => Some("not-json"),
        Ok(json) if json.is_object() => None,
        Ok(_) => Some("wrong-type"),
    };
    assert_eq!(class, expected, "{}", String::from_utf8_lossy(document));
}

/// A record with a field of each kind that can be told from JSON.
const RECORD: &[u8] =
    br#"{"s":"a\"b","i":-7,"f":2.5,"b":true,"t":"2026-01-01T00:00:10Z","o":{"x":1},"l":[1,2],"n":null}"#;

/// Any text is an expression or is refused with a reason; an expression has a value or an error.
pub fn expression(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let scratch = Scratch::of_record(RECORD).expect("the record is JSON");
    let (trial, found) = scratch.compile(text);
    match trial {
        Some(trial) => drop(trial.value(RECORD)),
        None => assert!(!found.is_empty(), "refused without a word: {text}"),
    }
}

/// Whatever stands in a segment, the log opens or says why not; what it opens can be read.
pub fn journal(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let dir = tempfile::tempdir().expect("room for temporary files");
    Log::open(dir.path()).expect("an empty directory becomes a log");
    let segment = fs::read_dir(dir.path()).expect("it was made");
    let segment = segment.filter_map(|entry| Some(entry.ok()?.path()));
    let segment =
        segment.max_by_key(|path| path.metadata().map_or(0, |m| m.len())).expect("a log has a segment");
    match how % 3 {
        0 => fs::write(&segment, bytes).expect("written"),
        1 => append(&segment, bytes),
        _ => append(&segment, &sealed(&segment, bytes)),
    }
    let _ = read(dir.path());
}

fn read(dir: &Path) -> Result<(), LogError> {
    let mut log = Log::open(dir)?;
    log.refresh()?;
    let topics: Vec<_> = log.topics().collect();
    for topic in topics {
        for partition in 0..log.partitions(topic).min(8) {
            let start = log.start_offset(topic, partition)?;
            log.end_offset(topic, partition)?;
            log.read(topic, partition, start, (100, 10_000), &mut Records::default())?;
        }
    }
    Ok(())
}

fn append(segment: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(segment).expect("it was there");
    file.write_all(bytes).expect("written");
}

/// A frame of the journal around a payload, for the end of this segment: its checksum is right.
fn sealed(segment: &Path, payload: &[u8]) -> Vec<u8> {
    let file = fs::read(segment).expect("it was there");
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file[12..20]);
    crc.update(&(file.len() as u64).to_le_bytes());
    crc.update(&(payload.len() as u32).to_le_bytes());
    crc.update(payload);
    let mut frame = vec![0xf7, b'S', b'R', 0x1a];
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc.finalize().to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Any text is a pipeline or has faults.
pub fn check(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let checked = plan::check(text, &[]);
    assert_eq!(checked.plan.is_none(), checked.errors() > 0, "{text}");
}
