//! The purge of a copy step: what would go is judged, asked about where it is much, and taken away.
//!
//! The list is complete and judged before the first file goes, and it is judged anew whenever the step is taken up again:
//! an answer counts for the list that was shown and for what is left of it, and for nothing else.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::facts;
use super::outcome::Failure;
use super::pass::ended_early;
use super::question::{Asking, Heard, choice_prompt};
use super::session::Session;
use super::step::Performed;
use crate::copy::account::{self, Bucket, Page, Writer, list};
use crate::copy::quarantine;
use crate::copy::{CopyPass, Disposal, EntryKind, ExtraEntry, FileError, Keep, OnErrors, PassOutcome, names};
use crate::engine;
use crate::error::Result;
use crate::guard::{self, Ownership, PurgeFacts, PurgeList, SourceFacts, Verdict};
use crate::plan::{Action, CheckAction, CopyAction, Evidence, PlannedStep, Purge};
use crate::rclone::remote::Remote;
use crate::state::record::{Answer, Body, PurgeStarted};

/// How many names of a list are kept in the journal and shown with a question; all are in a file beside it.
const LISTED: usize = 1000;
/// The choice that leaves extra files where they are.
const KEEP: &str = "keep";

/// A purge that is to be judged.
pub(super) struct Purging<'a> {
    pub(super) step: &'a PlannedStep,
    pub(super) action: &'a CopyAction,
    pub(super) limits: Purge,
    pub(super) pass: &'a CopyPass,
    /// Of the pass before it.
    pub(super) errors: u64,
    pub(super) names: &'a Writer,
}

pub(super) enum Purged {
    Over,
    /// The step ends here; every extra file is in a bucket of the account.
    Stop(Performed),
    /// The step ends in the middle of the purge.
    CutOff(Performed),
}

