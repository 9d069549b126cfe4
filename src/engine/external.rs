//! A pass that another program carries out, over two trees that movebook can look at itself.
//!
//! 1. Both trees are surveyed: the account of the pass, the extra files and the totals are known before anything is touched.
//!    Where the target has a link, or something else that does not fit, in the place of what is to be copied, movebook does
//!    the pass itself: a program would write through the link.
//! 2. The program copies, watched. It is never told to delete: what a purge takes away is taken by movebook, from the list
//!    that was judged.
//! 3. What it wrote is flushed. After a pass that must be clean the trees are surveyed again, and what is still new or
//!    changed has failed, whatever the program said. In a pass that tolerates errors the files that it named have failed:
//!    the source lives, and what changed since is the next pass's; where it counts more than it names, they are looked for.
//!
//! Invariant: the account that comes out names each file in one bucket, as that of the native engine does.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::copy::account::{Bucket, Draft, Page, Writer};
use crate::copy::native::{Ground, Native};
use crate::copy::{
    CopyPass, Disposal, Engine, ErrorClass, ExtraEntry, FileError, OnErrors, PassError, PassOutcome,
    PassSummary, Progress, Purged, Survey, Tally, Watch, names,
};

/// A program that can copy.
pub trait Program: Sync {
    /// For people.
    const NAME: &'static str;

    /// Whether it can be called for this pass at all.
    ///
    /// # Errors
    /// It is missing or too old, or disagrees about what the pass means; nothing was changed.
    fn prepare(&self, pass: &CopyPass, survey: &Survey, cancel: &Cancel) -> Result<(), PassError>;

    /// Copies what is new or changed, and makes the directories; deletes nothing. Ends with all that it started once
    /// `cancel` is requested.
    fn copy(
        &self,
        pass: &CopyPass,
        survey: &Survey,
        moved: &mut dyn FnMut(Tally),
        cancel: &Cancel,
    ) -> Result<Told, PassError>;
}

/// What a program told of a pass that came to its end.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Files and folders that it named as failed, with paths below the root as [`crate::copy::names::shown`] writes them.
    pub errors: Vec<FileError>,
    /// How many failed by its own count, where it has one.
    pub failed: u64,
    /// How it ended, for what it left without a word: `robocopy ended with 9`.
    pub ended: String,
    /// What a person should know, such as an exit code that does not fit.
    pub warnings: Vec<String>,
}

/// The engine around a program.
pub struct External<P> {
    program: P,
}

impl<P: Program> External<P> {
    pub fn new(program: P) -> Self {
        Self { program }
    }
}

