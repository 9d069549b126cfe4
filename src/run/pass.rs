//! A copy step: whose the target is, the pass, the judgement of what a purge would take away, and the purge.
//!
//! The list of a purge is complete and judged before the first file goes, and it is judged anew whenever the step is
//! taken up again: an answer counts for exactly the list that was shown.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::facts;
use super::outcome::{Failure, Figures};
use super::progress::Meter;
use super::question::{Asking, Heard, choice_prompt};
use super::session::Session;
use super::step::{Done, Performed};
use crate::cancel::Cancel;
use crate::copy::native::Native;
use crate::copy::quarantine::quarantine_place;
use crate::copy::{
    CopyPass, Disposal, Engine, EntryKind, ErrorClass, ExtraEntry, Extras, Keep, OnErrors, PassError,
    PassOutcome, PassSummary, Progress, Watch,
};
use crate::error::Result;
use crate::event::Event;
use crate::guard::{self, ClaimVerdict, Ownership, PurgeFacts, PurgeList, SourceFacts, Verdict};
use crate::plan::{Action, CheckAction, CopyAction, Evidence, PlannedStep, Purge};
use crate::state::fold::{ADOPT, PassResult};
use crate::state::record::{Answer, Body, Debt, Found, Question};

/// How many names of a list are kept and shown with a question; `plan` has them all.
const LISTED: usize = 1000;
/// The choice that leaves extra files where they are.
const KEEP: &str = "keep";

