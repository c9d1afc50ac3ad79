//! `streamrun demo`: a pipeline on generated records, with nothing to install and nothing kept.

use super::input::{self, File, Params};
use super::logging::{Level, Logging};
use super::output;
use super::signals::Signals;
use super::start::{Opened, Started};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use streamrun::engine::Until;
use streamrun::http;
use streamrun::plan::{Plan, Role};
use streamrun::produce::{Destination, Generator, PARTITIONS};
use streamrun::runtime::{ControlHandle, Page};
use streamrun::time::parse_duration;
use streamrun::transport::local::Client;

/// Run a pipeline on generated records: no Kafka, nothing to configure
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline; the sensor pipeline if none is named
    file: Option<String>,
    /// Records a second
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How much faster than the wall clock the records' time runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
    /// End by itself after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<i64>,
    /// Address of the status endpoint, or off; the next free port if it is taken
    #[arg(long, value_name = "ADDR|off")]
    status: Option<String>,
    #[command(flatten)]
    params: Params,
    #[command(flatten)]
    logging: Logging,
}

fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 10s or 5m".to_owned())
}

const SENSOR: &str = include_str!("../../pipelines/sensor.toml");

/// Runs the demo.
pub fn run(args: &Args) -> ExitCode {
    ran(args).unwrap_or_else(|code| code)
}

fn ran(args: &Args) -> Result<ExitCode, ExitCode> {
    let plan = Arc::new(load(args)?);
    if plan.generates.is_empty() {
        output::note(
            "error: the pipeline does not say how records are made up\nhelp: add `[generate.SOURCE]`\n",
        );
        return Err(super::FAILED);
    }
    // What happens is on the screen already.
    args.logging.start(Level::Error);
    let signals = Signals::new()?;
    let folder = Folder::new().map_err(super::failed)?;
    let log = Opened::local(&plan, &folder.0, None).map_err(super::failed)?;
    let mut started = log.start(&plan, &[], Until::Stopped).map_err(super::failed)?;
    let listen = args.status.clone().or(plan.settings.listen.clone()).filter(|listen| listen != "off");
    let options = listen.map(|listen| http::Options { next_free: true, ..http::Options::at(listen) });
    let served = options.map(|o| http::serve(&o, started.engine.controls.clone(), plan.clone())).transpose();
    let served = served.map_err(|error| {
        started.end();
        super::failed(error)
    })?;
    greet(&plan, args, served.as_ref().map(|bound| bound.addr.to_string()));
    let shown = show(&plan, &mut started, &folder.0, args, signals);
    drop(served);
    shown
}

fn load(args: &Args) -> Result<Plan, ExitCode> {
    match &args.file {
        Some(path) => input::load(path, &args.params).map(|(_, plan)| plan),
        None => {
            let file = File { path: "the sensor pipeline".to_owned(), source: SENSOR.to_owned() };
            let checked = file.check(&args.params);
            if checked.plan.is_none() {
                output::note(&file.report(&checked).text(output::style()));
            }
            checked.plan.ok_or(super::FAILED)
        }
    }
}

/// A folder of its own, gone with the demo.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("streamrun-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn greet(plan: &Plan, args: &Args, status: Option<String>) {
    let mut lines = vec![
        format!("{}: {} on generated records; nothing is kept", plan.settings.name, plan.summary()),
        format!(
            "  {} records a second, some of them bad; their time runs {} times as fast",
            args.rate, args.speed
        ),
    ];
    if let Some(status) = status {
        lines
            .push(format!("  curl http://{status}/status/    what the tables hold; /metrics, /pipeline too"));
    }
    lines.push("  Ctrl-C ends it".to_owned());
    output::result(&format!("{}\n\n", lines.join("\n")));
}

