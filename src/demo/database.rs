//! The demo's databases: pages that a running server rewrites in place, and a first page that says whether the file is whole.
//!
//! A copy that is made while the server runs says `Open` (or is `Torn`), and only [`Database::close`] makes it `Closed`
//! again: that is why a real procedure copies databases last, and only after the service has stopped.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::noise::Noise;
use crate::error::{Error, ExitCode, Result};

/// The size of a page in bytes.
pub const PAGE: u64 = 4096;

const MAGIC: &[u8; 16] = b"movebook demo db";
const HEADER: usize = PAGE as usize;

/// What the first page of a database says, and whether the others agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseState {
    /// Closed in good order; every page is as it was then.
    Closed,
    /// A server has it open, or had it open when the copy was made.
    Open,
    /// It says that it is closed, but its pages are not those it was closed with.
    Torn,
}

/// A database that this process holds open, and locked against others.
#[derive(Debug)]
pub struct Database {
    file: File,
    path: PathBuf,
    pages: u64,
    generation: u64,
}

/// Writes a new, closed database of `pages` pages besides its first one.
pub(super) fn create(file: &mut File, name: &str, pages: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(PAGE))?;
    Noise::of(name).write_to(file, pages * PAGE)?;
    let checksum = checksum_of_pages(file)?;
    write_header(file, DatabaseState::Closed, pages, 0, &checksum)
}

/// Looks at a database (or a copy of one) without changing it.
pub fn inspect(path: &Path) -> Result<DatabaseState> {
    let cannot = |error| {
        Error::new(ExitCode::StepFailed, format!("cannot read the database {}", path.display()))
            .caused_by(error)
    };
    let mut file = File::open(path).map_err(cannot)?;
    let Some(header) = read_header(&mut file).map_err(cannot)? else { return Err(not_ours(path)) };
    if header.open {
        return Ok(DatabaseState::Open);
    }
    let checksum = checksum_of_pages(&mut file).map_err(cannot)?;
    Ok(if checksum == header.checksum { DatabaseState::Closed } else { DatabaseState::Torn })
}

impl Database {
    /// Opens a database of the demo, locks it, and marks it as open.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(|error| {
            Error::new(ExitCode::StepFailed, format!("cannot open the database {}", path.display()))
                .caused_by(error)
                .hint("the demo's server works only on an archive that the demo made")
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("another server has the database {} open", path.display());
                return Err(Error::new(ExitCode::StepFailed, message).hint("stop it first"));
            }
            Err(TryLockError::Error(error)) => {
                return Err(cannot_write(path, error));
            }
        }
        // The magic is looked at before the first write: a real MailStore database has the same file name.
        let header = read_header(&mut file).map_err(|error| cannot_write(path, error))?;
        let Some(header) = header else { return Err(not_ours(path)) };
        // Counted, not believed: a damaged first page must not send a write far behind the end.
        let length = file.metadata().map_err(|error| cannot_write(path, error))?.len();
        let pages = (length / PAGE).saturating_sub(1);
        let mut database = Self { file, path: path.to_owned(), pages, generation: header.generation };
        database.mark(DatabaseState::Open, &[0; 32])?;
        Ok(database)
    }

    /// Rewrites one page in place.
    pub fn rewrite_page(&mut self) -> Result<()> {
        self.generation = self.generation.wrapping_add(1);
        let mut noise = Noise::of(&format!("page of generation {}", self.generation));
        let page = 1 + noise.number_below(self.pages.max(1));
        self.file
            .seek(SeekFrom::Start(page * PAGE))
            .and_then(|_| noise.write_to(&mut self.file, PAGE))
            .map_err(|error| cannot_write(&self.path, error))
    }

    /// Writes the first page anew, with the checksum of all the others, and gives the lock back.
    pub fn close(mut self) -> Result<()> {
        let checksum = checksum_of_pages(&mut self.file).map_err(|error| cannot_write(&self.path, error))?;
        self.mark(DatabaseState::Closed, &checksum)?;
        self.file.sync_all().map_err(|error| cannot_write(&self.path, error))
    }

    fn mark(&mut self, state: DatabaseState, checksum: &[u8; 32]) -> Result<()> {
        write_header(&mut self.file, state, self.pages, self.generation, checksum)
            .map_err(|error| cannot_write(&self.path, error))
    }
}

struct Header {
    open: bool,
    generation: u64,
    checksum: [u8; 32],
}

/// The first page, if it is one of the demo's.
fn read_header(file: &mut File) -> io::Result<Option<Header>> {
    let mut page = Vec::with_capacity(HEADER);
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(PAGE).read_to_end(&mut page)?;
    if page.len() < HEADER || &page[..16] != MAGIC {
        return Ok(None);
    }
    let number =
        |at: usize| page[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let mut checksum = [0; 32];
    checksum.copy_from_slice(&page[40..72]);
    Ok(Some(Header { open: page[16] != 0, generation: number(32), checksum }))
}

fn write_header(
    file: &mut File,
    state: DatabaseState,
    pages: u64,
    generation: u64,
    checksum: &[u8; 32],
) -> io::Result<()> {
    let mut page = vec![0; HEADER];
    page[..16].copy_from_slice(MAGIC);
    page[16] = u8::from(state == DatabaseState::Open);
    page[24..32].copy_from_slice(&pages.to_le_bytes());
    page[32..40].copy_from_slice(&generation.to_le_bytes());
    page[40..72].copy_from_slice(checksum);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&page)
}

fn checksum_of_pages(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    file.seek(SeekFrom::Start(PAGE))?;
    hasher.update_reader(file)?;
    Ok(*hasher.finalize().as_bytes())
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot write the database {}", path.display())).caused_by(error)
}

fn not_ours(path: &Path) -> Error {
    Error::new(ExitCode::Refused, format!("{} is not a database of the demo", path.display()))
        .hint("the demo's server works only on an archive that the demo made")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(folder: &Path) -> PathBuf {
        let path = folder.join("one.fdb");
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        create(&mut file, "one", 16).unwrap();
        path
    }

    #[test]
    fn a_new_database_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(inspect(&database(folder.path())).unwrap(), DatabaseState::Closed);
    }

    #[test]
    fn a_copy_of_an_open_database_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path());
        let mut open = Database::open(&path).unwrap();
        open.rewrite_page().unwrap();
        assert_eq!(inspect(&path).unwrap(), DatabaseState::Open);
        open.close().unwrap();
        assert_eq!(inspect(&path).unwrap(), DatabaseState::Closed);
    }

    #[test]
    fn a_page_that_changed_after_the_end_makes_it_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path());
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(inspect(&path).unwrap(), DatabaseState::Torn);
    }

    #[test]
    fn an_open_database_is_locked_against_a_second_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path());
        let open = Database::open(&path).unwrap();
        assert!(Database::open(&path).unwrap_err().to_string().starts_with("another server"));
        open.close().unwrap();
        Database::open(&path).unwrap().close().unwrap();
    }

    #[test]
    fn a_database_that_is_not_the_demos_is_refused_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real.fdb");
        std::fs::write(&path, vec![7; 10_000]).unwrap();
        assert_eq!(Database::open(&path).unwrap_err().code(), ExitCode::Refused);
        assert_eq!(std::fs::read(&path).unwrap(), vec![7; 10_000]);
    }
}
