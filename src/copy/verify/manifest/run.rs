//! Sorted runs of lines, in memory and put aside, and how they become one. A line is its file's hash and then its path;
//! lines are ordered by their paths, letter for letter.
//!
//! No line is an allocation of its own: what is left to do once the trees are read is done by one thread.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Component, Path};

/// What is read or written of a file at once.
pub(super) const BUFFER: usize = 64 * 1024;

/// Lines in one block of memory.
#[derive(Default)]
pub(super) struct Run {
    letters: Vec<u8>,
    lines: Vec<Place>,
}

/// Where a line lies among the letters of its run.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
}

impl Run {
    pub(super) fn push(&mut self, path: &Path, hash: blake3::Hash) {
        let start = self.letters.len();
        self.letters.extend_from_slice(hash.as_bytes());
        put_plain(&mut self.letters, path);
        self.lines.push(Place { start, end: self.letters.len() });
    }

    pub(super) fn bytes(&self) -> usize {
        self.letters.len()
    }

    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.lines.clear();
    }

    pub(super) fn sort(&mut self) {
        let letters = &self.letters;
        let path = |place: &Place| path_of(&letters[place.start..place.end]);
        self.lines.sort_unstable_by(|one, other| path(one).cmp(path(other)));
    }

    /// Sorts the lines and writes them to a file without a name, each behind its length.
    pub(super) fn put_aside(&mut self, folder: &Path) -> io::Result<File> {
        self.sort();
        let mut writer = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(folder)?);
        for place in &self.lines {
            writer.write_all(&(place.end - place.start).to_le_bytes())?;
            writer.write_all(&self.letters[place.start..place.end])?;
        }
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
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

fn path_of(line: &[u8]) -> &[u8] {
    line.get(blake3::OUT_LEN..).unwrap_or_default()
}

/// The lines of a sorted run, one at a time.
pub(super) trait Lines {
    /// Goes to the next line, at first to the first one; `false` behind the last one.
    fn advance(&mut self) -> io::Result<bool>;
    /// The line that it went to.
    fn line(&self) -> &[u8];
}

/// Those of a run in memory.
pub(super) struct Kept<'r> {
    letters: &'r [u8],
    lines: std::slice::Iter<'r, Place>,
    line: &'r [u8],
}

impl<'r> Kept<'r> {
    pub(super) fn of(run: &'r Run) -> Self {
        Self { letters: &run.letters, lines: run.lines.iter(), line: &[] }
    }
}

impl Lines for Kept<'_> {
    fn advance(&mut self) -> io::Result<bool> {
        let Some(place) = self.lines.next() else {
            return Ok(false);
        };
        self.line = &self.letters[place.start..place.end];
        Ok(true)
    }

    fn line(&self) -> &[u8] {
        self.line
    }
}

/// Those of a run that was put aside.
pub(super) struct PutAside {
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl PutAside {
    pub(super) fn new(file: File) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER, file), line: Vec::new() }
    }
}

impl Lines for PutAside {
    fn advance(&mut self) -> io::Result<bool> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut length = [0; size_of::<usize>()];
        self.reader.read_exact(&mut length)?;
        self.line.resize(usize::from_le_bytes(length), 0);
        self.reader.read_exact(&mut self.line)?;
        Ok(true)
    }

    fn line(&self) -> &[u8] {
        &self.line
    }
}

/// Tells of all lines of all runs in order.
pub(super) fn merge(
    runs: Vec<Box<dyn Lines + '_>>,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    // Ordered by the lines that they are at.
    let mut order = Vec::with_capacity(runs.len());
    for mut run in runs {
        if run.advance()? {
            order.push(run);
        }
    }
    order.sort_by(|one, other| path_of(one.line()).cmp(path_of(other.line())));
    while let Some((first, rest)) = order.split_first_mut() {
        each(first.line())?;
        if first.advance()? {
            let path = path_of(first.line());
            let before = rest.partition_point(|other| path_of(other.line()) < path);
            order[..=before].rotate_left(1);
        } else {
            order.remove(0);
        }
    }
    Ok(())
}