/// Sends records and shows what comes out, until there is a signal or the time is over.
fn show(
    plan: &Arc<Plan>,
    started: &mut Started,
    folder: &Path,
    args: &Args,
    signals: Signals,
) -> Result<ExitCode, ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let sender = {
        let (plan, stop, folder) = (plan.clone(), stop.clone(), folder.to_path_buf());
        let (rate, speed) = (args.rate, args.speed);
        std::thread::spawn(move || send(&plan, &folder, rate, speed, &stop))
    };
    let controls = started.engine.controls.clone();
    let mut screen = Screen::new(plan.clone(), folder, controls).map_err(super::failed)?;
    let begun = Instant::now();
    let over =
        |begun: Instant| args.duration.is_some_and(|ms| begun.elapsed() >= Duration::from_millis(ms as u64));
    let ended = signals.until(
        || {
            if !screen.look() || over(begun) {
                stop.store(true, Ordering::Relaxed);
            }
            if stop.load(Ordering::Relaxed) {
                started.engine.stop();
            }
            started.look()
        },
        || stop.store(true, Ordering::Relaxed),
    );
    stop.store(true, Ordering::Relaxed);
    let sent = sender.join().unwrap_or_else(|_| Err("the generator died".to_owned()));
    ended?.map_err(super::failed)?;
    screen.summary(sent.map_err(super::failed)?, begun.elapsed());
    Ok(ExitCode::SUCCESS)
}

