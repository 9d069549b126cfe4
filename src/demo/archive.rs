//! Makes the demo's archive: the shapes of a real one (containers, indexes, databases, recovery records, logs, empty
//! folders, names with spaces and umlauts), small.
//!
//! Names, sizes, contents and old modification times are the same each time; only the files of today depend on the
//! clock. A folder that holds anything is refused.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::database::{self, PAGE};
use super::noise::Noise;
use crate::error::{Error, ExitCode, Result};

/// The database that every archive has exactly once, at its root.
pub const MASTER_DATABASE: &str = "MailStoreMaster.fdb";
/// The database that every store has.
pub const STORE_DATABASE: &str = "MailStoreFileGroup.fdb";
/// The store that the live server archives into.
pub const CURRENT_STORE: &str = "2023-04";
/// Where the server writes what it did.
pub const LOGS: &str = "Logs";

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// About 400 files and 60 MB: a run takes seconds.
    Small,
    /// More than 20,000 files and 2 GB.
    Large,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveSummary {
    pub files: u64,
    pub bytes: u64,
    /// All folders below the root, the empty ones included.
    pub directories: u64,
}

/// Makes an archive in `root`, which must be absent or empty.
pub fn make(root: &Path, scale: Scale) -> Result<ArchiveSummary> {
    claim(root)?;
    let layout = Layout::of(scale);
    for directory in &layout.directories {
        let path = root.join(directory);
        fs::create_dir_all(&path).map_err(|error| cannot_make(&path, error))?;
    }
    write_all(root, &layout.files)?;
    Ok(layout.summary())
}

/// Refuses a folder that is not empty, and makes one that is absent.
fn claim(root: &Path) -> Result<()> {
    fs::create_dir_all(root).map_err(|error| cannot_make(root, error))?;
    let mut entries = fs::read_dir(root).map_err(|error| cannot_make(root, error))?;
    if entries.next().is_some() {
        let message = format!("the folder for the demo's archive is not empty: {}", root.display());
        return Err(
            Error::new(ExitCode::Refused, message).hint("name a folder that is empty or does not exist yet")
        );
    }
    Ok(())
}

/// Writes the files with as many threads as the machine runs at once; the first error ends it.
fn write_all(root: &Path, files: &[PlannedFile]) -> Result<()> {
    let now = SystemTime::now();
    let next = AtomicUsize::new(0);
    let write_some = || -> Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let path = root.join(&file.path);
            if let Err(error) = file.write(&path, now) {
                // The others find nothing left to do.
                next.store(files.len(), Ordering::Relaxed);
                return Err(cannot_make(&path, error));
            }
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(write_some)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn cannot_make(path: &Path, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot make the demo's archive: {}", path.display()))
        .caused_by(error)
}

/// Everything that will be made, as a value.
struct Layout {
    directories: BTreeSet<String>,
    files: Vec<PlannedFile>,
}

struct PlannedFile {
    /// Below the root, with `/` between components.
    path: String,
    content: Content,
    written: Written,
}

enum Content {
    Noise { bytes: u64 },
    Text(String),
    Database { pages: u64 },
}

/// When the file says that it was written.
enum Written {
    /// Between 2012 and 2022, by its name.
    YearsAgo,
    MinutesAgo(u64),
}

/// How many files of each sort a store has.
struct StoreSize {
    containers: u64,
    /// The mean; the real ones lie between half and one and a half of it.
    container_bytes: u64,
    records: u64,
    indexes: u64,
    database_pages: u64,
}

/// Containers of today at the end of the current store.
const CONTAINERS_OF_TODAY: u64 = 5;
/// Containers, and records, in a folder.
const FILES_IN_FOLDER: u64 = 100;

impl Layout {
    fn of(scale: Scale) -> Self {
        let mut layout = Self { directories: BTreeSet::new(), files: Vec::new() };
        let (stores, size): (&[&str], _) = match scale {
            Scale::Small => (
                &["DefaultFileGroup", "2021-07", CURRENT_STORE],
                StoreSize {
                    containers: 64,
                    container_bytes: 288 << 10,
                    records: 36,
                    indexes: 24,
                    database_pages: 96,
                },
            ),
            Scale::Large => (
                &["DefaultFileGroup", "2016-02", "2018-05", "2020-01", "2021-07", CURRENT_STORE],
                StoreSize {
                    containers: 2500,
                    container_bytes: 160 << 10,
                    records: 900,
                    indexes: 300,
                    database_pages: 4096,
                },
            ),
        };
        layout.file(MASTER_DATABASE, Content::Database { pages: 64 }, Written::YearsAgo);
        for store in stores {
            layout.store(store, &size);
        }
        layout.odds_and_ends();
        layout
    }

    fn store(&mut self, store: &str, size: &StoreSize) {
        self.file(
            format!("{store}/{STORE_DATABASE}"),
            Content::Database { pages: size.database_pages },
            Written::YearsAgo,
        );
        for number in 0..size.containers {
            let folder = number / FILES_IN_FOLDER;
            let from_end = size.containers - 1 - number;
            let written = if store == CURRENT_STORE && from_end < CONTAINERS_OF_TODAY {
                Written::MinutesAgo(20 + 45 * from_end)
            } else {
                Written::YearsAgo
            };
            let path = format!("{store}/Content/{folder:04}/{number:06}.dat");
            let bytes = size.container_bytes / 2 + Noise::of(&path).number_below(size.container_bytes);
            self.file(path, Content::Noise { bytes }, written);
        }
        for number in 0..size.records {
            // The true extension of MailStore's recovery records is not known; no filter depends on it.
            let path = format!("{store}/Content/{:04}/{number:06}.rec", number / FILES_IN_FOLDER);
            let bytes = 200 + Noise::of(&path).number_below(4000);
            self.file(path, Content::Noise { bytes }, Written::YearsAgo);
        }
        for number in 0..size.indexes {
            let extension = if number % 3 == 0 { "dat" } else { "seg" };
            let path = format!("{store}/Index/index-{number:04}.{extension}");
            let bytes = 2000 + Noise::of(&path).number_below(30_000);
            self.file(path, Content::Noise { bytes }, Written::YearsAgo);
        }
        self.directory(format!("{store}/Index/pending"));
        self.directory(format!("{store}/Temp"));
    }

    /// What an archive of many years has besides.
    fn odds_and_ends(&mut self) {
        for month in 1..=12 {
            let line = format!("2022-{month:02}-28 23:59:58 the month's log is closed\n");
            self.file(
                format!("{LOGS}/2022-{month:02}.log"),
                Content::Text(line.repeat(40)),
                Written::YearsAgo,
            );
        }
        self.file(
            "Notizen/Übergabe an Büro Süd.txt",
            Content::Text("Schlüssel liegt im Tresor.\n".into()),
            Written::YearsAgo,
        );
        self.file(
            "Notizen/of today.txt",
            Content::Text("restart after the updates\n".into()),
            Written::MinutesAgo(90),
        );
        self.file("Notizen/empty.txt", Content::Text(String::new()), Written::YearsAgo);
        let imported = "DefaultFileGroup/Content/Altes Postfach Müller";
        self.file(
            format!("{imported}/Anhänge 2009 – Größe.dat"),
            Content::Noise { bytes: 700_000 },
            Written::YearsAgo,
        );
        self.file(format!("{imported}/ALTBESTAND.DAT"), Content::Noise { bytes: 350_000 }, Written::YearsAgo);
        self.directory("Debug Log");
        self.directory("Wiederherstellung/leer/ganz leer");
    }

    fn file(&mut self, path: impl Into<String>, content: Content, written: Written) {
        let path = path.into();
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.directory(folder);
        }
        self.files.push(PlannedFile { path, content, written });
    }

    /// Notes a folder and those that it lies in.
    fn directory(&mut self, path: impl Into<String>) {
        let path = path.into();
        for (at, _) in path.match_indices('/') {
            self.directories.insert(path[..at].to_owned());
        }
        self.directories.insert(path);
    }

    fn summary(&self) -> ArchiveSummary {
        ArchiveSummary {
            files: self.files.len() as u64,
            bytes: self.files.iter().map(PlannedFile::bytes).sum(),
            directories: self.directories.len() as u64,
        }
    }
}

