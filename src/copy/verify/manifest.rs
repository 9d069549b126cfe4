//! The manifest: a line a file as `b3sum` writes it, sorted by path, under its final name only when it is whole.
//!
//! Lines come in any order from many workers. They are gathered, sorted in runs that are put aside in temporary
//! files, and merged at the end, so that memory does not grow with the tree.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::copy::PassError;

/// Lines gathered before they are put aside: about 10 MB.
const RUN: usize = 65_536;

/// A manifest being made.
pub(in crate::copy) struct Manifest {
    place: PathBuf,
    gathered: Mutex<Gathered>,
    /// Lines in a run.
    limit: usize,
}

#[derive(Default)]
struct Gathered {
    lines: Vec<Line>,
    runs: Vec<File>,
}

/// Ordered by the path as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    path: String,
    hash: [u8; 32],
}

impl Manifest {
    pub(in crate::copy) fn new(place: &Path) -> Self {
        Self { place: place.to_owned(), gathered: Mutex::default(), limit: RUN }
    }

    /// Adds a file by its path below the target's root.
    pub(in crate::copy) fn add(&self, path: &Path, hash: blake3::Hash) -> io::Result<()> {
        let line = Line { path: plain(path), hash: hash.into() };
        let full = {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.lines.push(line);
            if gathered.lines.len() < self.limit {
                return Ok(());
            }
            std::mem::take(&mut gathered.lines)
        };
        // The others go on gathering meanwhile.
        let run = put_aside(full, self.folder())?;
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).runs.push(run);
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
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.lines.sort_unstable();
        let lines = std::mem::take(&mut gathered.lines);
        let mut runs: Vec<Box<dyn Iterator<Item = io::Result<Line>>>> =
            vec![Box::new(lines.into_iter().map(Ok))];
        for run in std::mem::take(&mut gathered.runs) {
            runs.push(Box::new(read_back(run)));
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

/// Sorts lines and writes them to a file without a name: hash, length of the path, path.
fn put_aside(mut lines: Vec<Line>, folder: &Path) -> io::Result<File> {
    lines.sort_unstable();
    let mut writer = BufWriter::new(tempfile::tempfile_in(folder)?);
    for Line { path, hash } in lines {
        writer.write_all(&hash)?;
        writer.write_all(&(path.len() as u64).to_le_bytes())?;
        writer.write_all(path.as_bytes())?;
    }
    let mut run = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    run.rewind()?;
    Ok(run)
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
    let (mut hash, mut length) = ([0; 32], [0; 8]);
    reader.read_exact(&mut hash)?;
    reader.read_exact(&mut length)?;
    let mut path = String::new();
    reader.take(u64::from_le_bytes(length)).read_to_string(&mut path)?;
    Ok(Some(Line { path, hash }))
}

fn merge(
    mut runs: Vec<Box<dyn Iterator<Item = io::Result<Line>>>>,
    mut each: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<()> {
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
fn plain(path: &Path) -> String {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    names.collect::<Vec<_>>().join("/")
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
        assert_eq!(whole, written(&paths, 2));
        let names: Vec<_> = whole.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        assert_eq!(names, ["a", "a\\\\n", "b/1", "b/2", "c\\nd", "z", "ü"]);
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