/// Sends made-up records at a pace; how many.
fn send(plan: &Plan, folder: &Path, rate: u32, speed: u32, stop: &AtomicBool) -> Result<u64, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let mut client = Client::open(folder).map_err(|e| said(&e))?;
    let mut generators: Vec<_> =
        (0..plan.generates.len()).map(|at| Generator::new(plan, at, 7 + at as u64).with_bad(11)).collect();
    // A day ago, so that records whose time runs faster do not come from the future.
    let origin = now_ms() - 24 * 3_600_000;
    let (begun, mut sent) = (Instant::now(), 0u64);
    while !stop.load(Ordering::Relaxed) {
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        let time = origin + begun.elapsed().as_millis() as i64 * i64::from(speed);
        while sent < due {
            for (generator, generate) in generators.iter_mut().zip(&plan.generates) {
                let topic = &plan.topics.get(plan.sources[generate.source].topics[0]).name;
                let made = generator.next_record(time).map_err(|e| said(&e))?;
                Destination::send(&mut client, topic, now_ms(), made.key, made.value)
                    .map_err(|e| said(&e))?;
            }
            sent += 1;
        }
        Destination::flush(&mut client).map_err(|e| said(&e))?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(sent * plan.generates.len() as u64)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// What is shown, a few lines a second, so that it reads well in a pipe, too.
struct Screen {
    plan: Arc<Plan>,
    client: Client,
    next: Instant,
    /// By topic and partition, how far it has been looked at.
    seen: BTreeMap<(String, u32), i64>,
    written: BTreeMap<String, u64>,
    dead: BTreeMap<String, u64>,
    read: u64,
    /// The workers, and what they have been asked and not answered yet.
    controls: Vec<ControlHandle>,
    asked: Vec<Answer>,
    looks: u64,
}

/// A worker's tables, once it has answered.
type Answer = Box<dyn FnMut() -> Option<Vec<Page>>>;

/// How many looks lie between two at the tables.
const TABLES: u64 = 5;
/// How many rows of a table are shown.
const ROWS: usize = 6;

/// How many records of a topic are shown at once.
const SHOWN: usize = 3;

impl Screen {
    fn new(
        plan: Arc<Plan>,
        folder: &Path,
        controls: Vec<ControlHandle>,
    ) -> Result<Self, streamrun::transport::TransportError> {
        let client = Client::open(folder)?;
        let next = Instant::now() + Duration::from_secs(1);
        let (seen, written, dead) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (asked, looks) = (vec![], 0);
        Ok(Screen { plan, client, next, seen, written, dead, read: 0, controls, asked, looks })
    }

    /// Shows what has come since the last time, once a second; whether anybody still reads it.
    fn look(&mut self) -> bool {
        if Instant::now() < self.next {
            return true;
        }
        self.next += Duration::from_secs(1);
        let _ = self.client.refresh();
        let (read, dead) = (self.read, self.dead.values().sum::<u64>());
        let mut lines = self.gather();
        let counts: Vec<_> = self.written.iter().map(|(topic, count)| format!("{topic} {count}")).collect();
        let dead_now = self.dead.values().sum::<u64>() - dead;
        lines.insert(
            0,
            format!(
                "{} records read (+{}) · {} · {} dead letters (+{dead_now})",
                self.read,
                self.read - read,
                counts.join(" · "),
                self.dead.values().sum::<u64>()
            ),
        );
        lines.extend(self.tables());
        output::is_read(&format!(
            "{}
",
            lines.join(
                "
"
            )
        ))
    }

    /// Now and then a few rows of each table: the workers are asked at one look and have answered by the next.
    fn tables(&mut self) -> Vec<String> {
        let answers: Vec<_> = self.asked.drain(..).filter_map(|mut answer| answer()).collect();
        if self.looks.is_multiple_of(TABLES) {
            for control in &self.controls {
                if let Ok(mut answer) = control.tables(ROWS) {
                    self.asked.push(Box::new(move || answer.try_recv().ok()));
                }
            }
        }
        self.looks += 1;
        let mut lines = vec![];
        let shown = self.plan.tables().enumerate().filter(|(_, (_, _, table))| !table.windowed);
        for (at, (_, node, _)) in shown {
            let mut rows: Vec<_> =
                answers.iter().filter_map(|pages| pages.get(at)).flat_map(|p| &p.rows).collect();
            rows.sort_by(|a, b| a.order.cmp(&b.order));
            let row = |row: &&streamrun::runtime::Shown| {
                format!("{} {}", row.key, String::from_utf8_lossy(&row.json))
            };
            let some: Vec<_> = rows.iter().take(ROWS).map(row).collect();
            if !some.is_empty() {
                lines.push(format!("    the table {}: {} …", node.name, some.join(" · ")));
            }
        }
        lines
    }

    /// Looks at what has come to each topic: counts, and a few records.
    fn gather(&mut self) -> Vec<String> {
        let (plan, mut lines) = (self.plan.clone(), vec![]);
        for topic in plan.topics.all() {
            let mut found = vec![];
            for partition in 0..self.client.partitions(&topic.name).unwrap_or(PARTITIONS) {
                found.extend(self.read(&topic.name, partition));
            }
            match topic.role {
                Role::Input => self.read += found.len() as u64,
                Role::Output => {
                    *self.written.entry(topic.name.clone()).or_default() += found.len() as u64;
                    let some = found.iter().take(if found.len() > 20 { 1 } else { SHOWN });
                    lines.extend(some.map(|(value, _)| format!("    {} ← {value}", topic.name)));
                    if found.len() > SHOWN && found.len() <= 20 {
                        lines.push(format!("    {} ← and {} more", topic.name, found.len() - SHOWN));
                    }
                }
                Role::DeadLetters => {
                    for (_, reason) in &found {
                        *self.dead.entry(reason.clone().unwrap_or_default()).or_default() += 1;
                    }
                    let some = found.iter().take(1);
                    lines.extend(some.map(|(value, reason)| {
                        format!("    {} ← {value} ({})", topic.name, reason.as_deref().unwrap_or_default())
                    }));
                }
                Role::Changelog | Role::Repartition => {}
            }
        }
        lines
    }

    /// What has come to a partition since the last time: values, each with its reason if it is a dead letter.
    fn read(&mut self, topic: &str, partition: u32) -> Vec<(String, Option<String>)> {
        let from = self.seen.entry((topic.to_owned(), partition)).or_insert(0);
        let Ok((records, next)) = streamrun::inspect::tail(&mut self.client, topic, partition, *from) else {
            return vec![];
        };
        *from = next;
        records
    }

    fn summary(&mut self, sent: u64, took: Duration) {
        let _ = self.client.refresh();
        self.gather();
        let mut lines = vec![format!("\n{sent} records in {:.0} s:", took.as_secs_f64())];
        lines.extend(self.written.iter().map(|(topic, count)| format!("  {count:>8}  {topic}")));
        let all: u64 = self.dead.values().sum();
        lines.push(format!("  {all:>8}  dead letters"));
        let mut reasons: Vec<_> = self.dead.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        lines.extend(reasons.iter().take(8).map(|(reason, count)| format!("  {count:>8}    {reason}")));
        output::result(&format!("{}\n", lines.join("\n")));
    }
}
