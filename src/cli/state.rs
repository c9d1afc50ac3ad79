//! The state folder: where snapshots are, and the identity by which a process takes its old place.

use std::path::{Path, PathBuf};
use streamrun::engine::Identity;
use streamrun::plan::Plan;
use streamrun::runtime::Stopped;

/// The flags that say who a process is.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct State {
    /// The folder for snapshots and identity [default: streamrun in the user's state folder]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Who this process is, where the state folder does not outlive it: a pod's name
    #[arg(long, value_name = "NAME", conflicts_with = "local")]
    instance: Option<String>,
}

impl State {
    /// Who this process is.
    pub fn identity(&self, plan: &Plan) -> Result<Identity, Stopped> {
        let named = self.state_dir.clone().or_else(|| plan.settings.state_dir.as_ref().map(PathBuf::from));
        let usual = || usual(|name| std::env::var_os(name).map(PathBuf::from));
        let folder = named.or_else(usual).ok_or_else(|| {
            Stopped::fatal(
                "there is no folder for snapshots and the identity of this process: `HOME` is not set",
            )
            .hint("`--state-dir DIR` names one")
        })?;
        let folder = folder.join(&plan.settings.name);
        match &self.instance {
            Some(name) => Identity::named(&folder, name),
            None => Identity::take(&folder),
        }
    }
}

/// The folder for what programs keep between their runs, by the rules of the desktop: a path that is not absolute does
/// not count.
fn usual(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    state.map(|state| state.join(Path::new("streamrun")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_follows_the_users_environment() {
        let of = |set: &[(&str, &str)]| {
            usual(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| PathBuf::from(value)))
        };
        let (home, state) = (("HOME", "/u"), ("XDG_STATE_HOME", "/s"));
        assert_eq!(of(&[home, state]), Some("/s/streamrun".into()));
        assert_eq!(of(&[home, ("XDG_STATE_HOME", "relative")]), Some("/u/.local/state/streamrun".into()));
        assert_eq!(of(&[home]), Some("/u/.local/state/streamrun".into()));
        assert_eq!(of(&[]), None);
    }
}
