//! Carries out a pass that a robocopy command line means, with the guards in front and without a journal.
//!
//! A purge is judged twice: by a survey, before anything is touched, and by what the pass itself found. The target is
//! nobody's claim here, since each line stands for itself; so a source without a file, an error in the pass and a list
//! above the limits that nobody agreed to are what stands between `/purge` and a target.

use std::path::{Path, PathBuf};

use super::facts;
use super::purge::list_of;
use super::rights;
use crate::copy::native::Native;
use crate::copy::quarantine;
use crate::copy::{
    Access, Compare, CopyPass, Directories, Disposal, Engine, EntryKind, ErrorClass, Extras, FileError,
    PassError, PassOutcome, Tally, Watch, names,
};
use crate::guard::{self, Ownership, PurgeFacts, PurgeList, Refusal, SourceFacts, Verdict};
use crate::plan::action;
use crate::robocopy::command_line::Rights;
use crate::robocopy::guard::{Lone, judge_blank};
use crate::robocopy::pass::kept_out_of_target;
use crate::robocopy::summary::{Mismatched, Told};
use crate::robocopy::{Figures, Job, Setting};
use crate::sys::place;
use crate::sys::privilege::Held;

/// The limits of a runbook's purge.
const LIMITS: guard::Limits =
    guard::Limits { max_files: action::Purge::MAX_FILES, max_percent: action::Purge::MAX_PERCENT };

/// A purge that a person has to allow.
#[derive(Debug)]
pub struct PurgeQuestion<'a> {
    pub files: u64,
    pub bytes: u64,
    pub target_files: u64,
    pub names: Vec<&'a Path>,
}

/// What a person says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Purge,
    No,
    /// There is nobody to ask.
    Nobody,
}

/// A pass that came to its end.
#[derive(Debug)]
pub struct Carried {
    pub outcome: PassOutcome,
    pub figures: Figures,
    pub mismatched: Mismatched,
    pub purge: Purge,
    /// Patterns without a wildcard that are the name of no file in the source.
    pub unmatched: Vec<String>,
}

/// What became of the purge.
#[derive(Debug)]
pub enum Purge {
    /// None was asked for, or nothing was to go.
    None,
    Moved {
        folder: PathBuf,
        files: Tally,
        directories: u64,
        errors: Vec<FileError>,
    },
    /// The pass is done, and all that only the target has stays.
    Refused(Refusal),
    /// Of a list (`/l`): what the same line would be answered without it.
    WouldBeRefused(Refusal),
    /// The pass is done, and the purge did not come to its end: some of it may be in the folder by now.
    CutOff {
        folder: PathBuf,
        error: PassError,
    },
}

/// Why a pass did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Pass(#[from] PassError),
}

/// Takes the rights that a line asks for; they are given back when the value is dropped.
pub fn rights(job: &Job) -> Result<Option<Held>, Refusal> {
    let held = |access| rights::of(access, job.preserve);
    match job.rights() {
        Rights::Ordinary => Ok(None),
        // Without them what is denied fails, and is named.
        Rights::BackupIfAllowed => Ok(held(Access::Backup).unwrap_or_default()),
        Rights::Backup => held(Access::Backup).map_err(|error| {
            Refusal::new(
                "no_backup_rights",
                format!("/B, /COPYALL and U need rights that this process has not got: {error}"),
                "open a console by `Run as administrator`, as a member of Administrators or Backup Operators; or use /ZB and /COPY:DATSO",
            )
        }),
    }
}

/// Judges the words of a command line, and the folders that they lead to.
pub fn judge(job: &Job, from: &Path, to: &Path) -> Result<(), Refusal> {
    judge_blank(job, |name| match from.join(name).is_file() {
        true => Lone::IsFile,
        false => Lone::IsNone,
    })?;
    facts::judge_roots(from, to)?;
    // On both sides it would be kept out, and robocopy keeps it in the target alone.
    match kept_out_of_target(job, from, to)
        .into_iter()
        .find(|path| from.join(path).symlink_metadata().is_ok())
    {
        None => Ok(()),
        Some(path) => Err(Refusal::new(
            "excluded_in_target",
            format!(
                "{} is to be kept out of the target, and the source has it, too: what is kept out is so on both sides",
                names::shown(&to.join(&path))
            ),
            format!("if it is not to be copied either, name {}, too", names::shown(&from.join(&path))),
        )),
    }
}

/// Refuses a file that is about to be written (a log, a job file) inside a target that is purged: the source has no such
/// file, so it would be taken away. Told by identity, whatever the spelling.
pub fn judge_written(job: &Job, what: &str, file: &Path, to: &Path) -> Result<(), Refusal> {
    if !job.purges() {
        return Ok(());
    }
    let apart = match (place::Place::of(file), place::Place::of(to)) {
        (Ok(file), Ok(to)) => file.relation_to(&to) == place::Relation::Apart,
        // What cannot be told is not let through.
        _ => false,
    };
    if apart {
        return Ok(());
    }
    Err(Refusal::new(
        "written_in_target",
        format!("the {what} {} lies in the target, and the purge would take it away", names::shown(file)),
        format!("give a {what} outside of the target"),
    ))
}

