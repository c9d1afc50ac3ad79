//! The producer of a worker: a transaction a commit, or none where at least once is enough.
//!
//! A transaction begins with the first record or with the commit itself. A commit flushes first: once offsets have
//! been sent, a new owner may read the changelogs, and what came behind that would be missing. Then come the offsets,
//! with the member's generation, which keeps a zombie out, and then the commit. A producer that librdkafka calls dead
//! is made anew with the same id, which ends whatever the old one left open.

use super::cluster::{Cluster, QUESTION};
use super::fault;
use super::limits::{Limits, now_ms};
use super::native::{Outgoing, Sender, TransactionError};
use super::reports::{Reports, Undelivered};
use super::watchdog::Watchdog;
use super::{Outcome, Topic};
use crate::outbox::{Outbox, Output};
use crate::transport::{Class, TransportError, target};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _, PurgeConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a coordinator may take to let a producer begin: it ends what the one before left open.
const INITIATION: Duration = Duration::from_secs(30);
/// After so many commits in a row that another producer with our id has spoilt, that other one is no accident.
const FENCED_MOST: u32 = 3;
/// The largest batch that is made.
const BATCH_BYTES: usize = 1 << 20;

/// A producer.
pub struct Producer {
    cluster: Arc<Cluster>,
    id: String,
    names: Vec<String>,
    partitions: Vec<Option<u32>>,
    limits: Vec<Limits>,
    /// None until it is needed, and where the last one died.
    sender: Option<Sender<Reports>>,
    reports: Reports,
    /// Since when a transaction has been open.
    open: Option<Instant>,
    /// Whether each record is a batch of its own: then a batch that is refused says which record is.
    singly: bool,
    /// Commits in a row that another producer with our id has spoilt.
    fenced: u32,
    /// Whether the last one was fenced off by another, and nobody has looked who that is.
    suspicious: bool,
    watchdog: Watchdog,
}

impl Producer {
    /// A producer for topics that are known by their places in the list; those that are written say what they take.
    pub fn new(
        cluster: &Arc<Cluster>,
        id: String,
        names: Vec<String>,
        limits: Vec<Limits>,
        watchdog: Watchdog,
    ) -> Self {
        Producer {
            cluster: cluster.clone(),
            id,
            partitions: vec![None; names.len()],
            names,
            limits,
            sender: None,
            reports: Reports::default(),
            open: None,
            singly: false,
            fenced: 0,
            suspicious: false,
            watchdog,
        }
    }

    /// Whether another producer with our id has been there since this was last asked. Before a new one is made the
    /// group should be heard: two processes that answer each other like that would end each other.
    pub fn take_suspicion(&mut self) -> bool {
        std::mem::take(&mut self.suspicious)
    }

    /// How many bytes of key, value and headers a record of a topic may have.
    pub fn most_bytes(&self, topic: usize) -> usize {
        self.limits[topic].record
    }

    /// Whether a topic takes only records with a key.
    pub fn needs_key(&self, topic: usize) -> bool {
        self.limits[topic].keyed
    }

    /// Makes sure that there is a producer, and that nothing is open any more that one with our id has left.
    pub fn ensure(&mut self) -> Outcome<()> {
        if self.sender.is_some() {
            return Ok(());
        }
        let batch = self.limits.iter().map(|l| l.batch).min().unwrap_or(BATCH_BYTES).clamp(1, BATCH_BYTES);
        let most =
            self.limits.iter().map(|l| l.batch).max().unwrap_or(BATCH_BYTES).clamp(1000, 1_000_000_000);
        let settings = self.cluster.settings();
        let mut config = settings.producer(&self.id, batch, most);
        if self.singly {
            config.set("batch.num.messages", "1");
        }
        let producer: BaseProducer<Reports> =
            config.create_with_context(self.reports.clone()).map_err(|e| fault::unmade(&e))?;
        if settings.exactly_once {
            let began = self.watchdog.watched("the start of a producer", INITIATION * 3, || {
                producer.init_transactions(INITIATION)
            });
            began.map_err(|e| self.unborn(&e.into()))?;
        }
        // Topics that the client has not met would be asked for with its next round only, up to a second later.
        for name in &self.names {
            let _ = producer.client().fetch_metadata(Some(name), QUESTION);
        }
        let sender = Sender::new(producer, &self.names).map_err(|e| fault::unmade(&e))?;
        self.sender = Some(sender);
        self.open = None;
        self.reports.take();
        Ok(())
    }

