//! What went wrong with one entry, and in which class that falls. Deciding is pure; the roots are looked at by the walk.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::copy::{ErrorClass, PassError, names};
use crate::sys::tree;

/// Why an entry was not handled.
#[derive(Debug)]
pub(super) enum Failure {
    Interrupted,
    /// The whole pass ends.
    Ends(PassError),
    Entry {
        class: ErrorClass,
        text: String,
    },
}

/// On which side a call failed: what is missing in the source has vanished, what is missing in the target was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

/// What a tree of more levels than may be open at once needs.
const RAISE: &str = "; raise the limit of open files (`ulimit -n`), and go on with the run";

impl Failure {
    /// Classifies a failed call: `what` completes "cannot …".
    pub(super) fn of(side: Side, what: &str, path: &Path, error: io::Error) -> Self {
        match class_of(side, &error) {
            ErrorClass::Fatal => Self::Ends(PassError::Fatal {
                what: format!("cannot {what}"),
                path: names::shown(path),
                hint: hint_for(&error).to_owned(),
                source: Some(error),
            }),
            class => {
                let advice = if tree::is_out_of_handles(&error) { RAISE } else { "" };
                Self::Entry { class, text: format!("cannot {what}: {error}{advice}") }
            }
        }
    }

    pub(super) fn permanent(text: impl Into<String>) -> Self {
        Self::Entry { class: ErrorClass::Permanent, text: text.into() }
    }

    pub(super) fn transient(text: impl Into<String>) -> Self {
        Self::Entry { class: ErrorClass::Transient, text: text.into() }
    }
}

fn class_of(side: Side, error: &io::Error) -> ErrorClass {
    if tree::volume_is_gone(error) {
        return ErrorClass::Fatal;
    }
    if tree::passes_by_itself(error) {
        return ErrorClass::Transient;
    }
    if tree::ends_writing(error) && side == Side::Target {
        return ErrorClass::Fatal;
    }
    if tree::is_absence(error) {
        return match side {
            Side::Source => ErrorClass::Vanished,
            // Whether the whole target is gone is asked before such a failure is believed.
            Side::Target => ErrorClass::Transient,
        };
    }
    if tree::is_denied(error) {
        return ErrorClass::Denied;
    }
    match (error.kind(), side) {
        // Something else took its place between two looks.
        (ErrorKind::NotADirectory | ErrorKind::IsADirectory, Side::Source) => ErrorClass::Transient,
        (
            ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
            | ErrorKind::ExecutableFileBusy
            | ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::Deadlock
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::BrokenPipe,
            _,
        ) => ErrorClass::Transient,
        _ => ErrorClass::Permanent,
    }
}

fn hint_for(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull => {
            "make room on the target's volume (where space is left, the number of files is used up: see `df -i`), then go on with the run"
        }
        ErrorKind::QuotaExceeded => "raise the quota on the target's volume, then go on with the run",
        ErrorKind::ReadOnlyFilesystem => "mount the target's volume writable, then go on with the run",
        _ => "bring the volume back, then go on with the run",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn errors_fall_into_the_documented_classes() {
        let cases = [
            (28, Side::Target, ErrorClass::Fatal, "ENOSPC"),
            (122, Side::Target, ErrorClass::Fatal, "EDQUOT"),
            (30, Side::Target, ErrorClass::Fatal, "EROFS"),
            (116, Side::Source, ErrorClass::Transient, "ESTALE of one file"),
            (107, Side::Source, ErrorClass::Fatal, "ENOTCONN"),
            (13, Side::Source, ErrorClass::Denied, "EACCES"),
            (1, Side::Target, ErrorClass::Denied, "EPERM"),
            (2, Side::Source, ErrorClass::Vanished, "ENOENT"),
            (2, Side::Target, ErrorClass::Transient, "ENOENT"),
            (40, Side::Source, ErrorClass::Transient, "ELOOP: a link took its place"),
            (20, Side::Source, ErrorClass::Transient, "ENOTDIR"),
            (6, Side::Source, ErrorClass::Transient, "ENXIO: a socket took its place"),
            (11, Side::Source, ErrorClass::Transient, "EAGAIN"),
            (16, Side::Source, ErrorClass::Transient, "EBUSY"),
            (26, Side::Target, ErrorClass::Transient, "ETXTBSY"),
            (5, Side::Source, ErrorClass::Transient, "EIO"),
            (110, Side::Source, ErrorClass::Transient, "ETIMEDOUT"),
            (36, Side::Target, ErrorClass::Permanent, "ENAMETOOLONG"),
            (21, Side::Target, ErrorClass::Permanent, "EISDIR"),
        ];
        if cfg!(target_os = "linux") {
            for (code, side, expected, name) in cases {
                assert_eq!(class_of(side, &io::Error::from_raw_os_error(code)), expected, "{name}");
            }
        }
    }
}
