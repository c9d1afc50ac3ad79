//! TOML in; settings and faults out.

use super::*;
use crate::diagnostic::{Report, Style};

/// What `check` makes of the lines of a table: a setting or the head of a fault each, in their order.
fn outcome(side: Side, exactly_once: bool, source: &str) -> (Vec<(String, Setting)>, Vec<Diagnostic>) {
    let mut faults = vec![];
    let table = crate::spec::parse(source, &mut faults);
    assert_eq!(faults, [], "{source}");
    let settings = check(side, &table, exactly_once, &mut faults);
    (settings, faults)
}

fn rendered(side: Side, source: &str) -> String {
    let (_, diagnostics) = outcome(side, true, source);
    Report { path: "p.toml", source, diagnostics: &diagnostics }.text(Style::Plain)
}

/// The line is taken, and leaves as this.
fn takes(side: Side, line: &str, expected: &str) {
    let (settings, faults) = outcome(side, true, line);
    assert_eq!(faults, [], "{line}");
    let settings = settings.iter().map(|(name, setting)| match setting {
        Setting::Plain(value) => format!("{name}={value}"),
        Setting::Env(variable) => format!("{name}=${variable}"),
    });
    assert_eq!(settings.collect::<Vec<_>>(), [expected], "{line}");
}

/// The line has one fault, with this code, message and help.
fn faults(side: Side, line: &str, expected: &str) {
    let (settings, faults) = outcome(side, true, line);
    assert_eq!(settings, [], "{line}");
    let faults = faults.iter().map(|f| format!("{}: {} | {}", f.code, f.message, f.help.join(", ")));
    assert_eq!(faults.collect::<Vec<_>>(), [expected], "{line}");
}

