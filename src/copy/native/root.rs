//! Whether a root is still there, and still the directory that it was: before that is seen, nothing that is missing below it
//! is believed to be missing.

use std::io;

use crate::copy::PassError;
use crate::sys::tree::{self, Directory, FileIdentity, Presence, Renaming};

/// A root, as seen right now.
pub(super) enum Root {
    Here,
    /// It does not answer, or lets this account in no more, though it did: a session that comes back may be refused first.
    OutOfReach(io::Error),
    Removed,
    /// Another directory is where it was: a share answers before its volume is mounted, another disk got the letter.
    Another,
    /// Looking fails in a way that says nothing of all that.
    Unknown(io::Error),
}

/// Looks at a root that was this directory when it was opened; `None` where that was not told.
pub(super) fn look<D: Directory>(root: &D, identity: Option<FileIdentity>) -> Root {
    match root.own_status() {
        Ok(status) if status.presence == Presence::Removed => Root::Removed,
        Ok(status) => match (identity, status.identity) {
            // A handle that stays with its directory is of no other; what such a file system numbers anew is the same.
            (Some(before), Some(now)) if before != now && D::RENAMING == Renaming::Lost => Root::Another,
            _ => Root::Here,
        },
        Err(error) if tree::is_gone(&error) || tree::is_absence(&error) => Root::Removed,
        Err(error) if tree::is_out_of_reach(&error) || tree::is_denied(&error) => Root::OutOfReach(error),
        Err(error) => Root::Unknown(error),
    }
}

pub(super) fn removed(side: &str) -> PassError {
    PassError::Fatal {
        what: format!("the {side} was removed meanwhile"),
        path: ".".into(),
        hint: format!("bring the {side} back, then go on with the run"),
        source: None,
    }
}

pub(super) fn another(side: &str) -> PassError {
    PassError::Fatal {
        what: format!("another directory took the place of the {side} meanwhile"),
        path: ".".into(),
        hint: format!("see that the volume of the {side} is mounted where it was, then go on with the run"),
        source: None,
    }
}

pub(super) fn out_of_reach(side: &str, error: io::Error) -> PassError {
    PassError::Fatal {
        what: format!("the {side} could not be reached any more"),
        path: ".".into(),
        hint: format!("bring the machine or share of the {side} back, then go on with the run"),
        source: Some(error),
    }
}
