//! `streamrun test`: runs the `[[test]]`s of pipelines in virtual time.

use super::input::{self, Params};
use super::output;
use std::process::ExitCode;
use streamrun::diagnostic::Report;
use streamrun::testing::{self, Outcome};

/// Run the tests of pipelines, in virtual time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipelines; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
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
    /// For tools: an object a test
    Json,
}

/// Runs the tests.
pub fn run(args: &Args) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    let mut entries = vec![];
    for path in &args.files {
        let (file, plan) = match input::load(path, &args.params) {
            Ok(loaded) => loaded,
            Err(code) => return code,
        };
        let overrides = args.params.overrides(&file.source);
        let wanted = |name: &str| args.filter.as_ref().is_none_or(|filter| name.contains(filter));
        for case in plan.cases.iter().filter(|case| wanted(&case.name)) {
            let outcome = testing::run(&file.source, &overrides, case);
            match outcome.passed() {
                true => passed += 1,
                false => failed += 1,
            }
            match args.format {
                Format::Text => tell(&file, &outcome),
                Format::Json => entries.push(json(&file, &outcome)),
            }
        }
    }
    match args.format {
        Format::Text => output::result(&format!("{passed} passed, {failed} failed\n")),
        Format::Json => output::result(&format!("{:#}\n", serde_json::Value::Array(entries))),
    }
    if failed > 0 { super::FAILED } else { ExitCode::SUCCESS }
}

fn tell(file: &input::File, outcome: &Outcome) {
    let verdict = if outcome.passed() { "ok  " } else { "FAIL" };
    output::result(&format!("{verdict} {}: {}\n", file.path, outcome.name));
    if outcome.passed() {
        return;
    }
    let report = Report { path: &file.path, source: &file.source, diagnostics: &outcome.faults };
    output::result(&format!("\n{}", report.text(output::style())));
    if !outcome.trace.is_empty() {
        output::result("what each node did with each record:\n");
        outcome.trace.iter().for_each(|line| output::result(&format!("  {line}\n")));
        output::result("\n");
    }
}

fn json(file: &input::File, outcome: &Outcome) -> serde_json::Value {
    let report = Report { path: &file.path, source: &file.source, diagnostics: &outcome.faults };
    serde_json::json!({
        "file": file.path,
        "name": outcome.name,
        "passed": outcome.passed(),
        "faults": report.json(),
        "trace": outcome.trace,
    })
}
