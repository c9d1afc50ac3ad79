//! A cluster that is not there, is somewhere else, or does not let us in.

use super::PIPELINE;
use crate::support::program::{Ended, Place};
use std::net::TcpListener;
use std::time::Duration;

/// A start waits for ten seconds for a cluster that may be starting, too.
const PATIENCE: Duration = Duration::from_secs(20);

const SECURED: &str = r#"
[kafka.common]
"security.protocol" = "sasl_plaintext"
"sasl.mechanism" = "PLAIN"
"sasl.username" = "streamrun"
"sasl.password" = { env = "P_PASSWORD" }
"#;

const SECRET: &str = "hunter2-is-no-password";

/// A port of this machine at which nobody listens.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn said_in_time(ended: Ended, words: &[&str]) -> String {
    assert!(ended.took < PATIENCE, "{ended:?}");
    ended.saying(1, words)
}

#[test]
fn no_broker_is_said_in_time_and_by_every_verb() {
    let place = Place::new(PIPELINE);
    let address = format!("127.0.0.1:{}", port());
    let verbs = [
        format!("run p.toml --status off --state-dir state --kafka {address}"),
        format!("produce p.toml --count 1 --kafka {address}"),
        format!("inspect readings --kafka {address}"),
        format!("inspect readings --file p.toml --kafka {address}"),
        format!("lag p.toml --kafka {address}"),
    ];
    let running: Vec<_> = verbs.iter().map(|line| place.start(line)).collect();
    for (line, program) in verbs.iter().zip(running) {
        let said = said_in_time(
            program.ended(),
            &[
                &format!("error: no broker answers at {address}: "),
                "Connection refused",
                "\nhelp: ",
                "`--local`",
            ],
        );
        assert_eq!(said.lines().filter(|line| line.starts_with("error")).count(), 1, "{line}\n{said}");
    }
    assert!(!place.path().join("state").exists(), "who reaches nobody leaves nothing");
}

#[test]
fn the_variable_names_the_cluster_and_the_flag_has_the_last_word() {
    let place = Place::new(PIPELINE);
    let (one, other) = (format!("127.0.0.1:{}", port()), format!("127.0.0.1:{}", port()));
    let variable = [("STREAMRUN_KAFKA", one.as_str())];
    std::thread::scope(|scope| {
        scope.spawn(|| said_in_time(place.run_with("inspect readings", &variable), &[&one]));
        let flag = format!("inspect readings --kafka {other}");
        said_in_time(place.run_with(&flag, &variable), &[&other]);
    });
    // The embedded log was asked for.
    place.run_with("produce p.toml --local=log --count 1", &variable).with(0);
}

#[test]
fn a_host_that_nobody_knows_is_said() {
    let place = Place::new(&format!("{PIPELINE}\n[kafka]\nbrokers = \"no-such-host.invalid:9092\"\n"));
    let words = ["no broker answers at no-such-host.invalid:9092: ", "help: look at `brokers` in `[kafka]`"];
    said_in_time(place.run("run p.toml --status off --state-dir state"), &words);
}

#[test]
fn a_secret_that_is_not_there_is_named_at_once() {
    let place = Place::new(&format!("{PIPELINE}{SECURED}"));
    place.run("check p.toml").with(0);
    let words = [
        "error: the variable `P_PASSWORD` is not set: `sasl.password` is read from it\n",
        "help: set it where streamrun runs, or name another one in `[kafka.common]`",
    ];
    for line in ["run p.toml --status off", "produce p.toml", "lag p.toml", "inspect readings --file p.toml"]
    {
        let ended = place.run(line);
        assert!(ended.took < Duration::from_secs(5), "{line}: nobody is asked before");
        ended.saying(1, &words);
    }
    place.run("produce p.toml --local=log --count 1 --interval 0s").with(0);
}

#[test]
fn a_secret_is_printed_nowhere() {
    let place = Place::new(&format!("{PIPELINE}{SECURED}"));
    let run = "run p.toml --status off --state-dir state --log-level trace --kafka";
    let line = format!("{run} 127.0.0.1:{}", port());
    let said = place.run_with(&line, &[("P_PASSWORD", SECRET)]).with(1);
    assert!(said.contains("error: "), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    // One that librdkafka refuses outright.
    place.edit(&format!("{PIPELINE}{}", SECURED.replace("\"PLAIN\"", "{ env = \"P_PASSWORD\" }")));
    let said = place.run_with(&line, &[("P_PASSWORD", SECRET)]).with(1);
    assert!(said.contains("Unsupported SASL mechanism: ***") && !said.contains(SECRET), "{said}");
}

/// Here without TLS; what those see who have it, `tests/kafka` shows.
#[cfg(not(feature = "tls"))]
#[test]
fn tls_in_a_file_is_said_to_be_missing_in_the_program_before_anybody_is_asked() {
    let sasl = "\"sasl.username\" = \"u\"\n\"sasl.password\" = { env = \"P_PASSWORD\" }";
    let set = [
        "\"security.protocol\" = \"ssl\"".to_owned(),
        format!("\"security.protocol\" = \"sasl_ssl\"\n\"sasl.mechanism\" = \"PLAIN\"\n{sasl}"),
        format!("\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"SCRAM-SHA-512\"\n{sasl}"),
        "\"ssl.ca.location\" = \"ca.pem\"".to_owned(),
    ];
    for set in set {
        let place = Place::new(&format!("{PIPELINE}\n[kafka.common]\n{set}\n"));
        place.run("check p.toml").with(0);
        let address = format!("127.0.0.1:{}", port());
        for line in ["run p.toml --status off --kafka ", "check p.toml --kafka=", "produce p.toml --kafka "] {
            let ended = place.run_with(&format!("{line}{address}"), &[("P_PASSWORD", SECRET)]);
            assert!(ended.took < Duration::from_secs(5), "{line}: nobody is asked before");
            ended.saying(1, &["the Kafka client ", "`cargo build --release --features tls` builds it in"]);
        }
    }
}
