//! Topics, made before anybody uses them.

use super::deadline::until_true;
use super::reader;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::Consumer;
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(30);

/// Makes a topic that keeps records of whatever age, and waits until each of its partitions has a leader.
pub fn create(bootstrap: &str, name: &str, partitions: i32, config: &[(&str, &str)]) {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create().expect("a client");
    // Event times lie years back: a retention by time would remove them at once.
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1)).set("retention.ms", "-1");
    for (key, value) in config {
        topic = topic.set(key, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(LONGEST)).request_timeout(Some(LONGEST));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let made = runtime.block_on(client.create_topics([&topic], &options)).expect("the cluster answers");
    made.into_iter().for_each(|made| drop(made.expect("the topic can be made")));
    let consumer = reader::consumer(bootstrap, "read_committed", None);
    until_true(&format!("leaders of {name}"), LONGEST, || {
        let Ok(found) = consumer.fetch_metadata(Some(name), LONGEST) else { return false };
        let parts = found.topics().first().map_or(&[][..], |topic| topic.partitions());
        parts.len() == partitions as usize && parts.iter().all(|part| part.leader() >= 0)
    });
}
