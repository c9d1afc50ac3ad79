//! The program as its users have it: processes that are signalled, watched, and always reaped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use streamrun::headers;
use streamrun::transport::local::journal::Records;
use streamrun::transport::local::{Client, Engine};
use tempfile::TempDir;

/// Longer than this nothing takes, on however slow a machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A folder with a pipeline in it, `p.toml`, and a log beside it, `log`.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new(pipeline: &str) -> Self {
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        place.edit(pipeline);
        place
    }

    pub fn edit(&self, pipeline: &str) {
        fs::write(self.path().join("p.toml"), pipeline).expect("written");
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The directory of the log.
    pub fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// Starts the program.
    pub fn start(&self, line: &str) -> Program {
        Program::start(self.command(line), self.path(), false)
    }

    /// The same with its output in a pipe, which nobody reads.
    pub fn piped(&self, line: &str) -> Program {
        Program::start(self.command(line), self.path(), true)
    }

    /// Runs the program to its end, with variables in its environment.
    pub fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ended {
        let mut command = self.command(line);
        command.envs(variables.iter().copied());
        Program::start(command, self.path(), false).ended()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamrun"));
        command.current_dir(self.path()).args(line.split_whitespace());
        command.env("TMPDIR", self.path()).env_remove("STREAMRUN_KAFKA");
        command
    }

    /// Runs the engine on the log beside the pipeline, as it is usually run here.
    pub fn engine(&self, flags: &str) -> Program {
        self.start(&format!("run p.toml --local=log --status off {flags}"))
    }

    /// Runs the program to its end.
    pub fn run(&self, line: &str) -> Ended {
        self.start(line).ended()
    }

    /// Reads the topics to their ends.
    pub fn run_to_end(&self, flags: &str) -> Ended {
        self.engine(&format!("--until-end {flags}")).ended()
    }

    /// All records of a topic, by partition.
    pub fn records(&self, topic: &str) -> Vec<Vec<Found>> {
        records(&self.log(), topic)
    }

    /// The values of all records of a topic.
    pub fn values(&self, topic: &str) -> Vec<String> {
        self.records(topic).into_iter().flatten().map(|found| found.value.unwrap_or_default()).collect()
    }
}

/// A record that was read back.
#[derive(Clone, Debug)]
pub struct Found {
    pub key: Option<String>,
    pub value: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl Found {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

/// All records of a topic of a log, by partition, read by somebody who has nothing to do with the engine.
pub fn records(log: &Path, topic: &str) -> Vec<Vec<Found>> {
    if !log.join("append.lock").exists() {
        return vec![];
    }
    let client = Client::open_existing(log).expect("the log opens");
    let partitions = client.partitions(topic).unwrap_or(0);
    (0..partitions).map(|partition| partition_of(&client, topic, partition)).collect()
}

fn partition_of(client: &Client, topic: &str, partition: u32) -> Vec<Found> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut next, end) = client.bounds(topic, partition).expect("bounds");
    let (mut all, mut records) = (vec![], Records::default());
    while next < end {
        for record in client.read(topic, partition, next, (10_000, 1 << 22), &mut records).expect("read") {
            let headers = headers::iter(record.headers);
            let headers = headers.map(|(name, value)| (text(name), value.map(text).unwrap_or_default()));
            all.push(Found {
                key: record.key.map(text),
                value: record.value.map(text),
                headers: headers.collect(),
            });
            next = record.offset + 1;
        }
    }
    all
}

/// A topic that is watched while it grows.
pub struct Watched {
    client: Client,
    topic: String,
}

impl Watched {
    pub fn new(place: &Place, topic: &str) -> Self {
        Watched { client: Client::open(&place.log()).expect("the log opens"), topic: topic.to_owned() }
    }

    /// How many records there are now.
    pub fn count(&mut self) -> i64 {
        self.client.refresh().expect("it can be read");
        let partitions = self.client.partitions(&self.topic).unwrap_or(0);
        let end = |partition| self.client.bounds(&self.topic, partition).expect("bounds").1;
        (0..partitions).map(end).sum()
    }
}

/// The program while it runs: killed and reaped with this value, if it is still there.
pub struct Program {
    child: Child,
    out: TempDir,
}

impl Program {
    fn start(mut command: Command, folder: &Path, piped: bool) -> Self {
        let out = tempfile::Builder::new().prefix("said-").tempdir_in(folder).expect("a folder");
        let file = |name: &str| File::create(out.path().join(name)).expect("a file");
        let stdout = if piped { Stdio::piped() } else { file("out").into() };
        command.stdin(Stdio::null()).stdout(stdout).stderr(file("err"));
        Program { child: command.spawn().expect("the program starts"), out }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn said(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.out.path().join(name)).unwrap_or_default()).into_owned()
    }

    /// What it has printed so far.
    pub fn out(&self) -> String {
        self.said("out")
    }

    /// What it has said besides.
    pub fn err(&self) -> String {
        self.said("err")
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("`kill` is there").success(), "{name} could not be sent");
    }

    /// Closes the pipe that its output goes to.
    pub fn close_output(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Ends it as a power cut would; what it had said.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("it can be killed");
        let _ = self.child.wait();
        self.err()
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is ours")
    }

    /// Waits until something is as it should be, while it runs.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Program) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            let over = self.is_over();
            assert!(over.is_none(), "{what}: it ended with {over:?}\n{}{}", self.out(), self.err());
            assert!(since.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}\n{}", self.err());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has said something.
    pub fn until_said(&mut self, words: &str) {
        self.until(words, |program| program.err().contains(words) || program.out().contains(words));
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        let since = Instant::now();
        loop {
            if let Some(status) = self.is_over() {
                return Ended {
                    code: status.code(),
                    out: self.out(),
                    err: self.err(),
                    took: since.elapsed(),
                };
            }
            assert!(since.elapsed() < DEADLINE, "it does not end\n{}{}", self.out(), self.err());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks it to end and waits for that.
    pub fn terminated(self) -> Ended {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    /// None: by a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Ended {
    /// Asserts the exit code; what was said.
    pub fn with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self.out + &self.err
    }

    /// Asserts the exit code, and that some words were said.
    pub fn saying(self, code: i32, words: &[&str]) -> String {
        let said = self.with(code);
        for words in words {
            assert!(said.contains(words), "expected {words:?} in:\n{said}");
        }
        said
    }
}

/// The engine of a directory. A program that another test is about to start has a copy of our lock until it runs, so the
/// one before may seem to live on for an instant.
pub fn sole_engine(log: &Path, pipeline: &str) -> Engine {
    let since = Instant::now();
    loop {
        match Engine::start(log, pipeline) {
            Ok(engine) => return engine,
            Err(error) if since.elapsed() > Duration::from_secs(5) => {
                panic!("somebody else runs it: {error}")
            }
            Err(_) => std::thread::yield_now(),
        }
    }
}
