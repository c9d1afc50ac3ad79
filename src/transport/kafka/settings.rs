//! How clients of a cluster are set up: what streamrun needs, then what the file says.
//!
//! Secrets come in here and go to librdkafka; nothing of this can be printed but names.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use std::fmt;

/// A property of librdkafka's and its value.
pub type Property = (String, String);

/// What all clients of a pipeline need to know.
#[derive(Clone, Default)]
pub struct Settings {
    /// Where the cluster is: addresses with ports.
    pub brokers: Vec<String>,
    /// The pipeline's name, which is its consumer group.
    pub group: String,
    /// Whether outputs and offsets of a commit are one transaction.
    pub exactly_once: bool,
    /// Whether the server shares the partitions out.
    pub consumer_protocol: bool,
    /// How many copies of a topic that is created; none: as the cluster has it.
    pub replication: Option<u32>,
    /// Properties for all clients.
    pub common: Vec<Property>,
    /// Properties for consumers.
    pub consumer: Vec<Property>,
    /// Properties for producers.
    pub producer: Vec<Property>,
}

/// How long a member may be silent before the others take its partitions over.
const SESSION_TIMEOUT_MS: &str = "10000";
const HEARTBEAT_MS: &str = "1000";

impl Settings {
    /// The addresses, as they are written.
    pub fn address(&self) -> String {
        self.brokers.join(",")
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        config.set("bootstrap.servers", self.address());
        config.set("client.id", format!("streamrun-{}", self.group));
        config.set("allow.auto.create.topics", "false");
        // The address of a broker that came back must not be waited for long: a commit may depend on it.
        config.set("reconnect.backoff.ms", "50");
        config.set("reconnect.backoff.max.ms", "1000");
        config.set("topic.metadata.refresh.interval.ms", "10000");
        config
    }

    fn with(mut config: ClientConfig, properties: &[&[Property]]) -> ClientConfig {
        for (name, value) in properties.iter().copied().flatten() {
            config.set(name, value);
        }
        config
    }

    /// A member of the group.
    pub(super) fn member(&self, instance: &str) -> ClientConfig {
        let mut config = self.reading(true);
        config.set("group.id", &self.group);
        config.set("group.instance.id", instance);
        config.set("enable.partition.eof", "true");
        if self.consumer_protocol {
            config.set("group.protocol", "consumer");
            config.set("group.remote.assignor", "range");
        } else {
            // Equal partition numbers of all topics to the same member: what is joined lies together.
            config.set("partition.assignment.strategy", "range");
            config.set("session.timeout.ms", SESSION_TIMEOUT_MS);
            config.set("heartbeat.interval.ms", HEARTBEAT_MS);
        }
        Self::with(config, &[&self.common, &self.consumer])
    }

