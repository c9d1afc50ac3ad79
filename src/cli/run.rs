//! `streamrun run`, or `streamrun FILE` alone: checks a pipeline, then runs it.

use super::cluster;
use super::input::{self, Params};
use super::logging::{Level, Logging};
use super::output;
use super::place::{Place, Where};
use super::signals::Signals;
use super::start::{Opened, Started};
use super::state::State;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use streamrun::engine::{Ended, Until};
use streamrun::http;
use streamrun::plan::Plan;
use streamrun::runtime::Stopped;
use streamrun::transport::Transport;

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
    /// Start the table of a node over, once; with several processes, only the first one is to be told
    #[arg(long, value_name = "NODE")]
    reset: Vec<String>,
    /// Address of the status endpoint, or off
    #[arg(long, value_name = "ADDR|off")]
    status: Option<String>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    logging: Logging,
}

/// Runs the pipeline.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    let (_, plan) = input::load(&args.file, &args.params)?;
    args.logging.start(Level::Info);
    resettable(&plan, &args.reset)?;
    let plan = Arc::new(plan);
    match args.place.of(Some(&plan.settings.brokers)) {
        Where::Local(directory) => {
            let opened = Opened::local(&plan, directory, args.state.state_dir.as_deref());
            engine(args, &plan, opened.map_err(stopped)?, stopped)
        }
        Where::Kafka(brokers) => {
            let cluster = cluster::connect(&plan.settings, brokers).map_err(stopped)?;
            let identity = args.state.identity(&plan).map_err(stopped)?;
            let stopped_there = |error| stopped(cluster::at(&cluster.settings().address(), error));
            let opened = Opened::kafka(&plan, &cluster, identity).map_err(stopped_there)?;
            engine(args, &plan, opened, stopped_there)
        }
    }
}

/// Runs the engine on what has been opened, until it ends or a signal does; `stopped` says why if it stops by itself.
fn engine<T: Transport + Send + 'static>(
    args: &Args,
    plan: &Arc<Plan>,
    opened: Opened<T>,
    stopped: impl Fn(Stopped) -> ExitCode,
) -> Result<ExitCode, ExitCode> {
    let until = match args.until_end {
        true => Until::End { close_windows: args.close_windows },
        false => Until::Stopped,
    };
    // Not before: a log that cannot be opened, because a disk hangs, must not keep a signal from ending it.
    let signals = Signals::new()?;
    let mut started = opened.start(plan, &args.reset, until).map_err(&stopped)?;
    let served = serve(args, plan, &mut started)?;
    let ended = started.wait(signals)?;
    drop(served);
    ended.map_err(stopped)?;
    summary(plan, &started.left, until);
    Ok(ExitCode::SUCCESS)
}

/// Starts the status endpoint, unless it is off. Without it the engine is not started either.
fn serve(args: &Args, plan: &Arc<Plan>, started: &mut Started) -> Result<Option<http::Bound>, ExitCode> {
    let listen = args.status.clone().or(plan.settings.listen.clone()).filter(|listen| listen != "off");
    let Some(listen) = listen else { return Ok(None) };
    let served = http::serve(&http::Options::at(listen), started.engine.controls.clone(), plan.clone());
    let bound = served.map_err(|error| {
        started.end();
        super::failed(error)
    })?;
    tracing::info!(address = format!("http://{}/status/", bound.addr), "status");
    Ok(Some(bound))
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

/// The last words of a run.
fn summary(plan: &Plan, left: &[Ended], until: Until) {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut read, mut dead, mut late) = (0, 0, 0);
    for ended in left {
        read += ended.tallies.sources.iter().map(|s| s.input).sum::<u64>();
        dead += ended.tallies.dead_letters();
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
