//! An engine on the embedded log.

use super::{Opened, workers};
use std::path::Path;
use streamrun::engine;
use streamrun::plan::Plan;
use streamrun::produce::PARTITIONS;
use streamrun::runtime::Stopped;
use streamrun::transport::local::{self, Local};

impl Opened<Local> {
    /// Makes the topics that are missing and opens the log for each worker. Snapshots belong to the log, so that with
    /// it they come and go, unless a folder is named.
    pub fn local(plan: &Plan, directory: &Path, state: Option<&Path>) -> Result<Self, Stopped> {
        let lock = local::Engine::start(directory, &plan.settings.name)?;
        let names: Vec<String> = plan.topics.all().iter().map(|t| t.name.clone()).collect();
        let mut first = Local::open(&lock, names.clone(), 0, 1)?;
        let partitions = engine::prepare(plan, &mut first, true, PARTITIONS)?;
        drop(first);
        let workers = workers(plan, partitions);
        let open = |worker| Local::open(&lock, names.clone(), worker, workers);
        let folder = state.map_or_else(|| directory.join("state"), Path::to_path_buf);
        Ok(Opened {
            transports: (0..workers).map(open).collect::<Result<_, _>>()?,
            place: directory.display().to_string(),
            snapshots: folder.join(&plan.settings.name),
            identity: None,
            overruns: vec![],
        })
    }
}
