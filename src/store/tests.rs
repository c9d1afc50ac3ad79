//! Stores against a model: random touches, removals, closings, commits, aborts and restores, compared with two maps
//! after every step. The second map is what the last commit left.

use super::*;
use crate::operator::StreamTime;
use crate::outbox::Output;
use std::collections::BTreeMap;

/// The small generator behind a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    fn text(&mut self) -> Vec<u8> {
        let len = [0, 3, 40, 300][self.below(4) as usize];
        (0..len).map(|_| b'a' + self.below(26) as u8).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Absent,
    Bits(u64),
    Text(Vec<u8>),
}

type Place = (i64, Vec<u8>);
type Rows = BTreeMap<Place, Vec<Cell>>;

fn decl(family: Family, width: usize, texts: &[usize], optional: bool) -> StoreDecl {
    StoreDecl {
        name: "per_sensor".into(),
        family,
        fresh: (0..width).map(|cell| if texts.contains(&cell) { 0 } else { 7 }).collect(),
        texts: texts.to_vec(),
        optional,
        fingerprint: String::new(),
    }
}

/// A store, what it should be, and what it should go back to.
struct Run {
    decl: StoreDecl,
    store: Store,
    now: Rows,
    committed: Rows,
    /// The changelog, compacted.
    log: BTreeMap<Vec<u8>, Vec<u8>>,
    dice: Dice,
    keys: Vec<Vec<u8>>,
    /// Windows before this have closed.
    clock: i64,
    committed_clock: i64,
}

impl Run {
    fn new(decl: StoreDecl, seed: u64) -> Self {
        let store = Store::new(&decl);
        let long = "x".repeat(30);
        let keys = (0..12).map(|i| if i % 4 == 0 { format!("{long}{i}") } else { format!("k{i}") });
        Run {
            store,
            decl,
            now: Rows::new(),
            committed: Rows::new(),
            log: BTreeMap::new(),
            dice: Dice::new(seed),
            keys: keys.map(String::into_bytes).collect(),
            clock: 0,
            committed_clock: 0,
        }
    }

    fn any_key(&mut self) -> Vec<u8> {
        let at = self.dice.below(self.keys.len() as u64);
        self.keys[at as usize].clone()
    }

    fn is_text(&self, cell: usize) -> bool {
        self.decl.texts.contains(&cell)
    }

    fn fresh_cells(&self) -> Vec<Cell> {
        let cell = |cell| match (self.decl.optional, self.is_text(cell)) {
            (true, _) => Cell::Absent,
            (false, true) => Cell::Text(vec![]),
            (false, false) => Cell::Bits(7),
        };
        (0..self.decl.fresh.len()).map(cell).collect()
    }

    fn touch(&mut self) {
        let end = match self.decl.family {
            Family::Table => 0,
            Family::Windows => self.clock + 1 + self.dice.below(3) as i64,
        };
        let (key, fresh) = (self.any_key(), self.decl.fresh.clone());
        let opens = !self.now.keys().any(|row| row.0 == end);
        let mut model = self.now.remove(&(end, key.clone())).unwrap_or_else(|| self.fresh_cells());
        let mut row = match &mut self.store {
            Store::Table(table) => table.touch(&key, &fresh),
            Store::Windows(windows) => {
                let (row, opened) = windows.touch(end, &key, &fresh);
                assert_eq!(opened, opens);
                row
            }
        };
        for (cell, model) in model.iter_mut().enumerate() {
            match self.dice.below(4) {
                0 => {}
                1 if self.decl.optional => {
                    row.clear(cell);
                    *model = Cell::Absent;
                }
                _ if self.decl.texts.contains(&cell) => {
                    let text = self.dice.text();
                    row.set_text(cell, &text);
                    assert_eq!(row.text(cell), text);
                    *model = Cell::Text(text);
                }
                _ => {
                    let bits = self.dice.next();
                    row.set(cell, bits);
                    assert_eq!(row.get(cell), bits);
                    *model = Cell::Bits(bits);
                }
            }
        }
        self.now.insert((end, key), model);
    }

    fn remove_or_close(&mut self) {
        let key = self.any_key();
        match &mut self.store {
            Store::Table(table) => {
                assert_eq!(table.remove(&key), self.now.remove(&(0, key)).is_some());
            }
            Store::Windows(_) => self.close(),
        }
    }