impl Session<'_> {
    pub(super) fn purge(&mut self, purging: &Purging<'_>, outcome: &mut PassOutcome) -> Result<Purged> {
        let Purging { step, action, limits, names, .. } = purging;
        let identity = facts::identity(&action.to);
        let list = list_of(&outcome.extras, identity.as_ref());
        let approved = match self.said(purging, &outcome.extras, &list, identity.as_ref()) {
            Some(Answer::Choice(choice)) if choice == KEEP => {
                keep(outcome, names);
                return Ok(Purged::Over);
            }
            said => said.map(|_| list.digest.clone()),
        };
        let facts = self.purge_facts(purging, outcome, list, approved);
        if self.cancel.is_requested() {
            // A look that was broken off tells nothing about the source.
            return Ok(Purged::CutOff(Failure::Interrupted.into()));
        }
        match guard::judge_purge(
            &facts,
            &guard::Limits { max_files: limits.max_files, max_percent: limits.max_percent },
        ) {
            Verdict::Go => {}
            Verdict::Refuse(refusal) if action.errors == OnErrors::Tolerate => {
                self.warn(Some(&step.id), format!("nothing was purged: {refusal}"));
                keep(outcome, names);
                return Ok(Purged::Over);
            }
            Verdict::Refuse(refusal) => {
                keep(outcome, names);
                return Ok(Purged::Stop(Failure::from(refusal).into()));
            }
            Verdict::Ask(question) => {
                let prompt = choice_prompt(
                    format!(
                        "The purge would take away {} ({}), more than its limits of {} or {} %. Go ahead?",
                        files(facts.list.files),
                        bytesize::ByteSize(facts.list.bytes).display().iec(),
                        files(limits.max_files),
                        limits.max_percent,
                    ),
                    "Look at the list: each file on it is in the target and not in the source.",
                    [(KEEP, "leave them in the target and go on"), ("purge", "take these files away")],
                    Evidence::None,
                );
                let list = self.kept_list(step, &outcome.extras);
                let asking = Asking { step: &step.id, title: &step.title, question, prompt, list };
                match self.ask(asking)? {
                    Heard::None(unanswered) => {
                        keep(outcome, names);
                        return Ok(Purged::Stop(Performed::Unanswered(unanswered)));
                    }
                    Heard::Answer(answer) if answer == Answer::Choice(KEEP.to_owned()) => {
                        keep(outcome, names);
                        return Ok(Purged::Over);
                    }
                    Heard::Answer(_) => {}
                }
            }
        }
        if outcome.extras.is_empty() {
            return Ok(Purged::Over);
        }
        // A person may have taken hours to answer: what was judged must still be what is there.
        let Some(identity) = identity.filter(|judged| facts::identity(&action.to).as_ref() == Some(judged))
        else {
            let reason = format!(
                "the target {} is another folder than when the purge was judged",
                action.to.display()
            );
            let failure =
                Failure::refused(reason).hint("see that the right drive or share is mounted, and go on");
            keep(outcome, names);
            return Ok(Purged::Stop(failure.into()));
        };
        self.take_away(purging, outcome, &facts.list, identity)
    }

    fn take_away(
        &mut self,
        purging: &Purging<'_>,
        outcome: &mut PassOutcome,
        list: &PurgeList,
        identity: guard::Identity,
    ) -> Result<Purged> {
        let Purging { step, action, limits, pass, names, .. } = purging;
        let disposal = match limits.keep {
            Keep::None => {
                self.keep_deletions(step, &outcome.extras);
                Disposal::Delete
            }
            Keep::Quarantine => {
                let next = self.state.quarantine.next_number();
                let (number, folder) = match Remote::at(&action.to) {
                    Some(target) => {
                        (next, PathBuf::from(target.quarantine(&self.state.run, next).to_string()))
                    }
                    None => quarantine::folder_for_purge(&action.to, &self.state.run, next),
                };
                self.append(Body::PurgeStarted(PurgeStarted {
                    step: step.id.clone(),
                    number,
                    target: action.to.display().to_string(),
                    identity: identity.0,
                    folder: folder.display().to_string(),
                    files: list.files,
                    bytes: list.bytes,
                }))?;
                Disposal::Quarantine(folder)
            }
        };
        let purged = match self.watched(step, "purging", None, Some(names), |watch| {
            engine::of(action).purge(pass, &outcome.extras, &disposal, watch)
        }) {
            Ok(purged) => purged,
            Err(error) => return Ok(Purged::CutOff(ended_early(error))),
        };
        outcome.summary.purged = purged.files;
        outcome.summary.kept.merge(purged.kept);
        if purged.errors.is_empty() {
            return Ok(Purged::Over);
        }
        let errors = told_once(purged.errors, &outcome.extras, |folder| {
            let entries = std::fs::read_dir(action.to.join(folder)).ok()?;
            entries.map(|entry| Some(folder.join(entry.ok()?.file_name()))).collect()
        });
        let failure = Failure::failed(format!("extra files that could not be taken away: {}", errors.len()))
            .hint("see to the files that are listed, and go on: the pass is done again and lists anew");
        Ok(Purged::Stop(Performed::Failed { failure, errors }))
    }

    /// What a person said of this list, or of one of which this is what is left.
    fn said(
        &self,
        purging: &Purging<'_>,
        extras: &[ExtraEntry],
        now: &PurgeList,
        target: Option<&guard::Identity>,
    ) -> Option<Answer> {
        let step = purging.step.id.as_str();
        if let Some(answer) = self.state.said_of_purge(step, &now.digest) {
            return Some(answer.clone());
        }
        let earlier = self.state.purges.get(step)?;
        let file = account::list_file_of(self.state_path(), step);
        // A list that is gone or cannot be read was agreed to by nobody: it is asked about anew.
        let covered = list::covers(&file, &earlier.list, &target?.0, extras).unwrap_or(false);
        if covered && !extras.is_empty() {
            self.warn(
                Some(step),
                "what is left of the purge's list was decided on already, and is not asked about again"
                    .to_owned(),
            );
        }
        covered.then(|| earlier.answer.clone())
    }

    /// Writes down what is about to be deleted. The names of a pass that is cut off are gone with its next attempt, and
    /// what it deleted would be named nowhere.
    fn keep_deletions(&self, step: &PlannedStep, extras: &[ExtraEntry]) {
        let attempt = self.state.steps.get(&step.id).map_or(0, |state| state.attempts);
        let file = account::deletions_file_of(self.state_path(), &step.id, attempt);
        if let Err(error) = list::write(&file, extras) {
            let message = format!(
                "cannot keep the list of what is deleted in {}: {error}; a purge that is cut off leaves no list",
                file.display()
            );
            self.warn(Some(&step.id), message);
        }
    }

    /// Writes the whole list down and gives back what is shown of it.
    fn kept_list(&self, step: &PlannedStep, extras: &[ExtraEntry]) -> Vec<String> {
        let file = account::list_file_of(self.state_path(), &step.id);
        let written = list::write(&file, extras);
        if let Err(error) = &written {
            let message = format!(
                "cannot keep the whole list in {}: {error}; a purge that is cut off will be asked about again",
                file.display()
            );
            self.warn(Some(&step.id), message);
        }
        let mut names = names_of(extras);
        let files = extras.iter().filter(|extra| extra.kind != EntryKind::Directory).count();
        if files > LISTED {
            let whole = match written {
                Ok(()) => format!("all are in {}", file.display()),
                Err(_) => "`movebook plan` lists them all".to_owned(),
            };
            names.push(format!("… and {} more; {whole}", files - LISTED));
        }
        names
    }

    fn purge_facts(
        &self,
        purging: &Purging<'_>,
        outcome: &PassOutcome,
        list: PurgeList,
        approved: Option<String>,
    ) -> PurgeFacts {
        let action = purging.action;
        let target = action.to.display().to_string();
        let summary = &outcome.summary;
        // What the filter lets in, and nothing else: a source of which only excluded folders are there is an empty one.
        let files = outcome.source_files;
        let found = facts::identity(&action.to);
        let ownership = match self.state.targets.get(&target) {
            // By identity and not by spelling: two spellings, or a link, can lead to one claimed folder.
            _ if facts::owned(&self.state, &action.to) => Ownership::Own,
            None => Ownership::Foreign,
            Some(claimed) => Ownership::Changed { claimed: guard::Identity(claimed.identity.clone()), found },
        };
        let mut expected: Vec<&String> = action.expect.iter().collect();
        for other in self.plan.steps() {
            let Some(Action::Check(checks)) = other.ready() else { continue };
            expected.extend(checks.iter().flat_map(|check| match check {
                CheckAction::Path { path, contains, .. } if *path == action.from => contains.as_slice(),
                _ => &[],
            }));
        }
        PurgeFacts {
            target,
            source: action.from.display().to_string(),
            ownership,
            errors: purging.errors.max(summary.failed.files + summary.extra_unread),
            source_facts: SourceFacts::Whole { files },
            unmatched: match Remote::at(&action.from) {
                Some(_) => {
                    super::check::unmatched_of(&action.from, &action.environment, &expected, self.cancel)
                }
                None => super::check::unmatched(&action.from, &expected, self.cancel),
            },
            list,
            target_files: outcome.target_files,
            approved,
        }
    }
}

