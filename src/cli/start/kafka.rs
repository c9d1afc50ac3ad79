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
        let place = |worker: u32| identity.place(&plan.settings.name, worker);
        let open = |worker| Kafka::open(cluster, &topics, place(worker));
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
    Box::new(move |is_late| match (watchdog.overrun(), is_late) {
        (Some(what), _) => Some(format!("{what} does not end: the Kafka client hangs in it")),
        (None, true) => {
            Some(format!("no broker answers, and {} is not waited for any longer", watchdog.current()?))
        }
        (None, false) => None,
    })
}
