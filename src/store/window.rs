//! Open windows by their end, a table each, so that closing costs what closes and leaves nothing to sweep.
//!
//! A row that is handed out by [`Windows::close`] is removed as any row of a table is: its tombstone, its undo and
//! its absence after a restore follow from that. So the cursor of a window that is closed over several commits needs
//! no record of its own: what has been written is gone, and what is left is what comes next. The sorted order that
//! is kept meanwhile is only there to be quick, and is made again whenever it may not hold.

use super::changelog::{self, Corrupt};
use super::row::{Row, RowMut, Shape};
use super::table::{AHEAD, Table};
use super::{StoreDecl, key};
use crate::operator::StreamTime;
use crate::outbox::{Outbox, TopicId};
use std::collections::VecDeque;
use std::sync::Arc;

/// Emptied tables whose room is kept for the windows to come.
const SPARE: usize = 2;

/// The rows of windows that are open.
#[derive(Debug)]
pub struct Windows {
    shape: Shape,
    fresh: Arc<[u64]>,
    /// By end. One that is empty has been handed out in this commit, or would be opened by the next touch.
    open: VecDeque<Window>,
    /// The end of the window that was touched last, and its place in `open`: records of one time come together.
    last: Option<(i64, usize)>,
    /// Those before this place in `open` are empty: thousands may close in one commit, and are not walked each time.
    first: usize,
    closing: Option<Closing>,
    spare: Vec<Table>,
}

#[derive(Debug)]
struct Window {
    end: i64,
    table: Table,
}

/// A window on its way out: its rows in the order of their keys, and how many of them have been handed out.
#[derive(Debug)]
struct Closing {
    end: i64,
    order: Vec<u32>,
    next: usize,
}

impl Windows {
    /// No windows yet.
    pub fn new(decl: &StoreDecl) -> Self {
        let fresh = decl.fresh.as_slice().into();
        Windows {
            shape: decl.shape(),
            fresh,
            open: VecDeque::new(),
            last: None,
            first: 0,
            closing: None,
            spare: vec![],
        }
    }

    /// The row of a key in the window that ends at `end`, as [`Table::touch`], and whether this opened the window:
    /// then the node has to be woken at its end.
    #[inline(always)]
    pub fn touch(&mut self, end: i64, key: &[u8], fresh: &[u64]) -> (RowMut<'_>, bool) {
        let at = match self.last {
            Some((last, at)) if last == end => at,
            _ => self.turn_to(end),
        };
        let table = &mut self.open[at].table;
        let opened = table.is_empty();
        if opened {
            self.first = self.first.min(at);
        }
        (table.touch(key, fresh), opened)
    }

    /// The window that was touched last: most likely that of the next record, too.
    #[inline]
    pub(super) fn last(&self) -> Option<&Table> {
        self.last.map(|(_, at)| &self.open[at].table)
    }

    /// The end of the window that was touched last, if it is still there.
    #[inline]
    pub fn last_end(&self) -> Option<i64> {
        self.last.map(|(end, _)| end)
    }

    #[cold]
    fn turn_to(&mut self, end: i64) -> usize {
        let at = self.place(end);
        self.last = Some((end, at));
        at
    }

    /// Where the window that ends at `end` stands; it is put there if it does not yet.
    fn place(&mut self, end: i64) -> usize {
        self.open.binary_search_by_key(&end, |window| window.end).unwrap_or_else(|at| {
            let table = self.spare.pop().unwrap_or_else(|| Table::of_window(self.shape, self.fresh.clone()));
            self.open.insert(at, Window { end, table });
            // That one may stand elsewhere now.
            self.last = None;
            at
        })
    }

