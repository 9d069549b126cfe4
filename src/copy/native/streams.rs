//! What a file has beside its content on Windows: alternate data streams. They go with every file that is copied, as robocopy
//! takes them with the data.
//!
//! - They are brought over before the copy has its name, at the pass's pace: a stream can be larger than its file. Each is on
//!   the disk before that too, where every file is.
//! - They are not compared: to list those of a file takes opening it, on both sides, in a pass that has nothing to do. Who
//!   writes a stream changes its file's time, and so the file is copied anew.
//! - Where the target's volume has none (FAT, some shares), they are lost, and the pass says so once. Those of directories
//!   are not carried over.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::failure::{Failure, Side};
use super::large::{self, Blocks, Tools};
use crate::copy::names;
use crate::sys::attributes::streams::{self, Ability, Stream};
use crate::sys::tree::Durability;

/// What of them could not be kept.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Lost>);

#[derive(Debug, Default)]
struct Lost {
    files: u64,
    first: String,
}

impl Streams {
    /// Brings over all of a file's streams.
    pub(super) fn bring(
        &self,
        tools: &mut Tools<'_>,
        source: &File,
        copy: &File,
        path: impl Fn() -> PathBuf,
        durability: Durability,
    ) -> Result<(), Failure> {
        let all = streams::of(source)
            .map_err(|error| Failure::of(Side::Source, "list its streams", &path(), error))?;
        let Some(first) = all.first() else { return Ok(()) };
        let path = path();
        let ability = streams::ability(copy).map_err(|error| {
            Failure::of(Side::Target, "look whether its volume has streams", &path, error)
        })?;
        if ability == Ability::HasNot {
            self.lose(&path, &first.shown());
            return Ok(());
        }
        all.iter().try_for_each(|stream| bring(tools, source, copy, &path, stream, durability))
    }

    fn lose(&self, path: &Path, stream: &str) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.files += 1;
        if lost.files == 1 {
            lost.first = format!("{} ({stream})", names::shown(path));
        }
    }

    /// What a person should know of it when the pass is over.
    pub(super) fn warning(&self) -> Option<String> {
        let lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match lost.files {
            0 => return None,
            1 => "1 file was".to_owned(),
            files => format!("{files} files were"),
        };
        Some(format!(
            "{files} copied without alternate data streams, which the target's volume does not have: {}",
            lost.first
        ))
    }
}

fn bring(
    tools: &mut Tools<'_>,
    source: &File,
    copy: &File,
    path: &Path,
    stream: &Stream,
    durability: Durability,
) -> Result<(), Failure> {
    let failed = |side, what: &str, error| {
        let what = format!("{what} its stream `{}`", stream.shown());
        Failure::of(side, &what, path, error)
    };
    let from = streams::open(source, stream).map_err(|error| match error.kind() {
        // The file itself is there.
        ErrorKind::NotFound => large::source_changed(),
        _ => failed(Side::Source, "open", error),
    })?;
    let to = streams::create(copy, stream).map_err(|error| failed(Side::Target, "make", error))?;
    pour(tools, &Blocks { source: &from, copy: &to, path }, stream.size)?;
    if durability == Durability::EachFile {
        to.sync_all().map_err(|error| failed(Side::Target, "bring to the disk", error))?;
    }
    Ok(())
}

/// Moves a stream's bytes and tells progress of them.
fn pour(tools: &mut Tools<'_>, blocks: &Blocks<'_>, size: u64) -> Result<(), Failure> {
    tools.meter.know_more(size);
    let mut moved = 0;
    let result = blocks.pour(tools, 0..size, |block, meter| {
        meter.move_bytes(block.len() as u64);
        moved += block.len() as u64;
    });
    // What did not move is expected no more: an attempt that comes again tells of all anew.
    tools.meter.move_bytes(size - moved);
    result
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::copy::native::large::Pace;
    use crate::copy::native::meter::Meter;

    /// Lets so many bytes through, and then ends the pass.
    struct Until {
        bytes: u64,
        asked: AtomicU64,
    }

    impl Pace for Until {
        fn is_stopped(&self) -> bool {
            self.asked.load(Ordering::Relaxed) >= self.bytes
        }

        fn throttle(&self, bytes: usize) -> Result<(), Failure> {
            self.asked.fetch_add(bytes as u64, Ordering::Relaxed);
            Ok(())
        }
    }

    fn poured(size: u64, until: u64) -> (Result<(), Failure>, u64, (u64, u64, u64)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source");
        std::fs::write(&path, vec![7; size as usize]).unwrap();
        let (source, copy) = (File::open(&path).unwrap(), File::create(folder.path().join("copy")).unwrap());
        let (meter, pace) = (Meter::default(), Until { bytes: until, asked: AtomicU64::new(0) });
        let mut buffer = vec![0; 2048];
        let mut tools = Tools { buffer: &mut buffer, meter: &meter, pace: &pace };
        let blocks = Blocks { source: &source, copy: &copy, path: &path };
        let result = pour(&mut tools, &blocks, size);
        let progress = meter.read();
        let asked = pace.asked.load(Ordering::Relaxed);
        (result, asked, (progress.bytes_known, progress.bytes_done, copy.metadata().unwrap().len()))
    }

    #[test]
    fn a_stream_is_told_of_in_progress_and_asks_for_each_block() {
        let (result, asked, told) = poured(10_000, u64::MAX);
        assert!(result.is_ok());
        assert_eq!((asked, told), (10_000, (10_000, 10_000, 10_000)));
    }

    #[test]
    fn a_stream_ends_with_the_pass_and_progress_waits_for_nothing() {
        let (result, asked, told) = poured(10_000, 3_000);
        assert!(matches!(result, Err(Failure::Interrupted)), "{result:?}");
        assert_eq!((asked, told), (3_072, (10_000, 10_000, 3_072)));
    }

    #[test]
    fn streams_that_cannot_be_kept_are_told_once_with_their_number() {
        let streams = Streams::default();
        assert_eq!(streams.warning(), None);
        streams.lose(Path::new("a/b"), "Zone.Identifier");
        let one = streams.warning().unwrap();
        assert!(one.starts_with("1 file was") && one.ends_with("a/b (Zone.Identifier)"), "{one}");
        streams.lose(Path::new("c"), "other");
        let two = streams.warning().unwrap();
        assert!(two.starts_with("2 files were") && two.ends_with("a/b (Zone.Identifier)"), "{two}");
    }
}
