//! What can be wrong with the log: the disk, the bytes on it, or who else is there.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why the log cannot do what it was asked.
#[derive(Debug)]
pub enum LogError {
    /// The operating system refused; nothing has been written.
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The commit was written, but whether it will outlast a power cut is not known. The log takes no more commits;
    /// opened again, it tells.
    Unknown {
        /// The file that could not be synced.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An earlier commit ended in [`LogError::Unknown`].
    Poisoned,
    /// The bytes are not those that were written, and it is not a commit that was cut short.
    Corrupt {
        /// Which file.
        file: PathBuf,
        /// At which byte.
        at: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A newer version of streamrun wrote it.
    NewerVersion {
        /// Which file.
        file: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// Another process runs this pipeline on this log.
    Locked {
        /// The pipeline.
        pipeline: String,
        /// The process, if it said so.
        pid: Option<u32>,
    },
    /// The topic is there, with another number of partitions.
    TopicExists {
        /// Which topic.
        name: String,
        /// How many it has.
        partitions: u32,
        /// How many were asked for.
        wanted: u32,
    },
    /// The records were deleted, or are not there yet.
    OutOfRange {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: u32,
        /// The offset that was asked for.
        wanted: i64,
        /// The offsets that are there: this one up to
        start: i64,
        /// but without this one.
        end: i64,
    },
    /// A commit names a partition that is not there.
    NoPartition {
        /// Which one.
        partition: u32,
        /// Of which topic.
        topic: String,
    },
    /// A commit, or a part of it, is larger than a frame can be.
    TooLarge,
    /// All topics together would have more partitions than a log can have.
    TooManyPartitions {
        /// The topic that was to be made.
        name: String,
        /// How many partitions it was to have.
        wanted: u32,
    },
}

/// The log's result.
pub type Result<T> = std::result::Result<T, LogError>;

impl LogError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { doing, path: path.to_path_buf(), source }
    }

    pub(super) fn corrupt(file: &Path, at: u64, what: &'static str) -> LogError {
        LogError::Corrupt { file: file.to_path_buf(), at, what }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Io { doing, path, source } => {
                write!(f, "cannot {doing} `{}`: {source}{}", path.display(), hint(source))
            }
            LogError::Unknown { path, source } => write!(
                f,
                "cannot sync `{}`: {source}; whether the last commit is durable is not known",
                path.display()
            ),
            LogError::TooManyPartitions { name, wanted } => {
                write!(
                    f,
                    "topic `{name}` cannot have {wanted} partitions: an embedded log has at most 100,000"
                )
            }
            LogError::Poisoned => {
                f.write_str("the log takes no more commits after a failed sync; open it again")
            }
            LogError::Corrupt { file, at, what } => {
                write!(f, "`{}` is damaged at byte {at}: {what}; restore it from a copy", file.display())
            }
            LogError::NewerVersion { file, version } => write!(
                f,
                "`{}` has format {version}, this build reads up to {}; update streamrun",
                file.display(),
                super::segment::VERSION
            ),
            LogError::Locked { pipeline, pid: Some(pid) } => {
                write!(
                    f,
                    "`{pipeline}` is already run here by process {pid}; stop it, or choose another directory"
                )
            }
            LogError::Locked { pipeline, pid: None } => {
                write!(f, "`{pipeline}` is already run here; stop it, or choose another directory")
            }
            LogError::TopicExists { name, partitions, wanted } => {
                write!(
                    f,
                    "topic `{name}` has {partitions} partitions, not {wanted}; their number cannot change"
                )
            }
            LogError::OutOfRange { topic, partition, wanted, start, end } => write!(
                f,
                "`{topic}` partition {partition} holds offsets {start} up to {end}, {wanted} is not among them"
            ),
            LogError::NoPartition { partition, topic } => {
                write!(f, "topic `{topic}` has no partition {partition}")
            }
            LogError::TooLarge => f.write_str("a commit is larger than 1 GiB; commit more often"),
        }
    }
}

/// What to do about the errors that people meet.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room, nothing is lost",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; the log needs a directory that it may write to, choose one with `--local=DIR`"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a directory is needed, choose one with `--local=DIR`"
        }
        _ => "",
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogError::Io { source, .. } | LogError::Unknown { source, .. } => Some(source),
            _ => None,
        }
    }
}