fn files(number: u64) -> String {
    match number {
        1 => "1 file".to_owned(),
        number => format!("{number} files"),
    }
}

/// Leaves out the folders that stay for nothing but what is told of already. One that `holds` cannot list is told.
fn told_once(
    errors: Vec<FileError>,
    extras: &[ExtraEntry],
    holds: impl Fn(&Path) -> Option<Vec<PathBuf>>,
) -> Vec<FileError> {
    let told: HashSet<String> = errors.iter().map(|error| error.path.clone()).collect();
    let folders: HashMap<String, &Path> = extras
        .iter()
        .filter(|extra| extra.kind == EntryKind::Directory)
        .map(|extra| (names::shown(&extra.path), extra.path.as_path()))
        .filter(|(shown, _)| told.contains(shown))
        .collect();
    let says_nothing_new = |error: &FileError| {
        let held = folders.get(&error.path).and_then(|folder| holds(folder)).unwrap_or_default();
        !held.is_empty() && held.iter().all(|path| told.contains(&names::shown(path)))
    };
    errors.into_iter().filter(|error| !says_nothing_new(error)).collect()
}

/// The extra files stay; the account says so.
pub(super) fn keep(outcome: &mut PassOutcome, names: &Writer) {
    let mut page = Page::default();
    for extra in outcome.extras.iter().filter(|extra| extra.kind != EntryKind::Directory) {
        outcome.summary.kept.add(extra.bytes);
        page.extra(Some(names), Bucket::Kept, extra, None);
    }
    page.turn(Some(names));
}

