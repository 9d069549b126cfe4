//! The account of a program's pass: that of the survey before it, with what failed moved to where it belongs.
//!
//! Invariant: each file is in one bucket, by its number and by its name.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;

use super::Report;
use crate::copy::account::{Bucket, Draft, Entry, Page, Writer};
use crate::copy::{CopyPass, ErrorClass, FileError, PassOutcome, PassSummary, Survey, Tally, names};

/// What stands for a path where millions of them may have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mark([u8; 16]);

impl Mark {
    pub(super) fn of(path: &str) -> Self {
        let mut mark = [0; 16];
        mark.copy_from_slice(&blake3::hash(path.as_bytes()).as_bytes()[..16]);
        Self(mark)
    }
}

/// What was to be copied and was not, and what failed at something else.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Each with a word of its own.
    pub(super) worded: HashMap<String, FileError>,
    /// What still differs; of those without a word of their own [`Failed::ended`] is told.
    pub(super) left: HashSet<Mark>,
    /// The names of what still differs.
    pub(super) names: Option<Draft>,
    /// How the program ended.
    pub(super) ended: String,
    /// So many more whose names are not kept.
    pub(super) unnamed: u64,
    /// So many that the source had, and has no more, without a name.
    pub(super) vanished: u64,
    pub(super) warnings: Vec<String>,
}

impl Failed {
    /// What the program itself says.
    pub(super) fn told(report: &Report) -> Self {
        let worded = report.errors.iter().map(|error| (error.path.clone(), error.clone())).collect();
        Self { worded, ..Self::default() }
    }

    /// What is to be said of a path, if it failed; each is asked for once.
    fn take(&mut self, path: &str) -> Option<FileError> {
        let is_left = !self.left.is_empty() && self.left.remove(&Mark::of(path));
        let worded = self.worded.remove(path);
        worded.or_else(|| is_left.then(|| self.wordless(path)))
    }

    fn wordless(&self, path: &str) -> FileError {
        FileError {
            path: path.to_owned(),
            class: ErrorClass::Permanent,
            attempts: 1,
            error: format!("it still differs from the source; {}", self.ended),
        }
    }
}

/// Brings what failed into the survey's account, and the names into their file.
pub(super) fn account(
    pass: &CopyPass,
    survey: Survey,
    draft: Option<Draft>,
    mut failed: Failed,
    names: Option<&Writer>,
) -> PassOutcome {
    let mut outcome = survey.outcome;
    let summary = &mut outcome.summary;
    let mut page = Page::default();
    if let (Some(mut draft), Some(names)) = (draft, names) {
        draft.read(names, |entry| {
            let is_of_source = is_of_source(entry.bucket);
            let mut error = failed.take(&entry.path);
            // Only what somebody took away meanwhile is looked for, which is next to never.
            if error.is_none() && failed.vanished > 0 && is_of_source && is_gone(pass, &entry.path) {
                failed.vanished -= 1;
                error = Some(vanished(&entry.path));
            }
            match error {
                Some(error) if is_of_source => {
                    take_back(summary, &entry);
                    lose(summary, &error, entry.bytes);
                    page.failed(Some(names), &error, entry.bytes);
                }
                _ => page.again(Some(names), &entry),
            }
        });
    }
    // What the survey had not: it came, or was the same and failed at something else.
    if let (Some(mut left), Some(names), false) = (failed.names.take(), names, failed.left.is_empty()) {
        left.read(names, |entry| {
            if let Some(error) = failed.take(&entry.path) {
                lose(summary, &error, entry.bytes);
                page.failed(Some(names), &error, entry.bytes);
            }
        });
    }
    for error in failed.worded.into_values() {
        lose(summary, &error, 0);
        page.failed(names, &error, 0);
    }
    page.turn(names);
    summary.failed.files += failed.unnamed;
    summary.vanished += failed.vanished;
    let warnings = outcome.warning.take().into_iter().chain(failed.warnings);
    outcome.warning = super::joined(warnings);
    outcome
}

fn is_gone(pass: &CopyPass, path: &str) -> bool {
    let found = pass.from.join(names::path_of(path)).symlink_metadata();
    found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn vanished(path: &str) -> FileError {
    FileError {
        path: path.to_owned(),
        class: ErrorClass::Vanished,
        attempts: 1,
        error: "it is gone from the source".to_owned(),
    }
}

fn is_of_source(bucket: Bucket) -> bool {
    matches!(bucket, Bucket::New | Bucket::Changed | Bucket::LinksCopied | Bucket::Failed | Bucket::Vanished)
}

fn take_back(summary: &mut PassSummary, entry: &Entry) {
    let tally: &mut Tally = match entry.bucket {
        Bucket::New => &mut summary.new,
        Bucket::Changed => &mut summary.changed,
        Bucket::Failed => &mut summary.failed,
        Bucket::LinksCopied => return summary.links_copied -= 1,
        Bucket::Vanished => return summary.vanished -= 1,
        _ => return,
    };
    tally.files -= 1;
    tally.bytes -= entry.bytes;
}

fn lose(summary: &mut PassSummary, error: &FileError, bytes: u64) {
    match error.class {
        ErrorClass::Vanished => summary.vanished += 1,
        _ => summary.failed.add(bytes),
    }
    let room = summary.errors.len() < PassSummary::LISTED_ERRORS;
    if room && !summary.errors.iter().any(|known| known.path == error.path) {
        summary.errors.push(error.clone());
    }
}