impl<P: Program> Engine for External<P> {
    fn survey(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError> {
        Native.survey(pass, watch)
    }

    fn copy(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
        if pass.distrust.is_some() {
            // What was never flushed looks the same and may be empty: only a pass that reads it mends that.
            let why = format!(
                "the machine or the volume went away behind an earlier pass, so files were compared by content and copied by \
                 movebook itself this time; {} compares by size and time alone",
                P::NAME
            );
            return by_movebook(pass, why, watch);
        }
        let ground = <Ground>::take(&pass.to)?;
        let draft = watch.account.map(|names| Draft::beside(names, "survey"));
        let silent = |_: Progress| {};
        let looking = Watch {
            progress: &silent,
            cancel: watch.cancel,
            account: draft.as_ref().and_then(Draft::writer),
        };
        let survey = Native.survey(pass, &looking)?;
        if let Some(what) = in_the_way(pass, &survey.outcome) {
            drop((draft, ground));
            let why = format!(
                "{what}, so files were copied by movebook itself this time; {} may write through links, out of the target",
                P::NAME
            );
            return by_movebook(pass, why, watch);
        }
        self.program.prepare(pass, &survey, watch.cancel)?;
        let mut meter = Meter::new(&survey.outcome.summary, watch);
        let told = self.program.copy(pass, &survey, &mut |moved| meter.moved(moved), watch.cancel)?;
        ground.flush()?;
        let failed = match pass.errors {
            OnErrors::Fail => left(pass, &survey.outcome.summary, &told, watch)?,
            // What failed without a name is found.
            OnErrors::Tolerate if told.failed > told.errors.len() as u64 => {
                left(pass, &survey.outcome.summary, &told, watch)?
            }
            OnErrors::Tolerate => Failed::told(&told),
        };
        Ok(account(pass, survey, draft, failed, told.warnings, watch.account))
    }

    fn purge(
        &self,
        pass: &CopyPass,
        extras: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        Native.purge(pass, extras, disposal, watch)
    }
}

/// What the target has in the place of something that is to be copied and that no program may be let loose on: a program opens
/// a link that has a file's name, and enters one that has a folder's.
fn in_the_way(pass: &CopyPass, found: &PassOutcome) -> Option<String> {
    let PassOutcome { summary, over_links, .. } = found;
    match over_links {
        0 => {}
        1 => return Some("the target had a link in the place of a file".to_owned()),
        links => return Some(format!("the target had links in the place of {links} files")),
    }
    if summary.failed.files > PassSummary::LISTED_ERRORS as u64 {
        return Some("more could not be looked at than is listed".to_owned());
    }
    let in_target = |error: &&FileError| {
        let path = pass.to.join(names::path_of(error.path.trim_end_matches('/')));
        error.class == ErrorClass::Permanent && path.symlink_metadata().is_ok()
    };
    let error = summary.errors.iter().find(in_target)?;
    Some(format!("the target had something else in the place of {}", error.path))
}

fn by_movebook(pass: &CopyPass, why: String, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
    let mut outcome = Native.copy(pass, watch)?;
    outcome.warning = joined([outcome.warning.take(), Some(why)]);
    Ok(outcome)
}

/// Files that were to be copied and were not.
#[derive(Default)]
struct Failed {
    by_path: HashMap<String, FileError>,
    /// So many more whose names are not kept.
    unnamed: u64,
    /// So many that the source had, and has no more, without a name.
    vanished: u64,
    warning: Option<String>,
}

impl Failed {
    fn told(told: &Told) -> Self {
        let by_path: HashMap<_, _> =
            told.errors.iter().map(|error| (error.path.clone(), error.clone())).collect();
        Self { by_path, ..Self::default() }
    }
}

/// Looks again: what is still new or changed has failed, with the program's word for it where it had one.
fn left(pass: &CopyPass, before: &PassSummary, told: &Told, watch: &Watch<'_>) -> Result<Failed, PassError> {
    let draft = watch.account.map(|names| Draft::beside(names, "left"));
    let silent = |_: Progress| {};
    let looking =
        Watch { progress: &silent, cancel: watch.cancel, account: draft.as_ref().and_then(Draft::writer) };
    let again = Native.survey_afresh(pass, &looking)?;
    let summary = again.outcome.summary;
    let words: HashMap<&str, &FileError> =
        told.errors.iter().map(|error| (error.path.as_str(), error)).collect();
    let mut failed = Failed::default();
    let left = summary.new.files + summary.changed.files + summary.links_copied;
    if let (Some(draft), Some(names)) = (draft, watch.account) {
        draft.read(names, |entry| {
            if matches!(entry.bucket, Bucket::New | Bucket::Changed | Bucket::LinksCopied) {
                let error = words.get(entry.path.as_str()).map_or_else(
                    || FileError {
                        path: entry.path.clone(),
                        class: ErrorClass::Permanent,
                        attempts: 1,
                        error: format!("it still differs from the source; {}", told.ended),
                    },
                    |error| (*error).clone(),
                );
                failed.by_path.insert(entry.path, error);
            }
        });
    }
    // What it could not be looked at the second time is an error, too.
    for error in &summary.errors {
        failed.by_path.entry(error.path.clone()).or_insert_with(|| error.clone());
    }
    // What is gone from the source is left nowhere, and was not copied either.
    let gone = parts(before).saturating_sub(parts(&summary));
    for error in told.errors.iter().filter(|error| error.class == ErrorClass::Vanished).take(gone as usize) {
        failed.by_path.entry(error.path.clone()).or_insert_with(|| error.clone());
    }
    let named = failed.by_path.values().filter(|error| error.class == ErrorClass::Vanished).count() as u64;
    failed.vanished = gone.saturating_sub(named);
    failed.unnamed = (left + summary.failed.files).saturating_sub(failed.by_path.len() as u64 - named);
    let named = told.errors.len() as u64;
    // That of a file that failed is told by the file.
    if left + summary.failed.files == 0 && summary.directories_created > 0 {
        failed.unnamed += summary.directories_created;
        failed.warning = Some(match summary.directories_created {
            1 => "1 folder of the source is not in the target".to_owned(),
            folders => format!("{folders} folders of the source are not in the target"),
        });
    } else if left == 0 && named.max(told.failed) > 0 {
        let words = told.errors.first().map_or("it names none", |error| error.error.as_str());
        failed.warning = Some(format!(
            "the program counts {} as failed, and all that was to be copied is equal: {words}",
            named.max(told.failed),
        ));
    }
    Ok(failed)
}

/// Brings what failed into the survey's account, and the names into their file.
fn account(
    pass: &CopyPass,
    survey: Survey,
    draft: Option<Draft>,
    mut failed: Failed,
    warnings: Vec<String>,
    names: Option<&Writer>,
) -> PassOutcome {
    let mut outcome = survey.outcome;
    let summary = &mut outcome.summary;
    let mut page = Page::default();
    if let (Some(draft), Some(names)) = (draft, names) {
        draft.read(names, |entry| {
            let is_of_source = is_of_source(entry.bucket);
            let mut error = failed.by_path.remove(&entry.path);
            // Only what somebody took away meanwhile is looked for, which is next to never.
            if error.is_none() && failed.vanished > 0 && is_of_source && is_gone(pass, &entry.path) {
                failed.vanished -= 1;
                error = Some(vanished(&entry.path));
            }
            match error {
                Some(error) if is_of_source => {
                    take_back(summary, entry.bucket, entry.bytes);
                    lose(summary, &error, entry.bytes);
                    page.failed(Some(names), &error, entry.bytes);
                }
                _ => page.again(Some(names), &entry),
            }
        });
    }
    for error in failed.by_path.into_values() {
        lose(summary, &error, 0);
        page.failed(names, &error, 0);
    }
    page.turn(names);
    summary.failed.files += failed.unnamed;
    summary.vanished += failed.vanished;
    outcome.warning =
        joined([outcome.warning.take(), failed.warning].into_iter().chain(warnings.into_iter().map(Some)));
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

/// Files that take part in a pass.
fn parts(summary: &PassSummary) -> u64 {
    summary.new.files + summary.changed.files + summary.same.files + summary.failed.files
}

fn is_of_source(bucket: Bucket) -> bool {
    matches!(bucket, Bucket::New | Bucket::Changed | Bucket::LinksCopied | Bucket::Failed | Bucket::Vanished)
}

fn take_back(summary: &mut PassSummary, bucket: Bucket, bytes: u64) {
    let tally = match bucket {
        Bucket::New => &mut summary.new,
        Bucket::Changed => &mut summary.changed,
        Bucket::Failed => &mut summary.failed,
        Bucket::LinksCopied => return summary.links_copied -= 1,
        Bucket::Vanished => return summary.vanished -= 1,
        _ => return,
    };
    tally.files -= 1;
    tally.bytes -= bytes;
}

fn lose(summary: &mut PassSummary, error: &FileError, bytes: u64) {
    match error.class {
        ErrorClass::Vanished => summary.vanished += 1,
        _ => summary.failed.add(bytes),
    }
    let known = summary.errors.iter().any(|known| known.path == error.path);
    if !known && summary.errors.len() < PassSummary::LISTED_ERRORS {
        summary.errors.push(error.clone());
    }
}

fn joined(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    parts.into_iter().flatten().reduce(|one, other| format!("{one}; {other}"))
}

/// Shows how far the program is, against what the survey found; at most ten times a second.
struct Meter<'a> {
    watch: &'a Watch<'a>,
    state: Progress,
    shown: Instant,
    same: u64,
}

impl<'a> Meter<'a> {
    const EVERY: Duration = Duration::from_millis(100);

    fn new(found: &PassSummary, watch: &'a Watch<'a>) -> Self {
        let state = Progress {
            files_done: found.same.files,
            files_known: found.new.files + found.changed.files + found.same.files,
            bytes_known: found.new.bytes + found.changed.bytes,
            listed: true,
            ..Progress::default()
        };
        (watch.progress)(state.clone());
        Self { watch, state, shown: Instant::now(), same: found.same.files }
    }

    /// What the program has brought over so far, by its own word: never more than there is.
    fn moved(&mut self, moved: Tally) {
        let files = (self.same + moved.files).min(self.state.files_known);
        self.state.files_done = self.state.files_done.max(files);
        self.state.bytes_done = self.state.bytes_done.max(moved.bytes.min(self.state.bytes_known));
        if self.shown.elapsed() >= Self::EVERY {
            self.shown = Instant::now();
            (self.watch.progress)(self.state.clone());
        }
    }
}

#[cfg(test)]
mod tests;
