//! One runner a state file, by an operating-system lock on `NAME.lock` beside it.
//!
//! The lock ends with the process that holds it, however that ends: a lock *file* that is left over is no obstacle. It
//! is never deleted: a process that has it open and one that makes it anew would each lock a file of their own, and
//! both would run. The state file itself is not locked, since on Windows nobody could then read it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal;
use super::record::Body;
use crate::error::{Error, ExitCode, Result};
use crate::sys::{private_file, tree};

/// Who holds a state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    pub user: String,
    pub since: Timestamp,
}

impl Holder {
    /// This process, from now on.
    pub fn this_process(host: impl Into<String>, user: impl Into<String>) -> Self {
        Self { pid: std::process::id(), host: host.into(), user: user.into(), since: Timestamp::now() }
    }
}

/// The right to write a state file. It ends when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    state_file: PathBuf,
}

/// `status` looks at a lock for an instant by taking it: so long a runner waits for it.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

impl Lock {
    /// Takes the lock of a state file, which need not exist yet.
    ///
    /// Where another process holds it the error has [`ExitCode::Held`] and names the holder.
    pub fn acquire(state_file: &Path, holder: &Holder) -> Result<Self> {
        let state_file = resolve(state_file)?;
        let path = lock_path(&state_file);
        let file = match private_file::open_or_create(&path) {
            Ok(file) => file,
            // The lock file of another user can be looked at, though not written.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && is_held(&path).unwrap_or_default() =>
            {
                return Err(held(&state_file, &path));
            }
            Err(error) => {
                return Err(cannot_open(&path, error).hint("choose another place with --state FILE"));
            }
        };
        if !try_lock(&file, &path)? {
            return Err(held(&state_file, &path));
        }
        let mut lock = Self { file, state_file };
        lock.write_holder(holder).map_err(|error| {
            Error::new(ExitCode::Usage, format!("cannot write the lock file {}", path.display()))
                .caused_by(error)
        })?;
        Ok(lock)
    }

    /// The state file, with links resolved.
    pub fn state_file(&self) -> &Path {
        &self.state_file
    }

    fn write_holder(&mut self, holder: &Holder) -> io::Result<()> {
        let mut line = serde_json::to_vec(holder)?;
        line.push(b'\n');
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&line)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The name of the holder is for people only; the lock itself ends with the file.
        let _ = self.file.set_len(0);
    }
}

/// Who runs on a state file at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runner {
    Nobody,
    Known(Holder),
    /// A process that left no name.
    Unknown,
}

/// Looks whether a state file is held, and by whom. Makes no file.
pub fn current_runner(state_file: &Path) -> Result<Runner> {
    let state_file = resolve(state_file)?;
    let path = lock_path(&state_file);
    if !is_held(&path)? {
        return Ok(Runner::Nobody);
    }
    Ok(read_holder(&state_file, &path).map_or(Runner::Unknown, Runner::Known))
}

fn is_held(path: &Path) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if tree::is_absence(&error) => return Ok(false),
        Err(error) => return Err(cannot_open(path, error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(unsupported(path, error)),
    }
}

/// Two names of one file must have one lock, so that a link is resolved before the lock's name is made.
fn resolve(state_file: &Path) -> Result<PathBuf> {
    match state_file.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => dunce::canonicalize(state_file).map_err(|error| {
            let message = format!("cannot follow the link {} to a state file", state_file.display());
            Error::new(ExitCode::Usage, message)
                .caused_by(error)
                .hint("remove the link, or choose another place with --state FILE")
        }),
        _ => Ok(state_file.to_path_buf()),
    }
}

fn lock_path(state_file: &Path) -> PathBuf {
    let mut name = state_file.as_os_str().to_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    for attempt in 1..=ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(unsupported(path, error)),
        }
    }
    Ok(false)
}

fn held(state_file: &Path, path: &Path) -> Error {
    let who = match read_holder(state_file, path) {
        Some(Holder { pid, host, user, since }) => {
            // The names come from a file that others may have written: what would steer a terminal is escaped.
            let (user, host) = (user.escape_debug(), host.escape_debug());
            format!("process {pid} of {user} on {host}, since {}", since.strftime("%Y-%m-%d %H:%M:%S UTC"))
        }
        None => "another process".to_string(),
    };
    Error::new(ExitCode::Held, format!("the state file {} is held by {who}", state_file.display()))
        .hint(format!("watch it with `movebook status --state {}`", state_file.display()))
        .hint("the run goes on there; start it here only after that process has ended")
}

/// On Windows a locked file cannot be read: there the journal's last session tells who it was.
fn read_holder(state_file: &Path, path: &Path) -> Option<Holder> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(64 * 1024).read_to_string(&mut text));
    if read.is_ok()
        && let Ok(holder) = serde_json::from_str(&text)
    {
        return Some(holder);
    }
    journal::read(state_file).ok()?.into_iter().rev().find_map(|record| match record.body {
        Body::SessionStarted { host, user, pid, .. } => Some(Holder { pid, host, user, since: record.at }),
        _ => None,
    })
}

fn cannot_open(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::Usage, format!("cannot open the lock file {}", path.display())).caused_by(error)
}

fn unsupported(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::Usage, format!("cannot lock {}", path.display()))
        .caused_by(error)
        .hint("keep the state file on a local disk: --state FILE")
}
