//! The control folder: how a server is found, watched and asked to stop, on every system alike.
//!
//! `lock` is held while a server runs. `pid` and `heartbeat` are for people, `log` holds what it complained of, and a file
//! `stop` is the wish that it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::ServerStatus;
use crate::error::{Error, ExitCode, Result};

/// How often a server tries to take the lock, and the pause between: a `status` may hold it for a moment.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// What those outside want of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    GoOn,
    Stop,
}

pub struct Control {
    folder: PathBuf,
}

impl Control {
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub fn status(&self) -> Result<ServerStatus> {
        if !self.folder.is_dir() {
            return Ok(ServerStatus::Missing);
        }
        let lock = match File::open(self.lock()) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ServerStatus::Stopped),
            Err(error) => return Err(cannot_read(&self.lock(), error)),
        };
        // A shared lock, so that two who ask at once do not take each other for a server.
        match lock.try_lock_shared() {
            Ok(()) => Ok(ServerStatus::Stopped),
            Err(TryLockError::WouldBlock) => Ok(ServerStatus::Running { pid: self.pid() }),
            Err(TryLockError::Error(error)) => Err(cannot_read(&self.lock(), error)),
        }
    }

    /// Takes the lock; whoever gets the file holds it until it is dropped.
    pub fn hold(&self) -> Result<File> {
        let path = self.lock();
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| cannot_write(&path, error))?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(cannot_write(&path, error)),
            }
        }
        let message = format!("another server runs already under {}", self.folder.display());
        Err(Error::new(ExitCode::Held, message)
            .hint("stop it first: movebook demo-server stop --control FOLDER"))
    }

    /// Says that the server is up.
    pub fn announce(&self) -> Result<()> {
        let path = self.folder.join("pid");
        // Renamed into place, so that nobody reads half a number.
        let draft = self.folder.join("pid.new");
        fs::write(&draft, std::process::id().to_string())
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|error| cannot_write(&path, error))
    }

    /// Says that the server is alive.
    pub fn beat(&self, beats: u64) {
        let text = format!("{} beat {beats}\n", jiff::Timestamp::now());
        // Only for people; and where the folder has gone, `wish` ends the server next.
        let _ = fs::write(self.folder.join("heartbeat"), text);
    }

    /// Takes the marks of a running server away.
    pub fn leave(&self) {
        for mark in ["pid", "heartbeat"] {
            // Nobody decides by them, and the folder itself may be what has gone.
            let _ = fs::remove_file(self.folder.join(mark));
        }
    }

    /// A folder that has vanished is a wish to stop: nobody is left who could ask.
    pub fn wish(&self) -> Wish {
        if self.folder.is_dir() && !self.wish_file().exists() { Wish::GoOn } else { Wish::Stop }
    }

    pub fn ask_to_stop(&self) -> Result<()> {
        let path = self.wish_file();
        fs::write(&path, "").map_err(|error| cannot_write(&path, error))
    }

    pub fn forget_wish(&self) -> Result<()> {
        let path = self.wish_file();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_write(&path, error)),
            _ => Ok(()),
        }
    }

    fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    fn wish_file(&self) -> PathBuf {
        self.folder.join("stop")
    }
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot read {}", path.display())).caused_by(error)
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot write {}", path.display())).caused_by(error)
}
