//! The command line: one file a verb, each with its arguments, then what it does.
//!
//! Results go to standard output, all else to standard error. Exit codes: 0 done, 1 the run, test or check failed,
//! 2 bad usage.

mod check;
mod cluster;
mod completions;
mod demo;
mod eval;
mod graph;
mod help;
mod input;
mod inspect;
mod lag;
mod logging;
mod new;
mod output;
mod place;
mod produce;
mod progress;
mod run;
mod schema;
mod sending;
mod signals;
mod start;
mod state;
mod test;
mod update;

use clap::{CommandFactory, Parser, Subcommand};
use output::Colour;
use std::ffi::OsString;
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
    Run(run::Args),
    Demo(demo::Args),
    Check(check::Args),
    Test(test::Args),
    Eval(eval::Args),
    Graph(graph::Args),
    Help(help::Args),
    New(new::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Produce(produce::Args),
    Inspect(inspect::Args),
    Lag(lag::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments(std::env::args_os()));
    cli.color.choose();
    match cli.verb {
        Verb::Run(args) => run::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Eval(args) => eval::run(&args),
        Verb::Graph(args) => graph::run(&args),
        Verb::Help(args) => help::run(&args),
        Verb::New(args) => new::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Produce(args) => produce::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Lag(args) => lag::run(&args),
    }
}

/// `streamrun FILE` is `streamrun run FILE`: what names no verb and no flag of the program is a pipeline.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut given: Vec<OsString> = given.collect();
    let mut at = 1;
    while let Some(flag) = given.get(at).filter(|a| a.to_string_lossy().starts_with("--color")) {
        at += if flag.to_string_lossy().contains('=') { 1 } else { 2 };
    }
    let Some(first) = given.get(at).map(|a| a.to_string_lossy().into_owned()) else { return given };
    let is_verb = Cli::command().get_subcommands().any(|verb| verb.get_name() == first);
    let is_file = first.ends_with(".toml") || first.contains('/') || std::path::Path::new(&first).is_file();
    if !is_verb && !first.starts_with('-') && is_file {
        given.insert(at, "run".into());
    }
    given
}

/// The command line as clap knows it, for `help` and `completions`.
fn command() -> clap::Command {
    Cli::command()
}

/// The run, test or check failed.
const FAILED: ExitCode = ExitCode::FAILURE;

/// Says what went wrong, for a verb that fails with it.
fn failed(error: impl std::fmt::Display) -> ExitCode {
    output::note(&format!("error: {error}\n"));
    FAILED
}

/// Bad usage.
fn usage() -> ExitCode {
    ExitCode::from(2)
}