    /// The row of a key in a window, as this commit has it so far.
    pub fn get(&self, end: i64, key: &[u8]) -> Option<Row<'_>> {
        self.window(end)?.table.get(key)
    }

    fn window(&self, end: i64) -> Option<&Window> {
        let at = self.open.binary_search_by_key(&end, |window| window.end).ok()?;
        self.open.get(at)
    }

    /// The end of the earliest window that has rows.
    pub fn due(&self) -> Option<StreamTime> {
        self.earliest().map(|at| StreamTime(self.open[at].end))
    }

    fn earliest(&self) -> Option<usize> {
        (self.first..self.open.len()).find(|at| !self.open[*at].table.is_empty())
    }

    /// Hands out at most `room` rows of the earliest window that has ended by `now`, in the order of their keys, and
    /// removes them. While rows are left, the window stays due.
    pub fn close(&mut self, now: StreamTime, room: usize, mut visit: impl FnMut(i64, &[u8], Row<'_>)) {
        let Some(at) = self.earliest().filter(|at| self.open[*at].end <= now.0) else { return };
        self.first = at;
        let Window { end, table } = &mut self.open[at];
        let held = self.closing.take().filter(|closing| closing.holds(*end, table));
        let mut closing = held.unwrap_or_else(|| Closing { end: *end, order: table.sorted(), next: 0 });
        let until = closing.order.len().min(closing.next.saturating_add(room));
        for at in closing.next..until {
            table.approach_entry(closing.order.get(at + AHEAD as usize).copied());
            let entry = closing.order[at];
            if table.has(entry) {
                visit(*end, table.key(entry), table.row(entry));
                table.remove_entry(entry);
            }
        }
        closing.next = until;
        self.closing = Some(closing);
    }

    /// How many rows this commit has touched, the ones it closed included.
    pub fn touched(&self) -> usize {
        self.open.iter().map(|window| window.table.touched()).sum()
    }

    pub(super) fn write_changes(&self, topic: TopicId, timestamp: i64, out: &mut Outbox) {
        for Window { end, table } in &self.open {
            changelog::write_changes(table, &key::ordered_int(*end), topic, timestamp, out);
        }
    }

    pub(super) fn clear_undo(&mut self) {
        self.open.iter_mut().for_each(|window| window.table.clear_undo());
        self.drop_empty();
    }

    /// Puts back what the last commit left, rows and windows that were closed included.
    pub fn abort(&mut self) {
        self.open.iter_mut().for_each(|window| window.table.abort());
        // Rows that are back are missing from the order behind the cursor.
        self.closing = None;
        self.drop_empty();
    }

    /// Empty windows go, and a few of their tables are kept for the next ones. Those that were closed stand in front;
    /// others are only left by an abort.
    fn drop_empty(&mut self) {
        self.first = 0;
        if !self.open.iter().any(|window| window.table.is_empty()) {
            return;
        }
        self.last = None;
        while self.open.front().is_some_and(|window| window.table.is_empty())
            && let Some(mut window) = self.open.pop_front()
        {
            if self.spare.len() < SPARE {
                window.table.reset();
                self.spare.push(window.table);
            }
        }
        self.open.retain(|window| !window.table.is_empty());
    }

    /// Takes in a record of the changelog.
    pub fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Corrupt> {
        let (end, key) = key.split_first_chunk().ok_or(Corrupt::Malformed)?;
        let end = key::unordered_int(*end);
        if value.is_none() && self.window(end).is_none() {
            // The tombstone of a window that was closed long ago, as most of them are.
            return Ok(());
        }
        let at = self.place(end);
        self.first = 0;
        let restored = self.open[at].table.restore(key, value);
        if self.open[at].table.is_empty() {
            self.drop_empty();
        }
        restored
    }

    /// The row of a key in a window, as the last commit left it.
    pub fn committed(&self, end: i64, key: &[u8]) -> Option<Row<'_>> {
        self.window(end)?.table.committed(key)
    }

    /// The rows of a key in all windows, as the last commit left them, by end.
    pub fn committed_of<'w>(&'w self, key: &'w [u8]) -> impl Iterator<Item = (i64, Row<'w>)> {
        self.open.iter().filter_map(move |window| Some((window.end, window.table.committed(key)?)))
    }

    /// The first `limit` rows after (end, key), as the last commit left them, by end and then key bytes.
    pub fn committed_range(&self, after: Option<(i64, &[u8])>, limit: usize) -> Vec<(i64, &[u8], Row<'_>)> {
        let mut rows = vec![];
        for Window { end, table } in &self.open {
            let after_key = match after {
                Some((after, _)) if after > *end => continue,
                Some((after, key)) if after == *end => Some(key),
                _ => None,
            };
            if rows.len() == limit {
                break;
            }
            let more = table.committed_range(after_key, limit - rows.len());
            rows.extend(more.into_iter().map(|(key, row)| (*end, key, row)));
        }
        rows
    }

    /// The ends of the windows there are, with how many rows each has in this commit.
    pub fn ends(&self) -> impl Iterator<Item = (i64, usize)> {
        self.open
            .iter()
            .filter(|window| !window.table.is_empty())
            .map(|window| (window.end, window.table.len()))
    }

    pub(super) fn for_each_committed(&self, mut visit: impl FnMut(&[u8], &[u8], Row<'_>)) {
        for Window { end, table } in &self.open {
            let end = key::ordered_int(*end);
            table.committed_iter().for_each(|(key, row)| visit(&end, key, row));
        }
    }

    /// How many rows there are over all windows, those of this commit included.
    pub fn len(&self) -> usize {
        self.open.iter().map(|window| window.table.len()).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.earliest().is_none()
    }

    /// An estimate of the memory held.
    pub fn bytes(&self) -> usize {
        let tables = self.open.iter().map(|window| &window.table).chain(&self.spare);
        tables.map(Table::bytes).sum::<usize>() + self.closing.as_ref().map_or(0, |c| c.order.capacity() * 4)
    }

    #[cfg(test)]
    pub(super) fn assert_no_leak(&self) {
        self.open.iter().for_each(|window| window.table.assert_no_leak());
    }
}

impl Closing {
    /// Whether this is the order of that window, with rows left in it. Rows that were touched after it was made are
    /// missing from it; they come in an order of their own once it is through.
    fn holds(&self, end: i64, table: &Table) -> bool {
        self.end == end && self.order[self.next..].iter().any(|entry| table.has(*entry))
    }
}