impl Session<'_> {
    pub(super) fn copy(&mut self, step: &PlannedStep, action: &CopyAction) -> Result<Performed> {
        if let Err(refusal) = facts::judge_copy(action) {
            return Ok(Performed::from(Failure::from(refusal)));
        }
        if let Some(stop) = self.claim(step, action)? {
            return Ok(stop);
        }
        let begun = Instant::now();
        let pass = CopyPass { distrust: self.state.distrusted_since(&step.id), ..pass_of(action) };
        let outcome = self.watched(step, "copying", |watch| Native.copy(&pass, watch));
        let mut outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Ok(ended_early(error).into()),
        };
        if let Some(warning) = outcome.warning.take() {
            self.warn(Some(&step.id), warning);
        }
        let errors = errors(&outcome.summary, action.errors);
        if errors > 0 && action.errors == OnErrors::Fail {
            return Ok(too_many(&outcome.summary, errors));
        }
        if let Some(purge) = action.purge {
            match self.purge(step, action, purge, &pass, &mut outcome, errors)? {
                Purging::Over => {}
                Purging::Stop(stop) => return Ok(stop),
            }
        }
        let summary = &outcome.summary;
        let debt = (errors > 0).then(|| Debt {
            from: action.from.display().to_string(),
            to: action.to.display().to_string(),
            files: errors,
            errors: summary
                .errors
                .iter()
                .filter(|error| error.class != ErrorClass::Vanished)
                .cloned()
                .collect(),
        });
        let clean = summary.failed.files == 0 && summary.vanished == 0;
        let clears = self.cleared_by(action, if clean { PassResult::Clean } else { PassResult::Unclean });
        Ok(Performed::Done(Done { figures: figures(summary, begun), debt, clears }))
    }

    /// Runs a pass or a part of one, and shows how far it is.
    pub(super) fn watched<T>(
        &self,
        step: &PlannedStep,
        doing: &'static str,
        work: impl FnOnce(&Watch<'_>) -> Result<T, PassError>,
    ) -> Result<T, PassError> {
        let begun = Instant::now();
        let (stage, cancel) = (&self.stage, self.cancel);
        let meter = Mutex::new(Meter::default());
        let show = |progress: Progress| {
            let at = begun.elapsed();
            let reading = meter.lock().unwrap_or_else(PoisonError::into_inner).read(at, progress);
            stage.show(&Event::StepProgress {
                step: step.id.clone(),
                doing,
                progress,
                seconds: at.as_secs_f64(),
                rate: reading.rate,
                left: reading.left,
            });
        };
        work(&Watch { progress: &show, cancel })
    }

    /// Makes sure whose the target is, before anything is written there. `Some` stops the step.
    fn claim(&mut self, step: &PlannedStep, action: &CopyAction) -> Result<Option<Performed>> {
        let path = action.to.display().to_string();
        let facts = match facts::claim(self.plan, action, &self.state) {
            Ok(facts) => facts,
            Err(error) => {
                let failure = Failure::failed(format!("cannot look at the target {path}: {error}"))
                    .hint("see that the drive or share is there and can be read, and go on");
                return Ok(Some(failure.into()));
            }
        };
        let found = match guard::judge_claim(&facts) {
            ClaimVerdict::Own | ClaimVerdict::Foreign => return Ok(None),
            ClaimVerdict::Refuse(refusal) => return Ok(Some(Failure::from(refusal).into())),
            ClaimVerdict::Claim(found) => found,
            ClaimVerdict::Ask(question) => {
                let question = counted(question, &action.to, self.cancel);
                let prompt = choice_prompt(
                    format!("The target {path} is not empty. Take it over as this run's own?"),
                    "From then on a purge may take away whatever the source does not have. Look at what is in it first.",
                    [(ADOPT, "it is an earlier copy of this source, and may be purged")],
                    Evidence::None,
                );
                match self.ask(Asking {
                    step: &step.id,
                    title: &step.title,
                    question,
                    prompt,
                    list: Vec::new(),
                })? {
                    Heard::Answer(_) => Found::Adopted,
                    Heard::None(unanswered) => return Ok(Some(Performed::Unanswered(unanswered))),
                }
            }
        };
        let identity = match facts::make_target(&action.to) {
            Ok(identity) => identity,
            Err(error) => {
                let failure = Failure::failed(format!("cannot make the target folder {path}: {error}"))
                    .hint("see that its drive or share is there and can be written to, and go on");
                return Ok(Some(failure.into()));
            }
        };
        self.append(Body::TargetClaimed { path, identity: identity.0, found })?;
        Ok(None)
    }

    fn purge(
        &mut self,
        step: &PlannedStep,
        action: &CopyAction,
        purge: Purge,
        pass: &CopyPass,
        outcome: &mut PassOutcome,
        errors: u64,
    ) -> Result<Purging> {
        let identity = facts::identity(&action.to);
        let list = list(&outcome.extras, identity.as_ref());
        let approved = match self.state.said_of_purge(&step.id, &list.digest) {
            Some(Answer::Choice(choice)) if choice == KEEP => return Ok(self.keep(outcome)),
            said => said.map(|_| list.digest.clone()),
        };
        let facts = self.purge_facts(action, outcome, errors, list, approved);
        if self.cancel.is_requested() {
            // A look that was broken off tells nothing about the source.
            return Ok(Purging::Stop(Failure::Interrupted.into()));
        }
        match guard::judge_purge(
            &facts,
            &guard::Limits { max_files: purge.max_files, max_percent: purge.max_percent },
        ) {
            Verdict::Go => {}
            Verdict::Refuse(refusal) if action.errors == OnErrors::Tolerate => {
                self.warn(Some(&step.id), format!("nothing was purged: {refusal}"));
                return Ok(self.keep(outcome));
            }
            Verdict::Refuse(refusal) => return Ok(Purging::Stop(Failure::from(refusal).into())),
            Verdict::Ask(question) => {
                let prompt = choice_prompt(
                    format!(
                        "The purge would take away {} files ({}), more than its limits of {} files or {} %. Go ahead?",
                        facts.list.files,
                        bytesize::ByteSize(facts.list.bytes).display().iec(),
                        purge.max_files,
                        purge.max_percent,
                    ),
                    "Look at the list: each file on it is in the target and not in the source.",
                    [(KEEP, "leave them in the target and go on"), ("purge", "take these files away")],
                    Evidence::None,
                );
                let names = names(&outcome.extras);
                match self.ask(Asking {
                    step: &step.id,
                    title: &step.title,
                    question,
                    prompt,
                    list: names,
                })? {
                    Heard::None(unanswered) => return Ok(Purging::Stop(Performed::Unanswered(unanswered))),
                    Heard::Answer(answer) if answer == Answer::Choice(KEEP.to_owned()) => {
                        return Ok(self.keep(outcome));
                    }
                    Heard::Answer(_) => {}
                }
            }
        }
        if outcome.extras.is_empty() {
            return Ok(Purging::Over);
        }
        // A person may have taken hours to answer: what was judged must still be what is there.
        if facts::identity(&action.to) != identity {
            let reason = format!(
                "the target {} is another folder than when the purge was judged",
                action.to.display()
            );
            let failure =
                Failure::refused(reason).hint("see that the right drive or share is mounted, and go on");
            return Ok(Purging::Stop(failure.into()));
        }
        let disposal = match purge.keep {
            Keep::None => Disposal::Delete,
            Keep::Quarantine => Disposal::Quarantine(quarantine_place(&action.to, &self.state.run)),
        };
        let purged = match self
            .watched(step, "purging", |watch| Native.purge(pass, &outcome.extras, &disposal, watch))
        {
            Ok(purged) => purged,
            Err(error) => return Ok(Purging::Stop(ended_early(error).into())),
        };
        outcome.summary.purged = purged.files;
        if purged.errors.is_empty() {
            return Ok(Purging::Over);
        }
        let failure =
            Failure::failed(format!("extra files that could not be taken away: {}", purged.errors.len()))
                .hint("see to the files that are listed, and go on: the pass is done again and lists anew");
        Ok(Purging::Stop(Performed::Failed { failure, errors: purged.errors }))
    }

    /// The extra files stay; the account says so.
    fn keep(&self, outcome: &mut PassOutcome) -> Purging {
        for extra in &outcome.extras {
            if extra.kind == EntryKind::File {
                outcome.summary.kept.add(extra.bytes);
            }
        }
        Purging::Over
    }

    fn purge_facts(
        &self,
        action: &CopyAction,
        outcome: &PassOutcome,
        errors: u64,
        list: PurgeList,
        approved: Option<String>,
    ) -> PurgeFacts {
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
            errors: errors.max(summary.failed.files),
            source_facts: SourceFacts::Whole { files },
            unmatched: super::check::unmatched(&action.from, &expected, self.cancel),
            list,
            target_files: outcome.target_files,
            approved,
        }
    }
}

