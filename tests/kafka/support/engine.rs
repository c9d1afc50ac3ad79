//! The engine as its users have it: processes that are signalled, watched, and always reaped.

use super::deadline::until;
use super::{Place, child};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

/// Nothing takes longer, on however slow a machine: restores, rebalances, a broker's return.
pub const DEADLINE: Duration = Duration::from_secs(120);
/// A process that is asked to end has done so after this, or it hangs.
pub const LONGEST_END: Duration = Duration::from_secs(20);

/// How a process is started.
#[derive(Clone, Debug, Default)]
pub struct Start<'s> {
    /// Its home: the state folder, and so its identity.
    pub home: &'s str,
    /// Where its brokers are, if not where everybody's are.
    pub brokers: Option<String>,
    pub flags: &'s str,
}

/// A process of the engine: killed and reaped with this value, if it is still there.
pub struct Engine {
    child: Child,
    log: PathBuf,
}

impl Engine {
    /// Starts one that runs until it is stopped.
    pub fn start(place: &Place, home: &str) -> Self {
        Engine::start_as(place, &Start { home, ..Start::default() })
    }

    pub fn start_as(place: &Place, start: &Start<'_>) -> Self {
        let brokers = start.brokers.as_deref().unwrap_or(place.address());
        let state = format!("state-{}", start.home);
        let line = format!("run p.toml --kafka {brokers} --state-dir {state} --status off --log-level debug");
        Engine::spawn(place, &format!("{line} {}", start.flags), start.home)
    }

    /// Any command of the program.
    pub fn spawn(place: &Place, line: &str, called: &str) -> Self {
        let log = place.path().join(format!("{:03}-{called}.log", place.next_process()));
        let file = File::create(&log).expect("a file");
        let mut command = child::tied(env!("CARGO_BIN_EXE_streamrun"));
        command.current_dir(place.path()).args(line.split_whitespace());
        command.env_remove("STREAMRUN_KAFKA").env("NO_COLOR", "1").env("TMPDIR", place.path());
        if let Some((name, value)) = place.door.as_ref().and_then(|door| door.secret.as_ref()) {
            command.env(name, value);
        }
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a handle")).stderr(file);
        // A signal may come before the wrapper has become the program; it is the same process either way.
        Engine { child: command.spawn().expect("the program starts"), log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of that.
    pub fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        format!("{}:\n{}", self.log.display(), lines[lines.len().saturating_sub(30)..].join("\n"))
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let _ = self.child.wait();
    }

    /// Stops it where it stands, for it not to notice.
    pub fn freeze(&self) {
        child::signal(self.pid(), "STOP");
    }

    /// Lets it go on as if nothing had been.
    pub fn thaw(&self) {
        child::signal(self.pid(), "CONT");
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is ours")
    }

    /// Asserts that it is there.
    pub fn is_alive(&mut self, when: &str) {
        let over = self.is_over();
        assert!(over.is_none(), "{when}: it ended with {over:?}\n{}", self.last_words());
    }

    /// Waits for its end.
    pub fn ended(mut self, most: Duration) -> Ended {
        let what = format!("the end of {}", self.log.display());
        let status = until(&what, most, || self.is_over());
        Ended { code: status.code(), said: self.said(), last_words: self.last_words() }
    }

    /// Asks it to end, and waits for that.
    pub fn terminated(self) -> Ended {
        child::signal(self.pid(), "TERM");
        self.ended(LONGEST_END)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// None: by a signal.
    pub code: Option<i32>,
    pub said: String,
    last_words: String,
}

impl Ended {
    /// Asserts that it ended because it was asked to: in order, or before it had begun to listen.
    pub fn in_peace(self) {
        if self.code.is_some() || !self.said.is_empty() {
            self.with(0);
        }
    }

    /// Asserts the exit code; what was said.
    pub fn with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}", self.last_words);
        self.said
    }
}
