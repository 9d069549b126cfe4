//! The state file as a file: made, read, recovered and appended to.
//!
//! A record that [`Journal::append`] returned is on the disk. After a write or a sync that failed nothing is known of
//! the file's end, so that nothing more is written: the run ends and is taken up again from what the disk then holds.
//! Only an unfinished last line is ever cut off, and a copy of it is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Unit};

use super::line::{self, Chain, Damage, Fault, Parsed, Tail};
use super::lock::Lock;
use super::record::{Body, Record};
use crate::error::{Error, ExitCode, Result};
use crate::sys::{private_file, tree};

/// A state file open for appending. It holds the [`Lock`] as long as it lives.
#[derive(Debug)]
pub struct Journal {
    file: File,
    lock: Lock,
    next: u64,
    chain: Chain,
    health: Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Sound,
    /// A write or a sync failed.
    Failed,
}

/// What opening a state file gives.
#[derive(Debug)]
pub struct Opened {
    pub journal: Journal,
    /// Empty if the process ended before the start of the run was written: then the run begins with
    /// [`Body::RunStarted`] as if the file had just been made.
    pub records: Vec<Record>,
    /// Where a copy of an unfinished last line was put, if there was one.
    pub torn: Option<PathBuf>,
}

impl Journal {
    /// Makes a new state file that begins with `start`, which must be [`Body::RunStarted`]. Refuses to overwrite.
    pub fn create(lock: Lock, start: Body) -> Result<(Self, Record)> {
        let path = lock.state_file();
        let file = private_file::create_new(path).map_err(|error| {
            let exists = error.kind() == io::ErrorKind::AlreadyExists;
            let message = format!("cannot make the state file {}", path.display());
            Error::new(ExitCode::Usage, message).caused_by(error).hint(if exists {
                "something is there already; go on with it by `movebook resume`, or choose another place with --state FILE"
            } else {
                "choose another place with --state FILE"
            })
        })?;
        let folder = folder_of(path);
        private_file::sync_folder(&folder).map_err(|error| {
            Error::new(ExitCode::StepFailed, format!("cannot sync the folder {}", folder.display()))
                .caused_by(error)
        })?;
        let mut journal = Self { file, lock, next: 0, chain: Chain::start(), health: Health::Sound };
        let record = journal.append(start)?;
        Ok((journal, record))
    }

    /// Opens a state file to go on with it. An unfinished last line is cut off; a file that is damaged otherwise is
    /// refused with [`ExitCode::Damaged`] and left as it is.
    pub fn open(lock: Lock) -> Result<Opened> {
        let path = lock.state_file();
        let bytes = read_bytes(path)?;
        let Parsed { records, chain, tail } = line::parse(&bytes).map_err(|damage| damaged(path, &damage))?;
        let unwritable = |error: io::Error| {
            Error::new(ExitCode::Usage, format!("cannot write the state file {}", path.display()))
                .caused_by(error)
        };
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(unwritable)?;
        let torn = recover(path, &mut file, &bytes, tail).map_err(unwritable)?;
        let journal = Self { file, lock, next: records.len() as u64, chain, health: Health::Sound };
        Ok(Opened { journal, records, torn })
    }

    /// Writes a record and waits until the disk has it. The record is returned as the file holds it.
    pub fn append(&mut self, body: Body) -> Result<Record> {
        if self.health == Health::Failed {
            return Err(self.failed("nothing more can be written to"));
        }
        if matches!(body, Body::RunStarted { .. }) != (self.next == 0) {
            return Err(self.failed("the start of a run must be the first record of, and only the first, in"));
        }
        let record = Record { seq: self.next, at: now(), body };
        let (line, record, chain) = line::encode(&record, self.chain)
            .map_err(|error| self.failed("cannot put a record into words for").caused_by(error))?;
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            self.health = Health::Failed;
            return Err(self
                .failed("cannot write")
                .caused_by(error)
                .hint("see to the disk that holds it; the same command then goes on from what was written"));
        }
        self.next += 1;
        self.chain = chain;
        Ok(record)
    }

    /// The state file, with links resolved.
    pub fn path(&self) -> &Path {
        self.lock.state_file()
    }

    fn failed(&self, what: &str) -> Error {
        Error::new(ExitCode::StepFailed, format!("{what} the state file {}", self.path().display()))
    }
}