/// The question with the number of files that a person judges by.
fn counted(question: Question, target: &Path, cancel: &Cancel) -> Question {
    match question {
        Question::Adopt { path, identity, .. } => {
            Question::Adopt { path, identity, files: facts::count(target, cancel) }
        }
        other => other,
    }
}

enum Purging {
    Over,
    Stop(Performed),
}

/// The pass of a step, as it begins now.
pub fn pass_of(action: &CopyAction) -> CopyPass {
    CopyPass {
        from: action.from.clone(),
        to: action.to.clone(),
        filter: action.filter.clone(),
        started: Timestamp::now(),
        directories: action.directories,
        errors: action.errors,
        retries: action.retries,
        wait: action.wait,
        threads: action.threads,
        compare: action.compare,
        mtime_tolerance: action.mtime_tolerance,
        links: action.links,
        preserve: action.preserve,
        bandwidth: action.bandwidth.clone(),
        priority: action.priority,
        resume_over: action.resume_over,
        distrust: None,
        extras: if action.purge.is_some() { Extras::List } else { Extras::Keep },
    }
}

/// What counts as an error of the pass: a vanished file is none where errors are tolerated.
fn errors(summary: &PassSummary, on_errors: OnErrors) -> u64 {
    match on_errors {
        OnErrors::Tolerate => summary.failed.files,
        OnErrors::Fail => summary.failed.files + summary.vanished,
    }
}

fn too_many(summary: &PassSummary, errors: u64) -> Performed {
    let failure = Failure::failed(match errors {
        1 => "1 file could not be copied".to_owned(),
        errors => format!("{errors} files could not be copied"),
    })
    .hint("see to the files that are listed, and go on: the pass is done again and copies what is missing");
    Performed::Failed { failure, errors: summary.errors.clone() }
}

pub(super) fn ended_early(error: PassError) -> Failure {
    match error {
        PassError::Interrupted => Failure::Interrupted,
        PassError::Fatal { what, path, hint, source } => {
            let cause = source.map_or(String::new(), |source| format!(": {source}"));
            Failure::failed(format!("{what} ({path}){cause}")).hint(hint)
        }
    }
}

