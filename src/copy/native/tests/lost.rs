//! What fails at one place of the target, and in which bucket of the account it is.

use std::io;
use std::path::Path;

use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, put};
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
