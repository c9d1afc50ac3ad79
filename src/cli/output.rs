//! Where things are printed, and whether in colour.

use clap::ValueEnum;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use streamrun::diagnostic::Style;

/// When there is colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

static COLOUR: AtomicBool = AtomicBool::new(false);

impl Colour {
    /// Decides once for the whole program.
    pub fn choose(self) {
        let wanted = match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
            }
        };
        COLOUR.store(wanted, Ordering::Relaxed);
    }
}

/// How diagnostics are rendered.
pub fn style() -> Style {
    if COLOUR.load(Ordering::Relaxed) { Style::Colour } else { Style::Plain }
}

/// Prints a result. A reader that has gone away is not our fault and no reason to panic.
pub fn result(text: &str) {
    let _ = is_read(text);
}

/// Prints a result; whether there is still somebody who reads it.
pub fn is_read(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Prints anything else.
pub fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