    fn unborn(&self, error: &TransactionError) -> TransportError {
        let address = self.cluster.settings().address();
        let doing = format!("a transactional producer cannot begin at {address}");
        let class = if fault::is_final(error.code) { Class::Fatal } else { Class::Retry };
        fault::transaction(class, &doing, error)
    }

    /// Hands over what is in the outbox.
    pub fn send(&mut self, outbox: &Outbox) -> Outcome<()> {
        self.begin()?;
        let now = now_ms();
        for output in outbox.records() {
            let topic = output.topic.0 as usize;
            let count = self.count(topic)?;
            let record = Outgoing {
                partition: target(outbox, output, count),
                timestamp: self.limits[topic].timestamp(output.timestamp, now),
                key: outbox.key(output),
                value: outbox.value(output),
                headers: outbox.headers(output),
            };
            if record.partition >= count {
                let name = &self.names[topic];
                return Err(TransportError::fatal(format!("`{name}` has no partition {}", record.partition))
                    .hint("the number of partitions of an input has changed: its keys lie elsewhere now"));
            }
            self.produce(topic, &record, output)?;
        }
        // What has failed meanwhile is known the sooner.
        if let Some(sender) = &self.sender {
            sender.producer().poll(Duration::ZERO);
        }
        Ok(())
    }

    /// Hands a record over; a full queue is waited for.
    fn produce(&mut self, topic: usize, record: &Outgoing<'_>, output: &Output) -> Outcome<()> {
        let since = Instant::now();
        loop {
            let Some(sender) = &self.sender else { return Err(self.gone()) };
            match sender.produce(topic, record) {
                Ok(()) => return Ok(()),
                Err(RDKafkaErrorCode::QueueFull) if since.elapsed() < self.patience() => {
                    sender.flush(Duration::from_millis(5));
                }
                Err(RDKafkaErrorCode::MessageSizeTooLarge) => {
                    let bytes = (output.end - output.start) as usize;
                    self.limits[topic].refused(bytes);
                    let name = &self.names[topic];
                    let message = format!("a record of {bytes} bytes is too large for `{name}`");
                    return Err(TransportError::new(Class::Refused, message));
                }
                Err(code) => {
                    let doing = format!("nothing can be written to `{}`", self.names[topic]);
                    let error = KafkaError::MessageProduction(code);
                    let class = if fault::is_final(code) { Class::Fatal } else { Class::Abort };
                    self.lost(code);
                    return Err(fault::fault(class, &doing, &error));
                }
            }
        }
    }

    /// How many partitions a topic has.
    fn count(&mut self, topic: usize) -> Outcome<u32> {
        if let Some(count) = self.partitions[topic] {
            return Ok(count);
        }
        let name = &self.names[topic];
        let count = self.cluster.partitions(name)?;
        let count = count.ok_or_else(|| TransportError::fatal(format!("there is no topic `{name}`")))?;
        Ok(*self.partitions[topic].insert(count))
    }

    /// How long something may take before it is given up.
    fn patience(&self) -> Duration {
        Duration::from_millis(self.cluster.settings().transaction_ms().max(1000) as u64)
    }

    fn begin(&mut self) -> Outcome<()> {
        self.ensure()?;
        if !self.cluster.settings().exactly_once || self.open.is_some() {
            return Ok(());
        }
        let Some(sender) = &self.sender else { return Err(self.gone()) };
        if let Err(error) = sender.producer().begin_transaction() {
            return Err(self.failed("a transaction cannot begin", &error.into()));
        }
        self.open = Some(Instant::now());
        Ok(())
    }

    /// Makes what was sent permanent, with these offsets of the member: all of it or nothing.
    pub fn commit<C: ConsumerContext>(
        &mut self,
        offsets: &TopicPartitionList,
        member: &BaseConsumer<C>,
    ) -> Outcome<()> {
        self.begin()?;
        self.flush()?;
        match self.cluster.settings().exactly_once {
            true => self.commit_transaction(offsets, member)?,
            false => {
                let within = self.patience() * 4;
                self.watchdog.watched("the commit of offsets", within, || commit_offsets(offsets, member))?;
            }
        }
        (self.open, self.fenced) = (None, 0);
        Ok(())
    }

