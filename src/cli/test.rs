//! `streamrun test`: runs the `[[test]]`s of pipelines in virtual time.

use super::input::{self, File, Params};
use super::{output, update};
use std::process::ExitCode;
use streamrun::diagnostic::Report;
use streamrun::plan::{Override, Plan};
use streamrun::testing::{self, Correction, Outcome};

/// Run the tests of pipelines, in virtual time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipelines; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Rewrite what failing tests expect, in the files, to what comes out
    #[arg(long)]
    update: bool,
    /// How results are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    params: Params,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For tools: an array with an object a test: file, name, line, passed, updated, faults as `check` prints them,
    /// and the trace of a test that failed, a text a line
    Json,
}

/// A test that has been run.
struct Ran {
    outcome: Outcome,
    /// Whether its expectations have been rewritten.
    updated: bool,
}

impl Ran {
    fn passed(&self) -> bool {
        self.updated || self.outcome.passed()
    }
}

/// What all files together have come to.
#[derive(Default)]
struct Total {
    passed: usize,
    failed: usize,
    /// Files that could not be tested or updated.
    broken: Option<ExitCode>,
    entries: Vec<serde_json::Value>,
}

/// Runs the tests.
pub fn run(args: &Args) -> ExitCode {
    if let Some(why) = args.update.then(|| not_updatable(args)).flatten() {
        output::note(&format!("error: {why}\n"));
        return super::usage();
    }
    let mut total = Total::default();
    for path in &args.files {
        match input::load(path, &args.params) {
            Ok((file, plan)) => one(args, &file, &plan, &mut total),
            Err(code) => total.broken = Some(code),
        }
    }
    if let Some(filter) = args.filter.as_ref().filter(|_| total.ran() == 0 && total.broken.is_none()) {
        output::note(&format!("error: no test has `{filter}` in its name\n"));
        return super::usage();
    }
    match args.format {
        Format::Text => output::result(&format!("{} passed, {} failed\n", total.passed, total.failed)),
        Format::Json => {
            output::result(&format!("{:#}\n", serde_json::Value::Array(std::mem::take(&mut total.entries))))
        }
    }
    match total.broken {
        Some(code) => code,
        None if total.failed > 0 => super::FAILED,
        None => ExitCode::SUCCESS,
    }
}

impl Total {
    fn ran(&self) -> usize {
        self.passed + self.failed
    }
}

/// Why nothing can be rewritten, if nothing can.
fn not_updatable(args: &Args) -> Option<String> {
    if args.files.iter().any(|path| path == "-") {
        return Some("standard input cannot be rewritten: name the file".to_owned());
    }
    let (name, _) = args.params.set.first()?;
    Some(format!("expectations are written for the file's own params, not for `--set {name}`"))
}

/// Runs the tests of a file, and rewrites what they expect if that is wanted.
fn one(args: &Args, file: &File, plan: &Plan, total: &mut Total) {
    if plan.cases.is_empty() {
        output::note(&format!("{} has no tests\n", file.path));
    }
    let overrides = args.params.overrides(&file.source);
    let mut ran = play(args, file, plan, &overrides);
    if args.update
        && let Err(code) = rewrite(file, &overrides, &mut ran)
    {
        total.broken = Some(code);
    }
    for (_, ran) in &ran {
        match ran.passed() {
            true => total.passed += 1,
            false => total.failed += 1,
        }
        match args.format {
            Format::Text => tell(file, ran),
            Format::Json => total.entries.push(json(file, ran)),
        }
    }
}

/// The tests that are wanted, by their index, each run.
fn play(args: &Args, file: &File, plan: &Plan, overrides: &[Override]) -> Vec<(usize, Ran)> {
    let wanted = |name: &str| args.filter.as_ref().is_none_or(|filter| name.contains(filter));
    let cases = plan.cases.iter().enumerate().filter(|(_, case)| wanted(&case.name));
    let run = |case| Ran { outcome: testing::run(&file.source, overrides, case), updated: false };
    cases.map(|(at, case)| (at, run(case))).collect()
}

/// Rewrites what failing tests expect. Either all of them pass then, or the file stays as it is.
fn rewrite(file: &File, overrides: &[Override], ran: &mut [(usize, Ran)]) -> Result<(), ExitCode> {
    let failing = ran.iter().filter(|(_, ran)| !ran.outcome.corrections.is_empty());
    let wanted: Vec<(usize, Vec<Correction>)> =
        failing.map(|(at, ran)| (*at, ran.outcome.corrections.clone())).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    if let Some(other) = overrides.first() {
        output::note(&format!(
            "error: expectations are written for the file's own params, not for {}\n",
            other.source
        ));
        return Err(super::usage());
    }
    let updated = update::update(file, &wanted).and_then(|source| update::write(file, &source));
    if let Err(why) = updated {
        output::note(&format!("error: {} was left as it is: {why}\n", file.path));
        return Err(super::FAILED);
    }
    let expectations: usize = wanted.iter().map(|(_, corrections)| corrections.len()).sum();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (expectations, tests) = (count(expectations, "expectation"), count(wanted.len(), "test"));
    output::note(&format!("{}: rewrote {expectations} in {tests}\n", file.path));
    for (_, ran) in ran.iter_mut().filter(|(at, _)| wanted.iter().any(|(wanted, _)| wanted == at)) {
        ran.updated = true;
    }
    Ok(())
}

fn tell(file: &File, ran: &Ran) {
    let verdict = match (ran.updated, ran.passed()) {
        (true, _) => "new ",
        (_, true) => "ok  ",
        (_, false) => "FAIL",
    };
    output::result(&format!("{verdict} {}: {}\n", file.path, ran.outcome.name));
    if ran.passed() {
        return;
    }
    let report = Report { path: &file.path, source: &file.source, diagnostics: &ran.outcome.faults };
    output::result(&format!("\n{}", report.text(output::style())));
    if !ran.outcome.trace.is_empty() {
        output::result("what happened, record by record:\n");
        ran.outcome.trace.iter().for_each(|line| output::result(&format!("  {line}\n")));
        output::result("\n");
    }
}

fn json(file: &File, ran: &Ran) -> serde_json::Value {
    let outcome = &ran.outcome;
    let faults = if ran.updated { &[] } else { outcome.faults.as_slice() };
    let report = Report { path: &file.path, source: &file.source, diagnostics: faults };
    let before = file.source.get(..outcome.place.start as usize).unwrap_or_default();
    serde_json::json!({
        "file": file.path,
        "name": outcome.name,
        "line": before.matches('\n').count() + 1,
        "passed": ran.passed(),
        "updated": ran.updated,
        "faults": report.json(),
        "trace": if ran.updated { &[] } else { outcome.trace.as_slice() },
    })
}
