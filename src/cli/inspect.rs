//! `streamrun inspect`: prints the records of a topic.

use super::output;
use super::place::{Place, Where};
use super::progress::grouped;
use super::{cluster, input};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use streamrun::diagnostic::did_you_mean;
use streamrun::inspect::{Changelog, Entry, From, Page, Reader, Source, json_line};
use streamrun::transport::{TransportError, kafka, local};

/// Print the records of a topic
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Records of several partitions are printed by their times; each partition keeps its order. What is not committed is \
not there. Those of a changelog are printed as the rows that they mean. Reading ends at the end the topic has when \
it begins, unless `--follow` goes on from there.")]
pub struct Args {
    /// The topic
    topic: String,
    /// How many records, or `all` [default: 20, or all with --follow]
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<Limit>,
    /// Wait for records that are still to come
    #[arg(long, short)]
    follow: bool,
    /// Where to begin: the first records, the last ones (with --follow: behind them), or an offset in each partition
    #[arg(long, value_name = "start|end|OFFSET", default_value = "start", value_parser = beginning)]
    from: Beginning,
    /// Only this partition
    #[arg(long, value_name = "N")]
    partition: Option<u32>,
    /// How records are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// A pipeline whose [kafka] says where the cluster is and how it is spoken to
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    file: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// How many records: none of them are too many.
#[derive(Clone, Copy, Debug)]
struct Limit(u64);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "all" => Ok(Limit(u64::MAX)),
        text => text.parse().map(Limit).map_err(|_| "expected a number, or `all`".to_owned()),
    }
}

#[derive(Clone, Copy, Debug)]
enum Beginning {
    Start,
    End,
    Offset(i64),
}

fn beginning(text: &str) -> Result<Beginning, String> {
    match text {
        "start" => Ok(Beginning::Start),
        "end" => Ok(Beginning::End),
        text => {
            let offset = text.parse().ok().filter(|offset| *offset >= 0);
            offset.map(Beginning::Offset).ok_or_else(|| "expected `start`, `end` or an offset".to_owned())
        }
    }
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table, for people
    Text,
    /// A line a record, for programs
    Json,
}

/// How many rows are aligned with each other at a time.
const PAGE: u64 = 200;
const FIRST_NAP: Duration = Duration::from_millis(1);
const LONGEST_NAP: Duration = Duration::from_millis(25);

/// Prints the records.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    let (place, mut source) = open(args)?;
    let partitions = partitions(args, source.as_mut(), &place)?;
    let changelog = match args.topic.ends_with("-changelog") {
        true => Changelog::find(source.as_mut(), &args.topic, partitions.end).map_err(super::failed)?,
        false => None,
    };
    let Limit(limit) = args.limit.unwrap_or(Limit(if args.follow { u64::MAX } else { 20 }));
    let from = match args.from {
        Beginning::Start => From::Start,
        Beginning::End => From::Last(if args.follow { 0 } else { limit }),
        Beginning::Offset(offset) => From::Offset(offset),
    };
    let reader = Reader::new(source, &args.topic, partitions, from).map_err(super::failed)?;
    let page = Page::new(output::style());
    let mut run = Run { reader, args, changelog, left: limit, page, lines: vec![] };
    match run.print() {
        Ok(()) => run.say_what_is_left(limit),
        Err(Stop::Failed(code)) => return Err(code),
        // Who reads this has seen enough.
        Err(Stop::Closed) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the topic is, in words, and who reads it.
fn open(args: &Args) -> Result<(String, Box<dyn Source>), ExitCode> {
    let plan = match &args.file {
        Some(file) => Some(input::load(file, &input::Params::default())?.1),
        None => None,
    };
    let settings = plan.as_ref().map(|plan| &plan.settings);
    Ok(match args.place.of(settings.map(|settings| settings.brokers.as_slice())) {
        Where::Local(directory) => {
            let client = local::Client::open_existing(directory).map_err(super::failed)?;
            (format!("in `{}`", directory.display()), Box::new(client))
        }
        Where::Kafka(brokers) => {
            let cluster = match settings {
                Some(settings) => cluster::connect(settings, brokers),
                None => cluster::connect_to(brokers),
            };
            let cluster = cluster.map_err(super::failed)?;
            (format!("at {}", cluster.settings().address()), Box::new(kafka::Client::new(&cluster)))
        }
    })
}

/// The partitions that are read.
fn partitions(args: &Args, source: &mut dyn Source, place: &str) -> Result<std::ops::Range<u32>, ExitCode> {
    let topic = &args.topic;
    let Some(count) = source.partitions(topic).map_err(super::failed)? else {
        let names = source.topics().map_err(super::failed)?;
        return Err(super::failed(unknown(topic, place, &names)));
    };
    match args.partition {
        None => Ok(0..count),
        Some(partition) if partition < count => Ok(partition..partition + 1),
        Some(partition) => {
            let last = count - 1;
            Err(super::failed(format!(
                "topic `{topic}` has no partition {partition}\nhelp: the last one is {last}"
            )))
        }
    }
}

fn unknown(topic: &str, place: &str, names: &[String]) -> TransportError {
    let error = TransportError::fatal(format!("there is no topic `{topic}` {place}"));
    error.hint(match did_you_mean(topic, names.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => "`streamrun produce FILE` makes one".to_owned(),
        None => format!("there are {}", names.join(", ")),
    })
}

struct Run<'r> {
    reader: Reader,
    args: &'r Args,
    /// What its records mean, if it is one.
    changelog: Option<Changelog>,
    /// How many records may still be printed.
    left: u64,
    page: Page,
    lines: Vec<u8>,
}

