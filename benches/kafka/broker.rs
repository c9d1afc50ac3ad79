//! A broker of the bench's own, and its topics.

use std::path::PathBuf;
use std::process::Command;

/// A broker that lives as long as this.
pub struct Broker {
    dir: tempfile::TempDir,
    /// Its address.
    pub address: String,
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/kafka")
}

impl Broker {
    /// Starts one, set up for throughput.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let up = Command::new(script())
            .args(["up", "--set", "broker.session.timeout.ms=60000"])
            .env("KAFKA_DIR", dir.path().join("broker"))
            .env("KAFKA_PROFILE", "bench")
            .output();
        let up = up.unwrap();
        assert!(up.status.success(), "no broker: {}", String::from_utf8_lossy(&up.stderr));
        let address = String::from_utf8(up.stdout).unwrap().trim().to_owned();
        Broker { dir, address }
    }

    /// Makes a topic that keeps records of any time.
    pub fn topic(&self, name: &str, partitions: u32) {
        use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
        let mut config = rdkafka::ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        let admin: AdminClient<_> = config.create().unwrap();
        let new =
            NewTopic::new(name, partitions as i32, TopicReplication::Fixed(1)).set("retention.ms", "-1");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let made = runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }

    /// How much time of a core the broker has had, in seconds.
    pub fn cpu(&self) -> f64 {
        let pid = std::fs::read_to_string(self.dir.path().join("broker/1/pid")).unwrap();
        super::process::cpu(pid.trim().parse().unwrap()).unwrap_or(0.0)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = Command::new(script()).arg("down").env("KAFKA_DIR", self.dir.path().join("broker")).status();
    }
}
