//! `streamrun produce`: sends made-up records, or lines, to a source's topic.

use super::cluster;
use super::input::{self, Params};
use super::output;
use super::place::{Place, Where};
use super::sending::{MANY, Sending};
use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use streamrun::diagnostic::did_you_mean;
use streamrun::plan::Plan;
use streamrun::produce::{Destination, Feed, Generator, Lines, PARTITIONS, Pace};
use streamrun::time::parse_duration;
use streamrun::transport::{TransportError, kafka, local};

/// Send made-up records, or lines of a file, to a source's topic
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Records are made up as the pipeline's [generate.SOURCE] says and keyed as the source promises. Up to 1,000 of them go \
out one a second; more go as fast as they can, and so do lines. `--interval 0s` sends any number at once.")]
pub struct Args {
    /// The pipeline; `-` is standard input
    file: String,
    /// The source; may be left out when only one comes into question
    source: Option<String>,
    /// How many records [default: 30, or all lines]
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How long to wait between two records [default: 1s for up to 1,000 records]
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "rate")]
    interval: Option<i64>,
    /// How many records a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Mix in records that cannot be used, about one in ten
    #[arg(long, conflicts_with = "input")]
    include_bad: bool,
    /// The same seed makes the same records, apart from the time of day
    #[arg(long, value_name = "N", conflicts_with = "input")]
    seed: Option<u64>,
    /// Send the lines of this file instead, each a record; `-` is standard input
    #[arg(long, value_name = "FILE")]
    input: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    params: Params,
}

fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 250ms or 1s".to_owned())
}

/// Sends the records.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    if args.file == "-" && args.input.as_deref() == Some("-") {
        return Err(wrong("the pipeline and its records cannot both come from standard input"));
    }
    let (file, plan) = input::load(&args.file, &args.params)?;
    let source = source(args, &plan, &file.path)?;
    let seed = args.seed.unwrap_or_else(any_seed);
    let (feed, rate) = feed(args, &plan, source, seed)?;
    let topic = plan.topics.get(plan.sources[source].topics[0]).name.as_str();
    let mut client = open(args, &plan).map_err(super::failed)?;
    let partitions = plan.sources[source].partitions.unwrap_or(PARTITIONS);
    client.ensure_topic(topic, partitions).map_err(super::failed)?;
    let (pace, count) = (pace(args, rate), count(args));
    let mut run = Sending { feed, topic, pace, count, destination: client.as_mut() };
    run.announce();
    let sent = run.send()?;
    let seeded = args.input.is_none().then_some(seed);
    output::note(&run.summary(&sent, seeded));
    Ok(ExitCode::SUCCESS)
}

/// Who takes the records.
fn open(args: &Args, plan: &Plan) -> Result<Box<dyn Destination>, TransportError> {
    Ok(match args.place.of(Some(&plan.settings.brokers)) {
        Where::Local(directory) => Box::new(local::Client::open(directory)?),
        Where::Kafka(brokers) => Box::new(kafka::Client::new(&cluster::connect(&plan.settings, brokers)?)),
    })
}

fn wrong(message: &str) -> ExitCode {
    output::note(&format!("error: {message}\n"));
    super::usage()
}

/// Which source is meant, by its index.
fn source(args: &Args, plan: &Plan, path: &str) -> Result<usize, ExitCode> {
    let can: Vec<usize> = match args.input {
        Some(_) => (0..plan.sources.len()).collect(),
        None => plan.generates.iter().map(|generate| generate.source).collect(),
    };
    let names = || can.iter().map(|at| plan.sources[*at].name.as_str());
    let list = || names().collect::<Vec<_>>().join(", ");
    let example = plan.sources.first().map_or("SOURCE", |source| source.name.as_str());
    let named = match &args.source {
        Some(name) => Some(plan.source(name).map(|(at, _)| at).ok_or_else(|| {
            let known = plan.sources.iter().map(|source| source.name.as_str());
            match did_you_mean(name, known) {
                Some(close) => {
                    wrong(&format!("{path} has no source `{name}`\nhelp: did you mean `{close}`?"))
                }
                None => wrong(&format!("{path} has no source `{name}`")),
            }
        })?),
        None => None,
    };
    match (named, can.as_slice()) {
        (Some(at), can) if can.contains(&at) => Ok(at),
        (None, [only]) => Ok(*only),
        (None, [_, _, ..]) => Err(wrong(&format!("which source?\nhelp: name one of {}", list()))),
        (at, _) => {
            let name = at.map_or(example, |at| plan.sources[at].name.as_str());
            output::note(&format!(
                "error: {path} does not say how records are made up\n\
                 help: write `[generate.{name}]`, or send lines: `--input FILE`\n"
            ));
            Err(super::FAILED)
        }
    }
}

/// Where the records come from, and how many a second there are unless the command says else.
fn feed<'p>(
    args: &Args,
    plan: &'p Plan,
    source: usize,
    seed: u64,
) -> Result<(Feed<'p>, Option<u32>), ExitCode> {
    if let Some(path) = &args.input {
        let from: Box<dyn Read> = match path.as_str() {
            "-" => Box::new(std::io::stdin()),
            path => Box::new(
                File::open(path).map_err(|error| wrong(&format!("`{path}` cannot be read: {error}")))?,
            ),
        };
        return Ok((Feed::Read(Lines::new(&plan.sources[source], from)), None));
    }
    let found = plan.generates.iter().position(|generate| generate.source == source);
    let index = found.expect("the source was chosen among those with a generator");
    let generate = &plan.generates[index];
    if args.include_bad && generate.bad.is_empty() {
        let name = &plan.sources[source].name;
        return Err(wrong(&format!(
            "`[generate.{name}]` has no bad records\nhelp: add `bad = ['not json']`"
        )));
    }
    let generator = Generator::new(plan, index, seed);
    let generator = if args.include_bad { generator.with_bad(seed) } else { generator };
    Ok((Feed::Made(Box::new(generator)), generate.rate))
}

fn any_seed() -> u64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    // Short enough to be typed again.
    (nanos ^ u64::from(std::process::id()) << 20) % 1_000_000
}

/// How many records are sent; none: as many as there are.
fn count(args: &Args) -> Option<u64> {
    args.count.or(if args.input.is_some() { None } else { Some(30) })
}

fn pace(args: &Args, rate: Option<u32>) -> Option<Pace> {
    match (args.interval, args.rate) {
        (Some(interval), _) => Pace::interval(interval),
        (None, Some(rate)) => Pace::rate(rate),
        (None, None) if args.input.is_some() || args.count.is_some_and(|count| count > MANY) => None,
        (None, None) => rate.map_or(Pace::interval(1000), Pace::rate),
    }
}