    /// All that was sent is acknowledged when this returns.
    fn flush(&mut self) -> Outcome<()> {
        let within = self.patience();
        let Some(sender) = &self.sender else { return Err(self.gone()) };
        let flushed = self.watchdog.watched("writing records", within * 4, || sender.flush(within));
        if let Some(undelivered) = self.reports.take() {
            return Err(self.undelivered(&undelivered));
        }
        if !flushed {
            let address = self.cluster.settings().address();
            let seconds = within.as_secs();
            return Err(TransportError::new(
                Class::Abort,
                format!("{address} has acknowledged nothing for {seconds} s"),
            ));
        }
        Ok(())
    }

    fn undelivered(&mut self, record: &Undelivered) -> TransportError {
        let Undelivered { topic, bytes, code } = record;
        let doing = format!("a record of {bytes} bytes cannot be written to `{topic}`");
        let error = KafkaError::MessageProduction(*code);
        match code {
            RDKafkaErrorCode::MessageSizeTooLarge => self.too_large(record),
            RDKafkaErrorCode::InvalidTimestamp => fault::fault(Class::Refused, &doing, &error),
            // It is compacted since it was last looked at, or its settings may not be seen: then a key is missing.
            RDKafkaErrorCode::InvalidRecord => {
                let at = self.names.iter().position(|name| name == topic);
                at.into_iter().for_each(|at| self.limits[at].keyed = true);
                fault::fault(Class::Refused, &doing, &error)
            }
            code if fault::is_final(*code) => fault::fault(Class::Fatal, &doing, &error),
            code => {
                self.lost(*code);
                fault::fault(Class::Abort, &doing, &error)
            }
        }
    }

    /// A topic has refused a batch, which says of all its records that they are too large, and is true of one at most.
    /// If the topic takes less than it used to, smaller batches and what it now says will do. If it says nothing of the
    /// kind, each record is sent by itself from now on, and the one that is refused then is the one.
    fn too_large(&mut self, record: &Undelivered) -> TransportError {
        let Undelivered { topic, bytes, .. } = record;
        let refused =
            |class, what: &str| TransportError::new(class, format!("{what} is too large for `{topic}`"));
        let Some(at) = self.names.iter().position(|name| name == topic) else {
            return refused(Class::Fatal, "a record");
        };
        if self.singly {
            self.limits[at].refused(*bytes);
            return refused(Class::Refused, &format!("a record of {bytes} bytes"));
        }
        self.sender = None;
        let now = self.cluster.configs(&[topic]).ok().and_then(|found| found.first().map(Limits::of));
        if self.limits[at].lower(now) {
            tracing::warn!(
                topic,
                most_bytes = self.limits[at].batch,
                "takes smaller records than it used to"
            );
            return refused(Class::Refused, "a batch");
        }
        tracing::warn!(topic, "refuses batches and does not say what it takes: records are sent one by one");
        self.singly = true;
        refused(Class::Abort, "a batch")
    }

    fn commit_transaction<C: ConsumerContext>(
        &mut self,
        offsets: &TopicPartitionList,
        member: &BaseConsumer<C>,
    ) -> Outcome<()> {
        let patience = self.patience();
        let Some(sender) = &self.sender else { return Err(self.gone()) };
        // A few times what it may take: a call beyond that will never return.
        let sent = self.watchdog.watched("sending offsets to a transaction", patience * 4, || {
            again(patience, |left| sender.send_offsets(offsets, member, left))
        });
        if let Err(error) = sent {
            return Err(self.failed("the offsets cannot be committed", &error));
        }
        let committed = self.watchdog.watched("the commit of a transaction", patience * 4, || {
            again(patience, |left| sender.commit(left))
        });
        match committed {
            Ok(()) => Ok(()),
            // Whatever librdkafka says: the reply to a first attempt may be lost, and the error be that of the second.
            Err(error) => {
                let fenced = self.failed("the transaction may be committed or not", &error);
                let fatal = fenced.class == Class::Fatal;
                Err(if fatal { fenced } else { TransportError { class: Class::Unknown, ..fenced } })
            }
        }
    }

