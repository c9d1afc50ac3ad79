//! Snapshots of tasks: written at a commit boundary, so that a restart reads only the tail of the changelogs.
//!
//! What a snapshot stands for are offsets of the changelogs from which the tail has to be read, and no record that the
//! snapshot does not hold may lie before them. So they are looked up before the commit sends anything: then a record of
//! whoever owns the partition next lies behind them, or the commit fails. Looked up behind the commit, some of those
//! could lie before them, and would be missing for ever. What the commit itself writes is read once more; that is all.
//!
//! A snapshot is a shortcut and never the truth: one that is broken, old, or of another log is passed over with a
//! word in the log, and the changelog is read from its beginning.

use super::meaning::{self, Edit};
use super::task::Task;
use super::worker::{Running, TaskId, Worker, running};
use crate::outbox::TopicId;
use crate::store::Stores;
use crate::store::snapshot::{self, Snapshot};
use crate::transport::{Partition, Transport, TransportError};
use std::path::{Path, PathBuf};

/// Where the changelogs of a task ended.
pub(super) type Ends = Vec<(TopicId, i64)>;

/// How often snapshots are written, in milliseconds.
pub const EVERY: i64 = 30_000;

/// A compacted log forgets tombstones after a while; a snapshot from before that would bring removed rows back. Half
/// of the seven days for which internal topics keep them, in milliseconds.
pub const OLDEST: i64 = 7 * 24 * 3_600_000 / 2;

/// What a snapshot stands for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meta {
    /// When it was written, in milliseconds since 1970.
    pub written: i64,
    /// The commit at whose boundary it was written.
    pub commit: u64,
    /// For each changelog, by topic, the offset from which the tail has to be read.
    pub logs: Vec<(String, i64)>,
    /// The ids of those of which it could be known. One that was made again under its name has another, and a snapshot
    /// stands for nothing of it.
    #[serde(default)]
    pub ids: Vec<(String, String)>,
}

impl<T: Transport> Worker<T> {
    /// Looks up where the changelogs end, if snapshots are due behind the commit that is about to be made. If that
    /// cannot be said there will be none.
    pub(super) fn note_ends(&mut self) {
        let now = self.clock.now_ms();
        if self.options.snapshots.is_none() || now < self.snapshot_at {
            return;
        }
        let Worker { tasks, transport, .. } = self;
        for (id, running) in running(tasks).filter(|(_, r)| !r.task.changelogs().is_empty()) {
            let end = |(_, topic): &(usize, TopicId)| {
                let (_, end) = transport.bounds(Partition { topic: *topic, index: id.partition })?;
                Ok((*topic, end))
            };
            let ends: Result<Ends, TransportError> = running.task.changelogs().iter().map(end).collect();
            match ends {
                Ok(ends) => running.ends = Some(ends),
                Err(error) => {
                    self.snapshot_at = now.saturating_add(EVERY);
                    return tracing::warn!(%error, "no snapshot was written");
                }
            }
        }
    }

    /// Writes a snapshot of each task of which it is known what that would stand for. One that cannot be written is no
    /// reason to stop: the changelogs have everything.
    pub(super) fn snapshot(&mut self) {
        let now = self.clock.now_ms();
        self.snapshot_at = now.saturating_add(EVERY);
        let Some(folder) = self.options.snapshots.clone() else { return };
        let (plan, mut kept) = (self.plan.clone(), vec![]);
        for (id, running) in running(&mut self.tasks) {
            let Some(ends) = &running.stands_for else { continue };
            let logs = ends.iter().map(|(topic, end)| (plan.topics.get(*topic).name.clone(), *end)).collect();
            let known = |(topic, _): &(TopicId, i64)| {
                Some((plan.topics.get(*topic).name.clone(), self.topic_ids.get(topic)?.clone()?))
            };
            let ids = ends.iter().filter_map(known).collect();
            let meta = Meta { written: now, commit: running.commit, logs, ids };
            match write(&folder, id, &running.task, &meta) {
                Ok(()) => {
                    let partition = |topic: TopicId| Partition { topic, index: id.partition };
                    kept.extend(ends.iter().map(|(topic, end)| (partition(*topic), *end)));
                }
                Err(error) => tracing::warn!(%error, folder = %folder.display(), "no snapshot was written"),
            }
        }
        if let Err(error) = self.transport.snapshotted(&kept) {
            tracing::warn!(%error, "the log was not trimmed");
        }
    }

