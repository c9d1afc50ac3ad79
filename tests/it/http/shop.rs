//! A pipeline on a cluster in memory with its status served, driven by hand; and a client that is only a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use streamrun::http::{self, Bound, Limits, Options};
use streamrun::partitioner::partition_of;
use streamrun::plan::{self, Plan};
use streamrun::runtime::{self, Turn, Worker};
use streamrun::time::ManualClock;
use streamrun::transport::sim::{Cluster, Entry, Sim};

const FILE: &str = r#"
name = "shop"

[schema.order]
user   = "string"
place  = "string"
amount = "int"
time   = "timestamp(ms)"

[source.orders]
topic      = "orders"
schema     = "order"
event_time = "time"
key        = "user"
max_future = "30d"

[branch.fit]
from   = "orders"
reject = [{ when = 'amount < 0', reason = 'a "negative" amount' }]

[count.per_user]
from = "fit"
by   = "user"

[count.per_place]
from = "fit"
by   = ["user", "place"]

[tumble.per_minute]
from  = "fit"
by    = "user"
every = "60s"
compute.orders = 'count()'
compute.sum    = 'sum(amount)'

[sink.out]
from  = "per_minute"
topic = "minutes"
"#;

/// A pipeline that runs and is served.
pub struct Shop {
    pub plan: Arc<Plan>,
    pub cluster: Cluster,
    pub clock: ManualClock,
    pub workers: Vec<Worker<Sim>>,
    pub server: Bound,
    partitions: u32,
}

/// An order as it stands in the topic.
pub fn order(user: &str, place: &str, amount: i64, time: i64) -> String {
    serde_json::json!({ "user": user, "place": place, "amount": amount, "time": time }).to_string()
}

impl Shop {
    /// So many workers with all their tasks running.
    pub fn open(workers: usize, partitions: u32) -> Self {
        let mut shop = Shop::closed(workers, partitions);
        shop.settle();
        shop
    }

    /// Workers that have not turned yet.
    pub fn closed(workers: usize, partitions: u32) -> Self {
        Shop::with(workers, partitions, Limits::default())
    }

    /// The same with other limits.
    pub fn with(workers: usize, partitions: u32, limits: Limits) -> Self {
        let checked = plan::check(FILE, &[]);
        let plan = Arc::new(checked.plan.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)));
        let (cluster, clock) = (Cluster::default(), ManualClock::at(0));
        plan.topics.all().iter().for_each(|topic| cluster.create(&topic.name, partitions));
        let mut workers: Vec<_> = (0..workers).map(|_| worker(&plan, &cluster, &clock)).collect();
        let handles = workers.iter_mut().map(Worker::control).collect();
        let options = Options { limits, ..Options::at("127.0.0.1:0") };
        let server = http::serve(&options, handles, plan.clone()).expect("a free port");
        Shop { plan, cluster, clock, workers, server, partitions }
    }

    /// All workers die, and one that has not turned yet takes over.
    pub fn crash(&mut self) {
        self.workers.drain(..).for_each(|worker| worker.transport.crash());
        let mut worker = worker(&self.plan, &self.cluster, &self.clock);
        let handle = worker.control();
        self.workers.push(worker);
        self.server =
            http::serve(&Options::at("127.0.0.1:0"), vec![handle], self.plan.clone()).expect("a port");
    }

    /// Writes records to the source's topic, each into the partition of its key.
    pub fn send(&self, values: &[String]) {
        for value in values {
            let json: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            let key = json["user"].as_str().map(|user| user.as_bytes().to_vec());
            let partition = key.as_deref().map_or(0, |key| partition_of(key, self.partitions));
            let value = Some(value.clone().into_bytes());
            self.cluster.write("orders", partition, Entry { timestamp: 0, key, value, headers: vec![] });
        }
    }

    /// Lets the workers do what there is to do, without the time for a commit passing.
    pub fn turn(&mut self) {
        while self.workers.iter_mut().map(|w| w.turn().expect("a turn")).filter(|t| *t == Turn::Busy).count()
            > 0
        {}
    }

    pub fn commit(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.commit_now().expect("a commit"));
    }

    pub fn settle(&mut self) {
        self.turn();
        self.commit();
        self.turn();
        self.commit();
    }

    /// Another worker of the group, that nobody asks, and to whom the others hand over.
    pub fn join_silently(&mut self) -> Worker<Sim> {
        let mut other = worker(&self.plan, &self.cluster, &self.clock);
        for _ in 0..20 {
            other.turn().expect("a turn");
            self.settle();
        }
        other
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path)
    }

    /// Asks while the workers answer, between turns that are not made.
    pub fn ask(&mut self, method: &str, path: &str) -> Answer {
        let (addr, method, path) = (self.server.addr, method.to_owned(), path.to_owned());
        let asking = std::thread::spawn(move || ask(addr, &method, &path));
        while !asking.is_finished() {
            self.workers.iter_mut().for_each(Worker::answer);
            std::thread::yield_now();
        }
        asking.join().expect("an answer")
    }

    /// Asks while the workers stand still.
    pub fn shout(&self, method: &str, path: &str) -> Answer {
        ask(self.server.addr, method, path)
    }
}

fn worker(plan: &Arc<Plan>, cluster: &Cluster, clock: &ManualClock) -> Worker<Sim> {
    let names = plan.topics.all().iter().map(|topic| topic.name.clone()).collect();
    let sim = Sim::new(cluster.clone(), names);
    Worker::new(plan.clone(), sim, Arc::new(clock.clone()), runtime::Options::default())
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn read(bytes: &[u8]) -> Option<Answer> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|l| l.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Some(Answer { status, headers, body: body.to_owned() })
    }
}

/// A connection that gives up after a while, so that a test cannot hang.
pub fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

pub fn ask(addr: SocketAddr, method: &str, path: &str) -> Answer {
    let mut stream = connect(addr);
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("a request");
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).expect("an answer");
    Answer::read(&bytes).expect("an answer")
}

/// A text as it stands in a query.
pub fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
