//! Every property of librdkafka 2.12 by name: who takes it, what it may be, and what streamrun makes of it.
//!
//! This is data. A name that is missing here is a fault of the file, so a newer librdkafka adds its lines here first.
//! Where a property has two names, the one that other Kafka clients use is the property and the other its alias:
//! settings leave `check` under one name only, because a client is given them in no particular order.

use super::Side::{self, Common, Consumer, Producer};
use Rule::{Alias, Bool, Fixed, Flags, Float, Guarded, Idle, Int, Never, OneOf, Owned, Secret, Text};

/// A property.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// The clients that take it; `Common` is both.
    pub side: Side,
    /// What it may be set to.
    pub rule: Rule,
}

/// What a property may be set to.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// An integer, from, to.
    Int(i64, i64),
    /// A float, from, to.
    Float(f64, f64),
    /// `true` or `false`.
    Bool,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// Some of these, with commas between.
    Flags(&'static [&'static str]),
    /// A text.
    Text,
    /// A text that never stands in the file.
    Secret,
    /// One value that the guarantee needs, in its spellings, and why.
    Fixed(&'static [&'static str], &'static str),
    /// An integer from, to, which is narrower than librdkafka's, and why.
    Guarded(i64, i64, &'static str),
    /// Set by streamrun: why, and what to do instead.
    Owned(&'static str, &'static str),
    /// A callback, a pointer, or for programs only: no file can set it.
    Never,
    /// Taken, and without effect.
    Idle,
    /// Another name of this one.
    Alias(&'static str),
}

/// The property of a name, aliases followed.
pub fn find(name: &str) -> Option<&'static Property> {
    let at = PROPERTIES.binary_search_by_key(&name, |p| p.name).ok()?;
    match PROPERTIES[at].rule {
        Alias(name) => find(name),
        _ => Some(&PROPERTIES[at]),
    }
}

/// What to write for a property that only other Kafka clients have.
pub fn foreign(name: &str) -> Option<&'static str> {
    let (_, instead) = FOREIGN.iter().find(|(foreign, _)| *foreign == name)?;
    Some(instead)
}

const fn row(name: &'static str, side: Side, rule: Rule) -> Property {
    Property { name, side, rule }
}

const FOREIGN: &[(&str, &str)] = &[
    ("buffer.memory", "librdkafka has `queue.buffering.max.kbytes`"),
    ("default.api.timeout.ms", "librdkafka has `socket.timeout.ms`"),
    ("fetch.max.wait.ms", "librdkafka has `fetch.wait.max.ms`"),
    ("key.deserializer", "write `key_format` in the `[source.…]`"),
    ("max.request.size", "librdkafka has `message.max.bytes`"),
    ("receive.buffer.bytes", "librdkafka has `socket.receive.buffer.bytes`"),
    ("sasl.jaas.config", "librdkafka has `sasl.username` and `sasl.password`"),
    ("send.buffer.bytes", "librdkafka has `socket.send.buffer.bytes`"),
    ("ssl.truststore.location", "librdkafka has `ssl.ca.location`, for a PEM file"),
    ("value.deserializer", "write `format` in the `[source.…]`"),
];

#[rustfmt::skip] // Words, not lines.
const CONTEXTS: &[&str] = &[
    "generic", "broker", "topic", "metadata", "feature", "queue", "msg", "protocol", "cgrp", "security", "fetch",
    "interceptor", "plugin", "consumer", "admin", "eos", "mock", "assignor", "conf", "telemetry", "all",
];
const GRANTS: &[&str] = &["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"];

const BATCHES: &str = "a topic refuses a batch that is too large for it as a whole";
const HANGS: &str = "a commit can hang on the connection to a broker that died";
const IDENTITY: &str = "each process keeps its own, with its state";
const KEYS: &str = "equal keys must meet in one partition, whoever wrote them";
const ONE_COMMIT: &str = "offsets are committed with the output, never apart from it";
const ORDER: &str = "a retry would write records twice or out of order";
const TOGETHER: &str = "equal partition numbers of all topics must stay together";

const PROTOCOL: &str = "write `group_protocol` in `[kafka]`";
const REMOVE: &str = "remove it";

