//! `streamrun run`, or `streamrun FILE` alone: checks a pipeline, then runs it.

use super::input::{self, Params};
use super::logging::{Level, Logging};
use super::output;
use super::place::Place;
use super::signals::Signals;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use streamrun::engine::{self, Ended, Engine, Until};
use streamrun::http;
use streamrun::plan::Plan;
use streamrun::produce::PARTITIONS;
use streamrun::runtime::{Options, Stopped};
use streamrun::transport::local::{self, Local};

/// Check a pipeline, then run it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    params: Params,
    /// Read the topics to the ends they have now, commit, and end
    #[arg(long)]
    until_end: bool,
    /// With --until-end: close the windows that are still open
    #[arg(long, requires = "until_end")]
    close_windows: bool,
    /// Start the table of a node over
    #[arg(long, value_name = "NODE")]
    reset: Vec<String>,
    /// Address of the status endpoint, or off
    #[arg(long, value_name = "ADDR|off")]
    status: Option<String>,
    /// The folder for snapshots
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    logging: Logging,
}

/// Runs the pipeline.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    let directory = args.place.directory()?;
    let (_, plan) = input::load(&args.file, &args.params)?;
    args.logging.start(Level::Info);
    resettable(&plan, &args.reset)?;
    let plan = Arc::new(plan);
    let until = match args.until_end {
        true => Until::End { close_windows: args.close_windows },
        false => Until::Stopped,
    };
    let log = Opened::new(&plan, directory).map_err(stopped)?;
    // Not before: a log that cannot be opened, because a disk hangs, must not keep a signal from ending it.
    let signals = Signals::new()?;
    let started = log.start(&plan, args.state_dir.as_deref(), &args.reset, until);
    let mut started = started.map_err(stopped)?;
    let listen = args.status.clone().or(plan.settings.listen.clone()).filter(|listen| listen != "off");
    let served = listen
        .map(|listen| http::serve(&http::Options::at(listen), started.engine.controls.clone(), plan.clone()));
    let served = served.transpose().map_err(|error| {
        started.end();
        super::failed(error)
    })?;
    if let Some(bound) = &served {
        tracing::info!(address = format!("http://{}/status/", bound.addr), "status");
    }
    let ended = started.wait(signals)?;
    drop(served);
    ended.map_err(stopped)?;
    summary(&plan, &started.left, until);
    Ok(ExitCode::SUCCESS)
}

fn stopped(stopped: Stopped) -> ExitCode {
    super::failed(stopped)
}

/// Only nodes with a table can be started over.
fn resettable(plan: &Plan, nodes: &[String]) -> Result<(), ExitCode> {
    for node in nodes {
        let tables: Vec<&str> = plan
            .nodes
            .iter()
            .filter(|n| n.table.is_some() || n.marks.is_some())
            .map(|n| n.name.as_str())
            .collect();
        if tables.contains(&node.as_str()) {
            continue;
        }
        let close = streamrun::diagnostic::did_you_mean(node, tables.iter().copied());
        let help = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("nodes with a table: {}", tables.join(", ")),
        };
        output::note(&format!("error: no node `{node}` has a table\nhelp: {help}\n"));
        return Err(super::usage());
    }
    Ok(())
}

/// The embedded log, opened by an engine that has not started yet.
#[derive(Debug)]
pub struct Opened {
    directory: PathBuf,
    transports: Vec<Local>,
}

impl Opened {
    /// Makes the topics that are missing and opens the log for each worker.
    pub fn new(plan: &Plan, directory: &Path) -> Result<Self, Stopped> {
        let lock = local::Engine::start(directory, &plan.settings.name)?;
        let names: Vec<String> = plan.topics.all().iter().map(|t| t.name.clone()).collect();
        let mut first = Local::open(&lock, names.clone(), 0, 1)?;
        let partitions = engine::prepare(plan, &mut first, true, PARTITIONS)?;
        drop(first);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let workers = plan.settings.workers.unwrap_or(cores).clamp(1, partitions);
        let open = |worker| Local::open(&lock, names.clone(), worker, workers);
        let transports = (0..workers).map(open).collect::<Result<_, _>>()?;
        Ok(Opened { directory: directory.to_path_buf(), transports })
    }

    /// Starts the workers.
    pub fn start(
        self,
        plan: &Arc<Plan>,
        state: Option<&Path>,
        reset: &[String],
        until: Until,
    ) -> Result<Started, Stopped> {
        // Snapshots belong to the log: with it they come and go.
        let folder = state.map_or_else(|| self.directory.join("state"), Path::to_path_buf);
        let options = Options {
            commit_every: plan.settings.commit_every,
            snapshots: Some(folder.join(&plan.settings.name)),
            reset: reset.to_vec(),
            ..Options::default()
        };
        let (pipeline, workers) = (&plan.settings.name, self.transports.len());
        tracing::info!(pipeline, workers, log = %self.directory.display(), "starting");
        let engine = Engine::start(plan, self.transports, &options, until)?;
        Ok(Started { engine, left: vec![] })
    }
}

/// An engine that has been started on the embedded log.
#[derive(Debug)]
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// What workers have left that have ended.
    pub left: Vec<Ended>,
}

impl Started {
    /// Waits for the end, or for a signal that asks for it.
    pub fn wait(&mut self, signals: Signals) -> Result<Result<(), Stopped>, ExitCode> {
        let engine = std::cell::RefCell::new(&mut self.engine);
        let left = &mut self.left;
        signals.until(
            || engine.borrow_mut().ended(left),
            || {
                tracing::info!("ending: what is at hand is finished and committed");
                engine.borrow().stop();
            },
        )
    }

    /// Ends it, whatever it is doing.
    pub fn end(&mut self) {
        self.engine.stop();
        while self.engine.ended(&mut self.left).is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// The last words of a run.
fn summary(plan: &Plan, left: &[Ended], until: Until) {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut read, mut dead, mut late) = (0, 0, 0);
    for ended in left {
        read += ended.tallies.sources.iter().map(|s| s.input).sum::<u64>();
        dead += ended.tallies.reasons.iter().chain(ended.tallies.unusable.iter().flatten()).sum::<u64>();
        late += ended.tallies.nodes.iter().map(|n| n.late).sum::<u64>();
        if until == (Until::End { close_windows: false }) {
            ended.open.iter().for_each(|(node, (rows, _))| *open.entry(node).or_default() += rows);
        }
    }
    tracing::info!(pipeline = plan.settings.name, records = read, dead_letters = dead, late, "ended");
    if !open.is_empty() {
        let open: Vec<String> = open.iter().map(|(node, rows)| format!("{node} ({rows})")).collect();
        tracing::info!(rows = open.join(", "), "windows that are still open; --close-windows closes them");
    }
}
