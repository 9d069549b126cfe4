//! The rights that a step's trees are looked at, read and written with (`backup: true`).

use crate::copy::{Access, Preserve, Preserved};
use crate::plan::{CopyAction, VerifyAction};
use crate::sys::privilege::{self, Held, Wanted};

use super::outcome::Failure;

/// Those of a copy, while it is under way.
pub(super) fn of_copy(action: &CopyAction) -> Result<Option<Held>, Failure> {
    take(wanted(action.access, action.preserve))
}

pub(super) fn of_verify(action: &VerifyAction) -> Result<Option<Held>, Failure> {
    take(wanted(action.access, Preserve::NOTHING_MORE))
}

/// Those of a copy for a look at its trees. Where they cannot be had the look goes without: the step itself says it.
pub fn to_look(action: &CopyAction) -> Option<Held> {
    of_copy(action).unwrap_or_default()
}

pub(super) fn to_look_at(action: &VerifyAction) -> Option<Held> {
    of_verify(action).unwrap_or_default()
}

/// Those of a pass that no step asked for.
pub(super) fn of(access: Access, preserve: Preserve) -> std::io::Result<Option<Held>> {
    wanted(access, preserve).map(privilege::hold).transpose()
}

fn take(wanted: Option<Wanted>) -> Result<Option<Held>, Failure> {
    wanted.map(privilege::hold).transpose().map_err(|error| {
        Failure::failed(format!("`backup: true` needs rights that this process has not got: {error}")).hint(
            "open a console by `Run as administrator`, as a member of Administrators or Backup Operators, and go on; or \
             leave `backup` out",
        )
    })
}

fn wanted(access: Access, preserve: Preserve) -> Option<Wanted> {
    match access {
        Access::Ordinary => None,
        Access::Backup if preserve.holds(Preserved::Acls) => Some(Wanted::BackupAndAudit),
        Access::Backup => Some(Wanted::Backup),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_lists_are_asked_for_only_with_access_lists_and_nothing_is_unless_told() {
        let acls = Preserve::NOTHING_MORE.with(Preserved::Acls);
        for (access, preserve, expected) in [
            (Access::Ordinary, acls, None),
            (Access::Backup, Preserve::NOTHING_MORE.with(Preserved::Owner), Some(Wanted::Backup)),
            (Access::Backup, acls, Some(Wanted::BackupAndAudit)),
        ] {
            assert_eq!(wanted(access, preserve), expected);
        }
    }
}
