//! Names of one file where something changes while they are brought over.
#![cfg(target_os = "linux")]

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::SystemTime;

use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, listing, quiet};
use crate::cancel::Cancel;
use crate::copy::{CopyPass, PassSummary, Preserve, Preserved, Progress, Watch};
use crate::sys::tree::Status;

/// A source with two names of one file in two folders, brought over by one worker.
fn two_names<T: Trouble>() -> (Trees, PassSummary) {
    let trees = Trees::new(&["a/name", "b/"]);
    fs::hard_link(trees.from.join("a/name"), trees.from.join("b/name")).unwrap();
    // Folders have the time of their last entry otherwise.
    for folder in ["a", "b"] {
        filetime::set_file_mtime(trees.from.join(folder), filetime::FileTime::from_unix_time(5, 0)).unwrap();
    }
    let pass =
        CopyPass { preserve: Preserve::default().with(Preserved::HardLinks), threads: 1, ..trees.pass() };
    let summary = quiet(|watch| copy::<Troubled<T>>(&pass, watch)).unwrap().summary;
    assert_eq!(summary.errors, []);
    assert_eq!(listing(&trees.to), listing(&trees.from));
    (trees, summary)
}

/// The first look at a file of the source meets it while it is written to.
struct WrittenTo;

impl Trouble for WrittenTo {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        static SEEN: AtomicBool = AtomicBool::new(false);
        let first = path.ends_with("from/a/name") || path.ends_with("from/b/name");
        if first && !SEEN.swap(true, Ordering::Relaxed) {
            return Ok(Status { size: 1, modified: SystemTime::now(), ..status });
        }
        Ok(status)
    }
}

#[test]
fn a_name_is_linked_to_one_that_was_copied_in_a_newer_state_than_it_was_listed_in() {
    let (_trees, summary) = two_names::<WrittenTo>();
    assert_eq!((summary.new.files, summary.linked.files), (2, 1));
}

/// A link is planted in the target in the place of a folder that is done.
struct Planted;

impl Trouble for Planted {
    fn enter(path: &Path) -> io::Result<()> {
        match path.ends_with("to/a") || path.ends_with("to/b") {
            true => Err(io::Error::from_raw_os_error(40)), // ELOOP
            false => Ok(()),
        }
    }
}

/// A file is there in its place.
struct Replaced;

impl Trouble for Replaced {
    fn enter(path: &Path) -> io::Result<()> {
        match path.ends_with("to/a") || path.ends_with("to/b") {
            true => Err(io::ErrorKind::NotADirectory.into()),
            false => Ok(()),
        }
    }
}

#[test]
fn a_name_whose_leader_can_no_more_be_come_to_is_copied_anew() {
    let (_trees, planted) = two_names::<Planted>();
    assert_eq!((planted.new.files, planted.linked.files), (2, 0));
    let (_trees, replaced) = two_names::<Replaced>();
    assert_eq!((replaced.new.files, replaced.linked.files), (2, 0));
}

/// Two names meet one leader at once, and for both it was replaced meanwhile.
struct MetAtOnce;

impl Trouble for MetAtOnce {
    fn hold(_path: &Path) -> io::Result<()> {
        static HELD: AtomicUsize = AtomicUsize::new(0);
        static BOTH: Barrier = Barrier::new(2);
        if HELD.fetch_add(1, Ordering::Relaxed) < 2 {
            BOTH.wait();
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(())
    }
}

#[test]
fn of_two_names_whose_leader_was_replaced_one_leads_and_the_other_follows_it() {
    let trees = Trees::new(&["a/name", "b/", "c/"]);
    for folder in ["b", "c"] {
        fs::hard_link(trees.from.join("a/name"), trees.from.join(folder).join("name")).unwrap();
    }
    let preserve = Preserve::default().with(Preserved::HardLinks);
    // Each of the two takes a worker, which waits for the other.
    let pass = CopyPass { preserve, threads: 2, ..trees.pass() };
    let summary = quiet(|watch| copy::<Troubled<MetAtOnce>>(&pass, watch)).unwrap().summary;
    assert_eq!(summary.errors, []);
    assert_eq!((summary.new.files, summary.linked.files), (3, 1));
    assert_eq!(listing(&trees.to).len(), listing(&trees.from).len());
}

#[test]
fn what_is_copied_since_it_could_not_be_linked_is_in_the_progress() {
    let trees = Trees::new(&["a/name", "b/"]);
    fs::hard_link(trees.from.join("a/name"), trees.from.join("b/name")).unwrap();
    let preserve = Preserve::default().with(Preserved::HardLinks);
    let pass = CopyPass { preserve, threads: 1, ..trees.pass() };
    let (last, cancel) = (Mutex::new(Progress::default()), Cancel::new());
    let progress = |progress| *last.lock().unwrap() = progress;
    let watch = Watch { progress: &progress, cancel: &cancel, account: None };
    let summary = copy::<Troubled<Planted>>(&pass, &watch).unwrap().summary;
    assert_eq!((summary.new.files, summary.new.bytes), (2, 12));
    let last = last.into_inner().unwrap();
    assert_eq!((last.bytes_known, last.bytes_done), (12, 12));
}