    /// Takes back what was sent since the last commit.
    pub fn abort(&mut self) -> Outcome<()> {
        let within = self.patience();
        let Some(sender) = &self.sender else { return self.ensure() };
        if self.open.is_some() {
            let aborted = self.watchdog.watched("the end of a transaction", within * 4, || {
                again(within, |left| {
                    // Reports of what was taken back stand in the way of the end, and nobody else takes them.
                    let aborted = sender.producer().abort_transaction(left.min(Duration::from_millis(100)));
                    sender.producer().poll(Duration::ZERO);
                    aborted.map_err(TransactionError::from)
                })
            });
            if let Err(error) = aborted {
                tracing::debug!(%error.text, "a transaction cannot be aborted; another producer will end it");
                self.sender = None;
                return self.ensure();
            }
        } else if !self.cluster.settings().exactly_once {
            // One that has lost the order of what it sent takes nothing any more.
            if sender.producer().client().fatal_error().is_some() {
                self.sender = None;
                return self.ensure();
            }
            sender.producer().purge(PurgeConfig::default().queue().inflight());
            sender.flush(within);
        }
        self.reports.take();
        self.open = None;
        Ok(())
    }

    /// Ends whatever is left of our own: a producer that begins with our id does.
    pub fn recover(&mut self) -> Outcome<()> {
        self.sender = None;
        self.ensure()
    }

    /// What a failed call of a transaction means. A producer that is dead is let go of.
    fn failed(&mut self, doing: &str, error: &TransactionError) -> TransportError {
        if fault::is_final(error.code) {
            return self
                .forbidden(error.code)
                .unwrap_or_else(|| fault::transaction(Class::Fatal, doing, error));
        }
        let fenced = self.lost(error.code);
        if error.fatal {
            self.sender = None;
        }
        if fenced && self.fenced >= FENCED_MOST {
            return TransportError::fatal(format!("another process runs with the identity `{}`", self.id)).hint(
                "each process needs its own `--state-dir`, or its own `--instance`; this one has stopped, and \
                 what it had not committed is done by the other",
            );
        }
        fault::transaction(Class::Abort, doing, error)
    }

    /// A transaction that a topic forbids does not tell which one that is.
    fn forbidden(&self, code: RDKafkaErrorCode) -> Option<TransportError> {
        if code != RDKafkaErrorCode::TopicAuthorizationFailed {
            return None;
        }
        let written = self.names.iter().zip(&self.partitions).filter(|(_, partitions)| partitions.is_some());
        let topics: Vec<Topic> =
            written.map(|(name, _)| Topic { name: name.clone(), written: true }).collect();
        self.cluster.permits(&topics).err()
    }

    /// Notes that a producer was fenced off; whether by another one: one whose transaction has outlived its time is
    /// told the same.
    fn lost(&mut self, code: RDKafkaErrorCode) -> bool {
        let fenced = matches!(
            code,
            RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
        );
        if !fenced {
            return false;
        }
        let outlived = self.open.is_some_and(|since| since.elapsed() >= self.patience());
        self.sender = None;
        self.fenced += u32::from(!outlived);
        self.suspicious |= !outlived;
        tracing::debug!(outlived, fenced = self.fenced, "the producer was fenced off");
        !outlived
    }

    fn gone(&self) -> TransportError {
        TransportError::new(Class::Abort, format!("the producer `{}` has to begin anew", self.id))
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes a call again, as long as librdkafka says that this may help and there is time.
fn again(
    within: Duration,
    mut call: impl FnMut(Duration) -> Result<(), TransactionError>,
) -> Result<(), TransactionError> {
    let since = Instant::now();
    loop {
        let left = within.saturating_sub(since.elapsed());
        match call(left.max(Duration::from_millis(100))) {
            Err(error) if error.retriable && !error.fatal && since.elapsed() < within => {}
            result => return result,
        }
    }
}

/// At least once: the outputs are there, now the offsets.
fn commit_offsets<C: ConsumerContext>(offsets: &TopicPartitionList, member: &BaseConsumer<C>) -> Outcome<()> {
    use rdkafka::consumer::{CommitMode, Consumer};
    if offsets.count() == 0 {
        return Ok(());
    }
    member.commit(offsets, CommitMode::Sync).map_err(|error| {
        let final_ = error.rdkafka_error_code().is_some_and(fault::is_final);
        fault::fault(
            if final_ { Class::Fatal } else { Class::Abort },
            "the offsets cannot be committed",
            &error,
        )
    })
}
