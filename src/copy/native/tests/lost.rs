//! What fails at one place of the target, and in which bucket of the account it is.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, listing, put};
use crate::cancel::Cancel;
use crate::copy::account::{Bucket, Entry, FORMAT, Head, Line, Reader, Writer};
use crate::copy::{CopyPass, EntryKind, ErrorClass, Extras, PassError, PassOutcome, Tally, Watch};
use crate::filter::{Filter, Rules};
use crate::sys::tree::Status;

/// Copies with trouble, and gives back what was named besides: bucket and path, sorted.
fn named<T: Trouble>(trees: &Trees, pass: &CopyPass) -> (PassOutcome, Vec<(Bucket, String)>) {
    let file = trees.folder.path().join("account.jsonl");
    let head = Head {
        account: FORMAT,
        run: "r".into(),
        step: "s".into(),
        attempt: 1,
        started: pass.started,
        from: String::new(),
        to: String::new(),
    };
    let (writer, cancel) = (Writer::begin(&file, &head), Cancel::new());
    let watch = Watch { progress: &|_| {}, cancel: &cancel, account: Some(&writer) };
    let outcome = copy::<Troubled<T>>(pass, &watch).unwrap();
    writer.finish(&outcome.summary);
    let mut names = Vec::new();
    for line in Reader::open(&file).unwrap() {
        if let Line::Entry(entry) = line.unwrap() {
            names.push((entry.bucket, entry.path));
        }
    }
    names.sort();
    (outcome, names)
}

/// What only the target has, as a purge would be given it.
fn extras(outcome: &PassOutcome) -> Vec<&str> {
    outcome.extras.iter().map(|extra| extra.path.to_str().unwrap()).collect()
}

fn ended_by<T: Trouble>(pass: &CopyPass) -> PassError {
    let cancel = Cancel::new();
    let watch = Watch { progress: &|_| {}, cancel: &cancel, account: None };
    copy::<Troubled<T>>(pass, &watch).unwrap_err()
}

/// A folder that only the target has may not be read.
struct Closed;

impl Trouble for Closed {
    fn enter(path: &Path) -> io::Result<()> {
        if path.ends_with("to/x") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

#[test]
fn an_extra_folder_that_cannot_be_read_is_told_as_the_targets_and_counts_as_no_file_of_the_source() {
    let trees = Trees::new(&["a", "d/b"]);
    put(&trees.to.join("x/y"), "y", 1);
    put(&trees.to.join("z"), "z", 1);
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let (outcome, names) = named::<Closed>(&trees, &pass);
    let summary = &outcome.summary;
    assert_eq!((summary.new.files, summary.failed, summary.extra_unread), (2, Tally::default(), 1));
    let errors: Vec<_> = summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
    assert_eq!(errors, [("x/", ErrorClass::Denied)]);
    assert_eq!(extras(&outcome), ["z"]);
    let expected = [(Bucket::New, "a"), (Bucket::New, "d/b"), (Bucket::ExtraUnread, "x/")];
    assert_eq!(names, expected.map(|(bucket, path)| (bucket, path.to_owned())));
}

#[test]
fn an_extra_folder_that_cannot_be_read_and_is_kept_out_counts_as_one_that_the_filter_keeps() {
    let trees = Trees::new(&["a"]);
    put(&trees.to.join("x/y"), "y", 1);
    put(&trees.to.join("z"), "z", 1);
    let rules = Rules { exclude_directories: vec!["x".into()], ..Rules::default() };
    let pass = CopyPass { extras: Extras::List, filter: Filter::new(rules).unwrap(), ..trees.pass() };
    let (outcome, names) = named::<Closed>(&trees, &pass);
    let summary = &outcome.summary;
    assert_eq!((summary.extra_unread, summary.extra_filtered), (0, Tally { files: 1, bytes: 0 }));
    assert_eq!(summary.errors, []);
    assert_eq!(extras(&outcome), ["z"]);
    let expected = [(Bucket::New, "a"), (Bucket::ExtraFiltered, "x/")];
    assert_eq!(names, expected.map(|(bucket, path)| (bucket, path.to_owned())));
    // The sum of the names is that of the summary.
    let kept_out = Entry {
        bucket: Bucket::ExtraFiltered,
        path: "x/".into(),
        bytes: 0,
        kind: Some(EntryKind::Directory),
        rule: None,
        class: None,
        attempts: None,
        error: None,
    };
    assert!(kept_out.is_counted());
}

#[test]
fn a_folder_around_a_kept_out_one_that_cannot_be_read_is_not_listed_as_a_whole() {
    let trees = Trees::new(&["a"]);
    put(&trees.to.join("around/to/x/y"), "y", 1);
    put(&trees.to.join("around/z"), "z", 1);
    let rules = Rules { exclude_directories: vec!["x".into()], ..Rules::default() };
    let pass = CopyPass { extras: Extras::List, filter: Filter::new(rules).unwrap(), ..trees.pass() };
    let (outcome, _) = named::<Closed>(&trees, &pass);
    assert_eq!(extras(&outcome), ["around/z"]);
}

/// A file that only the target has cannot be looked at, for now.
struct Unseen;

impl Trouble for Unseen {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        if path.ends_with("to/x") { Err(io::ErrorKind::TimedOut.into()) } else { Ok(status) }
    }
}

#[test]
fn an_extra_file_that_cannot_be_looked_at_is_told_as_a_file_after_all_attempts() {
    let trees = Trees::new(&["a"]);
    put(&trees.to.join("x"), "x", 1);
    let pass = CopyPass { retries: 1, ..trees.pass() };
    let (outcome, _) = named::<Unseen>(&trees, &pass);
    let errors: Vec<_> =
        outcome.summary.errors.iter().map(|error| (error.path.as_str(), error.attempts)).collect();
    assert_eq!(errors, [("x", 2)]);
}

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

#[cfg(unix)]
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
