//! What a touch, a commit, a closing and a snapshot cost: `cargo bench --bench stores`.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::hint::black_box;
use std::time::Instant;
use streamrun::operator::StreamTime;
use streamrun::outbox::{Outbox, TopicId};
use streamrun::store::{Family, Store, StoreDecl, StoreId, Stores, Table, Windows, snapshot};

fn decl(family: Family, width: usize) -> StoreDecl {
    let (name, fingerprint) = ("store".into(), String::new());
    StoreDecl { name, family, fresh: vec![0; width], texts: vec![], optional: false, fingerprint }
}

/// Keys as sensors have them, in no order.
fn keys(count: usize) -> Vec<String> {
    let mut keys: Vec<String> = (0..count).map(|i| format!("sensor-{i}")).collect();
    let mut dice = 1u64;
    for at in (1..count).rev() {
        dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        keys.swap(at, (dice >> 33) as usize % (at + 1));
    }
    keys
}

fn say(what: &str, count: usize, since: Instant) {
    let nanos = since.elapsed().as_nanos() as f64;
    println!("{what:<52} {:>9.1} ns each, {:>8.1} ms", nanos / count as f64, nanos / 1e6);
}

fn touches(count: usize, every: usize) {
    let keys = keys(count);
    let mut store = Store::new(&decl(Family::Table, 1));
    let mut out = Outbox::default();
    let (mut touched, mut committing) = (0, 0);
    let total = 4_000_000;
    let began = Instant::now();
    for key in keys.iter().cycle().take(total) {
        let Store::Table(table) = &mut store else { unreachable!() };
        let mut row = table.touch(key.as_bytes(), &[0]);
        let count = row.get(0) + 1;
        row.set(0, black_box(count));
        touched += 1;
        if touched % every == 0 {
            let since = Instant::now();
            store.commit(TopicId(0), 0, &mut out);
            store.committed();
            out.clear();
            committing += since.elapsed().as_nanos();
        }
    }
    say(&format!("count, {count} keys, commit every {every}"), total, began);
    println!("{:<52} {:>9.1} ns each", "  of which commits", committing as f64 / total as f64);
}

fn memory(count: usize) {
    let mut store = Store::new(&decl(Family::Table, 1));
    for (at, key) in keys(count).iter().enumerate() {
        let Store::Table(table) = &mut store else { unreachable!() };
        table.touch(key.as_bytes(), &[0]);
        if at % 10_000 == 0 {
            store.committed();
        }
    }
    store.committed();
    println!("count, {count} keys: {:.1} bytes a key", store.bytes() as f64 / count as f64);
}

fn windows(count: usize) {
    let keys = keys(count);
    let mut windows = Windows::new(&decl(Family::Windows, 4));
    let began = Instant::now();
    for key in &keys {
        windows.touch(60, key.as_bytes(), &[0; 4]);
    }
    say(&format!("tumble, {count} keys, first touch"), count, began);
    let mut store = Store::Windows(windows);
    store.committed();
    let (began, mut most, mut out) = (Instant::now(), 0, Outbox::default());
    while let Store::Windows(windows) = &mut store
        && windows.due().is_some()
    {
        let since = Instant::now();
        windows.close(StreamTime(60), 10_000, |_, _, row| _ = black_box(row.get(3)));
        let first = most == 0;
        store.commit(TopicId(0), 0, &mut out);
        store.committed();
        out.clear();
        if first {
            say("  sorted and the first 10,000 closed, with commit", 1, since);
            most = 1;
        } else {
            most = most.max(since.elapsed().as_micros());
        }
    }
    say("  closed over commits of 10,000", count, began);
    println!("  the longest of the others {most} µs");
}

fn snapshots(count: usize) {
    let decls = [decl(Family::Table, 1)];
    let mut stores = Stores::new(&decls);
    let table = StoreId::<Table>::new(0);
    for key in keys(count) {
        stores.get_mut(table).touch(key.as_bytes(), &[1]);
    }
    stores.get_mut(table).clear_undo();
    let path = std::env::temp_dir().join(format!("streamrun-bench-{}", std::process::id()));
    let began = Instant::now();
    snapshot::write(&path, b"", &decls, &stores).expect("a place for temporary files");
    say(&format!("snapshot of {count} rows, written"), count, began);
    let (began, mut restored) = (Instant::now(), Stores::new(&decls));
    let snapshot = snapshot::Snapshot::open(&path).expect("just written");
    snapshot.restore(&mut restored, |_| Some(0)).expect("just written");
    say("  read", count, began);
    assert_eq!(restored.get(table).len(), count);
    std::fs::remove_file(&path).expect("just written");
    let began = Instant::now();
    black_box(stores.get(table).committed_range(Some(b"sensor-5"), 1000).len());
    say("  a page of 1,000 rows", 1, began);
}

fn main() {
    touches(1_000, 10_000);
    touches(100_000, 10_000);
    touches(100_000, 100_000);
    touches(1_000_000, 100_000);
    memory(1_000_000);
    memory(1_100_000);
    windows(1_000_000);
    snapshots(1_000_000);
}
