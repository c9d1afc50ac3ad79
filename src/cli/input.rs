//! The pipeline file a verb is given, and what overrides its params.

use super::output;
use std::io::Read;
use std::process::ExitCode;
use streamrun::diagnostic::{Code, Diagnostic, Report};
use streamrun::plan::{self, Checked, Override, Plan};
use streamrun::spec;

/// Params from the command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Params {
    /// Sets a param for this run
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl Params {
    /// What overrides the file: the environment, then the command line. Of the environment only what the file has
    /// params for counts: it may be meant for another pipeline.
    pub fn overrides(&self, source: &str) -> Vec<Override> {
        let mut overrides = vec![];
        let root = spec::parse(source, &mut vec![]);
        for entry in root.table("params").map(|t| t.entries.as_slice()).unwrap_or_default() {
            let variable = format!("STREAMRUN_PARAM_{}", entry.key.to_uppercase());
            if let Ok(value) = std::env::var(&variable) {
                overrides.push(Override { name: entry.key.clone(), value, source: variable });
            }
        }
        for (name, value) in &self.set {
            let (name, value) = (name.clone(), value.clone());
            overrides.push(Override { name, value, source: "`--set`".to_owned() });
        }
        overrides
    }
}

/// A file that has been read.
#[derive(Debug)]
pub struct File {
    /// Its name, as it was given.
    pub path: String,
    /// What it says.
    pub source: String,
}

/// Why a file could not be read: the fault, and the exit code that goes with it.
#[derive(Debug)]
pub struct Unread {
    /// The file's name.
    pub path: String,
    /// What is wrong.
    pub fault: Box<Diagnostic>,
    /// A file that is not there is bad usage; one that is no text is a bad file.
    pub usage: bool,
}

/// Reads a file; `-` is standard input.
pub fn read(path: &str) -> Result<File, Unread> {
    let shown = if path == "-" { "<stdin>" } else { path };
    let unread = |fault, usage| Unread { path: shown.to_owned(), fault, usage };
    let bytes = bytes(path).map_err(|error| unread(Box::new(unreadable(path, &error)), true))?;
    let source = spec::decode(&bytes).map_err(|fault| unread(fault, false))?;
    Ok(File { path: shown.to_owned(), source: source.to_owned() })
}

/// The bytes, but never more than it takes to see that the file is too large.
fn bytes(path: &str) -> std::io::Result<Vec<u8>> {
    let most = spec::MAX_BYTES as u64 + 1;
    let mut bytes = vec![];
    if path == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    if std::fs::metadata(path)?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &str, error: &std::io::Error) -> Diagnostic {
    use std::io::ErrorKind;
    let (message, help) = match error.kind() {
        ErrorKind::NotFound => {
            ("there is no such file".to_owned(), "`streamrun new NAME` writes one to start from")
        }
        ErrorKind::IsADirectory => ("this is a directory".to_owned(), "name the file in it"),
        ErrorKind::PermissionDenied => ("the file may not be read".to_owned(), "look at its permissions"),
        _ => (format!("the file cannot be read: {error}"), ""),
    };
    let fault = Diagnostic::file(Code::Unreadable, message);
    let fault = match similar(path).filter(|_| error.kind() == ErrorKind::NotFound) {
        Some(close) => return fault.help(format!("did you mean `{close}`?")),
        None => fault,
    };
    if help.is_empty() { fault } else { fault.help(help) }
}

/// A file beside the one that is not there, with nearly its name.
fn similar(path: &str) -> Option<String> {
    let path = std::path::Path::new(path);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let close =
        streamrun::diagnostic::did_you_mean(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(close).display().to_string())
}

impl File {
    /// Checks it.
    pub fn check(&self, params: &Params) -> Checked {
        plan::check(&self.source, &params.overrides(&self.source))
    }

    /// Its faults and warnings, to be rendered.
    pub fn report<'r>(&'r self, checked: &'r Checked) -> Report<'r> {
        Report { path: &self.path, source: &self.source, diagnostics: &checked.diagnostics }
    }
}

impl Unread {
    /// The fault, to be rendered.
    pub fn text(&self) -> String {
        let diagnostics = std::slice::from_ref(&*self.fault);
        Report { path: &self.path, source: "", diagnostics }.text(output::style())
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        if self.usage { super::usage() } else { super::FAILED }
    }
}

/// "error: 2 faults in pipelines/sensor.toml"
pub fn verdict(path: &str, checked: &Checked) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (checked.errors(), checked.warnings()) {
        (0, warnings) => format!("warning: {} in {path}\n", count(warnings, "warning")),
        (errors, 0) => format!("error: {} in {path}\n", count(errors, "fault")),
        (errors, warnings) => {
            format!("error: {} and {} in {path}\n", count(errors, "fault"), count(warnings, "warning"))
        }
    }
}

/// Reads and checks a file for a verb that needs its plan; what is wrong has been said when this fails.
pub fn load(path: &str, params: &Params) -> Result<(File, Plan), ExitCode> {
    let file = read(path).map_err(|unread| {
        output::note(&unread.text());
        unread.code()
    })?;
    let checked = file.check(params);
    if !checked.diagnostics.is_empty() {
        output::note(&file.report(&checked).text(output::style()));
    }
    match checked.plan {
        Some(plan) => Ok((file, plan)),
        None => {
            output::note(&verdict(&file.path, &checked));
            Err(super::FAILED)
        }
    }
}
