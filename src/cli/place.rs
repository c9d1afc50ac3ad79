//! Where records are: on the embedded log, so far.

use super::output;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The directory of the embedded log, where none is named.
pub const DIRECTORY: &str = ".streamrun";

/// The flags that say where records are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// Use the embedded durable log in a directory (.streamrun if none is named) instead of Kafka
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DIRECTORY
    )]
    local: Option<PathBuf>,
}

impl Place {
    /// The directory of the embedded log; without one, what is to be done has been said.
    pub fn directory(&self) -> Result<&Path, ExitCode> {
        self.local.as_deref().ok_or_else(|| {
            output::note(
                "error: Kafka comes with `--kafka`, which is not built in yet\n\
                 help: `--local` uses the embedded log in `.streamrun`, `--local=DIR` another directory\n",
            );
            super::usage()
        })
    }
}
