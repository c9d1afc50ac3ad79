//! `streamrun help`: the reference, in the terminal.

use super::output;
use std::process::ExitCode;
use streamrun::reference::{self, Command};

/// Explain a kind, a section, a key, a function, a command or the code of a fault
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to explain: filter, source, late_by, round, unknown-field, …; without it, all there is
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

/// Explains it.
pub fn run(args: &Args) -> ExitCode {
    let commands = commands();
    let Some(topic) = &args.topic else {
        output::result(&reference::overview(&commands));
        return ExitCode::SUCCESS;
    };
    // As it may have been copied: `[filter.hot]`, `round(…)`, `error[unknown-field]`.
    let name = topic.trim_start_matches("error").trim_start_matches("warning");
    let name = name.trim_matches(['[', ']']).split(['(', '.']).next().unwrap_or_default();
    if let Some(text) = reference::topic(topic, &commands).or_else(|| reference::topic(name, &commands)) {
        output::result(&text);
        return ExitCode::SUCCESS;
    }
    let help = match reference::similar(topic, &commands) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "`streamrun help` lists all there is".to_owned(),
    };
    output::note(&format!("error: there is nothing called `{topic}`\n  = help: {help}\n"));
    super::usage()
}

/// The commands, as clap describes them.
fn commands() -> Vec<Command> {
    let mut program = super::command();
    program.build();
    let shown = program.get_subcommands_mut().filter(|command| !command.is_hide_set());
    shown
        .map(|command| Command {
            name: command.get_name().to_owned(),
            about: command.get_about().map(ToString::to_string).unwrap_or_default(),
            help: command.render_long_help().to_string(),
        })
        .collect()
}