impl PlannedFile {
    fn bytes(&self) -> u64 {
        match &self.content {
            Content::Noise { bytes } => *bytes,
            Content::Text(text) => text.len() as u64,
            Content::Database { pages } => (pages + 1) * PAGE,
        }
    }

    fn modified(&self, now: SystemTime) -> SystemTime {
        const YEAR_2012: Duration = Duration::from_secs(1_325_376_000);
        const TEN_YEARS: u64 = 10 * 365 * 24 * 3600;
        match self.written {
            Written::MinutesAgo(minutes) => now.checked_sub(Duration::from_secs(60 * minutes)).unwrap_or(now),
            Written::YearsAgo => {
                let mut noise = Noise::of(&format!("time of {}", self.path));
                let seconds = Duration::from_secs(noise.number_below(TEN_YEARS));
                // NTFS counts in 100 ns: finer stamps could not be kept there.
                let fraction = Duration::from_nanos(100 * noise.number_below(10_000_000));
                SystemTime::UNIX_EPOCH + YEAR_2012 + seconds + fraction
            }
        }
    }

    fn write(&self, path: &Path, now: SystemTime) -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        match &self.content {
            Content::Noise { bytes } => Noise::of(&self.path).write_to(&mut file, *bytes)?,
            Content::Text(text) => io::Write::write_all(&mut file, text.as_bytes())?,
            Content::Database { pages } => database::create(&mut file, &self.path, *pages)?,
        }
        file.set_modified(self.modified(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_archive_has_at_least_twenty_thousand_files_and_two_gigabytes() {
        let summary = Layout::of(Scale::Large).summary();
        assert!(summary.files >= 20_000, "{summary:?}");
        assert!(summary.bytes >= 2_000_000_000, "{summary:?}");
    }

    #[test]
    fn no_two_files_have_names_that_windows_takes_for_the_same() {
        for scale in [Scale::Small, Scale::Large] {
            let layout = Layout::of(scale);
            let names: BTreeSet<_> = layout.files.iter().map(|file| file.path.to_lowercase()).collect();
            assert_eq!(names.len(), layout.files.len());
        }
    }

    #[test]
    fn every_name_is_one_that_windows_can_store() {
        for file in Layout::of(Scale::Small).files {
            for component in file.path.split('/') {
                assert!(!component.contains(['\\', ':', '*', '?', '"', '<', '>', '|']), "{component}");
                assert!(!component.ends_with(['.', ' ']), "{component}");
            }
        }
    }
}
