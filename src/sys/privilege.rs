//! The rights of whoever makes backups: on Windows to read and write all, whatever the access lists say
//! (`SeBackupPrivilege` and `SeRestorePrivilege`), and to see and set what is recorded of accesses (`SeSecurityPrivilege`).
//!
//! They are the whole process's, and enabled only while something that asked for them is under way: whoever holds them is
//! counted, and the last one gives them back. All of what is asked for is enabled or nothing. On other systems there is
//! nothing to enable: root may do it all.

#[cfg(windows)]
mod windows;

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A right of the system's that a process must enable before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys) enum Privilege {
    Backup,
    Restore,
    Security,
    /// To make symbolic links.
    #[cfg(windows)]
    MakeLinks,
}

/// Enables a right for as long as the process lives, once; nothing happens where the user has not got it.
#[cfg(windows)]
pub(in crate::sys) fn take_for_good(privilege: Privilege) {
    static TAKEN: std::sync::Once = std::sync::Once::new();
    // What cannot be done without it is told when it is tried.
    TAKEN.call_once(|| drop(enable(privilege, Enabled::Yes)));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys) enum Enabled {
    Yes,
    No,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To read and write all.
    Backup,
    /// The same, and audit lists where the user may: members of Backup Operators may not.
    BackupAndAudit,
}

static HOLDERS: Mutex<Holders> = Mutex::new(Holders { backup: 0, audit: 0 });

/// The rights are enabled as long as this is there.
#[derive(Debug)]
pub struct Held {
    audit: Audit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audit {
    Yes,
    No,
}

/// Enables what is asked for.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] where the user has not got it.
pub fn hold(wanted: Wanted) -> io::Result<Held> {
    lock().take(wanted, &mut enable).map(|audit| Held { audit })
}

/// Whether files are to be opened with these rights now.
pub fn backup_intent() -> bool {
    lock().backup > 0
}

/// Whether audit lists can be read and set now.
pub fn may_see_audit_lists() -> bool {
    lock().audit > 0
}

impl Drop for Held {
    fn drop(&mut self) {
        lock().give_back(self.audit, &mut enable);
    }
}

fn lock() -> MutexGuard<'static, Holders> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many hold which rights.
#[derive(Debug, Default)]
struct Holders {
    backup: usize,
    audit: usize,
}

impl Holders {
    fn take(
        &mut self,
        wanted: Wanted,
        enable: &mut impl FnMut(Privilege, Enabled) -> io::Result<()>,
    ) -> io::Result<Audit> {
        if self.backup == 0 {
            enable(Privilege::Backup, Enabled::Yes)?;
            if let Err(error) = enable(Privilege::Restore, Enabled::Yes) {
                // It was enabled a moment ago, and so can be disabled.
                let _ = enable(Privilege::Backup, Enabled::No);
                return Err(error);
            }
        }
        self.backup += 1;
        let audit = wanted == Wanted::BackupAndAudit
            && (self.audit > 0 || enable(Privilege::Security, Enabled::Yes).is_ok());
        self.audit += usize::from(audit);
        Ok(if audit { Audit::Yes } else { Audit::No })
    }

    fn give_back(&mut self, audit: Audit, enable: &mut impl FnMut(Privilege, Enabled) -> io::Result<()>) {
        // What was enabled can be disabled; and if not, the rights end with the process.
        if audit == Audit::Yes {
            self.audit -= 1;
            if self.audit == 0 {
                let _ = enable(Privilege::Security, Enabled::No);
            }
        }
        self.backup -= 1;
        if self.backup == 0 {
            let _ = enable(Privilege::Restore, Enabled::No);
            let _ = enable(Privilege::Backup, Enabled::No);
        }
    }
}

fn enable(privilege: Privilege, enabled: Enabled) -> io::Result<()> {
    #[cfg(windows)]
    return windows::enable(privilege, enabled);
    #[cfg(not(windows))]
    {
        let _unused = (privilege, enabled);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is enabled, where the user has no right but these.
    struct System {
        has: Vec<Privilege>,
        enabled: Vec<Privilege>,
    }

    impl System {
        fn enable(&mut self, privilege: Privilege, enabled: Enabled) -> io::Result<()> {
            if !self.has.contains(&privilege) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            match enabled {
                Enabled::Yes => self.enabled.push(privilege),
                Enabled::No => self.enabled.retain(|other| *other != privilege),
            }
            Ok(())
        }
    }

    const ALL: [Privilege; 3] = [Privilege::Backup, Privilege::Restore, Privilege::Security];

    #[test]
    fn the_last_holder_gives_the_rights_back() {
        let mut system = System { has: ALL.into(), enabled: Vec::new() };
        let mut holders = Holders::default();
        let one = holders.take(Wanted::Backup, &mut |right, on| system.enable(right, on)).unwrap();
        let other = holders.take(Wanted::BackupAndAudit, &mut |right, on| system.enable(right, on)).unwrap();
        assert_eq!((one, other), (Audit::No, Audit::Yes));
        assert_eq!(system.enabled, ALL);
        holders.give_back(one, &mut |right, on| system.enable(right, on));
        assert_eq!(system.enabled, ALL, "another one holds them");
        holders.give_back(other, &mut |right, on| system.enable(right, on));
        assert_eq!(system.enabled, []);
    }

    #[test]
    fn where_one_cannot_be_had_none_is_left_enabled() {
        for missing in [Privilege::Backup, Privilege::Restore] {
            let has = ALL.into_iter().filter(|right| *right != missing).collect();
            let mut system = System { has, enabled: Vec::new() };
            let mut holders = Holders::default();
            let error = holders.take(Wanted::BackupAndAudit, &mut |right, on| system.enable(right, on));
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            assert_eq!((system.enabled, holders.backup, holders.audit), (Vec::new(), 0, 0), "{missing:?}");
        }
    }

    #[test]
    fn who_may_not_see_audit_lists_goes_on_without_them() {
        let mut system = System { has: vec![Privilege::Backup, Privilege::Restore], enabled: Vec::new() };
        let mut holders = Holders::default();
        let audit = holders.take(Wanted::BackupAndAudit, &mut |right, on| system.enable(right, on)).unwrap();
        assert_eq!((audit, holders.audit), (Audit::No, 0));
        assert_eq!(system.enabled, [Privilege::Backup, Privilege::Restore]);
    }
}