/// What a purge would take away, with a digest that tells this list from every other.
fn list(extras: &[ExtraEntry], target: Option<&guard::Identity>) -> PurgeList {
    let mut digest = blake3::Hasher::new();
    digest.update(target.map_or("", |target| target.0.as_str()).as_bytes());
    let mut list = PurgeList { files: 0, bytes: 0, directories: 0, digest: String::new() };
    for extra in extras {
        let name = extra.path.as_os_str().as_encoded_bytes();
        digest.update(&(name.len() as u64).to_le_bytes()).update(name).update(&[extra.kind as u8]);
        digest.update(&extra.bytes.to_le_bytes());
        match extra.kind {
            EntryKind::Directory => list.directories += 1,
            EntryKind::File | EntryKind::Link | EntryKind::Special => {
                list.files += 1;
                list.bytes += extra.bytes;
            }
        }
    }
    list.digest = digest.finalize().to_hex().to_string();
    list
}

fn names(extras: &[ExtraEntry]) -> Vec<String> {
    let mut names: Vec<String> = extras
        .iter()
        .filter(|extra| extra.kind != EntryKind::Directory)
        .take(LISTED)
        .map(|extra| extra.path.display().to_string())
        .collect();
    let files = extras.iter().filter(|extra| extra.kind != EntryKind::Directory).count();
    if files > LISTED {
        names.push(format!("… and {} more; `movebook plan` lists them all", files - LISTED));
    }
    names
}

/// What later templates and reports see of a pass.
fn figures(summary: &PassSummary, begun: Instant) -> Figures {
    let seconds = begun.elapsed().as_secs_f64();
    let copied_files = summary.new.files + summary.changed.files;
    let copied_bytes = summary.new.bytes + summary.changed.bytes;
    let filtered = summary
        .filtered
        .values()
        .fold((0, 0), |(files, bytes), tally| (files + tally.files, bytes + tally.bytes));
    let mut figures = Figures::new();
    for (name, value) in [
        ("copied_files", copied_files),
        ("copied_bytes", copied_bytes),
        ("new_files", summary.new.files),
        ("new_bytes", summary.new.bytes),
        ("changed_files", summary.changed.files),
        ("changed_bytes", summary.changed.bytes),
        ("same_files", summary.same.files),
        ("same_bytes", summary.same.bytes),
        ("filtered_files", filtered.0),
        ("filtered_bytes", filtered.1),
        ("skipped_links", summary.skipped_links),
        ("skipped_special", summary.skipped_special),
        ("links_copied", summary.links_copied),
        ("failed", summary.failed.files),
        ("failed_bytes", summary.failed.bytes),
        ("vanished", summary.vanished),
        ("retried", summary.retried),
        ("purged_files", summary.purged.files),
        ("purged_bytes", summary.purged.bytes),
        ("kept_files", summary.kept.files),
        ("extra_filtered_files", summary.extra_filtered.files),
        ("directories", summary.directories),
        ("directories_created", summary.directories_created),
    ] {
        figures.insert(name.to_owned(), value.into());
    }
    let by_rule: serde_json::Map<String, serde_json::Value> = summary
        .filtered
        .iter()
        .filter_map(|(rule, tally)| {
            Some((serde_json::to_value(rule).ok()?.as_str()?.to_owned(), tally.files.into()))
        })
        .collect();
    figures.insert("filtered_by".to_owned(), by_rule.into());
    if seconds > 0.0 {
        figures.insert("bytes_a_second".to_owned(), (copied_bytes as f64 / seconds).into());
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(path: &str, kind: EntryKind) -> ExtraEntry {
        ExtraEntry { path: path.into(), kind, bytes: 10 }
    }

    #[test]
    fn a_list_with_another_file_has_another_digest() {
        let one = list(&[extra("a", EntryKind::File), extra("b", EntryKind::File)], None);
        let other = list(&[extra("ab", EntryKind::File)], None);
        assert_ne!(one.digest, other.digest);
        assert_eq!((one.files, one.bytes, one.directories), (2, 20, 0));
    }

    #[test]
    fn directories_count_for_themselves() {
        let list = list(&[extra("d/a", EntryKind::File), extra("d", EntryKind::Directory)], None);
        assert_eq!((list.files, list.directories), (1, 1));
    }

    #[test]
    fn a_vanished_file_is_an_error_only_where_none_is_tolerated() {
        let summary = PassSummary { vanished: 2, ..PassSummary::default() };
        assert_eq!(errors(&summary, OnErrors::Tolerate), 0);
        assert_eq!(errors(&summary, OnErrors::Fail), 2);
    }
}
