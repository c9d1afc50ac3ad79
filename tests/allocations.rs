//! A record costs no allocation: not in the scanner, the stores, the expressions or the outbox, and neither does its
//! share of a commit. A test binary of its own, because an allocator belongs to a whole program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use streamrun::outbox::Outbox;
use streamrun::plan;
use streamrun::runtime::Task;
use streamrun::transport::Record;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, which counts how often a thread asks it for room.
struct Counting;

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator cannot be written without; this one only passes calls on")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract, and this is the same one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A thousand readings of twelve sensors within ten seconds, none of them to be rejected.
fn readings() -> Vec<(String, String)> {
    let reading = |i: usize| {
        let key = format!("sensor-{}", i % 12);
        let value = format!(
            r#"{{"sensor_id":"{key}","temperature":{}.{},"humidity":40.5,"timestamp":"2026-01-01T00:00:1{}.{:03}Z"}}"#,
            i % 100,
            i % 10,
            i / 100,
            i % 1000
        );
        (key, value)
    };
    (0..1000).map(reading).collect()
}

#[test]
fn a_thousand_warm_records_allocate_nothing() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/sensor.toml");
    let text = std::fs::read_to_string(path).expect("the example is there");
    let plan = Arc::new(plan::check(&text, &[]).plan.expect("the example is sound"));
    let readings = readings();
    let record = |(offset, (key, value)): (usize, &'static (String, String))| Record {
        offset: offset as i64,
        timestamp: 0,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        headers: &[],
    };
    let readings: &'static [(String, String)] = readings.leak();
    let records: Vec<_> = readings.iter().enumerate().map(record).collect();
    let (mut task, mut out) = (Task::new(plan, 0, 0, false), Outbox::default());
    let mut allocated = 0;
    for _ in 0..4 {
        let before = ALLOCATIONS.get();
        let progress = task.process(0, &records, i64::MAX, &mut out);
        let enriched = out.records().len();
        task.prepare(&mut out);
        let changes = out.records().len() - enriched;
        task.committed();
        out.clear();
        allocated = ALLOCATIONS.get() - before;
        assert_eq!(progress.records, 1000);
        assert_eq!(enriched, 1000, "each of them is written");
        assert_eq!(changes, 24, "a commit writes the count and the open window of each sensor");
    }
    assert!(task.tallies.adds_up());
    assert_eq!(allocated, 0, "the fourth thousand met nothing new");
}
