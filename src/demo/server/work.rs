//! What a live server does to its archive: it fills containers, rewrites database pages in place, writes a log and rotates it.
//!
//! At each clean end one old log is taken away, so that a last pass always has something to purge; never so many that a
//! purge limit of five in a hundred is reached.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::demo::archive::{CURRENT_STORE, LOGS, MASTER_DATABASE, STORE_DATABASE};
use crate::demo::database::Database;
use crate::demo::noise::Noise;
use crate::error::{Error, ExitCode, Result};

/// What is archived in one piece of work.
const MESSAGE: u64 = 32 << 10;
/// A container that has reached this is followed by the next.
const CONTAINER: u64 = 1 << 20;
/// Pieces of work between two rotations of the log.
const ROTATION: u64 = 30;
/// Pieces of work between two old logs that are taken away.
const CLEARANCE: u64 = 20;
/// Old logs that a running server leaves.
const OLD_LOGS_KEPT: usize = 4;

pub struct Work {
    archive: PathBuf,
    master: Database,
    store: Database,
    container: Container,
    log: Log,
    ticks: u64,
}

impl Work {
    pub fn open(archive: &Path) -> Result<Self> {
        // First of all: these refuse a folder that is no archive of the demo.
        let master = Database::open(&archive.join(MASTER_DATABASE))?;
        let store = Database::open(&archive.join(CURRENT_STORE).join(STORE_DATABASE))?;
        let container = Container::next(&archive.join(CURRENT_STORE).join("Content").join("live"), 0)?;
        let log = Log::open(&archive.join(LOGS))?;
        Ok(Self { archive: archive.to_owned(), master, store, container, log, ticks: 0 })
    }

    /// One piece of work.
    pub fn tick(&mut self) -> Result<()> {
        self.ticks += 1;
        if self.container.bytes >= CONTAINER {
            self.container = self.container.followed()?;
        }
        self.container.append()?;
        self.store.rewrite_page()?;
        self.store.rewrite_page()?;
        self.master.rewrite_page()?;
        self.log.line(&format!("archived a message into {}", self.container.path.display()))?;
        if self.ticks.is_multiple_of(ROTATION) {
            self.log.rotate()?;
        }
        if self.ticks.is_multiple_of(CLEARANCE) {
            clear_old_log(&self.archive.join(LOGS), OLD_LOGS_KEPT)?;
        }
        Ok(())
    }

    /// Leaves everything whole and at rest.
    pub fn close(mut self) -> Result<()> {
        self.log.line("stopped in good order")?;
        clear_old_log(&self.archive.join(LOGS), OLD_LOGS_KEPT - 1)?;
        self.store.close()?;
        self.master.close()
    }
}

/// A content container that is being filled.
struct Container {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    number: u64,
    bytes: u64,
    noise: Noise,
}

impl Container {
    /// Makes the first container from `number` on that does not exist yet.
    fn next(folder: &Path, mut number: u64) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
        loop {
            let path = folder.join(format!("{number:06}.dat"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let noise = Noise::of(&format!("live container {number}"));
                    return Ok(Self { folder: folder.to_owned(), path, file, number, bytes: 0, noise });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(cannot_write(&path, error)),
            }
        }
    }

    /// Writes the recovery record of this one and goes on with the next.
    fn followed(&self) -> Result<Self> {
        let record = self.path.with_extension("rec");
        fs::write(&record, format!("{} bytes in container {}\n", self.bytes, self.number))
            .map_err(|error| cannot_write(&record, error))?;
        Self::next(&self.folder, self.number + 1)
    }

    fn append(&mut self) -> Result<()> {
        self.noise.write_to(&mut self.file, MESSAGE).map_err(|error| cannot_write(&self.path, error))?;
        self.bytes += MESSAGE;
        Ok(())
    }
}

/// The log of the running server.
struct Log {
    folder: PathBuf,
    path: PathBuf,
    file: File,
}

impl Log {
    fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("server.log");
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|error| cannot_write(&path, error))?;
        Ok(Self { folder: folder.to_owned(), path, file })
    }

    fn line(&mut self, what: &str) -> Result<()> {
        writeln!(self.file, "{} {what}", jiff::Timestamp::now())
            .map_err(|error| cannot_write(&self.path, error))
    }

    fn rotate(&mut self) -> Result<()> {
        let name = jiff::Timestamp::now().strftime("server-%Y%m%d-%H%M%S-%9f.log").to_string();
        let rotated = self.folder.join(name);
        fs::rename(&self.path, &rotated).map_err(|error| cannot_write(&rotated, error))?;
        *self = Self::open(&self.folder)?;
        Ok(())
    }
}

/// Takes the oldest of the years' logs away, if more than `kept` are there. Those of this server stay.
fn clear_old_log(folder: &Path, kept: usize) -> Result<()> {
    let mut old = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| cannot_write(folder, error))? {
        let name = entry.map_err(|error| cannot_write(folder, error))?.file_name();
        if name.to_string_lossy().starts_with("20") {
            old.push(name);
        }
    }
    if old.len() <= kept {
        return Ok(());
    }
    let Some(oldest) = old.into_iter().min() else { return Ok(()) };
    let path = folder.join(oldest);
    fs::remove_file(&path).map_err(|error| cannot_write(&path, error))
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("the demo's server cannot write {}", path.display()))
        .caused_by(error)
}
