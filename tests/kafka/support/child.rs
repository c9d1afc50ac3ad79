//! Processes that do not outlive this one, and signals to them.
//!
//! A test binary can be killed with no chance to clean up. On Linux the kernel then ends what was started through
//! `setpriv`; elsewhere only the destructors of those who started it do.

use std::process::{Command, Stdio};
use std::sync::LazyLock;

static HAS_SETPRIV: LazyLock<bool> = LazyLock::new(|| {
    let mut asked = Command::new("setpriv");
    asked.args(["--pdeathsig", "KILL", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
});

/// A program that dies with the thread that starts it, which therefore has to be one that waits for it.
pub fn tied(program: &str) -> Command {
    if !*HAS_SETPRIV {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Sends a signal by its name to a process of ours.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.expect("`kill` is there").success(), "{name} could not be sent to {pid}");
}
