//! Transports: where records come from and go to.
//!
//! One trait, three implementations, the same engine above them: [`local`], an embedded durable log; [`sim`], a
//! cluster in memory with faults on demand; and Kafka. A transport hands out batches whose payloads are borrowed for
//! as long as the batch lives, takes what is to be written, and commits outputs and positions together or not at all.
//!
//! Every call can fail, and an error says who must act: see [`Class`].

mod batch;
pub mod kafka;
pub mod local;
pub mod sim;

pub use batch::Batch;

use crate::outbox::{Outbox, Output, Target, TopicId};
use crate::partitioner;
use std::fmt;
use std::time::Duration;

/// A partition of one of the plan's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: TopicId,
    /// Its partition.
    pub index: u32,
}

/// A record as a transport hands it out, borrowed for as long as its batch lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'b> {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<&'b [u8]>,
    /// Its value; none is a tombstone.
    pub value: Option<&'b [u8]>,
    /// Its headers, in the encoding of [`crate::headers`].
    pub headers: &'b [u8],
}

/// Which of `count` partitions an output goes to.
pub fn target(outbox: &Outbox, output: &Output, count: u32) -> u32 {
    match output.target {
        Target::Own => output.own,
        Target::At(partition) => partition,
        Target::Key => match outbox.key(output) {
            Some(key) => partitioner::partition_of(key, count),
            None => output.own % count.max(1),
        },
    }
}

/// Where an input stands: what is committed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The input.
    pub partition: Partition,
    /// The next offset to be processed.
    pub offset: i64,
    /// What else has to be known to go on from there; opaque to transports.
    pub metadata: String,
}

/// Records of one input, in order.
#[derive(Debug)]
pub struct Run<'t> {
    /// The input.
    pub partition: Partition,
    /// The records.
    pub records: Vec<Record<'t>>,
}

/// What a poll brings.
#[derive(Debug)]
pub enum Event<'t> {
    /// Records, a run an input.
    Records(Vec<Run<'t>>),
    /// These inputs are ours from now on. Nothing is read of them before [`Transport::begin`]. Said once after each
    /// [`Transport::join`], and after all inputs were taken away, even if there are none for us.
    Assigned(Vec<Partition>),
    /// These inputs are to be handed over: they are ours until [`Transport::release`].
    Revoked(Vec<Partition>),
    /// These inputs are someone else's already.
    Lost(Vec<Partition>),
    /// Nothing at the moment.
    Idle,
}

/// How much a poll may bring.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records.
    pub records: usize,
    /// Bytes, roughly.
    pub bytes: usize,
}

/// A part of a changelog.
#[derive(Debug)]
pub struct Chunk<'t> {
    /// Keys and values in order; no value is a tombstone.
    pub records: Vec<(&'t [u8], Option<&'t [u8]>)>,
    /// The offset behind what has been read. Equal to the end that was asked for: there is no more.
    pub next: i64,
}

/// What a topic is to be like when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicWish {
    /// The topic.
    pub topic: TopicId,
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// Whether only the last value of a key is kept.
    pub compacted: bool,
    /// What else it is set to, in Kafka's words.
    pub config: Vec<(String, String)>,
}

/// Where records come from and go to.
pub trait Transport {
    /// How many partitions a topic has; none: there is no such topic.
    fn partitions(&mut self, topic: TopicId) -> Result<Option<u32>, TransportError>;

    /// Makes a topic that is not there yet.
    fn create(&mut self, wish: &TopicWish) -> Result<(), TransportError>;

    /// Joins the others that share these inputs: [`Event::Assigned`] says which are ours.
    fn join(&mut self, inputs: &[TopicId]) -> Result<(), TransportError>;

    /// What happens next. Payloads are borrowed until the next call.
    fn poll(&mut self, limits: Limits) -> Result<Event<'_>, TransportError>;

    /// Waits until there may be something to poll, at most so long.
    fn wait(&mut self, most: Duration);

    /// What was last committed for inputs, once nothing is pending that may still change it.
    fn committed(&mut self, inputs: &[Partition]) -> Result<Vec<Option<Position>>, TransportError>;

    /// The offsets of the first record that is kept and behind the last one that is committed or may yet be.
    fn bounds(&mut self, partition: Partition) -> Result<(i64, i64), TransportError>;

