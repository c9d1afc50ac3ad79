//! Asking all workers of this process, and making one answer of theirs.

use crate::operator::NodeId;
use crate::plan::Plan;
use crate::runtime::ControlHandle;
use crate::runtime::control::Refused;
use crate::runtime::pages::{Page, Part, Wanted};
use crate::runtime::report::Report;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time;

/// How many answers about tables are put together at a time.
const AT_ONCE: usize = 8;

/// The workers, and what they run.
#[derive(Debug)]
pub struct Workers {
    /// The plan.
    pub plan: Arc<Plan>,
    handles: Vec<ControlHandle>,
    patience: Duration,
    at_once: Semaphore,
    /// What each has last reported: a worker that does not answer in time must not make its counters fall.
    reported: Mutex<Vec<Option<Report>>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The workers have other things to do.
    Busy,
    /// A worker has stopped.
    Gone,
}

type Asked<A> = Result<oneshot::Receiver<A>, Refused>;

impl Workers {
    /// These workers.
    pub fn new(plan: Arc<Plan>, handles: Vec<ControlHandle>, patience: Duration) -> Self {
        let reported = Mutex::new(vec![None; handles.len()]);
        Workers { plan, handles, patience, at_once: Semaphore::new(AT_ONCE), reported }
    }

    /// Whether all of them turn.
    pub fn are_live(&self) -> bool {
        self.handles.iter().all(ControlHandle::is_live)
    }

    /// Whether all of them turn, and all their tasks run.
    pub fn are_ready(&self) -> bool {
        self.are_live() && self.handles.iter().all(ControlHandle::is_ready)
    }

    /// Each worker: whether it turns, and whether its tasks run.
    pub fn pulses(&self) -> impl Iterator<Item = (bool, bool)> {
        self.handles.iter().map(|handle| (handle.is_live(), handle.is_ready()))
    }

    /// The first rows of all tables, a page each.
    pub async fn tables(&self, most: usize) -> Result<Vec<Page>, NoAnswer> {
        let answers = self.all(|handle| handle.tables(most)).await?;
        let mut merged: Vec<Vec<Page>> = vec![];
        for answer in answers {
            merged.resize_with(answer.len().max(merged.len()), Vec::new);
            merged.iter_mut().zip(answer).for_each(|(pages, page)| pages.push(page));
        }
        Ok(merged.into_iter().map(|pages| merge(pages, most)).collect())
    }

    /// A page of a table.
    pub async fn page(&self, table: NodeId, after: Option<Vec<u8>>, most: usize) -> Result<Page, NoAnswer> {
        let wanted = Wanted { table, after, most, part: Part::Row };
        Ok(merge(self.all(|handle| handle.page(wanted.clone())).await?, most))
    }

    /// The row of a key, or those of all its windows.
    pub async fn row(&self, table: NodeId, key: Vec<u8>, most: usize) -> Result<Page, NoAnswer> {
        Ok(merge(self.all(|handle| handle.row(table, key.clone(), most)).await?, most))
    }

    /// How each worker stands, as far as it has ever said.
    pub async fn reports(&self) -> Vec<Option<Report>> {
        let asked: Vec<_> = self.handles.iter().map(ControlHandle::report).collect();
        let until = time::Instant::now() + self.patience;
        for (at, asked) in asked.into_iter().enumerate() {
            let Ok(answer) = asked else { continue };
            if let Ok(Ok(report)) = time::timeout_at(until, answer).await {
                self.reported()[at] = Some(report);
            }
        }
        self.reported().clone()
    }

    fn reported(&self) -> std::sync::MutexGuard<'_, Vec<Option<Report>>> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all of them, and waits for all.
    async fn all<A>(&self, ask: impl Fn(&ControlHandle) -> Asked<A>) -> Result<Vec<A>, NoAnswer> {
        let until = time::Instant::now() + self.patience;
        let turn = time::timeout_at(until, self.at_once.acquire());
        let _turn = turn.await.map_err(|_| NoAnswer::Busy)?;
        let asked: Vec<_> = self.handles.iter().map(ask).collect();
        let mut answers = vec![];
        for asked in asked {
            let answer = asked.map_err(|refused| match refused {
                Refused::Busy => NoAnswer::Busy,
                Refused::Gone => NoAnswer::Gone,
            })?;
            let answer = time::timeout_at(until, answer).await.map_err(|_| NoAnswer::Busy)?;
            answers.push(answer.map_err(|_| NoAnswer::Gone)?);
        }
        Ok(answers)
    }
}

/// One page of several. Behind the end of a page that was cut nothing is known, so there the others are cut, too.
fn merge(pages: Vec<Page>, most: usize) -> Page {
    let cut = pages.iter().filter(|page| page.more).filter_map(|page| page.rows.last());
    let cut = cut.map(|row| row.order.clone()).min();
    let mut merged = Page { more: pages.iter().any(|page| page.more), ..Page::default() };
    for page in pages {
        merged.rows.extend(page.rows);
        merged.partitions.extend(page.partitions);
    }
    merged.partitions.sort_unstable();
    merged.rows.sort_unstable_by(|a, b| a.order.cmp(&b.order));
    let known = merged.rows.iter().filter(|row| cut.as_ref().is_none_or(|cut| row.order <= *cut)).count();
    merged.more |= known.min(most) < merged.rows.len();
    merged.rows.truncate(known.min(most));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::pages::Shown;

    fn page(keys: &[&str], more: bool, partition: u32) -> Page {
        let shown =
            |key: &&str| Shown { order: key.as_bytes().to_vec(), key: (*key).to_owned(), json: vec![] };
        Page { rows: keys.iter().map(shown).collect(), more, partitions: vec![partition] }
    }

    fn keys(page: &Page) -> Vec<&str> {
        page.rows.iter().map(|row| row.key.as_str()).collect()
    }

    #[test]
    fn pages_are_merged_by_key() {
        let merged = merge(vec![page(&["b", "d"], false, 1), page(&["a", "c"], false, 0)], 10);
        assert_eq!(keys(&merged), ["a", "b", "c", "d"]);
        assert_eq!((merged.more, merged.partitions), (false, vec![0, 1]));
        let merged = merge(vec![page(&["b", "d"], false, 0), page(&["a", "c"], false, 1)], 3);
        assert_eq!((keys(&merged), merged.more), (vec!["a", "b", "c"], true));
    }

    #[test]
    fn nothing_is_shown_behind_the_end_of_a_page_that_was_cut() {
        let merged = merge(vec![page(&["a", "b"], true, 0), page(&["a2", "c", "d"], false, 1)], 10);
        assert_eq!((keys(&merged), merged.more), (vec!["a", "a2", "b"], true));
    }
}
