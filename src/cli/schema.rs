//! `streamrun schema`: the JSON Schema of a pipeline file, for editors.

use super::output;
use std::process::ExitCode;
use streamrun::reference;

/// Print the JSON Schema of a pipeline file, for editors
///
/// Write it beside a pipeline and name it in the pipeline's first line, `#:schema ./streamrun.schema.json`: editors
/// that know TOML (Even Better TOML, taplo) then complete keys and show what they mean.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints it.
pub fn run(_: &Args) -> ExitCode {
    output::result(&reference::schema_text());
    ExitCode::SUCCESS
}
