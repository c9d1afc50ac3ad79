//! How a worker works, and the rules that tests can have it break.

use crate::transport::Limits;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much a poll may bring.
    pub limits: Limits,
    /// How often work is committed, in milliseconds.
    pub commit_every: i64,
    /// How often a call that failed is made again before the worker gives up.
    pub retries: u32,
    /// Where snapshots are kept.
    pub snapshots: Option<std::path::PathBuf>,
    /// The nodes whose tables are started over, once a run.
    pub reset: Vec<String>,
    /// When the run was started that all its workers belong to, in milliseconds since 1970; 0: now.
    pub started: i64,
    /// Whether it is to be known when inputs have been read to the ends that they have now.
    pub to_ends: bool,
    /// Whether it says in the log what holds for all workers alike.
    pub speaks: bool,
    /// Rules that are broken on purpose: only for the tests that prove that breaking them is noticed.
    pub broken: Broken,
}

/// Rules that can be broken on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Broken {
    /// None.
    #[default]
    Nothing,
    /// After an abort the inputs are not rewound.
    SkipRewind,
    /// After an abort the stores are not rolled back.
    SkipUndo,
    /// Positions are committed before the outputs.
    EarlyPositions,
    /// The undo logs are cleared before the commit.
    EarlyClear,
    /// A record of the changelog is lost now and then.
    LoseChangelog,
    /// The clock moves once a batch instead of before each record.
    AdvancePerBatch,
    /// Behind a repartition the clock follows the records instead of the markers.
    DeafToMarkers,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            limits: Limits { records: 1000, bytes: 4 << 20 },
            commit_every: 100,
            retries: 20,
            snapshots: None,
            reset: vec![],
            started: 0,
            to_ends: false,
            speaks: true,
            broken: Broken::Nothing,
        }
    }
}
