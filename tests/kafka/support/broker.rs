//! Brokers of our own, by the script beside these tests, and the one that many tests share.
//!
//! A cluster lives as long as the script's `run`, and that as long as the pipe to it: when this process ends, in
//! whatever way, the pipe is closed, `run` ends and takes the brokers with it.

use super::deadline::until;
use super::random::Random;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/kafka");
/// Ports may be taken between their choice and the broker's start.
const ATTEMPTS: u32 = 3;
const LONGEST_END: Duration = Duration::from_secs(20);

/// Where a running cluster is that somebody else looks after.
pub fn external() -> Option<String> {
    std::env::var("STREAMRUN_TEST_KAFKA").ok().filter(|address| !address.is_empty())
}

/// Why no broker can be started here, if so.
pub fn missing() -> Option<String> {
    let asked = Command::new(SCRIPT).arg("check").stdin(Stdio::null()).output();
    match asked {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("{SCRIPT}: {error}")),
    }
}

/// So many ports in a row that nobody has at the moment; the first one is given.
pub fn ports(many: u16) -> u16 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    let mut dice = Random::new(u64::from(since.subsec_nanos()) ^ u64::from(std::process::id()));
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let base = 20_000 + dice.below(1_500) as u16 * 8;
        if (base..base + many).all(free) {
            return base;
        }
    }
}

/// One cluster, and its end.
#[derive(Debug)]
pub struct Cluster {
    bootstrap: String,
    own: Option<Own>,
}

/// What there is of a cluster that is ours.
#[derive(Debug)]
struct Own {
    folder: TempDir,
    run: Child,
    pipe: Option<ChildStdin>,
}

impl Cluster {
    /// A cluster of one or three brokers.
    pub fn start(brokers: u32) -> Self {
        Cluster::start_with(brokers, &[])
    }

    /// The same with settings of the broker. All are given time: on a machine that stalls for a moment they would be
    /// fenced. A lone one may then have lost ends of transactions, see [`Cluster::start_mortal`]; three take turns at it
    /// and get nothing done. Three are not given more than it should take to notice that one is dead.
    pub fn start_with(brokers: u32, flags: &[String]) -> Self {
        let session = if brokers == 1 { 60_000 } else { 6_000 };
        let patient = ["--set".to_owned(), format!("broker.session.timeout.ms={session}")];
        Cluster::begin(brokers, &[&patient, flags].concat())
    }

    /// A lone broker that can be killed and started again. Its controller is a process of its own, as in production,
    /// and gives up the broker's earlier life before it comes back. One that comes back while it is still taken for
    /// alive, as happens where the controller dies with it, is fenced as it starts: for an instant it coordinates
    /// transactions and leads nothing else, takes the partitions for deleted, and does not tell them how a transaction
    /// ended (Kafka 4.3). Outputs and offsets that were committed together then part, or stay undecided for ever,
    /// whatever a client does.
    pub fn start_mortal() -> Self {
        let session = ["--set".to_owned(), "broker.session.timeout.ms=6000".to_owned()];
        Cluster::begin(1, &[&["--apart".to_owned()][..], &session].concat())
    }

    fn begin(brokers: u32, flags: &[String]) -> Self {
        let started = (0..ATTEMPTS).find_map(|_| Cluster::attempt(brokers, flags));
        started.expect("brokers start; what they said stands above")
    }

    /// The cluster that somebody else looks after.
    fn found(bootstrap: String) -> Self {
        Cluster { bootstrap, own: None }
    }

