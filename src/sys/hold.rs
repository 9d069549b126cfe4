//! One pass a target at a time, whichever process it is in.
//!
//! The lock is the operating system's and ends with the process. It holds between passes of movebook: a pass takes what has a
//! temporary file's name for left over, and would remove another one's.

use std::io;
use std::path::Path;
#[cfg(unix)]
use std::time::{Duration, Instant};

/// How long a lock is waited for. A child has its parent's handles, and so this lock, until it is a program of its own:
/// that takes milliseconds, and must not look like another pass.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_millis(500);

/// In the environment of a program that the holder of a folder calls to work in it: the folder. If that program is movebook
/// again (`movebook robocopy`), it is no other pass.
pub const LETS_IN: &str = "MOVEBOOK_HELD_TARGET";

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
    if std::env::var_os(LETS_IN).is_some_and(|held| Path::new(&held) == folder) {
        return Ok(Held { _folder: None });
    }
    let folder = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let begun = Instant::now();
    loop {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Held { _folder: Some(folder.into()) }),
            Err(Errno::WOULDBLOCK) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error @ Errno::WOULDBLOCK) => return Err(error.into()),
            Err(_) => return Ok(Held { _folder: None }),
        }
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

    #[test]
    fn a_lock_that_goes_away_at_once_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(folder.path()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(PATIENCE / 10);
                drop(held);
            });
            take(folder.path()).unwrap();
        });
    }
}
