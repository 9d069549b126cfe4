//! Which files of a target are not believed by their looks. Pure.

use std::time::SystemTime;

use jiff::Timestamp;

use crate::sys::tree::{Directory, Durability, Status};

/// How far the clock of the target (which may be another machine's) and this one's may lie apart. More files are read than
/// need be, and none fewer.
const MARGIN_MINUTES: i64 = 10;

/// Whether a file of the target may lack its content though it looks the same: it was changed since the moment from which
/// on nothing is believed, and nothing has brought it to the disk.
pub(super) fn applies<D: Directory>(since: Option<Timestamp>, target: Option<&Status>) -> bool {
    match (D::DURABILITY, since, target) {
        (Durability::AtTheEnd, Some(since), Some(target)) => changed_since(since, target.changed),
        // Where each file is synced before it gets its name, a name always means content.
        (Durability::EachFile, ..) | (_, None, _) | (_, _, None) => false,
    }
}

/// Whether any file may be meant, so that each needs a look.
pub(super) fn may_apply<D: Directory>(since: Option<Timestamp>) -> bool {
    since.is_some() && D::DURABILITY == Durability::AtTheEnd
}

fn changed_since(since: Timestamp, changed: Option<SystemTime>) -> bool {
    // Unknown, or beyond what a clock can tell.
    let Some(Ok(changed)) = changed.map(Timestamp::try_from) else { return true };
    since.duration_since(changed) <= jiff::SignedDuration::from_mins(MARGIN_MINUTES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_changed_since_then_is_not_believed() {
        let since = Timestamp::from_second(1_000_000).unwrap();
        let at = |second| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        assert!(changed_since(since, at(1_000_000)));
        assert!(changed_since(since, at(999_500)), "the clocks may differ");
        assert!(!changed_since(since, at(999_000)));
        assert!(changed_since(since, None), "unknown");
    }
}
