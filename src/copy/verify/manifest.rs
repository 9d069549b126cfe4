//! The manifest: a line a file as `b3sum` writes it, sorted by path, under its final name only when it is whole.
//!
//! Lines come in any order from many workers. They are gathered, sorted in runs that are put aside in temporary
//! files, and merged at the end, so that memory does not grow with the tree: one run is gathered while at most one
//! other is put aside, and whoever fills the first meanwhile waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::copy::PassError;

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

/// Lines in one block of memory.
#[derive(Default)]
struct Run {
    /// Of each line the hash, then the path.
    letters: Vec<u8>,
    lines: Vec<Place>,
}

/// Where a line lies among the letters of its run.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
}

/// What was put aside.
#[derive(Default)]
struct Aside {
    files: Vec<File>,
    /// The room of the run that was put aside last, for the next.
    room: Run,
}

/// Ordered by the path as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    path: String,
    hash: [u8; blake3::OUT_LEN],
}

/// The lines of a run, in order.
type Lines<'r> = Box<dyn Iterator<Item = io::Result<Line>> + 'r>;

impl Manifest {
    pub(in crate::copy) fn new(place: &Path) -> Self {
        Self { place: place.to_owned(), gathered: Mutex::default(), aside: Mutex::default(), limit: RUN }
    }

    /// Adds a file by its path below the target's root.
    pub(in crate::copy) fn add(&self, path: &Path, hash: blake3::Hash) -> io::Result<()> {
        let mut gathered = lock(&self.gathered);
        gathered.push(path, hash);
        if gathered.letters.len() < self.limit {
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
        let mut runs: Vec<Lines<'_>> = vec![Box::new(gathered.lines().map(Ok))];
        for file in std::mem::take(&mut lock(&self.aside).files) {
            runs.push(Box::new(read_back(file)));
        }
        let file = self.unfinished()?;
        let mut writer = BufWriter::new(file);
        merge(runs, |line| write_line(&mut writer, &line))?;
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
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(self.folder())
    }
}

impl Run {
    fn push(&mut self, path: &Path, hash: blake3::Hash) {
        let start = self.letters.len();
        self.letters.extend_from_slice(hash.as_bytes());
        put_plain(&mut self.letters, path);
        self.lines.push(Place { start, end: self.letters.len() });
    }

    fn path(letters: &[u8], place: Place) -> &[u8] {
        &letters[place.start + blake3::OUT_LEN..place.end]
    }

    fn sort(&mut self) {
        let letters = &self.letters;
        self.lines.sort_unstable_by(|one, other| Self::path(letters, *one).cmp(Self::path(letters, *other)));
    }

    fn lines(&self) -> impl Iterator<Item = Line> {
        self.lines.iter().map(|place| {
            let mut hash = [0; blake3::OUT_LEN];
            hash.copy_from_slice(&self.letters[place.start..place.start + blake3::OUT_LEN]);
            Line { path: String::from_utf8_lossy(Self::path(&self.letters, *place)).into_owned(), hash }
        })
    }

    /// Sorts the lines and writes them to a file without a name: length of the path, hash, path.
    fn put_aside(&mut self, folder: &Path) -> io::Result<File> {
        self.sort();
        let mut writer = BufWriter::new(tempfile::tempfile_in(folder)?);
        for place in &self.lines {
            let length = (place.end - place.start - blake3::OUT_LEN) as u64;
            writer.write_all(&length.to_le_bytes())?;
            writer.write_all(&self.letters[place.start..place.end])?;
        }
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }

    fn clear(&mut self) {
        self.letters.clear();
        self.lines.clear();
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As `b3sum` writes: a `\` or a line break in the path is escaped, and a `\` before the hash says so.
fn write_line(writer: &mut impl Write, line: &Line) -> io::Result<()> {
    let Line { path, hash } = line;
    let hash = blake3::Hash::from(*hash).to_hex();
    if path.contains(['\\', '\n', '\r']) {
        let escaped = path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        writeln!(writer, "\\{hash}  {escaped}")
    } else {
        writeln!(writer, "{hash}  {path}")
    }
}

fn read_back(run: File) -> impl Iterator<Item = io::Result<Line>> {
    let mut reader = BufReader::new(run);
    std::iter::from_fn(move || read_line(&mut reader).transpose())
}

fn read_line(reader: &mut BufReader<File>) -> io::Result<Option<Line>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let (mut hash, mut length) = ([0; blake3::OUT_LEN], [0; 8]);
    reader.read_exact(&mut length)?;
    reader.read_exact(&mut hash)?;
    let mut path = String::new();
    reader.take(u64::from_le_bytes(length)).read_to_string(&mut path)?;
    Ok(Some(Line { path, hash }))
}

fn merge(mut runs: Vec<Lines<'_>>, mut each: impl FnMut(Line) -> io::Result<()>) -> io::Result<()> {
    let mut heads = BinaryHeap::new();
    for (index, run) in runs.iter_mut().enumerate() {
        if let Some(line) = run.next() {
            heads.push(Reverse((line?, index)));
        }
    }
    while let Some(Reverse((line, index))) = heads.pop() {
        each(line)?;
        if let Some(next) = runs[index].next() {
            heads.push(Reverse((next?, index)));
        }
    }
    Ok(())
}

/// With `/` between components. What is no Unicode is replaced, as `b3sum` itself does.
fn put_plain(letters: &mut Vec<u8>, path: &Path) {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    for (index, name) in names.enumerate() {
        if index > 0 {
            letters.push(b'/');
        }
        letters.extend_from_slice(name.as_bytes());
    }
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
        assert_eq!(names, ["a", "a\\\\n", "b/1", "b/2", "c\\nd", "z", "ü"]);
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
