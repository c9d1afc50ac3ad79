//! `streamrun lag`: how far a pipeline is behind its inputs, and who works on it.

use super::input::{self, Params};
use super::output;
use super::place::{Place, Where};
use super::{cluster, progress};
use serde_json::json;
use std::fmt::Write;
use std::process::ExitCode;
use streamrun::inspect::Source;
use streamrun::plan::Plan;
use streamrun::time::{Clock, SystemClock};
use streamrun::transport::{Batch, TransportError, kafka, local};

/// Show how far a pipeline is behind its inputs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
LAG is how many records are not committed yet, SECONDS how long ago the first of them was written. On Kafka the marks \
of transactions count as records.")]
pub struct Args {
    /// The pipeline; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    params: Params,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table, for people
    Text,
    /// An array with an object a partition, for programs
    Json,
}

/// How an input stands.
#[derive(Clone, Debug)]
struct Standing {
    topic: String,
    partition: u32,
    /// None: the pipeline has never committed there.
    committed: Option<i64>,
    end: i64,
    lag: i64,
    /// How old the first record is that is not committed, in milliseconds.
    age: Option<i64>,
    owner: Option<String>,
}

/// Shows how far it is.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    let (_, plan) = input::load(&args.file, &args.params)?;
    let standings = match args.place.of(Some(&plan.settings.brokers)) {
        Where::Local(directory) => local::Client::open_existing(directory).and_then(|mut client| {
            let seen = local::Client::open_existing(directory)?;
            let committed = |topic: &str, partition| seen.committed(&plan.settings.name, topic, partition);
            standings(&plan, &mut client, committed, &kafka::Owners::new())
        }),
        Where::Kafka(brokers) => on_kafka(&plan, brokers),
    };
    let standings = standings.map_err(super::failed)?;
    output::result(&match args.format {
        Format::Text => table(&standings),
        Format::Json => format!("{:#}\n", serde_json::Value::from_iter(standings.iter().map(object))),
    });
    Ok(ExitCode::SUCCESS)
}

fn on_kafka(plan: &Plan, brokers: Vec<String>) -> Result<Vec<Standing>, TransportError> {
    let cluster = cluster::connect(&plan.settings, brokers)?;
    let mut client = kafka::Client::new(&cluster);
    let mut places = vec![];
    for topic in inputs(plan) {
        let count = cluster.partitions(topic)?.unwrap_or(0);
        places.extend((0..count).map(|partition| (topic.to_owned(), partition)));
    }
    let group = &plan.settings.name;
    let found = cluster.committed(group, &places)?;
    let owners = cluster.owners(group).unwrap_or_else(|error| {
        tracing::warn!("{}", error.message);
        kafka::Owners::new()
    });
    let offsets: std::collections::BTreeMap<_, _> = places.into_iter().zip(found).collect();
    let committed = |topic: &str, partition| {
        let found = offsets.get(&(topic.to_owned(), partition))?.as_ref();
        found.map(|(offset, _)| *offset)
    };
    standings(plan, &mut client, committed, &owners)
}

fn inputs(plan: &Plan) -> impl Iterator<Item = &str> {
    let topics = plan.sources.iter().flat_map(|source| &source.topics);
    topics.map(|topic| plan.topics.get(*topic).name.as_str())
}

fn standings(
    plan: &Plan,
    source: &mut dyn Source,
    committed: impl Fn(&str, u32) -> Option<i64>,
    owners: &kafka::Owners,
) -> Result<Vec<Standing>, TransportError> {
    let mut all = vec![];
    for topic in inputs(plan) {
        let Some(count) = source.partitions(topic)? else {
            return Err(TransportError::fatal(format!("there is no topic `{topic}`")));
        };
        for partition in 0..count {
            let (start, end) = source.bounds(topic, partition)?;
            let committed = committed(topic, partition);
            let next = committed.unwrap_or(start).max(start);
            all.push(Standing {
                topic: topic.to_owned(),
                partition,
                committed,
                end,
                lag: (end - next).max(0),
                age: age(source, topic, partition, (next, end))?,
                owner: owners.get(&(topic.to_owned(), partition)).cloned(),
            });
        }
    }
    Ok(all)
}

/// How old the first record of a range is.
fn age(
    source: &mut dyn Source,
    topic: &str,
    partition: u32,
    (mut next, end): (i64, i64),
) -> Result<Option<i64>, TransportError> {
    let mut batch = Batch::default();
    while next < end && batch.is_empty() {
        next = source.read(topic, partition, (next, end), (1, 1), &mut batch)?;
    }
    source.stop(topic, partition)?;
    Ok(batch.get(0).map(|record| (SystemClock.now_ms() - record.timestamp).max(0)))
}

fn object(standing: &Standing) -> serde_json::Value {
    let Standing { topic, partition, committed, end, lag, age, owner } = standing;
    json!({
        "topic": topic, "partition": partition, "committed": committed, "end": end,
        "lag_records": lag, "lag_seconds": age.unwrap_or(0) as f64 / 1000.0, "owner": owner,
    })
}

fn table(standings: &[Standing]) -> String {
    let titles = ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "SECONDS", "OWNER"].map(str::to_owned);
    let number = |number: i64| progress::grouped(number.max(0) as u64);
    let dash = || "-".to_owned();
    let mut rows = vec![titles];
    for standing in standings {
        rows.push([
            standing.topic.clone(),
            standing.partition.to_string(),
            standing.committed.map_or_else(dash, number),
            number(standing.end),
            number(standing.lag),
            format!("{:.1}", standing.age.unwrap_or(0) as f64 / 1000.0),
            standing.owner.clone().unwrap_or_else(dash),
        ]);
    }
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            // Names to the left, numbers to the right.
            let _ = match column {
                0 | 6 => write!(line, "{cell:width$}  "),
                _ => write!(line, "{cell:>width$}  "),
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let lag: i64 = standings.iter().map(|standing| standing.lag).sum();
    let _ = writeln!(out, "{} behind in all", number(lag));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let standing = |partition, committed, end, lag, age, owner: Option<&str>| Standing {
            topic: "readings".to_owned(),
            partition,
            committed,
            end,
            lag,
            age,
            owner: owner.map(str::to_owned),
        };
        let rows = [
            standing(0, Some(1234), 1240, 6, Some(1500), Some("p-1-0 (10.0.0.7)")),
            standing(1, None, 20, 20, None, None),
        ];
        let expected = "\
TOPIC     PARTITION  COMMITTED    END  LAG  SECONDS  OWNER
readings          0      1,234  1,240    6      1.5  p-1-0 (10.0.0.7)
readings          1          -     20   20      0.0  -
26 behind in all
";
        assert_eq!(table(&rows), expected);
    }
}
