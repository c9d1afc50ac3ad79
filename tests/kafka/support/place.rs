//! Where a trial happens: a cluster, a name that nobody else has, and a folder with the pipeline in it.

use super::broker::{self, Cluster};
use super::reader::Reader;
use super::secured::Door;
use super::topic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// Where what is worth a look is left when a trial has failed.
pub fn kept() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("failed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A trial's own corner of the world.
pub struct Place {
    pub cluster: Arc<Cluster>,
    /// The pipeline's name, which is its group's; all its topics begin with it.
    pub name: String,
    /// By which engines come in, if not by that of everybody.
    pub door: Option<Door>,
    folder: Option<TempDir>,
    processes: AtomicU32,
}

impl Place {
    /// On the cluster that all share.
    pub fn shared(test: &str) -> Self {
        Place::on(broker::shared(), test)
    }

    /// On a cluster of its own.
    pub fn on(cluster: Arc<Cluster>, test: &str) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let name = format!("{test}-{:x}", since.as_micros() & 0xffff_ffff);
        let folder = tempfile::Builder::new().prefix(&format!("{test}-")).tempdir().expect("a folder");
        Place { cluster, name, door: None, folder: Some(folder), processes: AtomicU32::new(0) }
    }

    /// The same place for engines that come in by a door.
    pub fn by(mut self, door: Door) -> Self {
        self.door = Some(door);
        self
    }

    /// Where engines find their brokers.
    pub fn address(&self) -> &str {
        self.door.as_ref().map_or(self.cluster.bootstrap(), |door| &door.address)
    }

    pub fn path(&self) -> &Path {
        self.folder.as_ref().expect("it is there until the end").path()
    }

    /// A number for each process that is started here.
    pub fn next_process(&self) -> u32 {
        self.processes.fetch_add(1, Ordering::Relaxed)
    }

    /// A topic of this trial.
    pub fn topic(&self, what: &str) -> String {
        format!("{}-{what}", self.name)
    }

    /// Makes a topic of this trial.
    pub fn create(&self, what: &str, partitions: i32, config: &[(&str, &str)]) {
        topic::create(self.cluster.bootstrap(), &self.topic(what), partitions, config);
    }

    /// Writes the pipeline, `NAME` being this trial's, with what its door asks for.
    pub fn pipeline(&self, text: &str) {
        let door = self.door.as_ref().map_or("", |door| &door.common);
        let text = format!("{}{door}", text.replace("NAME", &self.name));
        std::fs::write(self.path().join("p.toml"), text).expect("written");
    }

    pub fn reader(&self) -> Reader {
        Reader::new(self.cluster.bootstrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            let to = kept().join(&self.name);
            // What the engines said, and their states.
            let moved = std::process::Command::new("cp").arg("-r").arg(folder.path()).arg(&to).status();
            eprintln!("{}: what was left lies in {} ({moved:?})", self.name, to.display());
        }
    }
}
