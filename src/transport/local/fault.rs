//! What is wrong with the log, as those who work on it need it: who must act.

use super::journal::LogError;
use crate::transport::{Class, TransportError};
use std::io::ErrorKind;

/// Says who must act. Nothing here is ever fenced: the engine's lock is held as long as its process lives.
pub(super) fn fault(error: LogError) -> TransportError {
    let class = match &error {
        LogError::Unknown { .. } | LogError::Poisoned => Class::Unknown,
        LogError::Io { source, .. } if may_pass(source.kind()) => Class::Retry,
        _ => Class::Fatal,
    };
    TransportError::new(class, error.to_string())
}

/// A disk may get room again; one that fails does not mend itself.
fn may_pass(kind: ErrorKind) -> bool {
    use ErrorKind::{Interrupted, QuotaExceeded, ResourceBusy, StorageFull, TimedOut, WouldBlock};
    matches!(kind, StorageFull | QuotaExceeded | ResourceBusy | Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn an_error_says_who_must_act() {
        let io =
            |kind: ErrorKind| LogError::Io { doing: "write", path: PathBuf::from("x"), source: kind.into() };
        let unknown = LogError::Unknown { path: PathBuf::from("x"), source: ErrorKind::Other.into() };
        for (error, class) in [
            (io(ErrorKind::StorageFull), Class::Retry),
            (io(ErrorKind::PermissionDenied), Class::Fatal),
            (unknown, Class::Unknown),
            (LogError::Poisoned, Class::Unknown),
            (LogError::TooLarge, Class::Fatal),
        ] {
            assert_eq!(fault(error).class, class);
        }
    }
}
