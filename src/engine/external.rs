//! A pass that another program carries out, over two trees that movebook can look at itself.
//!
//! 1. Both trees are surveyed: the account of the pass, the extra files and the totals are known before anything is touched.
//!    Where the target has a link, or something else that does not fit, in the place of what is to be copied, movebook does
//!    the pass itself: a program would write through the link.
//! 2. The program copies, watched. It is never told to delete: what a purge takes away is taken by movebook, from the list
//!    that was judged.
//! 3. What it wrote is flushed. After a pass that must be clean the trees are surveyed again, and what is still new or
//!    changed has failed, whatever the program said; so has what it named and did not copy in the end. In a pass that
//!    tolerates errors the files that it named have failed: the source lives, and what changed since is the next pass's;
//!    where its report leaves something open, the trees are surveyed again there, too.
//!
//! Invariant: the account that comes out names each file in one bucket, as that of the native engine does.

mod account;
mod meter;
mod second_look;

use crate::cancel::Cancel;
use crate::copy::account::Draft;
use crate::copy::native::{Ground, Native};
use crate::copy::{
    Compare, CopyPass, Disposal, Engine, ErrorClass, ExtraEntry, Extras, FileError, PassError, PassOutcome,
    PassSummary, Phase, Progress, Purged, Survey, Tally, Watch, names,
};
use account::Failed;
use meter::Meter;
use second_look::SecondLook;

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
    ) -> Result<Report, PassError>;
}

/// What a program told of a pass that came to its end.
#[derive(Clone, Debug)]
pub struct Report {
    /// Files and folders that it named as failed and did not copy in the end, with paths below the root as
    /// [`crate::copy::names::shown`] writes them.
    pub errors: Vec<FileError>,
    /// How many failed by its own count, where it has one.
    pub failed: u64,
    pub coverage: Coverage,
    /// How it ended, for what it left without a word: `robocopy ended with 9`.
    pub ended: String,
    /// What a person should know, such as an exit code that does not fit.
    pub warnings: Vec<String>,
}

/// Whether a report speaks of all that was to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    Whole,
    /// It has no end that could be read, or counts fewer than there were.
    Short,
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
            self.ask_about_extras(pass, watch)?;
            // What was never flushed looks the same and may be empty: only a pass that reads it mends that.
            let why = format!(
                "the machine or the volume went away behind an earlier pass, so files were compared by content and copied by \
                 movebook itself this time; {} compares by size and time alone",
                P::NAME
            );
            return by_movebook(pass, why, watch);
        }
        let ground = <Ground>::take(&pass.to)?;
        let mut draft = watch.account.map(|names| Draft::beside(names, "survey"));
        let survey = Native.survey(
            pass,
            &Watch {
                progress: &in_phase(Phase::Comparing, watch),
                cancel: watch.cancel,
                account: draft.as_ref().and_then(Draft::writer),
            },
        )?;
        if let Some(what) = in_the_way(pass, &survey.outcome) {
            drop((draft, ground));
            self.program.prepare(pass, &survey, watch.cancel)?;
            let why = format!(
                "{what}, so files were copied by movebook itself this time; {} may write through links, out of the target",
                P::NAME
            );
            return by_movebook(pass, why, watch);
        }
        self.program.prepare(pass, &survey, watch.cancel)?;
        let mut meter = Meter::new(&survey.outcome.summary, watch);
        let mut report = self.program.copy(pass, &survey, &mut |moved| meter.moved(moved), watch.cancel)?;
        ground.flush()?;
        let mut failed = match second_look::judge(pass.errors, &report, draft.as_mut(), watch.account) {
            SecondLook::Needed => second_look::look(pass, &survey.outcome.summary, &report, watch)?,
            SecondLook::Spared => Failed::told(&report),
        };
        failed.warnings.append(&mut report.warnings);
        Ok(account::account(pass, survey, draft, failed, watch.account))
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

impl<P: Program> External<P> {
    /// Before movebook does a pass itself that purges: what goes is what both of them call extra.
    fn ask_about_extras(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<(), PassError> {
        if pass.extras == Extras::Keep {
            return Ok(());
        }
        // By size and time: what is extra is the same however files are compared.
        let pass = CopyPass { distrust: None, compare: Compare::Metadata, ..pass.clone() };
        let progress = in_phase(Phase::Comparing, watch);
        let survey =
            Native.survey(&pass, &Watch { progress: &progress, cancel: watch.cancel, account: None })?;
        self.program.prepare(&pass, &survey, watch.cancel)
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

/// Shows the progress of a survey as that of a phase.
fn in_phase<'a>(phase: Phase, watch: &'a Watch<'_>) -> impl Fn(Progress) + Sync + 'a {
    move |progress| (watch.progress)(Progress { phase: Some(phase), ..progress })
}

fn by_movebook(pass: &CopyPass, why: String, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
    let mut outcome = Native.copy(pass, watch)?;
    outcome.warning = joined(outcome.warning.take().into_iter().chain([why]));
    Ok(outcome)
}

fn joined(parts: impl IntoIterator<Item = String>) -> Option<String> {
    parts.into_iter().reduce(|one, other| format!("{one}; {other}"))
}

#[cfg(test)]
mod tests;