/// Reads a state file without its lock, for `status` and reports. What a live writer has not finished is left out.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let bytes = read_bytes(path)?;
    line::parse(&bytes).map(|parsed| parsed.records).map_err(|damage| damaged(path, &damage))
}

/// What a user sees of a damage.
pub fn damaged(path: &Path, Damage { line, fault }: &Damage) -> Error {
    if fault.is_newer() {
        return Error::new(
            ExitCode::Usage,
            format!("cannot read the state file {}, line {line}: {fault}", path.display()),
        )
        .hint("use the version of movebook that wrote it, or a newer one; nothing was changed");
    }
    let error = Error::new(
        ExitCode::Damaged,
        format!("the state file {} is damaged at line {line}: {fault}", path.display()),
    );
    match fault {
        Fault::NotAStateFile => error.hint("give the right state file; nothing was changed"),
        _ => {
            error.hint("restore it from a copy, as the run cannot safely go on from it; nothing was changed")
        }
    }
}

/// Makes the file end with the newline of its last record. Returns where an unfinished line was copied to.
fn recover(path: &Path, file: &mut File, bytes: &[u8], tail: Tail) -> io::Result<Option<PathBuf>> {
    let torn = match tail {
        Tail::Clean => None,
        Tail::Unterminated(end) => {
            file.set_len(end as u64)?;
            file.seek(SeekFrom::End(0))?;
            file.write_all(b"\n")?;
            None
        }
        Tail::Torn(start) => {
            let copy = keep_torn(path, &bytes[start..])?;
            file.set_len(start as u64)?;
            Some(copy)
        }
    };
    // A record that the last process wrote may be in memory only: nothing is done on its word before it is on the disk.
    file.sync_all()?;
    file.seek(SeekFrom::End(0))?;
    Ok(torn)
}

fn keep_torn(path: &Path, piece: &[u8]) -> io::Result<PathBuf> {
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut number = 1;
    let (copy, mut file) = loop {
        let mut name = path.as_os_str().to_os_string();
        name.push(format!(".torn-{stamp}"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let copy = PathBuf::from(name);
        match private_file::create_new(&copy) {
            Ok(file) => break (copy, file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(error) => return Err(error),
        }
    };
    file.write_all(piece)?;
    file.sync_all()?;
    private_file::sync_folder(&folder_of(&copy))?;
    Ok(copy)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let unreadable = || Error::new(ExitCode::Usage, format!("cannot read the state file {}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| {
        let missing = tree::is_absence(&error);
        let error = unreadable().caused_by(error);
        if missing { error.hint("no run has begun there; `movebook run` begins one") } else { error }
    })?;
    // A device or a pipe would be read without end.
    if !metadata.is_file() {
        return Err(unreadable().caused_by("it is not a file").hint("give the right state file"));
    }
    fs::read(path).map_err(|error| unreadable().caused_by(error))
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// To the millisecond: more says nothing to a reader.
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::lock::Holder;
    use crate::state::sample;

    #[test]
    fn nothing_is_written_after_a_write_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.state.jsonl");
        let lock = Lock::acquire(&path, &Holder::this_process("server", "admin")).unwrap();
        let (mut journal, _) = Journal::create(lock, sample::run_started()).unwrap();
        let sound = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        assert_eq!(journal.append(sample::session()).unwrap_err().code(), ExitCode::StepFailed);
        journal.file = sound;
        assert!(journal.append(sample::session()).is_err(), "the end of the file is not known any more");
        assert_eq!(read(&path).unwrap().len(), 1);
    }

    #[test]
    fn a_start_in_the_middle_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.state.jsonl");
        let lock = Lock::acquire(&path, &Holder::this_process("server", "admin")).unwrap();
        let (mut journal, _) = Journal::create(lock, sample::run_started()).unwrap();
        assert!(journal.append(sample::run_started()).is_err());
        journal.append(sample::session()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }
}
