//! The second look: what a program left is found by looking at both trees again, whatever it said.
//!
//! Invariant: an error that the program could not get rid of never comes out as nothing, also where all is equal behind it:
//! the file may lack its access list, and what a pass without any error allows (a purge) must not follow.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::account::{Failed, Mark};
use super::{Coverage, Report};
use crate::copy::account::{Bucket, Draft, Entry, Writer};
use crate::copy::native::Native;
use crate::copy::{
    CopyPass, ErrorClass, FileError, OnErrors, PassError, PassOutcome, PassSummary, Phase, Watch, names,
};

/// So many errors that no file can be given stand in a warning.
const TOLD_BESIDE: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecondLook {
    Needed,
    Spared,
}

/// Whether the trees are to be looked at again. `draft` has the names of the survey.
pub(super) fn judge(
    errors: OnErrors,
    report: &Report,
    draft: Option<&mut Draft>,
    names: Option<&Writer>,
) -> SecondLook {
    let is_open = errors == OnErrors::Fail
        || report.coverage == Coverage::Short
        // What failed without a name is found.
        || report.failed > report.errors.len() as u64
        // A folder may hold any number of files.
        || report.errors.iter().any(|error| error.path.ends_with('/'))
        || !are_known(&report.errors, draft, names);
    if is_open { SecondLook::Needed } else { SecondLook::Spared }
}

/// Whether the survey named every file that failed: a name that it has not may be a file's, spoilt on its way.
fn are_known(errors: &[FileError], draft: Option<&mut Draft>, names: Option<&Writer>) -> bool {
    let mut unknown: HashSet<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    if let (false, Some(draft), Some(names)) = (unknown.is_empty(), draft, names) {
        draft.read(names, |entry| {
            unknown.remove(entry.path.as_str());
        });
    }
    unknown.is_empty()
}

/// Looks again: what is still new or changed has failed, with the program's word for it where it had one.
pub(super) fn look(
    pass: &CopyPass,
    before: &PassSummary,
    report: &Report,
    watch: &Watch<'_>,
) -> Result<Failed, PassError> {
    let mut draft = watch.account.map(|names| Draft::beside(names, "left"));
    let progress = super::in_phase(Phase::LookingAgain, watch);
    let looking =
        Watch { progress: &progress, cancel: watch.cancel, account: draft.as_ref().and_then(Draft::writer) };
    let again = Native.survey_afresh(pass, &looking)?.outcome;
    let mut left = HashSet::new();
    if let (Some(draft), Some(names)) = (&mut draft, watch.account) {
        draft.read(names, |entry| {
            if is_left(pass, &entry) {
                left.insert(Mark::of(&entry.path));
            }
        });
    }
    let is_in_source = |path: &str| pass.from.join(names::path_of(path)).symlink_metadata().is_ok();
    let failed = failed(before, &again, left, report, &is_in_source);
    Ok(Failed { names: draft, ..failed })
}

/// A survey names every link that takes part; one whose text is the same is not left.
fn is_left(pass: &CopyPass, entry: &Entry) -> bool {
    let text = |root: &Path| std::fs::read_link(root.join(names::path_of(&entry.path))).ok();
    match entry.bucket {
        Bucket::New | Bucket::Changed => true,
        Bucket::LinksCopied => text(&pass.from).is_none_or(|there| text(&pass.to) != Some(there)),
        _ => false,
    }
}

/// What failed, by both looks and by what the program says. Pure.
fn failed(
    before: &PassSummary,
    again: &PassOutcome,
    left: HashSet<Mark>,
    report: &Report,
    is_in_source: &dyn Fn(&str) -> bool,
) -> Failed {
    let after = &again.summary;
    let differing = after.new.files + after.changed.files + after.links_copied - again.links_same;
    // What could not be looked at the second time is an error, too.
    let mut worded: HashMap<String, FileError> =
        after.errors.iter().map(|error| (error.path.clone(), error.clone())).collect();
    let of_look = differing + after.failed.files;
    let unnamed_of_look = of_look.saturating_sub(left.len() as u64 + failing(&worded));
    // What is gone from the source is left nowhere, and was not copied either.
    let mut gone = parts(before).saturating_sub(parts(after));
    let mut beside = Vec::new();
    for error in &report.errors {
        let is_folder = error.path.ends_with('/');
        let is_found = left.contains(&Mark::of(&error.path)) || worded.contains_key(&error.path);
        let counts = match error.class {
            _ if is_found => true,
            ErrorClass::Vanished => {
                let counts = gone > 0;
                gone = gone.saturating_sub(1);
                counts
            }
            // What is missing below a folder is told by its files.
            _ if is_folder => of_look == 0,
            _ => is_in_source(&error.path),
        };
        match counts {
            true => drop(worded.insert(error.path.clone(), error.clone())),
            false => beside.push(error),
        }
    }
    let wordless =
        left.len() as u64 - worded.keys().filter(|path| left.contains(&Mark::of(path))).count() as u64;
    let mut unnamed = unnamed_of_look;
    let mut warnings: Vec<String> = beside.iter().take(TOLD_BESIDE).map(|error| words(error)).collect();
    // That of a file that failed is told by the file.
    if of_look == 0 && after.directories_created > 0 {
        unnamed += after.directories_created;
        warnings.push(match after.directories_created {
            1 => "1 folder of the source is not in the target".to_owned(),
            folders => format!("{folders} folders of the source are not in the target"),
        });
    }
    let vanished = worded.values().filter(|error| error.class == ErrorClass::Vanished).count() as u64 + gone;
    // By its own count more failed than can be found: at what no look sees.
    let owed = report.failed.saturating_sub(vanished + wordless + failing(&worded) + unnamed);
    if owed > 0 {
        unnamed += owed;
        warnings.push(match owed {
            1 => "the program counts 1 more as failed, and does not say what".to_owned(),
            owed => format!("the program counts {owed} more as failed, and does not say what"),
        });
    }
    Failed { worded, left, ended: report.ended.clone(), unnamed, vanished: gone, warnings, names: None }
}

/// How many of them are no more than gone.
fn failing(worded: &HashMap<String, FileError>) -> u64 {
    worded.values().filter(|error| error.class != ErrorClass::Vanished).count() as u64
}

fn words(error: &FileError) -> String {
    format!("{}: {}", error.path, error.error)
}

/// Files that take part in a pass.
fn parts(summary: &PassSummary) -> u64 {
    summary.new.files + summary.changed.files + summary.same.files + summary.failed.files
}