/// All of them, sorted by name.
#[rustfmt::skip] // One line a property.
pub const PROPERTIES: &[Property] = &[
    row("acks", Producer, Fixed(&["all", "-1"], "what one broker alone acknowledged can be lost")),
    row("allow.auto.create.topics", Common, Fixed(&["false"], "a misspelt topic would be created")),
    row("api.version.fallback.ms", Common, Idle),
    row("api.version.request", Common, Fixed(&["true"], "older brokers know no transactions")),
    row("api.version.request.timeout.ms", Common, Int(1, 300000)),
    row("auto.commit.enable", Consumer, Alias("enable.auto.commit")),
    row("auto.commit.interval.ms", Consumer, Owned(ONE_COMMIT, "write `commit_every` in `[run]`")),
    row("auto.offset.reset", Consumer, Owned("each source says where it starts", "write `start` in its table")),
    row("background_event_cb", Common, Never),
    row("batch.num.messages", Producer, Int(1, 1000000)),
    row("batch.size", Producer, Guarded(1, 1048576, BATCHES)),
    row("bootstrap.servers", Common, Owned("the brokers have their own key", "write `brokers` in `[kafka]`")),
    row("broker.address.family", Common, OneOf(&["any", "v4", "v6"])),
    row("broker.address.ttl", Common, Int(0, 86400000)),
    row("broker.version.fallback", Common, Idle),
    row("builtin.features", Common, Owned("they are what librdkafka was built with", REMOVE)),
    row("check.crcs", Consumer, Bool),
    row("client.dns.lookup", Common, OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    row("client.id", Common, Text),
    row("client.rack", Common, Text),
    row("closesocket_cb", Common, Never),
    row("compression.codec", Producer, Alias("compression.type")),
    row("compression.level", Producer, Int(-1, 12)),
    row("compression.type", Producer, OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    row("connect_cb", Common, Never),
    row("connections.max.idle.ms", Common, Guarded(1, 2147483647, HANGS)),
    row("consume.callback.max.messages", Consumer, Idle),
    row("consume_cb", Consumer, Never),
    row("coordinator.query.interval.ms", Consumer, Int(1, 3600000)),
    row("debug", Common, Flags(CONTEXTS)),
    row("default_topic_conf", Common, Never),
    row("delivery.report.only.error", Producer, Owned("the engine has to know what was written", REMOVE)),
    row("delivery.timeout.ms", Producer, Int(0, 2147483647)),
    row("dr_cb", Producer, Never),
    row("dr_msg_cb", Producer, Never),
    row("enable.auto.commit", Consumer, Fixed(&["false"], ONE_COMMIT)),
    row("enable.auto.offset.store", Consumer, Fixed(&["false"], ONE_COMMIT)),
    row("enable.gapless.guarantee", Producer, Fixed(&["false"], "a gap is mended by going back to the last commit")),
    row("enable.idempotence", Producer, Fixed(&["true"], ORDER)),
    row("enable.metrics.push", Common, Bool),
    row("enable.partition.eof", Consumer, Owned("the engine has to know when a partition is at its end", REMOVE)),
    row("enable.random.seed", Common, Fixed(&["true"], "nobody else seeds the generator")),
    row("enable.sasl.oauthbearer.unsecure.jwt", Common, Bool),
    row("enable.ssl.certificate.verification", Common, Bool),
    row("enabled_events", Common, Never),
    row("error_cb", Common, Never),
    row("fetch.error.backoff.ms", Consumer, Int(0, 300000)),
    row("fetch.max.bytes", Consumer, Int(0, 2147483135)),
    row("fetch.message.max.bytes", Consumer, Alias("max.partition.fetch.bytes")),
    row("fetch.min.bytes", Consumer, Int(1, 100000000)),
    row("fetch.queue.backoff.ms", Consumer, Int(0, 300000)),
    row("fetch.wait.max.ms", Consumer, Int(0, 300000)),
    row("group.id", Consumer, Owned("the group is named after the pipeline", "change `name` at the top of the file")),
    row("group.instance.id", Consumer, Owned(IDENTITY, "pass `--instance`")),
    row("group.protocol", Consumer, Owned(TOGETHER, PROTOCOL)),
    row("group.protocol.type", Consumer, Owned("there is one type", REMOVE)),
    row("group.remote.assignor", Consumer, Owned(TOGETHER, PROTOCOL)),
    row("heartbeat.interval.ms", Consumer, Int(1, 3600000)),
    row("https.ca.location", Common, Text),
    row("https.ca.pem", Common, Text),
    row("interceptors", Common, Never),
    row("internal.termination.signal", Common, Never),
    row("isolation.level", Consumer, Fixed(&["read_committed"], "what an aborted transaction wrote never happened")),
    row("linger.ms", Producer, Float(0.0, 900000.0)),
    row("log.connection.close", Common, Bool),
    row("log.queue", Common, Owned("the engine reads the log", REMOVE)),
    row("log.thread.name", Common, Bool),
    row("log_cb", Common, Never),
    row("log_level", Common, Owned("the log has one level", "pass `--log-level`")),
    row("max.in.flight", Common, Alias("max.in.flight.requests.per.connection")),
    row("max.in.flight.requests.per.connection", Common, Guarded(1, 5, ORDER)),
    row("max.partition.fetch.bytes", Consumer, Int(1, 1000000000)),
    row("max.poll.interval.ms", Consumer, Int(1, 86400000)),
    row("message.copy.max.bytes", Common, Int(0, 1000000000)),
    row("message.max.bytes", Common, Int(1000, 1000000000)),
    row("message.send.max.retries", Producer, Alias("retries")),
    row("message.timeout.ms", Producer, Alias("delivery.timeout.ms")),
    row("metadata.broker.list", Common, Alias("bootstrap.servers")),
    row("metadata.max.age.ms", Common, Int(1, 86400000)),
    row("metadata.recovery.rebootstrap.trigger.ms", Common, Int(0, 2147483647)),
    row("metadata.recovery.strategy", Common, OneOf(&["none", "rebootstrap"])),
    row("msg_order_cmp", Producer, Never),
    row("oauthbearer_token_refresh_cb", Common, Never),
    row("offset.store.method", Consumer, Fixed(&["broker"], ONE_COMMIT)),
    row("offset.store.path", Consumer, Owned(ONE_COMMIT, REMOVE)),
    row("offset.store.sync.interval.ms", Consumer, Owned(ONE_COMMIT, REMOVE)),
    row("offset_commit_cb", Consumer, Never),
    row("opaque", Common, Never),
    row("open_cb", Common, Never),
    row("partition.assignment.strategy", Consumer, Owned(TOGETHER, PROTOCOL)),
    row("partitioner", Producer, Fixed(&["murmur2_random"], KEYS)),
    row("partitioner_cb", Producer, Never),
    row("plugin.library.paths", Common, Owned("a pipeline loads no foreign code", REMOVE)),
    row("produce.offset.report", Producer, Idle),
    row("queue.buffering.backpressure.threshold", Producer, Fixed(&["1"], "an idempotent producer takes no other")),
    row("queue.buffering.max.kbytes", Producer, Int(1, 2147483647)),
    row("queue.buffering.max.messages", Producer, Int(0, 2147483647)),
    row("queue.buffering.max.ms", Producer, Alias("linger.ms")),
    row("queued.max.messages.kbytes", Consumer, Int(1, 2097151)),
    row("queued.min.messages", Consumer, Int(1, 10000000)),
    row("queuing.strategy", Producer, Fixed(&["fifo"], "records would be written out of order")),
    row("rebalance_cb", Consumer, Never),
    row("receive.message.max.bytes", Common, Int(1000, 2147483647)),
    row("reconnect.backoff.jitter.ms", Common, Idle),
    row("reconnect.backoff.max.ms", Common, Int(0, 3600000)),
    row("reconnect.backoff.ms", Common, Int(0, 3600000)),
    row("request.required.acks", Producer, Alias("acks")),
    row("request.timeout.ms", Producer, Int(1, 900000)),
    row("resolve_cb", Common, Never),
    row("retries", Producer, Guarded(1, 2147483647, "what is not tried again is lost")),
    row("retry.backoff.max.ms", Common, Int(1, 300000)),
    row("retry.backoff.ms", Common, Int(1, 300000)),
    row("sasl.kerberos.keytab", Common, Text),
    row("sasl.kerberos.kinit.cmd", Common, Text),
    row("sasl.kerberos.min.time.before.relogin", Common, Int(0, 86400000)),
    row("sasl.kerberos.principal", Common, Text),
    row("sasl.kerberos.service.name", Common, Text),
    row("sasl.mechanism", Common, OneOf(&["GSSAPI", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])),
    row("sasl.mechanisms", Common, Alias("sasl.mechanism")),
    row("sasl.oauthbearer.assertion.algorithm", Common, OneOf(&["RS256", "ES256"])),
    row("sasl.oauthbearer.assertion.claim.aud", Common, Text),
    row("sasl.oauthbearer.assertion.claim.exp.seconds", Common, Int(1, 2147483647)),
    row("sasl.oauthbearer.assertion.claim.iss", Common, Text),
    row("sasl.oauthbearer.assertion.claim.jti.include", Common, Bool),
    row("sasl.oauthbearer.assertion.claim.nbf.seconds", Common, Int(0, 2147483647)),
    row("sasl.oauthbearer.assertion.claim.sub", Common, Text),
    row("sasl.oauthbearer.assertion.file", Common, Text),
    row("sasl.oauthbearer.assertion.jwt.template.file", Common, Text),
    row("sasl.oauthbearer.assertion.private.key.file", Common, Text),
    row("sasl.oauthbearer.assertion.private.key.passphrase", Common, Secret),
    row("sasl.oauthbearer.assertion.private.key.pem", Common, Secret),
    row("sasl.oauthbearer.client.credentials.client.id", Common, Alias("sasl.oauthbearer.client.id")),
    row("sasl.oauthbearer.client.credentials.client.secret", Common, Alias("sasl.oauthbearer.client.secret")),
    row("sasl.oauthbearer.client.id", Common, Text),
    row("sasl.oauthbearer.client.secret", Common, Secret),
    row("sasl.oauthbearer.config", Common, Secret),
    row("sasl.oauthbearer.extensions", Common, Text),
    row("sasl.oauthbearer.grant.type", Common, OneOf(GRANTS)),
    row("sasl.oauthbearer.metadata.authentication.type", Common, OneOf(&["none", "azure_imds"])),
    row("sasl.oauthbearer.method", Common, OneOf(&["default", "oidc"])),
    row("sasl.oauthbearer.scope", Common, Text),
    row("sasl.oauthbearer.token.endpoint.url", Common, Text),
    row("sasl.password", Common, Secret),
    row("sasl.username", Common, Text),
    row("security.protocol", Common, OneOf(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])),
    row("session.timeout.ms", Consumer, Int(1, 3600000)),
    row("socket.blocking.max.ms", Common, Idle),
    row("socket.connection.setup.timeout.ms", Common, Int(1000, 2147483647)),
    row("socket.keepalive.enable", Common, Bool),
    row("socket.max.fails", Common, Int(0, 1000000)),
    row("socket.nagle.disable", Common, Bool),
    row("socket.receive.buffer.bytes", Common, Int(0, 100000000)),
    row("socket.send.buffer.bytes", Common, Int(0, 100000000)),
    row("socket.timeout.ms", Common, Int(10, 300000)),
    row("socket_cb", Common, Never),
    row("ssl.ca.certificate.stores", Common, Text),
    row("ssl.ca.location", Common, Text),
    row("ssl.ca.pem", Common, Text),
    row("ssl.certificate.location", Common, Text),
    row("ssl.certificate.pem", Common, Text),
    row("ssl.certificate.verify_cb", Common, Never),
    row("ssl.cipher.suites", Common, Text),
    row("ssl.crl.location", Common, Text),
    row("ssl.curves.list", Common, Text),
    row("ssl.endpoint.identification.algorithm", Common, OneOf(&["none", "https"])),
    row("ssl.engine.id", Common, Text),
    row("ssl.engine.location", Common, Text),
    row("ssl.key.location", Common, Text),
    row("ssl.key.password", Common, Secret),
    row("ssl.key.pem", Common, Secret),
    row("ssl.keystore.location", Common, Text),
    row("ssl.keystore.password", Common, Secret),
    row("ssl.providers", Common, Text),
    row("ssl.sigalgs.list", Common, Text),
    row("ssl_ca", Common, Never),
    row("ssl_certificate", Common, Never),
    row("ssl_engine_callback_data", Common, Never),
    row("ssl_key", Common, Never),
    row("statistics.interval.ms", Common, Owned("the engine asks for what it exports", "read `/metrics`")),
    row("stats_cb", Common, Never),
    row("sticky.partitioning.linger.ms", Producer, Int(0, 900000)),
    row("throttle_cb", Common, Never),
    row("topic.blacklist", Common, Owned("a pipeline reads the topics that it names", REMOVE)),
    row("topic.metadata.propagation.max.ms", Common, Int(0, 3600000)),
    row("topic.metadata.refresh.fast.cnt", Common, Idle),
    row("topic.metadata.refresh.fast.interval.ms", Common, Int(1, 60000)),
    row("topic.metadata.refresh.interval.ms", Common, Int(-1, 3600000)),
    row("topic.metadata.refresh.sparse", Common, Bool),
    row("transaction.timeout.ms", Producer, Int(1000, 2147483647)),
    row("transactional.id", Producer, Owned("it follows `name` and the process", REMOVE)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_says_each_name_once() {
        for pair in PROPERTIES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} stands before {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn an_alias_names_a_property_of_its_own_side() {
        for alias in PROPERTIES {
            let Alias(name) = alias.rule else { continue };
            let property = PROPERTIES.iter().find(|p| p.name == name).unwrap();
            assert!(!matches!(property.rule, Alias(_)), "{} is an alias of an alias", alias.name);
            assert_eq!(property.side, alias.side, "{}", alias.name);
        }
    }

    #[test]
    fn ranges_are_ranges_and_choices_are_distinct() {
        for property in PROPERTIES {
            match property.rule {
                Int(from, to) | Guarded(from, to, _) => assert!(from < to, "{}", property.name),
                Float(from, to) => assert!(from < to, "{}", property.name),
                OneOf(values) | Flags(values) => {
                    let mut sorted = values.to_vec();
                    sorted.sort_unstable();
                    sorted.dedup();
                    assert_eq!(sorted.len(), values.len(), "{}", property.name);
                }
                _ => {}
            }
        }
    }
}
