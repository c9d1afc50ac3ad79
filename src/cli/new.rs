//! `streamrun new`: a file to start from.

use super::output;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use streamrun::plan::names;

/// Write a pipeline to start from
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline's name, or the file's: NAME.toml is written
    #[arg(value_name = "NAME")]
    name: String,
}

/// What is written, with the name and the path left open.
const STARTER: &str = include_str!("new/starter.toml");

/// Writes it.
pub fn run(args: &Args) -> ExitCode {
    let written = target(&args.name).and_then(|(name, path)| {
        write(&path, &starter(&name, &path))?;
        Ok(path)
    });
    match written {
        Ok(path) => {
            output::result(&next(&path));
            ExitCode::SUCCESS
        }
        Err(message) => {
            output::note(&format!("error: {message}\n"));
            super::usage()
        }
    }
}

/// The pipeline's name, and the file to write.
fn target(given: &str) -> Result<(String, PathBuf), String> {
    let path = Path::new(given);
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = file.strip_suffix(".toml").unwrap_or(file);
    if !names::is_pipeline(name) {
        return Err(format!(
            "`{name}` cannot be a pipeline's name: letters, digits, `.`, `_` and `-`, at most 100 of them"
        ));
    }
    Ok((name.to_owned(), folder.join(format!("{name}.toml"))))
}

fn starter(name: &str, path: &Path) -> String {
    STARTER.replace("PIPELINE.toml", &path.display().to_string()).replace("PIPELINE", name)
}

/// Writes a new file, and never over another one.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let shown = path.display();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("`{shown}` is there already, and is not written over"),
        ErrorKind::NotFound => format!("`{shown}` cannot be written: its folder is not there"),
        _ => format!("`{shown}` cannot be written: {error}"),
    })
}

fn next(path: &Path) -> String {
    let path = path.display().to_string();
    let path = if path.contains(' ') { format!("'{path}'") } else { path };
    format!(
        "{path} is written: it reads orders, rejects absurd ones and counts them per customer.\n\n  \
         streamrun check {path}    after every edit\n  \
         streamrun test {path}     the [[test]] at its end\n  \
         streamrun demo {path}     run it without Kafka, on generated records\n  \
         streamrun {path}          run it on Kafka\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_pipeline_by_its_stem() {
        let check = |given: &str, name: &str, path: &str| {
            assert_eq!(target(given), Ok((name.to_owned(), PathBuf::from(path))), "{given}");
        };
        check("orders", "orders", "orders.toml");
        check("orders.toml", "orders", "orders.toml");
        check("a/b/orders.v2", "orders.v2", "a/b/orders.v2.toml");
        for refused in ["", ".", "..", "a b", "/", "ünder", "x.toml/..", ".toml"] {
            assert!(target(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_starter_is_sound() {
        let text = starter("my-orders", Path::new("x/my-orders.toml"));
        assert!(!text.contains("PIPELINE"), "{text}");
        let checked = streamrun::plan::check(&text, &[]);
        assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
        assert_eq!(checked.plan.map(|plan| plan.settings.name).as_deref(), Some("my-orders"));
    }
}
