//! How the clients of a pipeline are set up: what its file says, the address, and the secrets of the environment.

use std::sync::Arc;
use streamrun::plan::properties::{Setting, Side};
use streamrun::plan::settings::Settings;
use streamrun::transport::TransportError;
use streamrun::transport::kafka::{self, Cluster, Property};

/// Connects to the cluster of a pipeline.
pub fn connect(settings: &Settings, brokers: Vec<String>) -> Result<Arc<Cluster>, TransportError> {
    let resolved = resolve(settings, brokers, |name| std::env::var(name).ok())?;
    Cluster::connect(resolved).map_err(|error| covered(error, settings))
}

/// What librdkafka refuses it quotes. A value of the environment may be a secret, whatever property it was given to.
fn covered(error: TransportError, settings: &Settings) -> TransportError {
    let from_environment = settings.properties.iter().filter_map(|(_, _, setting)| match setting {
        Setting::Env(from) => std::env::var(from).ok(),
        Setting::Plain(_) => None,
    });
    let message = from_environment
        .filter(|value| !value.is_empty())
        .fold(error.message, |message, value| message.replace(&value, "***"));
    TransportError { message, ..error }
}

/// What a cluster had against it, with where that is: another one may have nothing against it.
pub fn at(address: &str, error: TransportError) -> TransportError {
    if error.message.contains(address) {
        return error;
    }
    TransportError { message: format!("{address}: {}", error.message), ..error }
}

/// Connects to a cluster for a verb that has no file, and so no properties.
pub fn connect_to(brokers: Vec<String>) -> Result<Arc<Cluster>, TransportError> {
    // It joins no group: the name is only what brokers log.
    Cluster::connect(kafka::Settings { brokers, group: "inspect".to_owned(), ..Default::default() })
}

/// The settings of clients, with what stands in variables of the environment.
pub fn resolve(
    settings: &Settings,
    brokers: Vec<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<kafka::Settings, TransportError> {
    let mut resolved = kafka::Settings {
        brokers,
        group: settings.name.clone(),
        exactly_once: settings.exactly_once,
        consumer_protocol: settings.consumer_protocol,
        replication: settings.replication,
        ..Default::default()
    };
    for (side, name, setting) in &settings.properties {
        let property: Property = match setting {
            Setting::Plain(value) => (name.clone(), value.clone()),
            Setting::Env(from) => {
                let value = variable(from).filter(|value| !value.is_empty());
                (name.clone(), value.ok_or_else(|| missing(from, name, *side))?)
            }
        };
        match side {
            Side::Common => resolved.common.push(property),
            Side::Consumer => resolved.consumer.push(property),
            Side::Producer => resolved.producer.push(property),
        }
    }
    Ok(resolved)
}

fn missing(variable: &str, property: &str, side: Side) -> TransportError {
    TransportError::fatal(format!("the variable `{variable}` is not set: `{property}` is read from it"))
        .hint(format!("set it where streamrun runs, or name another one in `{}`", side.header()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamrun::plan;

    const PIPELINE: &str = r#"
name = "p"
guarantee = "at-least-once"
[kafka]
replication = 3
group_protocol = "consumer"
[kafka.common]
"security.protocol" = "sasl_ssl"
"sasl.password" = { env = "SECRET" }
[kafka.consumer]
"fetch.min.bytes" = 1
[kafka.producer]
"linger.ms" = 7
[source.s]
topic = "s"
format = "text"
[sink.o]
from = "s"
topic = "o"
"#;

    #[test]
    fn what_the_file_says_reaches_the_clients_and_a_missing_secret_is_named() {
        let checked = plan::check(PIPELINE, &[]);
        let settings = checked.plan.expect("sound").settings;
        let brokers = || vec!["b:1".to_owned()];
        let found = resolve(&settings, brokers(), |name| (name == "SECRET").then(|| "hunter2".to_owned()));
        let found = found.expect("all there");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found.common, [pair("security.protocol", "sasl_ssl"), pair("sasl.password", "hunter2")]);
        assert_eq!(found.consumer, [pair("fetch.min.bytes", "1")]);
        assert_eq!(found.producer, [pair("linger.ms", "7")]);
        assert_eq!((found.group.as_str(), found.exactly_once), ("p", false));
        assert_eq!((found.consumer_protocol, found.replication), (true, Some(3)));
        let error = resolve(&settings, brokers(), |_| Some(String::new())).expect_err("no secret");
        let said = "the variable `SECRET` is not set: `sasl.password` is read from it\n\
                    help: set it where streamrun runs, or name another one in `[kafka.common]`";
        assert_eq!(error.to_string(), said);
    }
}
