//! What is done with a file, given what both sides say of it. Pure.

use std::time::{Duration, SystemTime};

use crate::copy::EntryKind;
use crate::sys::tree::{ListedFile, Status};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    New,
    Changed,
    Same,
    /// The target holds something in the file's place that no copy may replace.
    Mismatch(EntryKind),
}

/// Decides by kind, size and time. Newer or older alike: a copy that was cut off by another program often looks newer.
///
/// A link in the file's place is *changed*: the link itself is replaced, and what it leads to is never touched.
pub(super) fn decide(source: &Status, target: Option<&Status>, tolerance: Duration) -> Decision {
    let Some(target) = target else { return Decision::New };
    match target.kind {
        EntryKind::File if agree(&source.into(), &target.into(), tolerance) => Decision::Same,
        EntryKind::File | EntryKind::Link => Decision::Changed,
        kind @ (EntryKind::Directory | EntryKind::Special) => Decision::Mismatch(kind),
    }
}

/// Whether two files are the same by size and time, as a look or a listing tells them.
pub(super) fn agree(source: &ListedFile, target: &ListedFile, tolerance: Duration) -> bool {
    source.size == target.size && apart(source.modified, target.modified) <= tolerance
}

/// How far two moments lie from each other.
pub(super) fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

/// What a kind is called in a sentence.
pub(super) fn called(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "a file",
        EntryKind::Link => "a link",
        EntryKind::Directory => "a directory",
        EntryKind::Special => "a device, socket or pipe",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::tree::{Owner, Permissions, Presence};

    fn status(kind: EntryKind, size: u64, milliseconds: u64) -> Status {
        Status {
            kind,
            size,
            modified: SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds),
            permissions: Permissions::of(&std::fs::metadata(".").unwrap()),
            changed: None,
            presence: Presence::Named,
            identity: None,
            names: 1,
            allocated: size,
            owner: Owner::default(),
        }
    }

    #[test]
    fn files_are_told_apart_as_robocopy_does() {
        use EntryKind::{Directory, File, Link, Special};
        let source = status(File, 5, 10_000);
        let (exact, fat) = (Duration::ZERO, Duration::from_secs(2));
        let cases = [
            ("absent", None, exact, Decision::New),
            ("equal", Some(status(File, 5, 10_000)), exact, Decision::Same),
            ("another size", Some(status(File, 6, 10_000)), exact, Decision::Changed),
            ("newer: no /xo", Some(status(File, 5, 10_001)), exact, Decision::Changed),
            ("older", Some(status(File, 5, 9_999)), exact, Decision::Changed),
            ("/fft, within", Some(status(File, 5, 8_000)), fat, Decision::Same),
            ("/fft, within, newer", Some(status(File, 5, 12_000)), fat, Decision::Same),
            ("/fft, beyond", Some(status(File, 5, 7_999)), fat, Decision::Changed),
            ("a link", Some(status(Link, 0, 10_000)), exact, Decision::Changed),
            ("a directory", Some(status(Directory, 0, 10_000)), exact, Decision::Mismatch(Directory)),
            ("a pipe", Some(status(Special, 0, 10_000)), exact, Decision::Mismatch(Special)),
        ];
        for (case, target, tolerance, expected) in cases {
            assert_eq!(decide(&source, target.as_ref(), tolerance), expected, "{case}");
        }
    }
}