    /// By what a topic can be told from one that was made again under its name; none: by nothing.
    fn topic_id(&mut self, _topic: TopicId) -> Result<Option<String>, TransportError> {
        Ok(None)
    }

    /// Committed records of a changelog, from an offset on up to an end.
    fn changelog(&mut self, partition: Partition, from: i64, end: i64) -> Result<Chunk<'_>, TransportError>;

    /// Reads an input from an offset on; also used to go back.
    fn begin(&mut self, partition: Partition, offset: i64) -> Result<(), TransportError>;

    /// Stops or goes on reading an input, without forgetting where.
    fn pause(&mut self, partition: Partition, paused: bool) -> Result<(), TransportError>;

    /// Whether everything that is known to stand in an input has been handed out.
    fn at_end(&mut self, partition: Partition) -> Result<bool, TransportError>;

    /// The offset behind everything that has been handed out of an input, and behind what follows that is no record:
    /// the ends of transactions, records that were taken back. After [`Transport::begin`] it is what was begun at.
    /// Never behind a record that a poll has yet to bring. None: not known.
    fn reached(&mut self, _partition: Partition) -> Option<i64> {
        None
    }

    /// How many records are known to stand behind a position of an input, if that can be said without asking anyone.
    fn lag(&mut self, _partition: Partition, _position: i64) -> Option<i64> {
        None
    }

    /// Whether a changelog forgets after a while that a key was removed, as a compacted topic does.
    fn forgets_removals(&self) -> bool {
        true
    }

    /// A snapshot has been written that stands for these changelogs up to these offsets: what lies before them is
    /// needed no more. A transport that keeps house by itself does so now.
    fn snapshotted(&mut self, _changelogs: &[(Partition, i64)]) -> Result<(), TransportError> {
        Ok(())
    }

    /// These inputs have been read up to these offsets, and nobody needs what lies before: it may be deleted. Whether
    /// and when is for the transport to say.
    fn purge(&mut self, _read: &[(Partition, i64)]) {}

    /// How many bytes of key, value and headers a record of a topic may have, as far as is known. What is larger is not
    /// sent. A refusal may teach a transport that it is less than it thought.
    fn most_bytes(&mut self, _topic: TopicId) -> usize {
        usize::MAX
    }

    /// Whether a topic takes only records with a key, as a compacted one does, as far as is known. Others are not sent
    /// there. A refusal may teach this, too.
    fn needs_key(&mut self, _topic: TopicId) -> bool {
        false
    }

    /// Writes records, to be seen when they are committed.
    fn send(&mut self, outbox: &Outbox) -> Result<(), TransportError>;

    /// Makes what was sent, and where the inputs stand, permanent: all of it or nothing.
    fn commit(&mut self, positions: &[Position]) -> Result<(), TransportError>;

    /// Takes back what was sent since the last commit.
    fn abort(&mut self) -> Result<(), TransportError>;

    /// Ends whatever may be left of our own of which the outcome is unknown, so that [`Transport::committed`] decides.
    fn recover(&mut self) -> Result<(), TransportError>;

    /// Lets go of inputs that were revoked.
    fn release(&mut self, inputs: &[Partition]) -> Result<(), TransportError>;

    /// Leaves the others, in peace.
    fn leave(&mut self);
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nobody: the same call again may work.
    Retry,
    /// We: what was sent is lost; roll back, go back, do it again.
    Abort,
    /// We: the inputs are someone else's; drop the tasks, join again, restore.
    Fenced,
    /// We: the commit may have happened or not; ask what is committed.
    Unknown,
    /// The data: a record of what was sent since the last commit can never be written as it is. What has been learnt
    /// of it is asked for ([`Transport::most_bytes`]) before it is done again.
    Refused,
    /// A person: stop and say why.
    Fatal,
}

/// The world does not do as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// Who must act.
    pub class: Class,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl TransportError {
    /// An error of a class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        TransportError { class, message: message.into(), hint: None }
    }

    /// An error that a person must mend.
    pub fn fatal(message: impl Into<String>) -> Self {
        TransportError::new(Class::Fatal, message)
    }

    /// With what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhelp: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TransportError {}
