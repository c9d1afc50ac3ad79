//! `streamrun eval`: tries an expression on a record.

use super::input::{self, Params};
use super::output;
use std::process::ExitCode;
use streamrun::diagnostic::{Code, Diagnostic, Report, did_you_mean};
use streamrun::plan::Plan;
use streamrun::plan::scratch::{Scratch, Trial};
use streamrun::plan::source::SourcePlan;

/// Try an expression on a record
///
/// Prints its type and its value. With FILE, fields have the types that the source's schema gives them, and the
/// file's params have their values. Without, the record says what its fields are: a number without a fraction is an
/// int, a text is a string even where it reads as a time (`parse_time(x)` makes it one), null is `json?`, a list of
/// one kind is a list, and a field inside an object has a dotted name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The expression; best in single quotes
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
    /// The record: a JSON object
    #[arg(long, value_name = "JSON")]
    record: Option<String>,
    /// A pipeline, for its params and its source's schema
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Which source the record is of, where the file has several
    #[arg(long, value_name = "NAME", requires = "file")]
    source: Option<String>,
    #[command(flatten)]
    params: Params,
}

/// Evaluates the expression.
pub fn run(args: &Args) -> ExitCode {
    let scratch = match scratch(args) {
        Ok(scratch) => scratch,
        Err(code) => return code,
    };
    let (trial, mut faults) = scratch.compile(&args.expression);
    if args.record.is_none() {
        faults.iter_mut().for_each(suggest_a_record);
    }
    let report = Report { path: "<expression>", source: &args.expression, diagnostics: &faults };
    output::note(&report.text(output::style()));
    match trial {
        Some(trial) => show(&trial, args.record.as_deref()),
        None => super::FAILED,
    }
}

fn show(trial: &Trial<'_>, record: Option<&str>) -> ExitCode {
    let ty = trial.ty();
    let value = match (record, trial.constant()) {
        (Some(record), _) => trial.value(record.as_bytes()),
        (None, Some(constant)) => Ok(constant),
        (None, None) => {
            output::result(&format!("{ty}\n"));
            output::note("the value depends on the record: give one with `--record '{…}'`\n");
            return ExitCode::SUCCESS;
        }
    };
    match value {
        Ok(value) => {
            output::result(&format!("{ty}  {value}\n"));
            ExitCode::SUCCESS
        }
        Err(reason) => failed(&reason),
    }
}

fn failed(reason: &str) -> ExitCode {
    output::note(&format!("error: the record would be a dead letter: {reason}\n"));
    super::FAILED
}

/// Where the fields and params come from; what is wrong has been said when this fails.
fn scratch(args: &Args) -> Result<Scratch, ExitCode> {
    match (&args.file, &args.record) {
        (Some(path), _) => {
            let (_, plan) = input::load(path, &args.params)?;
            let source = source(&plan, args.source.as_deref()).map_err(|message| {
                output::note(&format!("error: {message}\n"));
                super::usage()
            })?;
            Ok(Scratch::of_source(&plan, source))
        }
        (None, _) if !args.params.set.is_empty() => {
            output::note("error: `--set` needs the file that has the param: `--file FILE`\n");
            Err(super::usage())
        }
        (None, Some(record)) => Scratch::of_record(record.as_bytes()).map_err(|reason| failed(&reason)),
        (None, None) => Ok(Scratch::empty()),
    }
}

fn source<'p>(plan: &'p Plan, name: Option<&str>) -> Result<&'p SourcePlan, String> {
    let names = || plan.sources.iter().map(|source| source.name.as_str());
    let list = || names().collect::<Vec<_>>().join(", ");
    match (name, plan.sources.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("which source is the record of? `--source` takes one of {}", list())),
        (Some(name), sources) => {
            sources.iter().find(|s| s.name == name).ok_or_else(|| match did_you_mean(name, names()) {
                Some(close) => format!("there is no source `{name}`: did you mean `{close}`?"),
                None => format!("there is no source `{name}`: there are {}", list()),
            })
        }
    }
}

fn suggest_a_record(fault: &mut Diagnostic) {
    if fault.code == Code::UnknownField {
        fault.help.push("give a record with it: `--record '{…}'`".to_owned());
    }
}
