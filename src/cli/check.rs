//! `streamrun check`: all faults of files, no broker needed; with `--kafka` also what a cluster has to say to them.

use super::input::{self, File, Params};
use super::place::{Addresses, addresses};
use super::{cluster, output};
use std::process::ExitCode;
use streamrun::diagnostic::Report;
use streamrun::plan::Plan;
use streamrun::survey::{Seen, Survey, judge};
use streamrun::time::{Clock, SystemClock};

/// Find all faults of pipelines, without a broker
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With --kafka the cluster is asked, too: topics and their partitions and settings, changelogs, transactions, and the \
keys of the newest records. Nothing is written.")]
pub struct Args {
    /// The pipelines; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How faults are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also ask the cluster: that of the file, unless STREAMRUN_KAFKA or an address names another
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, require_equals = true, value_parser = addresses)]
    kafka: Option<Option<Addresses>>,
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
    let (mut errors, mut warnings) = (checked.plan.is_none() as usize, checked.warnings());
    if let (Some(plan), Some(named)) = (&checked.plan, &args.kafka) {
        let survey = survey(plan, named.as_ref());
        errors += survey.errors();
        warnings += survey.findings.len() - survey.errors();
        let report = Report { path: &file.path, source: &file.source, diagnostics: &survey.findings };
        match args.format {
            Format::Json => entries.extend(report.json()),
            Format::Text => output::result(&surveyed(&survey, &report)),
        }
    }
    match errors > 0 || (args.deny_warnings && warnings > 0) {
        true => Verdict::Faulty,
        false => Verdict::Sound,
    }
}

/// What the cluster has to say to a plan.
fn survey(plan: &Plan, named: Option<&Addresses>) -> Survey {
    let brokers = super::place::brokers(named, &plan.settings.brokers);
    let seen = cluster::connect(&plan.settings, brokers)
        .and_then(|cluster| Seen::gather(plan, &cluster, SystemClock.now_ms()));
    match seen {
        Ok(seen) => judge(plan, &seen),
        Err(error) => Survey::unreachable(&error),
    }
}

/// The findings, then what was seen.
fn surveyed(survey: &Survey, report: &Report<'_>) -> String {
    let mut text = format!("\n{}", report.text(output::style()));
    for fact in &survey.facts {
        text.push_str(&format!("  {fact}\n"));
    }
    text
}