    fn close(&mut self) {
        self.clock += self.dice.below(2) as i64;
        let room = self.dice.below(5) as usize;
        let first = self.now.keys().next().map(|row| row.0).filter(|end| *end <= self.clock);
        let due = self.now.iter().filter(|row| Some(row.0.0) == first).take(room);
        let expected: Vec<_> = due.map(|(key, cells)| (key.clone(), cells.clone())).collect();
        let decl = self.decl.clone();
        let Store::Windows(windows) = &mut self.store else { return };
        let mut closed = vec![];
        windows.close(StreamTime(self.clock), room, |end, key, row| {
            closed.push(((end, key.to_vec()), cells_of(&decl, row)));
        });
        assert_eq!(closed, expected);
        expected.iter().for_each(|(key, _)| drop(self.now.remove(key)));
    }

    fn commit(&mut self) {
        let mut out = Outbox::default();
        self.store.commit(TopicId(3), 5, &mut out);
        if self.dice.below(3) == 0 {
            // The transport said no after the changelog was written.
            return self.abort();
        }
        self.store.committed();
        (self.committed, self.committed_clock) = (self.now.clone(), self.clock);
        for record in out.records() {
            assert_eq!((record.topic, record.timestamp), (TopicId(3), 5));
            self.apply(record, &out);
        }
        self.assert_restores();
        self.assert_no_leak();
    }

    fn apply(&mut self, record: &Output, out: &Outbox) {
        let key = out.key(record).expect("changelog records have keys").to_vec();
        match out.value(record) {
            Some(value) => drop(self.log.insert(key, value.to_vec())),
            None => assert!(self.log.remove(&key).is_some(), "a tombstone for nothing"),
        }
    }

    /// The compacted changelog, with a tombstone and an old value on the way, makes the same store.
    fn assert_restores(&mut self) {
        let mut restored = Store::new(&self.decl);
        for (key, value) in &self.log {
            let other = self.log.values().nth(self.dice.below(self.log.len() as u64) as usize);
            restored.restore_record(key, None).expect("a tombstone");
            restored.restore_record(key, other.map(Vec::as_slice)).expect("an old value");
            restored.restore_record(key, Some(value)).expect("the last value");
        }
        let old = std::mem::replace(&mut self.store, restored);
        self.assert_no_leak();
        if self.dice.below(2) == 0 {
            // Go on with the restored one: a restart.
            assert_eq!(self.contents(), self.now);
        } else {
            self.store = old;
        }
    }

    fn abort(&mut self) {
        self.store.abort();
        self.now = self.committed.clone();
        self.clock = self.committed_clock;
        self.assert_no_leak();
    }

    fn assert_no_leak(&self) {
        match &self.store {
            Store::Table(table) => table.assert_no_leak(),
            Store::Windows(windows) => windows.assert_no_leak(),
        }
    }

    fn contents(&self) -> Rows {
        let get = |key: &Place| match &self.store {
            Store::Table(table) => table.get(&key.1),
            Store::Windows(windows) => windows.get(key.0, &key.1),
        };
        let all = (0..=self.clock + 4).flat_map(|end| self.keys.iter().map(move |key| (end, key.clone())));
        all.filter(|key| key.0 == 0 || self.decl.family == Family::Windows)
            .filter_map(|key| get(&key).map(|row| cells_of(&self.decl, row)).map(|cells| (key, cells)))
            .collect()
    }

    fn assert_same(&mut self) {
        assert_eq!(self.contents(), self.now);
        assert_eq!(self.store.len(), self.now.len());
        let mut rows = 0;
        self.store.for_each_committed(|_, _, _| rows += 1);
        assert_eq!(rows, self.committed.len());
        self.assert_pages();
        if let Store::Windows(windows) = &self.store {
            let first = self.now.keys().next().map(|row| StreamTime(row.0));
            assert_eq!(windows.due(), first);
        }
    }