    /// Leaves snapshots of what the last commit has left. Where that commit was made without a look at the changelogs,
    /// one more is: only that says whether the tables are still ours.
    pub(super) fn leave_snapshots(&mut self) {
        let lacks = |r: &Running| r.commit > 0 && r.stands_for.is_none() && !r.task.changelogs().is_empty();
        let lacking = self.options.snapshots.is_some() && running(&mut self.tasks).any(|(_, r)| lacks(r));
        if lacking && let Err(error) = self.make_permanent() {
            tracing::warn!(%error, "no snapshot was written");
        }
        // Unless that commit, or the one before it, has just had them written.
        if self.snapshot_at <= self.clock.now_ms() {
            self.snapshot();
        }
    }
}

/// The file of a task.
fn path(folder: &Path, id: TaskId) -> PathBuf {
    folder.join(format!("part{}-{}.snapshot", id.part, id.partition))
}

/// Writes the snapshot of a task whose last commit has just happened.
pub fn write(folder: &Path, id: TaskId, task: &Task, meta: &Meta) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let text = serde_json::to_vec(meta)?;
    snapshot::write(&path(folder, id), &text, &task.plan().stores, &task.stores)
}

/// What a snapshot has to be to be believed.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// Not written behind this commit.
    pub committed: u64,
    /// Not written before this time.
    pub since: i64,
    /// The tables that start without rows: those that a snapshot has are not wanted.
    pub fresh: &'w [String],
}

/// Fills the stores of a task from a snapshot, if there is one that can be believed. What it stands for then. An edit
/// of the file may have given the task another number than it had, so the others of its partition are looked at, too.
pub fn read(folder: &Path, id: TaskId, task: &mut Task, wanted: Wanted<'_>) -> Option<Meta> {
    for path in files(folder, id) {
        match believe(&path, task, wanted) {
            Ok(meta) => return Some(meta),
            Err(why) => {
                tracing::debug!(file = %path.display(), why, "a snapshot is passed over");
                task.stores = Stores::new(&task.plan().stores);
            }
        }
    }
    None
}

/// The snapshots of a partition, the task's own first.
fn files(folder: &Path, id: TaskId) -> Vec<PathBuf> {
    let own = path(folder, id);
    let ending = format!("-{}.snapshot", id.partition);
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let named = entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(&ending));
    let mut files: Vec<PathBuf> = named.collect();
    files.sort_by_key(|path| (*path != own, path.clone()));
    files
}

/// Fills what stores a snapshot has for them: those whose bytes mean what the file says, or that only compute more now.
/// After a failure the stores are to be made anew.
fn believe(path: &Path, task: &mut Task, wanted: Wanted<'_>) -> Result<Meta, String> {
    let snapshot = Snapshot::open(path).map_err(|e| e.to_string())?;
    let mut meta: Meta = serde_json::from_slice(&snapshot.meta).map_err(|e| e.to_string())?;
    let plan = task.plan().clone();
    let usable = |store: &usize| {
        let declared = &plan.stores[*store];
        let kept = snapshot.stores.iter().find(|(name, _)| *name == declared.name);
        let fits = kept.is_some_and(|(_, old)| meaning::compare(old, &declared.fingerprint) != Edit::Other);
        // A snapshot names every store of its plan; only those it gives a changelog for were the task's.
        let log = task.changelogs().iter().find(|(own, _)| own == store);
        let logged = log
            .is_some_and(|(_, topic)| meta.logs.iter().any(|(log, _)| *log == plan.topics.get(*topic).name));
        fits && logged && !wanted.fresh.contains(&declared.name)
    };
    let own: Vec<(usize, TopicId)> =
        task.changelogs().iter().filter(|(store, _)| usable(store)).copied().collect();
    if meta.commit > wanted.committed {
        return Err("it is ahead of what is committed".to_owned());
    }
    if meta.written < wanted.since {
        return Err("it is too old".to_owned());
    }
    if own.is_empty() {
        return Err("its tables are others".to_owned());
    }
    let stores = || own.iter().map(|(store, _)| *store);
    let place = |name: &str| stores().find(|store| plan.stores[*store].name == name);
    snapshot.restore(&mut task.stores, place).map_err(|e| e.to_string())?;
    meta.logs.retain(|(log, _)| own.iter().any(|(_, topic)| plan.topics.get(*topic).name == *log));
    Ok(meta)
}
