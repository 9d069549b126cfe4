//! One pass a target at a time, whichever process it is in.
//!
//! The lock is the operating system's and ends with the process. It holds between passes of movebook: a pass takes what has a
//! temporary file's name for left over, and would remove another one's.

use std::io;
use std::path::Path;

/// Keeps other passes out of a folder until it goes.
#[derive(Debug)]
pub struct Held {
    #[cfg(unix)]
    _folder: Option<std::fs::File>,
}

/// Takes hold of a folder; [`io::ErrorKind::WouldBlock`] where another pass has it.
///
/// Some file systems (NFS, and others that ask a server) cannot lock a folder: then nobody is kept out, which is what was
/// before. Windows cannot lock folders at all.
#[cfg(unix)]
pub fn take(folder: &Path) -> io::Result<Held> {
    use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
    use rustix::io::Errno;
    let folder = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Held { _folder: Some(folder.into()) }),
        Err(error @ Errno::WOULDBLOCK) => Err(error.into()),
        Err(_) => Ok(Held { _folder: None }),
    }
}

/// Takes hold of a folder: not on Windows, where a folder cannot be locked.
#[cfg(not(unix))]
pub fn take(_: &Path) -> io::Result<Held> {
    Ok(Held {})
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time_and_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(folder.path()).unwrap();
        assert_eq!(take(folder.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        take(folder.path()).unwrap();
    }
}
