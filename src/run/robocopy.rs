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
    Access, Compare, CopyPass, Disposal, Engine, EntryKind, ErrorClass, Extras, FileError, PassError,
    PassOutcome, Tally, Watch, names,
};
use crate::guard::{self, Ownership, PurgeFacts, PurgeList, Refusal, SourceFacts, Verdict};
use crate::robocopy::command_line::Rights;
use crate::robocopy::guard::{Lone, judge_blank};
use crate::robocopy::summary::{Mismatched, Told};
use crate::robocopy::{Figures, Job, Setting};
use crate::sys::privilege::Held;

/// The limits of a runbook's purge.
const LIMITS: guard::Limits = guard::Limits { max_files: 1000, max_percent: 5 };

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
    facts::judge_roots(from, to)
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
        return Ok(carried(pass, outcome, Purge::None));
    }
    if !job.purges() {
        let outcome = Native.copy(pass, watch)?;
        return Ok(carried(pass, outcome, Purge::None));
    }
    let agreed = foresee(job, pass, watch, ask)?;
    let outcome = Native.copy(pass, watch)?;
    let purge = purge(job, pass, run, &outcome, agreed, watch)?;
    Ok(carried(pass, outcome, purge))
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
    let facts = purge_facts(pass, &outcome, 0, None);
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
) -> Result<Purge, PassError> {
    let summary = &outcome.summary;
    if outcome.extras.is_empty() && summary.extra_unread == 0 {
        return Ok(Purge::None);
    }
    let errors = summary.failed.files + summary.vanished + summary.extra_unread;
    let facts = purge_facts(pass, outcome, errors, agreed);
    match guard::judge_purge(&facts, &limits(job)) {
        Verdict::Go => {}
        Verdict::Refuse(refusal) => return Ok(Purge::Refused(refusal)),
        Verdict::Ask(_) => {
            return Ok(Purge::Refused(above_limits(&facts.list, facts.target_files, job)));
        }
    }
    let (_, folder) = quarantine::folder_for_purge(&pass.to, run, 1);
    let purged = Native.purge(pass, &outcome.extras, &Disposal::Quarantine(folder.clone()), watch)?;
    Ok(Purge::Moved { folder, files: purged.files, directories: purged.directories, errors: purged.errors })
}

fn limits(job: &Job) -> guard::Limits {
    match job.purge_limit {
        Some(max_files) => guard::Limits { max_files, max_percent: 100 },
        None => LIMITS,
    }
}

fn purge_facts(pass: &CopyPass, outcome: &PassOutcome, errors: u64, approved: Option<String>) -> PurgeFacts {
    PurgeFacts {
        target: names::shown(&pass.to),
        source: names::shown(&pass.from),
        ownership: Ownership::Own,
        errors,
        source_facts: SourceFacts::Whole { files: outcome.source_files },
        unmatched: Vec::new(),
        list: list_of(&outcome.extras, facts::identity(&pass.to).as_ref()),
        target_files: outcome.target_files,
        approved,
    }
}

fn above_limits(list: &PurgeList, target_files: u64, job: &Job) -> Refusal {
    let limits = limits(job);
    Refusal::new(
        "purge_above_limits",
        format!(
            "the purge would take away {} of the {target_files} files that the target would have, more than its limits of {} files or {} %",
            list.files, limits.max_files, limits.max_percent
        ),
        format!("look at the list with /L; if all of it is to go, add `--purge-limit {}`", list.files),
    )
}

fn carried(pass: &CopyPass, outcome: PassOutcome, purge: Purge) -> Carried {
    let stayed = match &purge {
        Purge::Moved { errors, .. } => errors.len() as u64,
        Purge::Refused(_) => outcome.summary.extra_unread,
        Purge::None => 0,
    };
    let extras = if pass.extras == Extras::List { outcome.extras.as_slice() } else { &[] };
    let mismatched = mismatched(pass, &outcome);
    let told = Told { summary: &outcome.summary, extras, mismatched: &mismatched, stayed };
    let figures = Figures::of(&told);
    Carried { outcome, figures, mismatched, purge }
}

/// Of the files that failed, those in whose place the other side has a directory, or the other way round. Of a pass with
/// more errors than are listed the rest counts as failed.
fn mismatched(pass: &CopyPass, outcome: &PassOutcome) -> Mismatched {
    let mut mismatched = Mismatched::new();
    for error in outcome.summary.errors.iter().filter(|error| error.class == ErrorClass::Permanent) {
        let path = names::path_of(&error.path);
        let sides = [&pass.from, &pass.to].map(|root| root.join(&path).symlink_metadata());
        if let [Ok(source), Ok(target)] = sides
            && source.is_dir() != target.is_dir()
        {
            mismatched.insert(error.path.clone(), if source.is_file() { source.len() } else { 0 });
        }
    }
    mismatched
}
