//! What fails at one place of the target, and in which bucket of the account it is.

use std::io;
use std::path::Path;

use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, put};
use crate::cancel::Cancel;
use crate::copy::account::{Bucket, Entry, FORMAT, Head, Line, Reader, Writer};
use crate::copy::{CopyPass, EntryKind, ErrorClass, Extras, PassError, PassOutcome, Tally, Watch, names};
use crate::filter::{Filter, Rules};
use crate::sys::tree::Status;

/// Copies with trouble, and gives back what was named besides: bucket and path, sorted.
pub(super) fn named<T: Trouble>(trees: &Trees, pass: &CopyPass) -> (PassOutcome, Vec<(Bucket, String)>) {
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
fn extras(outcome: &PassOutcome) -> Vec<String> {
    outcome.extras.iter().map(|extra| names::shown(&extra.path)).collect()
}

pub(super) fn ended_by<T: Trouble>(pass: &CopyPass) -> PassError {
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
