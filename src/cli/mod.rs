//! The command line: one file a verb, each with its arguments, then what it does.
//!
//! Results go to standard output, all else to standard error. Exit codes: 0 done, 1 the run, test or check failed,
//! 2 bad usage.

mod check;
mod eval;
mod input;
mod output;
mod test;

use clap::{Parser, Subcommand};
use output::Colour;
use std::process::ExitCode;

/// Declarative stream processing for Kafka: one TOML file is one pipeline.
#[derive(Debug, Parser)]
#[command(name = "streamrun", version, about, disable_help_subcommand = true)]
struct Cli {
    /// Colours: on a terminal, always, or never
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Colour,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Args),
    Test(test::Args),
    Eval(eval::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.choose();
    match cli.verb {
        Verb::Check(args) => check::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Eval(args) => eval::run(&args),
    }
}

/// The run, test or check failed.
const FAILED: ExitCode = ExitCode::FAILURE;

/// Bad usage.
fn usage() -> ExitCode {
    ExitCode::from(2)
}
