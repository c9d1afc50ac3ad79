//! Snapshots of tasks: written at a commit boundary, so that a restart reads only the tail of the changelogs.
//!
//! A snapshot is a shortcut and never the truth: one that is broken, old, or of another log is passed over with a
//! word in the log, and the changelog is read from its beginning.

use super::task::Task;
use super::worker::TaskId;
use crate::store::snapshot::{self, Snapshot};
use std::path::{Path, PathBuf};

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

/// Fills the stores of a task from its snapshot, if there is one that can be believed and was not written before
/// `since`; what it stands for then. After a failure the task is to be made anew.
pub fn read(
    folder: &Path,
    id: TaskId,
    task: &mut Task,
    committed: u64,
    since: i64,
) -> Result<Option<Meta>, ()> {
    let path = path(folder, id);
    if !path.exists() {
        return Ok(None);
    }
    let believed = Snapshot::open(&path).map_err(|e| e.to_string()).and_then(|snapshot| {
        let meta: Meta = serde_json::from_slice(&snapshot.meta).map_err(|e| e.to_string())?;
        let plan = task.plan().clone();
        let own: Vec<usize> = task.changelogs().iter().map(|(store, _)| *store).collect();
        let same = own.iter().all(|store| {
            let store = &plan.stores[*store];
            snapshot.stores.iter().any(|(name, meaning)| *name == store.name && *meaning == store.fingerprint)
        });
        match () {
            () if meta.commit > committed => Err("it is ahead of what is committed".to_owned()),
            () if meta.written < since => Err("it is too old".to_owned()),
            () if !same => Err("its tables are others".to_owned()),
            () => {
                let place = |name: &str| own.iter().copied().find(|store| plan.stores[*store].name == name);
                snapshot.restore(&mut task.stores, place).map_err(|e| e.to_string())?;
                Ok(meta)
            }
        }
    });
    match believed {
        Ok(meta) => Ok(Some(meta)),
        Err(why) => {
            tracing::warn!(file = %path.display(), why, "a snapshot is passed over");
            Err(())
        }
    }
}
