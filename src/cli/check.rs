//! `streamrun check`: all faults of files, no broker needed.

use super::input::{self, File, Params};
use super::output;
use std::process::ExitCode;
use streamrun::diagnostic::Report;

/// Find all faults of pipelines, without a broker
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipelines; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How faults are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Fail on warnings, too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    params: Params,
}

/// How faults are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For editors and CI: an array with an object a fault
    Json,
}

/// How bad a file is; the worst one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Sound,
    Faulty,
    Usage,
}

/// Checks the files.
pub fn run(args: &Args) -> ExitCode {
    let mut entries = vec![];
    let mut worst = Verdict::Sound;
    for path in &args.files {
        let verdict = match input::read(path) {
            Ok(file) => one(&file, args, &mut entries),
            Err(unread) => {
                match args.format {
                    Format::Text => output::result(&unread.text()),
                    Format::Json => {
                        let diagnostics = std::slice::from_ref(&*unread.fault);
                        entries.extend(Report { path: &unread.path, source: "", diagnostics }.json());
                    }
                }
                if unread.usage { Verdict::Usage } else { Verdict::Faulty }
            }
        };
        worst = worst.max(verdict);
    }
    if args.format == Format::Json {
        output::result(&format!("{:#}\n", serde_json::Value::Array(entries)));
    }
    match worst {
        Verdict::Sound => ExitCode::SUCCESS,
        Verdict::Faulty => super::FAILED,
        Verdict::Usage => super::usage(),
    }
}

fn one(file: &File, args: &Args, entries: &mut Vec<serde_json::Value>) -> Verdict {
    let checked = file.check(&args.params);
    let report = file.report(&checked);
    match args.format {
        Format::Json => entries.extend(report.json()),
        Format::Text => {
            output::result(&report.text(output::style()));
            if !checked.diagnostics.is_empty() {
                output::result(&input::verdict(&file.path, &checked));
            }
            if let Some(plan) = &checked.plan {
                output::result(&plan.explain(&file.path));
            }
        }
    }
    match checked.plan.is_none() || (args.deny_warnings && checked.warnings() > 0) {
        true => Verdict::Faulty,
        false => Verdict::Sound,
    }
}