    /// A consumer that belongs to no group and is told what to read.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut config = self.reading(true);
        // Needed for an assignment; nothing is ever joined or committed under this name.
        config.set("group.id", format!("{}-reader", self.group));
        config.set("enable.partition.eof", "true");
        // The end of a log is only said once a fetch has come back without anything.
        config.set("fetch.wait.max.ms", "10");
        // By partition, of which there may be hundreds.
        config.set("queued.min.messages", "10000");
        config.set("queued.max.messages.kbytes", "4096");
        self.without_group(config)
    }

    /// A client that asks the cluster, open transactions included.
    pub(super) fn asker(&self) -> ClientConfig {
        let config = self.reading(false);
        let mut config = self.without_group(config);
        config.set("isolation.level", "read_uncommitted");
        // That a broker hangs up on us at once, because it wants TLS or a password, is no error to librdkafka.
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// The file's properties, but for those of a membership.
    fn without_group(&self, config: ClientConfig) -> ClientConfig {
        const MEMBERSHIP: [&str; 2] = ["session.timeout.ms", "heartbeat.interval.ms"];
        let consumer: Vec<Property> =
            self.consumer.iter().filter(|(name, _)| !MEMBERSHIP.contains(&name.as_str())).cloned().collect();
        Self::with(config, &[&self.common, &consumer])
    }

    fn reading(&self, committed_only: bool) -> ClientConfig {
        let mut config = self.client();
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        // An offset that is gone is a gap in what was read: that is for a person to decide.
        config.set("auto.offset.reset", "error");
        config.set("isolation.level", if committed_only { "read_committed" } else { "read_uncommitted" });
        config.set("check.crcs", "false");
        config.set("fetch.wait.max.ms", "50");
        config.set("fetch.queue.backoff.ms", "10");
        config.set("max.partition.fetch.bytes", "4194304");
        config.set("queued.min.messages", "100000");
        config.set("queued.max.messages.kbytes", "65536");
        config
    }

    /// The producer of a worker; `id` is its transactional id. No batch is larger than all topics take, whatever the
    /// file says.
    pub(super) fn producer(&self, id: &str, batch_bytes: usize, most_bytes: usize) -> ClientConfig {
        let mut config = self.writing();
        config.set("batch.size", batch_bytes.to_string());
        config.set("message.max.bytes", most_bytes.to_string());
        if self.exactly_once {
            config.set("transactional.id", id);
            config.set("transaction.timeout.ms", self.transaction_timeout_ms());
            // A coordinator that is gone is only noticed on a connection that is reaped: without this a commit
            // can hang for ever.
            config.set("connections.max.idle.ms", "4000");
            config.set("socket.timeout.ms", self.transaction_ms().min(3000).to_string());
        }
        let mut config = Self::with(config, &[&self.common, &self.producer]);
        let set: Option<usize> = config.get("batch.size").and_then(|bytes| bytes.parse().ok());
        config.set("batch.size", set.map_or(batch_bytes, |set| set.min(batch_bytes)).to_string());
        config
    }

    /// A producer for who only sends.
    pub(super) fn sender(&self) -> ClientConfig {
        const TRANSACTIONS: [&str; 1] = ["transaction.timeout.ms"];
        let producer: Vec<Property> = self
            .producer
            .iter()
            .filter(|(name, _)| !TRANSACTIONS.contains(&name.as_str()))
            .cloned()
            .collect();
        let mut config = self.writing();
        config.set("message.max.bytes", "10000000");
        // Somebody sits and waits: five minutes, as librdkafka has it, are too many.
        config.set("message.timeout.ms", "30000");
        Self::with(config, &[&self.common, &producer])
    }

    fn writing(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("enable.idempotence", "true");
        config.set("acks", "all");
        config.set("partitioner", "murmur2_random");
        config.set("linger.ms", "5");
        config.set("batch.num.messages", "10000");
        config.set("queue.buffering.max.messages", "1000000");
        config.set("queue.buffering.max.kbytes", "524288");
        config.set("delivery.report.only.error", "true");
        config
    }

    /// One broker alone comes back or not; of several, another takes over, which lasts longer.
    fn transaction_timeout_ms(&self) -> &'static str {
        if self.brokers.len() > 1 { "30000" } else { "15000" }
    }

    /// How long a transaction may last, in milliseconds.
    pub(super) fn transaction_ms(&self) -> i64 {
        let set = self.producer.iter().find(|(name, _)| name == "transaction.timeout.ms");
        set.map_or(self.transaction_timeout_ms(), |(_, value)| value).parse().unwrap_or(15_000)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |properties: &[Property]| -> Vec<String> {
            properties.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Settings")
            .field("brokers", &self.brokers)
            .field("group", &self.group)
            .field("common", &names(&self.common))
            .field("consumer", &names(&self.consumer))
            .field("producer", &names(&self.producer))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = ("sasl.password".to_owned(), "hunter2".to_owned());
        let settings = Settings { common: vec![secret], ..Settings::default() };
        let shown = format!("{settings:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_file_has_the_last_word_and_a_reader_joins_nothing() {
        let set = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let settings = Settings {
            consumer: set("session.timeout.ms", "3000"),
            producer: set("transaction.timeout.ms", "2000"),
            exactly_once: true,
            ..Settings::default()
        };
        assert_eq!(settings.member("a").get("session.timeout.ms"), Some("3000"));
        assert_eq!(settings.reader().get("session.timeout.ms"), None);
        assert_eq!(settings.reader().get("queued.max.messages.kbytes"), Some("4096"));
        assert_eq!(settings.producer("a", 1, 1).get("transaction.timeout.ms"), Some("2000"));
        assert_eq!(settings.sender().get("transaction.timeout.ms"), None);
        assert_eq!(settings.transaction_ms(), 2000);
        let settings = Settings { producer: set("batch.size", "5000"), ..Settings::default() };
        let batch = |most| settings.producer("a", most, 1).get("batch.size").map(str::to_owned);
        assert_eq!((batch(9000), batch(2000)), (Some("5000".to_owned()), Some("2000".to_owned())));
    }
}