#[test]
fn sound_properties_leave_under_one_name_and_spelling() {
    takes(Side::Common, r#""security.protocol" = "SASL_SSL""#, "security.protocol=sasl_ssl");
    takes(Side::Common, r#"security.protocol = "ssl""#, "security.protocol=ssl");
    takes(Side::Common, r#"ssl.ca.location = "ca.pem""#, "ssl.ca.location=ca.pem");
    takes(Side::Common, r#""sasl.mechanisms" = "plain""#, "sasl.mechanism=PLAIN");
    takes(Side::Common, r#""client.id" = 7"#, "client.id=7");
    takes(Side::Common, r#""socket.keepalive.enable" = true"#, "socket.keepalive.enable=true");
    takes(Side::Common, r#"debug = "broker, msg""#, "debug=broker,msg");
    takes(Side::Consumer, r#""session.timeout.ms" = 10_000"#, "session.timeout.ms=10000");
    takes(Side::Consumer, r#""fetch.message.max.bytes" = "1048576""#, "max.partition.fetch.bytes=1048576");
    takes(Side::Producer, r#""queue.buffering.max.ms" = 0.5"#, "linger.ms=0.5");
    takes(Side::Producer, r#""linger.ms" = 5"#, "linger.ms=5");
    takes(Side::Producer, r#""compression.codec" = "LZ4""#, "compression.type=lz4");
    takes(Side::Producer, r#""transaction.timeout.ms" = 30000"#, "transaction.timeout.ms=30000");
}

#[test]
fn what_streamrun_sets_may_be_said_again() {
    takes(Side::Producer, r#"acks = "all""#, "acks=all");
    takes(Side::Producer, r#""request.required.acks" = -1"#, "acks=-1");
    takes(Side::Producer, r#""enable.idempotence" = true"#, "enable.idempotence=true");
    takes(Side::Producer, r#""max.in.flight" = 5"#, "max.in.flight.requests.per.connection=5");
    takes(Side::Producer, r#"partitioner = "murmur2_random""#, "partitioner=murmur2_random");
    takes(Side::Consumer, r#""isolation.level" = "read_committed""#, "isolation.level=read_committed");
    takes(Side::Consumer, r#""enable.auto.commit" = false"#, "enable.auto.commit=false");
}

#[test]
fn the_environment_holds_any_property_but_what_the_guarantee_rests_on() {
    takes(Side::Common, r#""sasl.password" = { env = "KAFKA_PASSWORD" }"#, "sasl.password=$KAFKA_PASSWORD");
    takes(Side::Common, r#"sasl.password = { env = "KAFKA_PASSWORD" }"#, "sasl.password=$KAFKA_PASSWORD");
    takes(Side::Common, r#"sasl.password.env = "KAFKA_PASSWORD""#, "sasl.password=$KAFKA_PASSWORD");
    takes(Side::Producer, r#""linger.ms" = { env = "LINGER" }"#, "linger.ms=$LINGER");
    let expected = "refused-property: `acks` cannot come from the environment: \
                    what one broker alone acknowledged can be lost | write the value here: `all`";
    faults(Side::Producer, r#"acks = { env = "ACKS" }"#, expected);
}

#[test]
fn unknown_properties() {
    let line = r#""sesion.timeout.ms" = 10000"#;
    let expected = "unknown-property: librdkafka has no property `sesion.timeout.ms` | \
                    did you mean `session.timeout.ms`?";
    faults(Side::Consumer, line, expected);
    let expected = "unknown-property: librdkafka has no property `sesion.timeout.ms` | \
                    did you mean `session.timeout.ms`, in `[kafka.consumer]`?";
    faults(Side::Common, line, expected);
    let expected = "unknown-property: `linger.ms` is a property of producers | move it to `[kafka.producer]`";
    faults(Side::Consumer, r#""linger.ms" = 5"#, expected);
    faults(Side::Common, r#""linger.ms" = 5"#, expected);
    let expected =
        "unknown-property: `fetch.min.bytes` is a property of consumers | move it to `[kafka.consumer]`";
    faults(Side::Producer, r#"fetch.min.bytes = 1"#, expected);
    let expected = "unknown-property: librdkafka has no property `boostrap.servers` | \
                    did you mean `bootstrap.servers`? \
                    it cannot be set here, the brokers have their own key: write `brokers` in `[kafka]`";
    faults(Side::Common, r#""boostrap.servers" = "kafka:9092""#, expected);
    let expected = "unknown-property: librdkafka has no property `buffer.memory` | \
                    librdkafka has `queue.buffering.max.kbytes`";
    faults(Side::Producer, r#""buffer.memory" = 1"#, expected);
    faults(Side::Producer, "zzzzzzzz = 1", "unknown-property: librdkafka has no property `zzzzzzzz` | ");
    faults(Side::Producer, "zzzzzzzz = {}", "unknown-property: librdkafka has no property `zzzzzzzz` | ");
    // What librdkafka hides, it hides for its own tests.
    let expected = "unknown-property: librdkafka has no property `test.mock.num.brokers` | ";
    faults(Side::Common, r#""test.mock.num.brokers" = 3"#, expected);
}

#[test]
fn values_that_librdkafka_does_not_take() {
    let expected = "bad-property: `session.timeout.ms` must be an integer from 1 to 3600000 | ";
    faults(Side::Consumer, r#""session.timeout.ms" = 0"#, expected);
    faults(Side::Consumer, r#""session.timeout.ms" = true"#, expected);
    faults(
        Side::Consumer,
        r#""session.timeout.ms" = "10s""#,
        &format!("{expected}write plain milliseconds, without a unit"),
    );
    let expected = "bad-property: `linger.ms` must be a number from 0 to 900000 | ";
    faults(Side::Producer, r#""linger.ms" = -0.5"#, expected);
    faults(Side::Producer, r#""linger.ms" = nan"#, expected);
    let expected = "bad-property: `security.protocol` must be \
                    one of `plaintext`, `ssl`, `sasl_plaintext`, `sasl_ssl` | \
                    did you mean `sasl_ssl`?";
    faults(Side::Common, r#""security.protocol" = "sasl_sl""#, expected);
    let expected = "bad-property: `check.crcs` must be `true` or `false` | did you mean `true`?";
    faults(Side::Consumer, r#""check.crcs" = "ture""#, expected);
    let expected = "bad-property: `client.id` must be a text, or `{ env = \"NAME\" }` | ";
    faults(Side::Common, r#""client.id" = ["a"]"#, expected);
    faults(Side::Common, r#""client.id" = 2026-01-01"#, expected);
    faults(Side::Common, r#""client.id" = {}"#, expected);
    faults(Side::Common, r#""client.id" = { env = "A", or = "b" }"#, expected);
    faults(Side::Common, r#""client.id" = { env = "$A" }"#, expected);
    faults(Side::Common, r#""client.id" = { env = "" }"#, expected);
    faults(Side::Common, r#""client.id" = "a\u0000b""#, "bad-property: `client.id` must be a text | ");
}

#[test]
fn what_would_break_the_guarantee_is_refused() {
    let stays = "remove it: this is what streamrun sets";
    let check =
        |side, line, message: &str| faults(side, line, &format!("refused-property: {message} | {stays}"));
    let offsets = "offsets are committed with the output, never apart from it";
    check(
        Side::Consumer,
        r#"enable.auto.commit = true"#,
        &format!("`enable.auto.commit` must stay `false`: {offsets}"),
    );
    check(
        Side::Consumer,
        r#"auto.commit.enable = true"#,
        &format!("`auto.commit.enable` must stay `false`: {offsets}"),
    );
    let message =
        "`isolation.level` must stay `read_committed`: what an aborted transaction wrote never happened";
    check(Side::Consumer, r#""isolation.level" = "read_uncommitted""#, message);
    let order = "a retry would write records twice or out of order";
    check(
        Side::Producer,
        r#""enable.idempotence" = false"#,
        &format!("`enable.idempotence` must stay `true`: {order}"),
    );
    check(
        Side::Producer,
        "acks = 1",
        "`acks` must stay `all`: what one broker alone acknowledged can be lost",
    );
    let message =
        "`partitioner` must stay `murmur2_random`: equal keys must meet in one partition, whoever wrote them";
    check(Side::Producer, r#"partitioner = "random""#, message);
    check(
        Side::Common,
        "allow.auto.create.topics = true",
        "`allow.auto.create.topics` must stay `false`: a misspelt topic would be created",
    );
    let expected = format!(
        "refused-property: `max.in.flight` must be from 1 to 5: {order} | remove it, and streamrun chooses"
    );
    faults(Side::Producer, r#""max.in.flight" = 6"#, &expected);
    let expected = "refused-property: `connections.max.idle.ms` must be from 1 up: \
                    a commit can hang on the connection to a broker that died | remove it, and streamrun chooses";
    faults(Side::Common, r#""connections.max.idle.ms" = 0"#, expected);
}

#[test]
fn what_streamrun_owns_is_refused_with_its_place() {
    let check = |side, line, expected: &str| faults(side, line, &format!("refused-property: {expected}"));
    let expected = "`group.id` cannot be set here: the group is named after the pipeline | \
                    change `name` at the top of the file";
    check(Side::Consumer, r#""group.id" = "g""#, expected);
    check(Side::Common, r#"group.id = "g""#, expected);
    check(
        Side::Common,
        r#""metadata.broker.list" = "b:9092""#,
        "`metadata.broker.list` cannot be set here: the brokers have their own key | write `brokers` in `[kafka]`",
    );
    let expected = "`auto.offset.reset` cannot be set here: each source says where it starts | \
                    write `start` in its table";
    check(Side::Consumer, r#""auto.offset.reset" = "earliest""#, expected);
    let expected = "`transactional.id` cannot be set here: it follows `name` and the process | remove it";
    check(Side::Producer, r#""transactional.id" = "t""#, expected);
    let expected = "`delivery.timeout.ms` cannot be set here: a record has as long as its transaction | \
                    write `transaction.timeout.ms`";
    check(Side::Producer, r#""delivery.timeout.ms" = 1000"#, expected);
    let expected = "`stats_cb` cannot be set in a file: it is for programs | remove it";
    check(Side::Common, r#"stats_cb = "f""#, expected);
}

#[test]
fn the_guarantee_decides_on_times() {
    let (settings, faults) = outcome(Side::Producer, false, "delivery.timeout.ms = 1000");
    assert_eq!((settings.len(), faults.len()), (1, 0));
    let (settings, faults) = outcome(Side::Producer, false, "transaction.timeout.ms = 10000");
    assert_eq!(settings, []);
    assert_eq!(faults[0].severity, crate::diagnostic::Severity::Warning);
    assert_eq!(faults[0].code, Code::IdleProperty);
}

#[test]
fn two_names_of_one_property() {
    let source = "acks = \"all\"\n\"request.required.acks\" = -1\n";
    let expected = r#"error[bad-property]: `acks` is set twice
 --> p.toml:2:1
  |
1 | acks = "all"
  | ---- set here first
2 | "request.required.acks" = -1
  | ^^^^^^^^^^^^^^^^^^^^^^^ another name of it
  |
  = help: remove one of them

"#;
    assert_eq!(rendered(Side::Producer, source), expected);
}

#[test]
fn a_secret_in_the_file_is_a_fault_that_does_not_repeat_it() {
    let source = "[x]\n\"sasl.password\" = \"hunter2\"  # of the team\n";
    let (_, diagnostics) = {
        let mut faults = vec![];
        let spec = crate::spec::parse(source, &mut faults);
        (check(Side::Common, spec.table("x").unwrap(), true, &mut faults), faults)
    };
    let expected = r#"error[secret-in-file]: `sasl.password` is a secret, and this file is not the place for it
 --> p.toml:2:1
  |
2 | "sasl.password" = *********  # of the team
  | ^^^^^^^^^^^^^^^
  |
  = help: "sasl.password" = { env = "KAFKA_SASL_PASSWORD" }
  = note: whoever has seen the file knows the secret: change it

"#;
    let report = Report { path: "p.toml", source, diagnostics: &diagnostics };
    assert_eq!(report.text(Style::Plain), expected);
}

#[test]
fn no_fault_shows_what_may_be_a_secret() {
    let lines = [
        r#""sasl.password" = "hunter2""#,
        r#""sasl.password" = """hunter2""""#,
        r#"sasl.password = "hunter2""#,
        r#"sasl = { password = "hunter2" }"#,
        r#""sasl.password" = ["hunter2"]"#,
        r#""sasl.password" = { value = "hunter2" }"#,
        r#""sasl.password" = { env = "A", default = "hunter2" }"#,
        r#""sasl.password" = { env = "hunter2!" }"#,
        r#""sasl.pasword" = "hunter2""#,
        r#"sasl = { username = "u", pasword = "hunter2" }"#,
        r#""sasl.jaas.config" = "password=hunter2;""#,
        r#""ssl.key.pem" = "hunter2""#,
        r#"ssl_key = "hunter2""#,
        r#"sasl.password.value = "hunter2""#,
        r#"sasl.password.a.b = "hunter2""#,
        r#"sasl = { env = "A", pass.word = "hunter2" }"#,
        "[sasl.password]\nvalue = \"hunter2\"\n",
        "ssl.key.pem = \"\"\"\nBEGIN\nhunter2\n\"\"\"\n",
        r#"sasl = { pasword = "hunter2", mechanism = "none" }"#,
        r#""sasl.oauthbearer.client.credentials.client.secret" = "hunter2""#,
        "sasl = { password = { env = \"A\" } }\n\"sasl.password\" = \"hunter2\"",
    ];
    for line in lines {
        let (_, diagnostics) = outcome(Side::Common, true, line);
        let report = Report { path: "p.toml", source: line, diagnostics: &diagnostics };
        assert!(!diagnostics.is_empty(), "{line}");
        assert!(!report.text(Style::Plain).contains("hunter2"), "{}", report.text(Style::Plain));
        assert!(!format!("{:?}", report.json()).contains("hunter2"), "{line}");
    }
}

#[test]
fn every_known_name_gets_an_answer() {
    for property in PROPERTIES {
        for side in [Side::Common, Side::Consumer, Side::Producer] {
            let line = format!("\"{}\" = \"?\"", property.name);
            let (settings, faults) = outcome(side, true, &line);
            assert_eq!(settings.len() + faults.len(), 1, "{line} {faults:?}");
        }
    }
}

#[test]
fn defaults_are_found_by_their_one_name() {
    assert_eq!(canonical("queue.buffering.max.ms"), Some("linger.ms"));
    assert_eq!(canonical("linger.ms"), Some("linger.ms"));
    assert_eq!(canonical("linger"), None);
}
