//! `streamrun graph`: a pipeline as a drawing.

use super::input::{self, Params};
use super::output;
use std::process::ExitCode;
use streamrun::plan::draw;

/// Draw a pipeline: topics, sources, nodes, tables, sinks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// What it is drawn as
    #[arg(long = "as", value_enum, default_value = "text", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    params: Params,
}

/// What a pipeline is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A tree, for the terminal
    Text,
    /// For Markdown: GitHub and GitLab draw it
    Mermaid,
    /// For Graphviz
    Dot,
    /// A picture that stands alone
    Svg,
}

/// Draws it.
pub fn run(args: &Args) -> ExitCode {
    let (_, plan) = match input::load(&args.file, &args.params) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    output::result(&match args.format {
        Format::Text => draw::text(&plan),
        Format::Mermaid => draw::mermaid(&plan),
        Format::Dot => draw::dot(&plan),
        Format::Svg => draw::svg(&plan),
    });
    ExitCode::SUCCESS
}
