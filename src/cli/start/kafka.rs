//! An engine on a Kafka cluster.

use super::{Opened, Overrun, workers};
use std::sync::Arc;
use streamrun::engine::{self, Identity, Starting};
use streamrun::plan::{Plan, Role, TopicPlan};
use streamrun::produce::PARTITIONS;
use streamrun::runtime::Stopped;
use streamrun::transport::kafka::{Cluster, Kafka, Topic};

impl Opened<Kafka> {
    /// Makes and checks the topics, and opens the cluster for each worker under an identity of its own.
    pub fn kafka(plan: &Plan, cluster: &Arc<Cluster>, identity: Identity) -> Result<Self, Stopped> {
        let create = plan.settings.create_topics;
        let partitions = engine::prepare(plan, &mut Starting(cluster), create, PARTITIONS)?;
        let topics: Vec<Topic> = plan.topics.all().iter().map(topic).collect();
        cluster.permits(&topics)?;
        let instance = |worker: u32| format!("{}-{}-{worker}", plan.settings.name, identity.name);
        let open = |worker| Kafka::open(cluster, &topics, instance(worker));
        let transports = (0..workers(plan, partitions)).map(open).collect::<Result<Vec<_>, _>>()?;
        Ok(Opened {
            overruns: transports.iter().map(overrun).collect(),
            transports,
            place: cluster.settings().address(),
            snapshots: identity.snapshots.clone(),
            identity: Some(identity),
        })
    }
}

fn topic(topic: &TopicPlan) -> Topic {
    Topic { name: topic.name.clone(), written: topic.role != Role::Input }
}

fn overrun(kafka: &Kafka) -> Overrun {
    let watchdog = kafka.watchdog();
    Box::new(move || Some(format!("{} does not end: the Kafka client hangs in it", watchdog.overrun()?)))
}
