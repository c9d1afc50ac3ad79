//! The sensor pipeline, as a user runs it: the release binary in a process of its own, on topics of its own.

use super::broker::Broker;
use super::process::{self, Took};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A run's file, with its own name and topics, and its state.
pub struct Pipeline {
    dir: tempfile::TempDir,
    address: String,
}

impl Pipeline {
    /// The sensor pipeline reading a topic; `change` edits its text.
    pub fn new(broker: &Broker, name: &str, input: &str, change: impl FnOnce(String) -> String) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/sensor.toml");
        let mut text = std::fs::read_to_string(path).unwrap();
        text.truncate(text.find("\n[[test]]").unwrap());
        for (own, partitions) in
            [("enriched-readings", 4), ("window-aggregates", 4), ("sensor-dead-letter", 4)]
        {
            text = text.replace(own, &format!("{name}-{own}"));
            broker.topic(&format!("{name}-{own}"), partitions);
        }
        text = text
            .replace("\"sensor-readings\"", &format!("\"{input}\""))
            .replace("\"sensor-metrics\"", &format!("\"{name}\""));
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("sensor.toml"), change(text)).unwrap();
        Pipeline { dir, address: broker.address.clone() }
    }

    /// The command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamrun"));
        command.arg("run").arg(self.dir.path().join("sensor.toml"));
        command.args(["--kafka", &self.address, "--status", "off", "--state-dir"]).arg(self.state());
        command.stdout(Stdio::null()).stderr(Stdio::from(self.log()));
        command
    }

    /// Where its snapshots and its identity are.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn log(&self) -> std::fs::File {
        std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap()
    }

    /// Runs it to the end of its input.
    pub fn to_end(&self) -> Took {
        let (took, is_well) = process::run(self.command().arg("--until-end"));
        assert!(is_well, "it failed:\n{}", self.said());
        took
    }
}
