//! What becomes of a new directory that does not get its name. Only where a handle stays with a directory that is renamed is
//! one filled under another name.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lost::{ended_by, named};
use super::trouble::Trouble;
use super::{Trees, listing};
use crate::copy::account::Bucket;
use crate::copy::{CopyPass, PassError};

/// The target forbids a name that the source has.
struct Forbidden;

impl Trouble for Forbidden {
    fn rename(new: &Path) -> io::Result<()> {
        if new.ends_with("to/d") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

struct Untroubled;

impl Trouble for Untroubled {}

/// A file system that has no names with a colon.
struct Strict;

impl Strict {
    fn judge(path: &Path) -> io::Result<()> {
        let colon = path.file_name().is_some_and(|name| name.to_string_lossy().contains(':'));
        if colon { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
    }
}

impl Trouble for Strict {
    fn make_directory(path: &Path) -> io::Result<()> {
        Self::judge(path)
    }

    fn rename(new: &Path) -> io::Result<()> {
        Self::judge(new)
    }
}

#[test]
fn a_folder_whose_name_the_target_refuses_is_lost_and_ends_nothing() {
    let trees = Trees::new(&["a", "b:c/d", "e/f"]);
    let (outcome, names) = named::<Strict>(&trees, &trees.pass());
    assert_eq!((outcome.summary.new.files, outcome.summary.failed.files), (2, 1));
    assert!(names.contains(&(Bucket::Failed, "b:c/".into())), "{names:?}");
    std::fs::remove_dir_all(trees.from.join("b:c")).unwrap();
    assert_eq!(listing(&trees.to), listing(&trees.from));
}

/// A share that refuses a directory's name three times.
struct Hesitant;

static ASKED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for Hesitant {
    fn rename(new: &Path) -> io::Result<()> {
        let refused = new.ends_with("to/d") && ASKED.fetch_add(1, Ordering::Relaxed) < 3;
        if refused { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

/// A file of the source cannot be read, and half its copy cannot be removed.
struct Stuck;

impl Trouble for Stuck {
    fn read(path: &Path, file: File) -> io::Result<File> {
        // A folder opens and then cannot be read.
        if path.ends_with("from/d/half") { File::open(path.parent().unwrap()) } else { Ok(file) }
    }

    fn remove_file(path: &Path) -> io::Result<()> {
        if path.ends_with("half") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

#[test]
fn a_new_folder_that_cannot_get_its_name_ends_the_pass_and_the_next_one_copies_it() {
    for threads in [1, 6] {
        let trees = Trees::new(&["a", "d/b", "d/e/c", "d/e/f/", "e/d"]);
        let pass = CopyPass { threads, ..trees.pass() };
        match ended_by::<Forbidden>(&pass) {
            PassError::Fatal { what, path, .. } => {
                assert!(what.starts_with("the new directory cannot get its name: "), "{what}");
                assert_eq!(path, "d/");
            }
            other => panic!("{other:?}"),
        }
        assert!(!trees.to.join("d").exists());
        named::<Untroubled>(&trees, &pass);
        assert_eq!(listing(&trees.to), listing(&trees.from));
    }
}

#[test]
fn a_new_folder_whose_name_is_refused_in_passing_waits_and_gets_it_after_its_retries() {
    let trees = Trees::new(&["a", "d/b", "d/e/c"]);
    let pass = CopyPass { retries: 2, ..trees.pass() };
    let (outcome, _) = named::<Hesitant>(&trees, &pass);
    // When it was filled, when all below it was done, and twice again.
    assert_eq!(ASKED.load(Ordering::Relaxed), 4);
    assert_eq!((outcome.summary.new.files, outcome.summary.failed.files), (3, 0));
    assert_eq!(listing(&trees.to), listing(&trees.from));
}

#[test]
fn half_a_file_that_cannot_be_removed_never_gets_a_name_that_leads_to_it() {
    let trees = Trees::new(&["d/half", "d/whole", "other"]);
    let ended = ended_by::<Stuck>(&trees.pass());
    let PassError::Fatal { what, path, .. } = ended else { panic!("{ended:?}") };
    assert!(what.contains("half a file in it") && path == "d/", "{path}: {what}");
    assert!(!trees.to.join("d").exists());
    named::<Untroubled>(&trees, &trees.pass());
    assert_eq!(listing(&trees.to), listing(&trees.from));
}