/// Does a pass, or with `/l` says what it would do.
///
/// `run` names the quarantine's folder. `ask` is called for a purge above the limits, before anything is touched.
pub fn carry_out(
    job: &Job,
    pass: &CopyPass,
    run: &str,
    watch: &Watch<'_>,
    ask: &mut dyn FnMut(&PurgeQuestion<'_>) -> Said,
) -> Result<Carried, Stopped> {
    if job.has(Setting::ListOnly) {
        let outcome = Native.survey(pass, watch)?.outcome;
        let purge = foretold(job, pass, &outcome);
        return Ok(carried(job, pass, watch, outcome, purge));
    }
    if !job.purges() {
        let outcome = Native.copy(pass, watch)?;
        return Ok(carried(job, pass, watch, outcome, Purge::None));
    }
    let agreed = foresee(job, pass, watch, ask)?;
    let outcome = Native.copy(pass, watch)?;
    let purge = purge(job, pass, run, &outcome, agreed, watch);
    Ok(carried(job, pass, watch, outcome, purge))
}

/// What the line would be answered if it did not list alone.
fn foretold(job: &Job, pass: &CopyPass, outcome: &PassOutcome) -> Purge {
    if !job.purges() || outcome.extras.is_empty() {
        return Purge::None;
    }
    let facts = purge_facts(job, pass, outcome, 0, None);
    match guard::judge_purge(&facts, &limits(job)) {
        Verdict::Go => Purge::None,
        Verdict::Refuse(refusal) => Purge::WouldBeRefused(refusal),
        Verdict::Ask(_) => Purge::WouldBeRefused(above_limits(&facts.list, facts.target_files, job)),
    }
}

/// Judges what a purge would take away, before anything is touched. The list that a person agreed to, if one was asked.
fn foresee(
    job: &Job,
    pass: &CopyPass,
    watch: &Watch<'_>,
    ask: &mut dyn FnMut(&PurgeQuestion<'_>) -> Said,
) -> Result<Option<String>, Stopped> {
    let survey = Watch { account: None, ..*watch };
    // What only the target has does not hang on what the files hold.
    let look = CopyPass { compare: Compare::Metadata, ..pass.clone() };
    let outcome = Native.survey(&look, &survey)?.outcome;
    if outcome.extras.is_empty() {
        return Ok(None);
    }
    // A file that cannot be read keeps the purge from being done; what can be copied is copied all the same.
    let facts = purge_facts(job, pass, &outcome, 0, None);
    let list = facts.list.clone();
    match guard::judge_purge(&facts, &limits(job)) {
        Verdict::Go => Ok(None),
        Verdict::Refuse(refusal) => Err(refusal.into()),
        Verdict::Ask(_) => {
            let question = PurgeQuestion {
                files: list.files,
                bytes: list.bytes,
                target_files: facts.target_files,
                names: outcome
                    .extras
                    .iter()
                    .filter(|extra| extra.kind != EntryKind::Directory)
                    .map(|extra| extra.path.as_path())
                    .collect(),
            };
            match ask(&question) {
                Said::Purge => Ok(Some(list.digest)),
                Said::No | Said::Nobody => Err(above_limits(&list, facts.target_files, job).into()),
            }
        }
    }
}

fn purge(
    job: &Job,
    pass: &CopyPass,
    run: &str,
    outcome: &PassOutcome,
    agreed: Option<String>,
    watch: &Watch<'_>,
) -> Purge {
    let summary = &outcome.summary;
    if outcome.extras.is_empty() && summary.extra_unread == 0 {
        return Purge::None;
    }
    let errors = summary.failed.files + summary.vanished + summary.extra_unread;
    let facts = purge_facts(job, pass, outcome, errors, agreed);
    match guard::judge_purge(&facts, &limits(job)) {
        Verdict::Go => {}
        Verdict::Refuse(refusal) => return Purge::Refused(refusal),
        Verdict::Ask(_) => {
            return Purge::Refused(above_limits(&facts.list, facts.target_files, job));
        }
    }
    let (_, folder) = quarantine::folder_for_purge(&pass.to, run, 1);
    match Native.purge(pass, &outcome.extras, &Disposal::Quarantine(folder.clone()), watch) {
        Ok(purged) => Purge::Moved {
            folder,
            files: purged.files,
            directories: purged.directories,
            errors: purged.errors,
        },
        Err(error) => Purge::CutOff { folder, error },
    }
}

fn limits(job: &Job) -> guard::Limits {
    match job.purge_limit {
        Some(max_files) => guard::Limits { max_files, max_percent: 100 },
        None => LIMITS,
    }
}

fn purge_facts(
    job: &Job,
    pass: &CopyPass,
    outcome: &PassOutcome,
    errors: u64,
    approved: Option<String>,
) -> PurgeFacts {
    let list = list_of(&outcome.extras, facts::identity(&pass.to).as_ref());
    // Links go, too, and are no files of the target: by a number that a person gave the number alone is judged.
    let target_files = match job.purge_limit {
        Some(_) => outcome.target_files.max(list.files),
        None => outcome.target_files,
    };
    PurgeFacts {
        target: names::shown(&pass.to),
        source: names::shown(&pass.from),
        ownership: Ownership::Own,
        errors,
        source_facts: SourceFacts::Whole { files: outcome.source_files },
        unmatched: Vec::new(),
        list,
        target_files,
        approved,
    }
}

fn above_limits(list: &PurgeList, target_files: u64, job: &Job) -> Refusal {
    let most = match job.purge_limit {
        Some(1) => "limit of 1 file".to_owned(),
        Some(limit) => format!("limit of {limit} files"),
        None => format!("limits of {} files or {} %", LIMITS.max_files, LIMITS.max_percent),
    };
    Refusal::new(
        "purge_above_limits",
        format!(
            "the purge would take away {} of the {target_files} files that the target would have, more than its {most}",
            list.files
        ),
        format!("look at the list with /L; if all of it is to go, add `--purge-limit {}`", list.files),
    )
}

fn carried(job: &Job, pass: &CopyPass, watch: &Watch<'_>, outcome: PassOutcome, purge: Purge) -> Carried {
    // What could not be read failed, whether or not it was to go.
    let unread = outcome.summary.extra_unread;
    let stayed = match &purge {
        Purge::Moved { errors, .. } => errors.len() as u64 + unread,
        Purge::None | Purge::Refused(_) | Purge::WouldBeRefused(_) | Purge::CutOff { .. } => unread,
    };
    let extras = if pass.extras == Extras::List { outcome.extras.as_slice() } else { &[] };
    let mismatched = mismatched(pass, &outcome);
    let told = Told { summary: &outcome.summary, extras, mismatched: &mismatched, stayed };
    let figures = Figures::of(&told);
    let unmatched = unmatched(job, pass, watch);
    Carried { outcome, figures, mismatched, purge, unmatched }
}

/// Of the patterns without a wildcard those that no file of the source is named by. Where one is not at the top, which is
/// looked at first, all that the pass enters is listed once more.
fn unmatched(job: &Job, pass: &CopyPass, watch: &Watch<'_>) -> Vec<String> {
    let is_name = |pattern: &&String| !pattern.contains(['*', '?']) && !pass.from.join(pattern).is_file();
    let mut names: Vec<&String> = job.patterns.iter().filter(is_name).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut walk = walkdir::WalkDir::new(&pass.from).min_depth(1);
    if pass.directories == Directories::None {
        walk = walk.max_depth(1);
    }
    for entry in walk.into_iter().flatten().filter(|entry| !entry.file_type().is_dir()) {
        // What was not looked for to the end is not told of.
        if watch.cancel.is_requested() {
            return Vec::new();
        }
        let found = entry.file_name().to_string_lossy().to_lowercase();
        names.retain(|name| name.to_lowercase() != found);
        if names.is_empty() {
            break;
        }
    }
    names.into_iter().cloned().collect()
}

/// Of the files that failed, those in whose place the other side has a directory, or the other way round. Of a pass with
/// more errors than are listed the rest counts as failed.
fn mismatched(pass: &CopyPass, outcome: &PassOutcome) -> Mismatched {
    let mut mismatched = Mismatched::new();
    for error in outcome.summary.errors.iter().filter(|error| error.class == ErrorClass::Permanent) {
        // A directory's has a `/` at its end, by which a file in its place is not found.
        let path = names::path_of(error.path.trim_end_matches('/'));
        let sides = [&pass.from, &pass.to].map(|root| root.join(&path).symlink_metadata());
        if let [Ok(source), Ok(target)] = sides
            && source.is_dir() != target.is_dir()
        {
            mismatched.insert(error.path.clone(), if source.is_file() { source.len() } else { 0 });
        }
    }
    mismatched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::copy::PassSummary;
    use crate::filter::Filter;
    use crate::plan::CopyAction;
    use crate::robocopy::summary::exit;

    #[test]
    fn what_only_the_target_has_and_cannot_be_read_has_failed_with_and_without_a_purge() {
        let pass = crate::run::pass_of(&CopyAction::plain("/old", "/new", Filter::everything()));
        let refusal = || Refusal::new("unread", "unread", "unread");
        let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
        for purge in [Purge::None, Purge::Refused(refusal()), Purge::WouldBeRefused(refusal())] {
            let summary = PassSummary { extra_unread: 1, ..PassSummary::default() };
            let outcome = PassOutcome { summary, ..PassOutcome::default() };
            let carried = carried(&Job::default(), &pass, &watch, outcome, purge);
            assert_eq!(carried.figures.exit(), exit::FAILED, "{:?}", carried.purge);
        }
    }
}
