//! What fails at one place of the target, and in which bucket of the account it is.

use std::fs::File;
use std::io;
use std::path::Path;

use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, listing, put};
use crate::cancel::Cancel;
use crate::copy::account::{Bucket, FORMAT, Head, Line, Reader, Writer};
use crate::copy::{CopyPass, ErrorClass, Extras, PassOutcome, Tally, Watch};

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
    let listed: Vec<_> = outcome.extras.iter().map(|extra| extra.path.to_str().unwrap()).collect();
    assert_eq!(listed, ["z"]);
    let expected = [(Bucket::New, "a"), (Bucket::New, "d/b"), (Bucket::ExtraUnread, "x/")];
    assert_eq!(names, expected.map(|(bucket, path)| (bucket, path.to_owned())));
}

/// The target forbids a name that the source has.
struct Forbidden;

impl Trouble for Forbidden {
    fn rename(new: &Path) -> io::Result<()> {
        if new.ends_with("to/d") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

#[test]
fn files_of_a_new_folder_that_cannot_get_its_name_count_as_failed_and_not_as_new() {
    for threads in [1, 6] {
        let trees = Trees::new(&["a", "d/b", "d/e/c", "d/e/f/", "e/d"]);
        let pass = CopyPass { threads, ..trees.pass() };
        let (outcome, names) = named::<Forbidden>(&trees, &pass);
        let summary = &outcome.summary;
        assert_eq!((summary.new, outcome.target_files), (Tally { files: 2, bytes: 4 }, 2));
        // The folder, and the two files in it.
        assert_eq!(summary.failed, Tally { files: 3, bytes: 8 });
        let errors: Vec<_> = summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
        assert_eq!(errors, [("d/", ErrorClass::Denied)]);
        let expected = [
            (Bucket::New, "a"),
            (Bucket::New, "e/d"),
            (Bucket::Failed, "d/"),
            (Bucket::Failed, "d/b"),
            (Bucket::Failed, "d/e/c"),
        ];
        assert_eq!(names, expected.map(|(bucket, path)| (bucket, path.to_owned())));
        assert!(!trees.to.join("d").exists());
        let (again, _) = named::<Untroubled>(&trees, &pass);
        assert_eq!((again.summary.new.files, again.summary.same.files), (2, 2));
        assert_eq!(listing(&trees.to), listing(&trees.from));
    }
}

struct Untroubled;

impl Trouble for Untroubled {}

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

#[cfg(unix)]
#[test]
fn half_a_file_that_cannot_be_removed_never_gets_a_name_that_leads_to_it() {
    let trees = Trees::new(&["d/half", "d/whole", "other"]);
    let (outcome, names) = named::<Stuck>(&trees, &trees.pass());
    assert!(!trees.to.join("d").exists());
    let (new, failed) = (outcome.summary.new, outcome.summary.failed);
    // Half a file holds nothing yet; it was counted as failed by itself, with the folder and the whole one.
    assert_eq!((new.files, failed.files), (1, 3), "{names:?}");
    let (again, _) = named::<Untroubled>(&trees, &trees.pass());
    assert_eq!((again.summary.new.files, again.summary.same.files), (2, 1));
    assert_eq!(listing(&trees.to), listing(&trees.from));
}