/// What a purge would take away, with a digest that tells this list from every other.
pub(super) fn list_of(extras: &[ExtraEntry], target: Option<&guard::Identity>) -> PurgeList {
    let mut digest = list::Digest::new(target.map_or("", |target| target.0.as_str()));
    let mut list = PurgeList { files: 0, bytes: 0, directories: 0, digest: String::new() };
    for extra in extras {
        digest.add(extra);
        match extra.kind {
            EntryKind::Directory => list.directories += 1,
            EntryKind::File | EntryKind::Link | EntryKind::Special => {
                list.files += 1;
                list.bytes += extra.bytes;
            }
        }
    }
    list.digest = digest.finish();
    list
}

fn names_of(extras: &[ExtraEntry]) -> Vec<String> {
    extras
        .iter()
        .filter(|extra| extra.kind != EntryKind::Directory)
        .take(LISTED)
        .map(|extra| names::shown(&extra.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::ErrorClass;

    #[test]
    fn a_folder_that_stays_for_what_is_told_of_already_is_not_told_of_again() {
        let extras = [
            extra("d/e/stone", EntryKind::File),
            extra("d/e", EntryKind::Directory),
            extra("d", EntryKind::Directory),
            extra("f/stone", EntryKind::File),
            extra("f", EntryKind::Directory),
            extra("closed", EntryKind::Directory),
        ];
        let errors = extras.iter().map(|extra| FileError {
            path: names::shown(&extra.path),
            class: ErrorClass::Denied,
            attempts: 1,
            error: "it stays".into(),
        });
        let holds = |folder: &Path| match folder.to_str()? {
            "d" => Some(vec!["d/e".into()]),
            "d/e" => Some(vec!["d/e/stone".into()]),
            "f" => Some(vec!["f/stone".into(), "f/newcomer".into()]),
            _ => None,
        };
        let told: Vec<String> =
            told_once(errors.collect(), &extras, holds).into_iter().map(|error| error.path).collect();
        assert_eq!(told, ["d/e/stone", "f/stone", "f", "closed"]);
    }

    fn extra(path: &str, kind: EntryKind) -> ExtraEntry {
        ExtraEntry { path: path.into(), kind, bytes: 10 }
    }

    #[test]
    fn a_list_with_another_file_has_another_digest() {
        let one = list_of(&[extra("a", EntryKind::File), extra("b", EntryKind::File)], None);
        let other = list_of(&[extra("ab", EntryKind::File)], None);
        assert_ne!(one.digest, other.digest);
        assert_eq!((one.files, one.bytes, one.directories), (2, 20, 0));
    }

    #[test]
    fn directories_count_for_themselves() {
        let list = list_of(&[extra("d/a", EntryKind::File), extra("d", EntryKind::Directory)], None);
        assert_eq!((list.files, list.directories), (1, 1));
    }
}