    /// Pages of committed rows, put together, are all of them in their order.
    fn assert_pages(&mut self) {
        let limit = 1 + self.dice.below(6) as usize;
        let mut paged: Vec<(Place, Vec<Cell>)> = vec![];
        loop {
            let after = paged.last().map(|row| row.0.clone());
            let page: Vec<_> = match &self.store {
                Store::Table(table) => {
                    let page = table.committed_range(after.as_ref().map(|row| &row.1[..]), limit);
                    page.into_iter().map(|(key, row)| (0, key, row)).collect()
                }
                Store::Windows(windows) => {
                    windows.committed_range(after.as_ref().map(|row| (row.0, &row.1[..])), limit)
                }
            };
            let last = page.len() < limit;
            let rows = page.into_iter();
            paged.extend(rows.map(|(end, key, row)| ((end, key.to_vec()), cells_of(&self.decl, row))));
            if last {
                break;
            }
        }
        assert!(paged.into_iter().eq(self.committed.clone()));
    }
}

fn cells_of(decl: &StoreDecl, row: Row<'_>) -> Vec<Cell> {
    let cell = |cell| match (row.is_set(cell), decl.texts.contains(&cell)) {
        (false, _) => Cell::Absent,
        (true, true) => Cell::Text(row.text(cell).to_vec()),
        (true, false) => Cell::Bits(row.get(cell)),
    };
    (0..decl.fresh.len()).map(cell).collect()
}

fn run(family: Family, width: usize, texts: &[usize], optional: bool) {
    for seed in 1..=20 {
        println!("seed {seed}");
        let mut run = Run::new(decl(family, width, texts, optional), seed);
        for _ in 0..300 {
            match run.dice.below(20) {
                0 => run.commit(),
                1 => run.abort(),
                2..6 => run.remove_or_close(),
                _ => run.touch(),
            }
            run.assert_same();
        }
    }
}

#[test]
fn tables_do_as_the_model() {
    run(Family::Table, 1, &[], false);
    run(Family::Table, 4, &[1, 3], false);
    run(Family::Table, 4, &[0, 2], true);
    run(Family::Table, 0, &[], false);
}

#[test]
fn windows_do_as_the_model() {
    run(Family::Windows, 1, &[], false);
    run(Family::Windows, 4, &[1, 3], false);
    run(Family::Windows, 4, &[0, 2], true);
}

#[test]
fn a_window_of_many_rows_closes_over_commits_in_key_order() {
    let mut store = Windows::new(&decl(Family::Windows, 1, &[], false));
    for key in 0..1000u32 {
        store.touch(60, &key.wrapping_mul(0x9E37_79B9).to_be_bytes(), &[0]).0.set(0, key.into());
    }
    store.clear_undo();
    let mut keys: Vec<Vec<u8>> = vec![];
    while store.due() == Some(StreamTime(60)) {
        let before = keys.len();
        store.close(StreamTime(60), 300, |_, key, _| keys.push(key.to_vec()));
        assert_eq!(keys.len() - before, store.touched());
        if before == 300 && keys.len() == 600 {
            // Once, it is taken back and done again.
            let again = keys.split_off(before);
            store.abort();
            store.close(StreamTime(60), 300, |_, key, _| keys.push(key.to_vec()));
            assert_eq!(keys[before..], again);
        }
        store.clear_undo();
    }
    assert_eq!(keys.len(), 1000);
    assert!(keys.is_sorted());
    assert!(store.is_empty() && store.ends().next().is_none());
}

#[test]
fn epochs_may_run_out() {
    let mut table = Table::new(&decl(Family::Table, 1, &[], false));
    table.touch(b"a", &[1]);
    table.clear_undo();
    table.run_out_of_epochs();
    table.touch(b"a", &[1]).set(0, 2);
    table.clear_undo();
    table.touch(b"a", &[1]).set(0, 3);
    table.abort();
    assert_eq!(table.get(b"a").map(|row| row.get(0)), Some(2));
}

#[test]
fn a_window_that_comes_late_is_still_the_first() {
    let mut store = Windows::new(&decl(Family::Windows, 1, &[], false));
    for end in [30, 20, 40] {
        store.touch(end, b"a", &[0]);
    }
    store.close(StreamTime(30), 9, |end, _, _| assert_eq!(end, 20));
    store.close(StreamTime(30), 9, |end, _, _| assert_eq!(end, 30));
    assert_eq!(store.due(), Some(StreamTime(40)));
    assert!(store.touch(30, b"b", &[0]).1 && store.touch(10, b"b", &[0]).1);
    assert_eq!(store.due(), Some(StreamTime(10)));
    store.abort();
    assert!(store.due().is_none() && store.ends().next().is_none());
}
