//! The manifest: a line a file as `b3sum` writes it, sorted by path, under its final name only when it is whole.
//!
//! Lines come in any order from many workers. They are gathered, sorted in runs that are put aside in temporary
//! files, and merged at the end, so that memory does not grow with the tree: one run is gathered while at most one
//! other is put aside, and whoever fills the first meanwhile waits.

mod run;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::copy::PassError;
use crate::sys::tree;
use run::{Kept, Lines, PutAside, Run};

/// Bytes gathered before they are put aside: some 50,000 lines.
const RUN: usize = 4 * 1024 * 1024;

/// A manifest being made.
pub(in crate::copy) struct Manifest {
    place: PathBuf,
    gathered: Mutex<Run>,
    /// Locked while `gathered` is, and longer.
    aside: Mutex<Aside>,
    /// Bytes in a run.
    limit: usize,
}

/// What was put aside.
#[derive(Default)]
struct Aside {
    files: Vec<File>,
    /// The room of the run that was put aside last, for the next.
    room: Run,
}

impl Manifest {
    pub(in crate::copy) fn new(place: &Path) -> Self {
        Self { place: place.to_owned(), gathered: Mutex::default(), aside: Mutex::default(), limit: RUN }
    }

    /// Adds a file by its path below the target's root.
    pub(in crate::copy) fn add(&self, path: &Path, hash: blake3::Hash) -> io::Result<()> {
        let mut gathered = lock(&self.gathered);
        gathered.push(path, hash);
        if gathered.bytes() < self.limit {
            return Ok(());
        }
        let mut aside = lock(&self.aside);
        std::mem::swap(&mut *gathered, &mut aside.room);
        // The others go on gathering meanwhile.
        drop(gathered);
        let file = aside.room.put_aside(self.folder())?;
        aside.files.push(file);
        aside.room.clear();
        Ok(())
    }

    /// Writes the whole manifest beside its place, brings it to the disk, and renames it.
    pub(in crate::copy) fn finish(self) -> Result<(), PassError> {
        self.write().map_err(|error| self.failed("write", error))
    }

    pub(in crate::copy) fn failed(&self, what: &str, error: io::Error) -> PassError {
        PassError::Fatal {
            what: format!("cannot {what} the manifest"),
            path: crate::copy::names::shown(&self.place),
            hint: "name a place for the manifest that can be written".into(),
            source: Some(error),
        }
    }

    fn folder(&self) -> &Path {
        match self.place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut gathered = lock(&self.gathered);
        gathered.sort();
        let files = std::mem::take(&mut lock(&self.aside).files);
        let mut runs: Vec<Box<dyn Lines + '_>> = vec![Box::new(Kept::of(&gathered))];
        runs.extend(files.into_iter().map(|file| Box::new(PutAside::new(file)) as Box<dyn Lines>));
        let mut writer = BufWriter::with_capacity(run::BUFFER, self.unfinished()?);
        run::merge(runs, |line| write_line(&mut writer, line))?;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.place).map_err(|error| error.error)?;
        Ok(())
    }

    /// The file that becomes the manifest. Its name is always the same: what a killed process left is replaced, and
    /// nothing lies about that nobody takes away.
    fn unfinished(&self) -> io::Result<NamedTempFile> {
        let mut name = OsString::from(".");
        name.push(self.place.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
        name.push(".movebook-part");
        match fs::remove_file(self.folder().join(&name)) {
            Err(error) if !tree::is_absence(&error) => return Err(error),
            _ => {}
        }
        tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(self.folder())
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As `b3sum` writes: a `\` or a line break in the path is escaped, and a `\` before the hash says so.
fn write_line(writer: &mut impl Write, line: &[u8]) -> io::Result<()> {
    let Some((hash, path)) = line.split_first_chunk() else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    let escaped = |letter: &u8| matches!(letter, b'\\' | b'\n' | b'\r');
    if !path.iter().any(escaped) {
        writer.write_all(hash.as_bytes())?;
        writer.write_all(b"  ")?;
        writer.write_all(path)?;
        return writer.write_all(b"\n");
    }
    write!(writer, "\\{hash}  ")?;
    for letter in path {
        match letter {
            b'\\' => writer.write_all(b"\\\\")?,
            b'\n' => writer.write_all(b"\\n")?,
            b'\r' => writer.write_all(b"\\r")?,
            letter => writer.write_all(&[*letter])?,
        }
    }
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(paths: &[&str], limit: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("manifest.b3");
        let mut manifest = Manifest::new(&place);
        manifest.limit = limit;
        for path in paths {
            manifest.add(Path::new(path), blake3::hash(path.as_bytes())).unwrap();
        }
        manifest.finish().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the manifest is left");
        std::fs::read_to_string(place).unwrap()
    }

    #[test]
    fn lines_are_sorted_whatever_is_put_aside() {
        let paths = ["b/2", "a", "c\nd", "b/1", "a\\n", "z", "ü"];
        let whole = written(&paths, 100);
        assert_eq!(whole, written(&paths, 2 * blake3::OUT_LEN));
        let names: Vec<_> = whole.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        // To Windows that one is a file in a folder.
        let odd = if cfg!(windows) { "a/n" } else { "a\\\\n" };
        assert_eq!(names, ["a", odd, "b/1", "b/2", "c\\nd", "z", "ü"]);
    }

    #[test]
    fn no_line_is_lost_between_many_workers_and_many_runs() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("manifest.b3");
        let manifest = Manifest { limit: 1_000, ..Manifest::new(&place) };
        let path = |worker: usize, number: usize| format!("{number:03}/{worker:02}");
        std::thread::scope(|scope| {
            for worker in 0..16 {
                let manifest = &manifest;
                scope.spawn(move || {
                    for number in 0..250 {
                        let path = path(worker, number);
                        manifest.add(Path::new(&path), blake3::hash(path.as_bytes())).unwrap();
                    }
                });
            }
        });
        manifest.finish().unwrap();
        let expected: String = (0..250)
            .flat_map(|number| (0..16).map(move |worker| path(worker, number)))
            .map(|path| format!("{}  {path}\n", blake3::hash(path.as_bytes()).to_hex()))
            .collect();
        assert_eq!(fs::read_to_string(place).unwrap(), expected);
    }

    #[test]
    fn what_a_killed_process_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("manifest.b3");
        fs::write(folder.path().join(".manifest.b3.movebook-part"), "half").unwrap();
        Manifest::new(&place).finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the manifest is left");
        assert_eq!(fs::read_to_string(place).unwrap(), "");
    }

    #[test]
    fn a_line_is_as_b3sum_writes_it() {
        let hash = blake3::hash(b"a b").to_hex();
        assert_eq!(written(&["a b"], 100), format!("{hash}  a b\n"));
    }
}