/// Why printing ends early.
enum Stop {
    Failed(ExitCode),
    Closed,
}

impl std::convert::From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Closed,
            _ => Stop::Failed(super::failed(format!("standard output cannot be written: {error}"))),
        }
    }
}

impl Run<'_> {
    fn print(&mut self) -> Result<(), Stop> {
        let mut nap = FIRST_NAP;
        loop {
            while self.page()? {
                nap = FIRST_NAP;
            }
            if !self.args.follow || self.left == 0 {
                return Ok(());
            }
            while !self.reader.look().map_err(|error| Stop::Failed(super::failed(error)))? {
                std::thread::sleep(nap);
                nap = (nap * 2).min(LONGEST_NAP);
            }
        }
    }

    /// Prints what there is, but not more than a page; whether there was anything.
    fn page(&mut self) -> Result<bool, Stop> {
        let most = self.left.min(PAGE);
        let mut taken = 0;
        while taken < most {
            let next = self.reader.next_entry().map_err(|error| Stop::Failed(super::failed(error)))?;
            let Some(entry) = next else { break };
            let decoded = self.changelog.as_ref().and_then(|changelog| changelog.decode(&entry));
            let entry = match &decoded {
                Some(row) => Entry { key: Some(&row.key), value: row.value.as_deref(), ..entry },
                None => entry,
            };
            add(&mut self.page, &mut self.lines, self.args, &entry);
            taken += 1;
        }
        self.left -= taken;
        let mut out = io::stdout().lock();
        out.write_all(self.page.take().as_bytes())?;
        out.write_all(&self.lines)?;
        out.flush()?;
        self.lines.clear();
        Ok(taken > 0)
    }

    /// Who sees a part is told so.
    fn say_what_is_left(&self, limit: u64) {
        let left = self.reader.left();
        if self.args.format == Format::Text && left == 0 && self.left == limit {
            output::note(&format!("no records in `{}` from there on\n", self.args.topic));
        }
        if self.args.format == Format::Text && self.args.limit.is_none() && left > 0 {
            output::note(&format!("{} more; `--limit all` prints them too\n", grouped(left)));
        }
    }
}

fn add(page: &mut Page, lines: &mut Vec<u8>, args: &Args, entry: &Entry<'_>) {
    match args.format {
        Format::Text => page.add(entry),
        Format::Json => json_line(lines, &args.topic, entry),
    }
}
