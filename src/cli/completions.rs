//! `streamrun completions`: what a shell needs to complete the command line.

use super::output;
use clap_complete::Shell;
use std::process::ExitCode;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints them.
pub fn run(args: &Args) -> ExitCode {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut super::command(), "streamrun", &mut script);
    output::result(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