    fn attempt(brokers: u32, flags: &[String]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir().expect("a folder");
        let mut run = Command::new(SCRIPT);
        run.args(["run", "--brokers", &brokers.to_string(), "--dir"]).arg(folder.path().join("k"));
        // `cat` ends with the pipe, and `run` with `cat`.
        run.args(flags).args(["--", "sh", "-c", "echo \"$KAFKA_BOOTSTRAP\"; exec cat >/dev/null"]);
        let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash is there");
        let (pipe, out) = (run.stdin.take(), run.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let _ = BufReader::new(out).read_line(&mut line);
        let cluster = Cluster { bootstrap: line.trim().to_owned(), own: Some(Own { folder, run, pipe }) };
        (!cluster.bootstrap.is_empty()).then_some(cluster)
    }

    /// Where clients begin.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Ends a broker as a power cut would.
    pub fn kill9(&self, broker: i32) {
        self.script(&["kill9", &broker.to_string()]);
    }

    /// Starts a broker again on its data, and waits until it is ready.
    pub fn restart(&self, broker: i32) {
        self.script(&["restart", &broker.to_string()]);
    }

    /// Makes a broker hang.
    pub fn pause(&self, broker: i32) {
        self.script(&["pause", &broker.to_string()]);
    }

    /// Lets it go on.
    pub fn resume(&self, broker: i32) {
        self.script(&["resume", &broker.to_string()]);
    }

    /// What one of Kafka's own tools says.
    pub fn tool(&self, line: &str) -> String {
        let own = self.own.as_ref().expect("a test that uses tools has its own");
        let mut command = Command::new(SCRIPT);
        command.args(line.split_whitespace()).arg("--dir").arg(own.folder.path().join("k"));
        let output = command.stdin(Stdio::null()).output().expect("bash is there");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "kafka {line}\n{said}");
        said
    }

    /// A command of the script, or one of Apache's tools.
    pub fn script(&self, line: &[&str]) {
        let own = self.own.as_ref().expect("a test that harms brokers has its own");
        let mut command = Command::new(SCRIPT);
        command.args(line).arg("--dir").arg(own.folder.path().join("k"));
        let output = command.stdin(Stdio::null()).output().expect("bash is there");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "kafka {line:?}\n{}", String::from_utf8_lossy(&said));
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.pipe = None;
        keep_logs(self.folder.path());
        let ended = until_ended(&mut self.run);
        if !ended {
            let _ = self.run.kill();
            let _ = self.run.wait();
        }
    }
}

/// What a broker said is wanted when a trial has failed, and its folder is about to go. One that has lost ends of
/// transactions, see [`Cluster::start_mortal`], is named: what comes of that is its doing.
fn keep_logs(folder: &Path) {
    if !std::thread::panicking() {
        return;
    }
    let kept = super::place::kept();
    for (log, name) in logs(folder) {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if said.contains("Couldn't find leader endpoint for partitions") {
            eprintln!("{name}: the broker says that it has passed over partitions as it ended transactions");
        }
        let _ = std::fs::write(kept.join(name), said);
    }
    eprintln!("the brokers' logs: {}", kept.display());
}

/// What brokers say, and have said before they were started again, each with a name for it.
fn logs(folder: &Path) -> impl Iterator<Item = (PathBuf, String)> {
    let of = |broker: u32, log: &str| {
        (folder.join(format!("k/{broker}/{log}.log")), format!("broker-{broker}-{log}.log"))
    };
    [1, 2, 3, 100].into_iter().flat_map(move |broker| [of(broker, "earlier"), of(broker, "server")])
}

fn until_ended(run: &mut Child) -> bool {
    let asked = std::panic::AssertUnwindSafe(|| {
        until("the brokers' end", LONGEST_END, || run.try_wait().ok().flatten());
    });
    std::panic::catch_unwind(asked).is_ok()
}

static SHARED: Mutex<Option<Arc<Cluster>>> = Mutex::new(None);

/// The cluster of all tests that do it no harm: started with the first of them.
pub fn shared() -> Arc<Cluster> {
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let start = || Arc::new(external().map_or_else(|| Cluster::start(1), Cluster::found));
    shared.get_or_insert_with(start).clone()
}

/// Ends the shared cluster, and waits for that.
pub fn end_shared() {
    SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
}
