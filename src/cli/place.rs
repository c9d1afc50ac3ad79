//! Where records are: on a Kafka cluster, or on the embedded log.

use std::path::{Path, PathBuf};

/// The directory of the embedded log, where none is named.
pub const DIRECTORY: &str = ".streamrun";

/// The cluster, where nothing names one.
const BROKER: &str = "localhost:9092";

/// The variable that names the cluster, where no flag does.
const VARIABLE: &str = "STREAMRUN_KAFKA";

/// The flags that say where records are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// The Kafka cluster [env: STREAMRUN_KAFKA] [default: what the file says, or localhost:9092]
    #[arg(long, value_name = "HOST:PORT", value_parser = addresses, conflicts_with = "local")]
    kafka: Option<Addresses>,
    /// Use the embedded durable log in a directory (.streamrun if none is named) instead of Kafka
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DIRECTORY
    )]
    local: Option<PathBuf>,
}

/// Addresses of a cluster's brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<String>);

/// Reads addresses with commas between them.
pub fn addresses(text: &str) -> Result<Addresses, String> {
    let list = text.split(',').map(str::trim).filter(|address| !address.is_empty());
    let list: Vec<String> = list.map(str::to_owned).collect();
    match list.is_empty() {
        true => Err("expected HOST:PORT, several with commas between them".to_owned()),
        false => Ok(Addresses(list)),
    }
}

/// Where records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where<'p> {
    /// In the embedded log of this directory.
    Local(&'p Path),
    /// On the cluster at these addresses.
    Kafka(Vec<String>),
}

impl Place {
    /// Where records are: what the command line says, else what the environment does, else the file with its brokers.
    pub fn of(&self, brokers: Option<&[String]>) -> Where<'_> {
        self.choose(std::env::var(VARIABLE).ok().as_deref(), brokers)
    }

    fn choose(&self, variable: Option<&str>, brokers: Option<&[String]>) -> Where<'_> {
        match &self.local {
            Some(directory) => Where::Local(directory),
            None => Where::Kafka(nearest(self.kafka.as_ref(), variable, brokers)),
        }
    }
}

/// Where the cluster is: what was named, else what the environment says, else the file.
pub fn brokers(named: Option<&Addresses>, file: &[String]) -> Vec<String> {
    nearest(named, std::env::var(VARIABLE).ok().as_deref(), Some(file))
}

fn nearest(named: Option<&Addresses>, variable: Option<&str>, file: Option<&[String]>) -> Vec<String> {
    let named = named.cloned().or_else(|| addresses(variable?).ok());
    let list = named.map(|Addresses(list)| list).or_else(|| file.map(<[String]>::to_vec));
    list.unwrap_or_else(|| vec![BROKER.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts() {
        let kafka = |list: &[&str]| Where::Kafka(list.iter().map(|a| (*a).to_owned()).collect());
        let flag = Place { kafka: addresses("a:1, b:2").ok(), local: None };
        let local = Place { kafka: None, local: Some("log".into()) };
        let file = ["f:9".to_owned()];
        assert_eq!(flag.choose(Some("v:3"), Some(&file)), kafka(&["a:1", "b:2"]));
        assert_eq!(Place::default().choose(Some("v:3"), Some(&file)), kafka(&["v:3"]));
        assert_eq!(Place::default().choose(Some(" "), Some(&file)), kafka(&["f:9"]));
        assert_eq!(Place::default().choose(None, None), kafka(&["localhost:9092"]));
        assert_eq!(local.choose(Some("v:3"), Some(&file)), Where::Local(Path::new("log")));
        assert!(addresses(" ,").is_err());
    }
}
