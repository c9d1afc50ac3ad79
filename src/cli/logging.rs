//! The log: where it goes and how it looks.

use super::output;
use streamrun::diagnostic::Style;
use tracing_subscriber::filter::LevelFilter;

/// The flags of the log.
#[derive(Clone, Debug, clap::Args)]
pub struct Logging {
    /// How much is logged
    #[arg(long, value_enum, value_name = "LEVEL")]
    log_level: Option<Level>,
    /// How log lines look
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    log_format: Format,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// An object a line
    Json,
}

impl Logging {
    /// Starts the log, on standard error; at this level unless the command line says another.
    pub fn start(&self, level: Level) {
        let level = match self.log_level.unwrap_or(level) {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        };
        let colour = output::style() == Style::Colour;
        let log =
            tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
        // A log that has been started already is as good.
        let _ = match self.log_format {
            Format::Text => log.with_ansi(colour).try_init(),
            Format::Json => log.json().flatten_event(true).try_init(),
        };
    }
}
